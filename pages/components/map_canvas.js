// Follows FRAME_JS of wall.py, which has `make` and `openHere`.
const GRAY = "#8a8f98"
const NEAR = 14  // pixels between the pointer and a point that it means
const DRAG = 6  // pixels that make a box of a click

const paletteOf = (root) =>
  getComputedStyle(root).getPropertyValue("--st-chart-categorical-colors").split(",").map((one) => one.trim())

const colorOf = (root, data, kind) => (kind >= 0 && kind < data.colored ? root.palette[kind] : GRAY)

const groups = (flat, size) => {
  const found = []
  for (let at = 0; at < flat.length; at += size) found.push(flat.slice(at, at + size))
  return found
}

const kindOf = (data, kind) => (kind < 0 ? data.none : data.kinds[kind]?.[0] ?? "others")

const draw = (root, data) => {
  const plot = root.querySelector(".plot")
  const canvas = root.querySelector("canvas")
  const { width, height } = plot.getBoundingClientRect()
  if (!width) return
  const ratio = window.devicePixelRatio || 1
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const pen = canvas.getContext("2d")
  pen.scale(ratio, ratio)
  const pad = data.pad
  const place = (x, y) => [pad + (x / data.steps) * (width - 2 * pad), pad + (y / data.steps) * (height - 2 * pad)]
  const [columns, lines] = data.grid
  const cell = [(width - 2 * pad) / columns, (height - 2 * pad) / lines]
  const gap = Math.min(1, 0.12 * cell[0])
  pen.fillStyle = getComputedStyle(root).color
  pen.globalAlpha = 0.09
  for (const [x, y] of groups(data.others, 2)) {
    pen.fillRect(pad + x * cell[0], pad + y * cell[1], cell[0] + 0.5, cell[1] + 0.5)
  }
  const most = Math.log1p(Math.max(1, ...groups(data.cells, 4).map((one) => one[2])))
  for (const [x, y, count, kind] of groups(data.cells, 4)) {
    pen.fillStyle = colorOf(root, data, kind)
    pen.globalAlpha = 0.25 + 0.75 * (Math.log1p(count) / most)
    pen.fillRect(pad + x * cell[0] + gap / 2, pad + y * cell[1] + gap / 2, cell[0] - gap, cell[1] - gap)
  }
  const points = groups(data.points, 4)
  const radius = points.length < 500 ? 4.5 : points.length < 1500 ? 3.5 : 2.5
  pen.globalAlpha = 0.9
  for (const colored of [false, true]) {
    for (const [x, y, kind] of points) {
      const color = colorOf(root, data, kind)
      if ((color !== GRAY) !== colored) continue
      pen.fillStyle = color
      pen.beginPath()
      pen.arc(...place(x, y), radius, 0, 2 * Math.PI)
      pen.fill()
    }
  }
  root.spots = points.map(([x, y, _, label]) => [...place(x, y), label])
  root.cells = new Map(groups(data.cells, 4).map(([x, y, count, kind]) => [y * columns + x, [count, kind]]))
  root.cellAt = (x, y) => {
    const [column, line] = [Math.floor((x - pad) / cell[0]), Math.floor((y - pad) / cell[1])]
    return column < 0 || column >= columns ? undefined : root.cells.get(line * columns + column)
  }
  placePictures(root, data, width, height, place)
  root.unplace = ([x, y]) => [
    Math.min(1, Math.max(0, (x - pad) / (width - 2 * pad))),
    Math.min(1, Math.max(0, (y - pad) / (height - 2 * pad))),
  ]
  const box = root.querySelector(".box")
  box.style.display = data.area ? "block" : "none"
  if (data.area) {
    const [left, top] = place(data.area[0] * data.steps, data.area[1] * data.steps)
    const [right, bottom] = place(data.area[2] * data.steps, data.area[3] * data.steps)
    putBox(box, left, top, right, bottom)
  }
}

const putBox = (box, left, top, right, bottom) => {
  box.style.left = `${Math.min(left, right)}px`
  box.style.top = `${Math.min(top, bottom)}px`
  box.style.width = `${Math.abs(right - left)}px`
  box.style.height = `${Math.abs(bottom - top)}px`
}

// Each thumbnail stays in its large cell, so that no two lie on each other.
const placePictures = (root, data, width, height, place) => {
  const [columns, lines] = data.pictureGrid
  const room = [(width - 2 * data.pad) / columns, (height - 2 * data.pad) / lines]
  const side = Math.max(26, Math.min(58, room[0] - 8, room[1] - 8))
  const within = (value, size, start) => {
    const low = start + Math.floor((value - start) / size) * size
    return size > side ? Math.min(Math.max(value, low + side / 2), low + size - side / 2) : low + size / 2
  }
  for (const link of root.querySelectorAll(".shown a")) {
    const [x, y] = place(Math.min(+link.dataset.x, data.steps - 1), Math.min(+link.dataset.y, data.steps - 1))
    link.style.left = `${within(x, room[0], data.pad)}px`
    link.style.top = `${within(y, room[1], data.pad)}px`
    link.style.width = link.style.height = `${side}px`
  }
}

