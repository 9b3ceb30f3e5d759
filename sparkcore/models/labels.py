"""Class names of a custom model, read from a file."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

from sparkcore.classes import ClassName
from sparkcore.errors import ModelError
from sparkcore.groups import LEVELS, GroupPath, parse_path, path_text

HEADER_WORDS = {"index", "class_id", "label"}


def read_labels(path: Path | str) -> tuple[ClassName, ...]:
    """Read the classes of a custom model, in the order of its outputs.

    The extension decides the format:

    - `.json`: what `classes_from_json` takes;
    - `.csv`: columns named by a header (`index`, `class_id`, `label`), or without a header one column (label),
      two (class_id or index, label) or three (index, class_id, label);
    - otherwise text with one class per line: `label`, `class_id<TAB>label`, `class_id label` (if the first word of
      every line has a digit, as in `n01440764 tench`) or `index label`. Empty lines are skipped.

    Raises ModelError if the file is missing, holds no class, or names a class twice.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"labels: expected a UTF-8 text, CSV or JSON file at {path}, but {error}.") from error
    suffix = path.suffix.lower()
    try:
        if suffix == ".json":
            return classes_from_json(json.loads(text))
        return _classes_from_csv(text) if suffix == ".csv" else _classes_from_text(text)
    except (ValueError, csv.Error) as error:
        raise ModelError(f"labels: {path} cannot be read: {error}.") from error
    except ModelError as error:
        raise ModelError(f"{error} The file is {path}.") from error


def classes_from_json(value: Any) -> tuple[ClassName, ...]:
    """Build classes from a list, or a dict of index to class; a class is "label" or ["class_id", "label"].

    Raises ModelError for any other shape.
    """
    if isinstance(value, dict):
        value = _in_index_order(list(value.items()))
    if not isinstance(value, list):
        raise ModelError(
            f"labels: expected a JSON list, or a dict of index to label, received a {type(value).__name__}."
        )
    return _checked([_class_from_json(entry) for entry in value])


def groups_from_json(value: Any, classes: tuple[ClassName, ...]) -> dict[str, GroupPath]:
    """Read the groups of a model's classes, {label or class id: "Group > Subgroup"}, and return them by class id.

    A path may also be a list of names. Raises ModelError for other shapes, classes that the model does not have, and
    paths of more than three levels.
    """
    if not isinstance(value, dict):
        raise ModelError(f"groups: expected an object of label to group, received {value!r:.60}.")
    ids = {**{one.label: one.class_id for one in classes}, **{one.class_id: one.class_id for one in classes}}
    strangers = [name for name in value if name not in ids]
    if strangers:
        raise ModelError(f"groups: expected labels of the model, received {', '.join(strangers[:5])}.")
    return {ids[name]: _group_from_json(name, group) for name, group in value.items()}


def _group_from_json(name: str, group: Any) -> GroupPath:
    names = group if isinstance(group, list) else [group]
    texts = all(isinstance(one, str) for one in names)
    path = parse_path(path_text(tuple(names))) if texts else ()
    if not 1 <= len(path) <= LEVELS:
        raise ModelError(
            f'groups: expected one to {LEVELS} names for {name}, as in "Animals > Dogs", received {group!r:.60}.'
        )
    return path


def _class_from_json(entry: Any) -> ClassName:
    if isinstance(entry, str):
        return ClassName(entry.strip(), entry.strip())
    if isinstance(entry, list) and len(entry) == 2 and all(isinstance(part, str) for part in entry):
        return ClassName(entry[0].strip(), entry[1].strip())
    raise ModelError(f'labels: expected "label" or ["class_id", "label"] for each class, received {entry!r}.')


def _classes_from_text(text: str) -> tuple[ClassName, ...]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if all("\t" in line for line in lines):
        return _classes_from_rows([line.split("\t", 1) for line in lines])
    pairs = [line.split(None, 1) for line in lines]
    # "great white shark" is one label; "n01440764 tench" is two columns: ids have digits.
    if all(len(pair) == 2 and any(char.isdigit() for char in pair[0]) for pair in pairs):
        return _classes_from_rows(pairs)
    return _classes_from_rows([[line] for line in lines])


def _classes_from_csv(text: str) -> tuple[ClassName, ...]:
    rows = [
        [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)
    ]
    if not rows or "label" not in rows[0] or not set(rows[0]) <= HEADER_WORDS:
        return _classes_from_rows(rows)
    header, body = rows[0], rows[1:]
    uneven = [row for row in body if len(row) != len(header)]
    if uneven:
        raise ModelError(f"labels: expected the {len(header)} columns of the header, received the row {uneven[0]}.")
    records = [dict(zip(header, row, strict=True)) for row in body]
    if "index" in header:
        records = _in_index_order([(record["index"], record) for record in records])
    return _checked([ClassName(record.get("class_id", record["label"]), record["label"]) for record in records])


def _classes_from_rows(rows: list[list[str]]) -> tuple[ClassName, ...]:
    """Accept rows of label; class_id, label; index, label; or index, class_id, label."""
    widths = {len(row) for row in rows}
    if len(widths) > 1 or not widths <= {1, 2, 3}:
        raise ModelError(f"labels: expected the same one to three columns in every row, received {sorted(widths)}.")
    if widths == {3} or (widths == {2} and all(row[0].isdecimal() for row in rows)):
        rows = _in_index_order([(row[0], row[1:]) for row in rows])
    return _checked([ClassName(row[0].strip(), row[-1].strip()) for row in rows])


def _in_index_order(items: list[tuple[str, Any]]) -> list[Any]:
    by_index = {int(index): value for index, value in items if index.isdecimal()}
    if sorted(by_index) != list(range(len(items))):
        raise ModelError(f"labels: expected the indices 0 to {len(items) - 1}, each once, received others.")
    return [by_index[i] for i in range(len(items))]


def _checked(classes: list[ClassName]) -> tuple[ClassName, ...]:
    if not classes:
        raise ModelError("labels: expected at least one class, received none.")
    if any(not name.class_id or not name.label for name in classes):
        raise ModelError("labels: expected a name for every class, received an empty one.")
    counts = Counter(name.class_id for name in classes)
    twice = sorted(class_id for class_id, count in counts.items() if count > 1)[:5]
    if twice:
        raise ModelError(f"labels: expected every class once, received {', '.join(twice)} more than once.")
    return tuple(classes)
