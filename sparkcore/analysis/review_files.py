"""Reviews as files that other programs write and read: CSV, and the tasks of Label Studio.

The tasks follow Label Studio's JSON format for a `Choices` control named "label" and an `Image` object named "image":
the model's predictions are pre-annotations, reviews are annotations.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.class_lookup import ClassLookup
from sparkcore.analysis.export import write_csv
from sparkcore.analysis.reviewed import REVIEW_COLUMNS
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import display_name
from sparkcore.reviews.pictures import pictures_at
from sparkcore.reviews.review import Change, Entry, Picture

_CONTROL, _OBJECT = "label", "image"
_APOSTROPHE = "'"  # in front of what a spreadsheet would run, by `export.write_csv`


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of a file of reviews; `where` names it in messages. None says nothing."""

    where: str
    image_id: str
    label: str
    star: bool | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """Hold what a file says of the pictures of a run, and the image ids that are not in the run."""

    entries: tuple[Entry, ...]
    images: int
    unknown: tuple[str, ...]
    new_classes: tuple[str, ...]


def write_review_csv(table: pa.Table, file: BinaryIO) -> int:
    """Write the reviewed images of a result with reviews (`with_reviews`) in the form that `read_lines` reads.

    Returns their number.
    """
    part = _reviewed(table)
    columns = {
        "image_id": part["image_id"],
        "label": part["review"],
        **{name: part[name] for name in ("star", "tags", "note", "reviewed_by", "reviewed_at")},
        "prediction": part["label"],
        "score": part["score"],
        "truth_source": part["truth_source"],
        "file_name": part["file_name"],
        "origin": part["origin"],
    }
    write_csv(pa.table(columns), file)
    return part.num_rows