const fillPictures = (root, data) => {
  const shown = root.querySelector(".shown")
  shown.replaceChildren(
    ...data.pictures.map((one) => {
      const link = document.createElement("a")
      link.href = one.href
      link.dataset.image = one.image_id
      link.dataset.x = one.x
      link.dataset.y = one.y
      link.style.setProperty("--edge", colorOf(root, data, one.kind))
      const picture = make(link, "img")
      picture.src = one.picture
      picture.alt = one.alt
      link.title = one.alt
      picture.draggable = false
      openHere(link)
      return link
    }),
  )
}

const fillKey = (root, data, tell) => {
  const key = root.querySelector(".key")
  key.replaceChildren()
  data.kinds.slice(0, data.colored).forEach(([name, count, raw], place) => {
    const button = make(key, "button")
    button.type = "button"
    button.style.setProperty("--dot", root.palette[place])
    make(button, "i").setAttribute("aria-hidden", "true")
    make(button, "span", "", name)
    make(button, "span", "count", count.toLocaleString("en"))
    button.setAttribute("aria-pressed", String(data.wanted.includes(raw)))
    button.onclick = () => tell("kind", raw)
  })
  if (data.rest) {
    const rest = make(key, "span", "rest")
    rest.style.setProperty("--dot", GRAY)
    make(rest, "i").setAttribute("aria-hidden", "true")
    make(rest, "span", "", data.rest)
  }
  const turn = make(key, "button", "turn", "Thumbnails")
  turn.type = "button"
  const say = () => {
    root.classList.toggle("bare", window.sparkcoreBareMap === true)
    turn.setAttribute("aria-pressed", String(window.sparkcoreBareMap !== true))
  }
  turn.onclick = () => {
    window.sparkcoreBareMap = window.sparkcoreBareMap !== true
    say()
  }
  say()
}

const whereOf = (plot, event) => {
  const { left, top } = plot.getBoundingClientRect()
  return [event.clientX - left - plot.clientLeft, event.clientY - top - plot.clientTop]
}

const showTip = (root, data, [x, y]) => {
  const tip = root.querySelector(".tip")
  let said = ""
  const found = root.cellAt(x, y)
  if (found) said = `${found[0].toLocaleString("en")} images, most often ${kindOf(data, found[1])}`
  let nearest = NEAR
  for (const [px, py, label] of root.spots) {
    const distance = Math.hypot(px - x, py - y)
    if (distance < nearest) [nearest, said] = [distance, data.labels[label] ?? "no label"]
  }
  tip.style.display = said ? "block" : "none"
  tip.textContent = said
  const plot = root.querySelector(".plot").getBoundingClientRect()
  tip.style.left = `${Math.max(0, Math.min(x + 12, plot.width - tip.offsetWidth - 4))}px`
  tip.style.top = `${y > 40 ? y - 34 : y + 16}px`
}

const listen = (root, data, tell) => {
  const plot = root.querySelector(".plot")
  const box = root.querySelector(".box")
  let start = null
  plot.onpointerdown = (event) => {
    if (event.button !== 0 || event.target.closest("a")) return
    start = whereOf(plot, event)
    if (event.pointerType === "mouse") plot.setPointerCapture(event.pointerId)
  }
  plot.onpointermove = (event) => {
    const here = whereOf(plot, event)
    if (start && event.pointerType !== "touch" && Math.hypot(here[0] - start[0], here[1] - start[1]) > DRAG) {
      root.querySelector(".tip").style.display = "none"
      box.style.display = "block"
      putBox(box, ...start, ...here)
    } else if (!start && !event.target.closest("a")) showTip(root, data, here)
  }
  plot.onpointerleave = () => (root.querySelector(".tip").style.display = "none")
  plot.onpointercancel = () => (start = null)
  plot.onpointerup = (event) => {
    if (!start) return
    const here = whereOf(plot, event)
    const isBox = event.pointerType !== "touch" && Math.hypot(here[0] - start[0], here[1] - start[1]) > DRAG
    const reach = isBox ? 0 : 0.05 * plot.getBoundingClientRect().width
    const low = [Math.min(start[0], here[0]) - reach, Math.min(start[1], here[1]) - reach]
    const high = [Math.max(start[0], here[0]) + reach, Math.max(start[1], here[1]) + reach]
    start = null
    const [left, top] = root.unplace(low)
    const [right, bottom] = root.unplace(high)
    if (right > left && bottom > top) tell("area", [left, top, right, bottom])
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".map")
  root.palette = paletteOf(root)
  root.querySelector("canvas").setAttribute("aria-label", data.alt)
  fillPictures(root, data)
  fillKey(root, data, setTriggerValue)
  draw(root, data)
  listen(root, data, setTriggerValue)
  root.watcher?.disconnect()
  root.watcher = new ResizeObserver(() => draw(root, data))
  root.watcher.observe(root.querySelector(".plot"))
  return () => root.watcher?.disconnect()
}
