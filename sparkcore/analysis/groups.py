"""Rows of a result by the groups of their predicted classes, such as Animals > Dogs > Terriers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.columns import Encoded, Rows, encode
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.label_search import search
from sparkcore.errors import RequestError
from sparkcore.groups import GroupPath, is_below, parse_path, path_text
from sparkcore.runs.class_names import classes_of, groups_of

GROUP = "group"  # the column of an export

Mask = npt.NDArray[np.bool_]


def with_groups(table: pa.Table) -> pa.Table:
    """Return the table with the column `group` behind the label, unchanged where no prediction has a group."""
    ids, known = encode(table["class_id"]), groups_of(table)
    texts = [path_text(known[value]) if value in known else None for value in ids.values]
    if not any(texts):
        return table
    places = pa.array(ids.codes, mask=ids.codes < 0)
    column = pa.array(texts, pa.string()).take(places)
    return table.add_column(table.column_names.index("label") + 1, GROUP, column)


def in_groups(table: pa.Table, wanted: Sequence[str]) -> Mask:
    """Return a mask of the rows whose prediction is of one of these groups, named by their paths."""
    groups = [path for text in wanted if (path := parse_path(text))]
    known = groups_of(table)
    return _hits(
        encode(table["class_id"]), lambda value: any(is_below(known.get(value, ()), group) for group in groups)
    )


def found_by(table: pa.Table, query: str) -> Mask:
    """Return a mask of the rows whose prediction a search by words finds, by its label or its groups."""
    found = set(find_labels(query, label_paths(table)))
    return _hits(encode(table["label"]), found.__contains__)


def find_labels(query: str, paths: Mapping[str, GroupPath]) -> list[str]:
    """Return those labels of `label_paths` that a search by words finds."""
    hits = search(query, [" ".join((label, *path)) for label, path in paths.items()])
    return [label for label, hit in zip(paths, hits, strict=True) if hit]


def narrowed_labels(paths: Mapping[str, GroupPath], filters: Filters) -> list[str]:
    """Return those labels of `label_paths` that the search and the groups of the filters leave."""
    groups = [path for text in filters.groups if (path := parse_path(text))]
    labels = find_labels(filters.find, paths) if filters.find else list(paths)
    return [label for label in labels if not groups or any(is_below(paths[label], group) for group in groups)]


def label_paths(table: pa.Table) -> dict[str, GroupPath]:
    """Return each predicted label with the path of its group, () for none."""
    labels, ids, known = encode(table["label"]), encode(table["class_id"]), groups_of(table)
    id_of = np.full(len(labels.values) + 1, -1, dtype=np.int64)
    id_of[labels.codes] = ids.codes
    values = (*ids.values, "")
    return {label: known.get(values[id_of[code]], ()) for code, label in enumerate(labels.values)}


def all_groups(paths: Mapping[str, GroupPath]) -> tuple[str, ...]:
    """Return the groups of `label_paths` as texts, each group before those that are in it."""
    prefixes = {path[:depth] for path in paths.values() for depth in range(1, len(path) + 1)}
    return tuple(map(path_text, sorted(prefixes)))


def find_group(table: pa.Table, text: str) -> str:
    """Return the path of the group that a text names: its path, or its last levels, in any case.

    Raises RequestError where none or several of the groups of the run's classes are called so.
    """
    groups = groups_of(table)
    paths = {one.class_id: groups.get(one.class_id, ()) for one in classes_of(table)}
    wanted, known = parse_path(text.casefold()), all_groups({**label_paths(table), **paths})
    found = [path for path in known if wanted and parse_path(path.casefold())[-len(wanted) :] == wanted]
    if len(found) != 1:
        some = ", ".join(found or [path for path in known if len(parse_path(path)) == 1]) or "none"
        raise RequestError(f"group: expected the name of one group of this run ({some}), received {text!r}.")
    return found[0]


def group_counts(table: pa.Table, rows: Rows | None = None, within: GroupPath = ()) -> pa.Table:
    """Count the images of each group that lies directly in a group, most frequent first.

    Columns: label (the last name of the group), group (its path), count, share (of the images counted), labels (how
    many different ones), is_rest. Images that are in no group below `within` are the last row.
    """
    ids, known = encode(table["class_id"]).at(rows), groups_of(table)
    counts = np.bincount(ids.codes[ids.codes >= 0], minlength=len(ids.values)).tolist()
    images, labels = Counter[str](), Counter[str]()
    for value, count in zip(ids.values, counts, strict=True):
        path = known.get(value, ())
        if count and is_below(path, within):
            name = path[len(within)] if len(path) > len(within) else ""
            images[name] += count
            labels[name] += 1
    names = sorted(images, key=lambda name: (not name, -images[name], name))
    total = images.total() or 1
    return pa.table(
        {
            "label": pa.array([name or "other labels" for name in names], pa.string()),
            "group": pa.array([path_text((*within, name)) if name else "" for name in names], pa.string()),
            "count": pa.array([images[name] for name in names], pa.int64()),
            "share": pa.array([images[name] / total for name in names], pa.float64()),
            "labels": pa.array([labels[name] for name in names], pa.int64()),
            "is_rest": pa.array([not name for name in names], pa.bool_()),
        }
    )


def _hits(encoded: Encoded, is_wanted: Callable[[str], bool]) -> Mask:
    mask: Mask = np.array([*map(is_wanted, encoded.values), False])[encoded.codes]
    return mask