def label_studio_tasks(table: pa.Table, model: str, url_of: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return a task for each readable image, with the model's labels as predictions and the review as annotation.

    `table` may have reviews. `url_of` gives the address under which Label Studio finds an origin; without it, local
    files get those of its local storage, `/data/local-files/?d=PATH`.
    """
    names = ["image_id", "origin", "file_name", "label", "score", "top"]
    has_reviews = "review" in table.column_names
    rows = table.filter(pc.is_valid(table["label"])).select([*names, *(["review"] if has_reviews else [])])
    return [_task(row, model, url_of or {}) for row in rows.to_pylist()]


def label_studio_config(classes: Sequence[str]) -> str:
    """Return the labeling configuration (XML) that fits the tasks."""
    from xml.sax.saxutils import quoteattr

    choices = "".join(f"\n    <Choice value={quoteattr(name)}/>" for name in classes)
    return (
        f'<View>\n  <Image name="{_OBJECT}" value="$image"/>\n'
        f'  <Choices name="{_CONTROL}" toName="{_OBJECT}" choice="single">{choices}\n  </Choices>\n</View>\n'
    )


def read_lines(content: bytes, name: str) -> list[Line]:
    """Read a CSV, or an export of Label Studio (JSON or JSON-MIN) where `name` ends with .json.

    Raises RequestError for another content.
    """
    try:
        text = content.decode("utf-8-sig")
        return list(_lines_of_json(json.loads(text)) if name.lower().endswith(".json") else _lines_of_csv(text))
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise RequestError(
            f"{name}: expected a UTF-8 CSV with the columns image_id and label, or an export of Label Studio in JSON, "
            f"but: {error}."
        ) from error


def match_lines(table: pa.Table, lines: Sequence[Line]) -> Import:
    """Return what the lines say of the images of a result; raises RequestError for labels that name no one class.

    The ids of images that the result does not have are `unknown`; it is an error if all of them are.
    """
    lookup = ClassLookup.of(table)
    places = pc.index_in(pa.array([line.image_id for line in lines], pa.string()), value_set=_ids(table)).to_pylist()
    known = [(line, place) for line, place in zip(lines, places, strict=True) if place is not None]
    if not known:
        raise RequestError(f"Expected image ids of this run, received none in {len(lines):,} lines.")
    pictures = pictures_at(table, [place for _, place in known])
    by_change: dict[Change, list[Picture]] = {}
    for (line, _), picture in zip(known, pictures, strict=True):
        by_change.setdefault(_change(line, lookup), []).append(picture)
    by_change.pop(Change(), None)
    new = {c.answer.label for c in by_change if c.answer and c.answer.label and not c.answer.class_id}
    named = {one.label for one in lookup.classes}
    return Import(
        entries=tuple(Entry(change, tuple(found)) for change, found in by_change.items()),
        images=sum(len(found) for found in by_change.values()),
        unknown=tuple(line.image_id for line, place in zip(lines, places, strict=True) if place is None),
        new_classes=tuple(sorted(new - named)),
    )


def _change(line: Line, lookup: ClassLookup) -> Change:
    try:
        answer = lookup.answer(line.label) if line.label.strip() else None
    except RequestError as error:
        raise RequestError(f"{line.where}: {error}") from error
    return Change(answer, line.star, line.tags, note=line.note)


def _ids(table: pa.Table) -> pa.Array:
    return table["image_id"].combine_chunks()


def _reviewed(table: pa.Table) -> pa.Table:
    if "review" not in table.column_names:
        table = table.slice(0, 0)
        for name in REVIEW_COLUMNS:
            table = table.append_column(name, pa.nulls(0, pa.string()))
        return table
    return table.filter(pc.is_valid(table["reviewed_by"]))


def _lines_of_csv(text: str) -> Iterator[Line]:
    reader = csv.DictReader(io.StringIO(text))
    header = [name.strip() for name in reader.fieldnames or ()]
    if not {"image_id", "label"} <= set(header):
        raise ValueError(f"the columns are {', '.join(header) or 'missing'}")
    reader.fieldnames = header
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"line {reader.line_num} has not {len(header)} cells")
        cells = {name: _plain(value.strip()) for name, value in row.items()}
        yield Line(
            where=f"line {reader.line_num}",
            image_id=cells["image_id"],
            label=cells["label"],
            star=_flag(cells.get("star", ""), reader.line_num),
            tags=tuple(cells.get("tags", "").replace(";", ",").split(",")),
            note=cells.get("note") or None,
        )


def _lines_of_json(tasks: Any) -> Iterator[Line]:
    if not isinstance(tasks, list):
        raise ValueError(f"a list of tasks was expected, and there is a {type(tasks).__name__}")
    for number, task in enumerate(tasks, 1):
        image_id = str((task.get("data") or task)["image_id"])
        label = task.get(_CONTROL) if "data" not in task else _annotated(task)
        if label:
            yield Line(f"task {task.get('id', number)}", image_id, str(label))


def _annotated(task: Mapping[str, Any]) -> str:
    """Return the label of the newest annotation that is not cancelled."""
    for annotation in reversed(task.get("annotations") or ()):
        for result in annotation.get("result") or ():
            if not annotation.get("was_cancelled") and result.get("type") == "choices":
                return str(result["value"]["choices"][0])
    return ""


def _flag(text: str, number: int) -> bool | None:
    values = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": None}
    if text.lower() not in values:
        raise ValueError(f"star in line {number} is {text!r} and neither true nor false")
    return values[text.lower()]


def _plain(text: str) -> str:
    """Return a cell without the apostrophe that keeps a spreadsheet from running it."""
    is_guarded = text[:1] == _APOSTROPHE and text[1:2] in ("=", "+", "-", "@", "\t", "\r")
    return text[1:] if is_guarded else text


def _task(row: Mapping[str, Any], model: str, url_of: Mapping[str, str]) -> dict[str, Any]:
    origin, review = row["origin"], row.get("review")
    local = f"/data/local-files/?d={origin.removeprefix('file:').lstrip('/')}" if origin.startswith("file:") else origin
    first = {"model_version": model, "score": row["score"], "result": [_result(f"{row['image_id']}-p", row["label"])]}
    return {
        "data": {
            "image": url_of.get(origin, local),
            "image_id": row["image_id"],
            "file_name": row["file_name"],
            "top": [{"label": display_name(one["label"]), "score": one["score"]} for one in row["top"]],
        },
        "predictions": [first],
        "annotations": [{"result": [_result(f"{row['image_id']}-a", review)]}] if review else [],
    }


def _result(name: str, label: str) -> dict[str, Any]:
    return {
        "id": name,
        "from_name": _CONTROL,
        "to_name": _OBJECT,
        "type": "choices",
        "value": {"choices": [display_name(label)]},
    }
