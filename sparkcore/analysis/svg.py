"""Static SVG of a chart, without scripts, safe to open in a browser.

Run as a script, this module draws: a Vega-Lite specification on standard input, its SVG on standard output. Drawing
runs in its own process because the drawing engine is large and its crashes kill the process.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from sparkcore.child import child_environment
from sparkcore.errors import RunFailedError

if TYPE_CHECKING:
    import altair as alt

TIMEOUT_S = 120

_NAMESPACE = "http://www.w3.org/2000/svg"
# Control characters crash the drawing engine (vl-convert 1.9), and it splits characters beyond U+FFFF.
_UNDRAWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff\U00010000-\U0010ffff]"
)
# All that Vega's renderer writes; anything else, such as markup injected by a class name, is dropped.
_TAGS = frozenset({"svg", "g", "path", "text", "tspan", "rect", "line", "circle", "defs", "clipPath", "title", "desc"})
_ATTRIBUTES = re.compile(
    "width|height|viewBox|transform|d|[xyr]|[xy][12]|[cdr][xy]|opacity|text-anchor|clip-path|id|class"
    "|fill(-opacity|-rule)?|stroke(-width|-opacity|-dasharray|-dashoffset|-linecap|-linejoin|-miterlimit)?"
    "|font-(family|size|weight|style)"
)

_AXIS = {"grid": True, "gridOpacity": 0.25, "domain": False, "ticks": False, "labelPadding": 6, "titleFontWeight": 500}
_CONFIG = {
    "background": None,
    "font": "Arial, sans-serif",
    "padding": {"left": 12, "right": 12, "top": 5, "bottom": 5},  # text may be wider in the viewer's font
    "view": {"stroke": None},
    "axis": {**_AXIS, "gridColor": "#808080", "labelFontSize": 13, "titleFontSize": 13},
    "axisBand": {"grid": False},
    "legend": {"labelFontSize": 13},
    "locale": {"number": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""], "percent": " %"}},
}


def to_svg(chart: alt.Chart | alt.LayerChart, width: int) -> str:
    """Return a chart as SVG, `width` pixels wide and described for screen readers.

    Characters that cannot be drawn become boxes. Raises RunFailedError if drawing fails.
    """
    spec = _still(chart.to_dict(), width)
    return sanitize(_draw(spec), label=_description(spec))


def sanitize(text: str, *, label: str) -> str:
    """Return the SVG reduced to drawing elements and attributes, labeled as one image.

    Raises ParseError for text that is not XML.
    """
    root = ElementTree.fromstring(text)
    _clean(root)
    root.set("role", "img")
    root.set("aria-label", label)
    ElementTree.register_namespace("", _NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode")


def _still(spec: dict[str, Any], width: int) -> dict[str, Any]:
    if isinstance(spec.get("width"), dict):  # a fixed step per column: as wide as needed
        size: dict[str, Any] = {"autosize": {"type": "pad"}}
    else:
        size = {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}}
    drawable: dict[str, Any] = _drawable(spec)
    return {**drawable, **size, "config": {**spec.get("config", {}), **_CONFIG}}


def _drawable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNDRAWABLE.sub("\u25a1", value)
    if isinstance(value, dict):
        return {key: _drawable(inner) for key, inner in value.items()}
    return [_drawable(inner) for inner in value] if isinstance(value, list) else value


def _draw(spec: dict[str, Any]) -> str:
    # -P keeps the current folder off the import path.
    command = [sys.executable, "-P", "-m", "sparkcore.analysis.svg"]
    content, environment = json.dumps(spec).encode(), child_environment()
    try:
        done = subprocess.run(
            command, input=content, env=environment, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RunFailedError(f"Expected a drawn chart, received none within {TIMEOUT_S} s. Try again.") from error
    if done.returncode != 0:
        reason = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise RunFailedError(
            f"Expected a drawn chart, received exit code {done.returncode}: {reason}. "
            "Check that vl-convert-python is installed."
        )
    return done.stdout.decode()


def _clean(element: ElementTree.Element) -> None:
    for name, value in list(element.attrib.items()):
        if not _ATTRIBUTES.fullmatch(name) or ("url(" in value and not value.startswith("url(#")):
            del element.attrib[name]
    for child in list(element):
        if child.tag.removeprefix(f"{{{_NAMESPACE}}}") in _TAGS:
            _clean(child)
        else:
            element.remove(child)


def _description(spec: dict[str, object]) -> str:
    """Return the description of the chart, or of its first layer that has one."""
    layers = spec.get("layer")
    if "description" not in spec and isinstance(layers, list):
        return next((str(layer["description"]) for layer in layers if "description" in layer), "")
    return str(spec.get("description", ""))


def _serve() -> None:
    """Draw the chart that standard input asks for; nothing is loaded from the network."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(json.load(sys.stdin), vl_version="6.4", allowed_base_urls=[])
    sys.stdout.buffer.write(drawn.encode())


if __name__ == "__main__":
    _serve()
