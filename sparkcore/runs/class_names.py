"""The classes of a run's model in its table of results: one name per class, and all classes and groups as metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.classes import ClassName, distinct_names, imagenet_classes
from sparkcore.groups import GroupPath, imagenet_groups, parse_path, path_text

METADATA_KEY = b"sparkcore.classes"
_GROUPS_KEY = b"sparkcore.groups"


def with_class_names(table: pa.Table, classes: tuple[ClassName, ...], outputs: int | None = None) -> pa.Table:
    """Return the table with labels that tell all classes apart, and with the classes for `classes_of`.

    `classes` are all classes of the model; where a run has not kept them (version 0.1), they are ImageNet's if the
    rows are ImageNet's and the model has as many `outputs`.
    """
    imagenet = imagenet_classes()
    naming = classes or (imagenet if _are_all_of(table, imagenet) else ())
    table = _rename(table, naming)
    if not classes and (not naming or outputs != len(imagenet)):
        return table
    stored = json.dumps(naming).encode()
    return table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA_KEY: stored})


def with_own_groups(schema: pa.Schema, groups: Mapping[str, GroupPath]) -> pa.Schema:
    """Return the schema with a model's own groups, by class id, for `groups_of`; unchanged where it has none."""
    if not groups:
        return schema
    stored = json.dumps({class_id: path_text(path) for class_id, path in groups.items()}).encode()
    return schema.with_metadata({**(schema.metadata or {}), _GROUPS_KEY: stored})


def groups_of(table: pa.Table) -> Mapping[str, GroupPath]:
    """Return the group of each class by its id: those of the model itself, and ImageNet's."""
    stored = (table.schema.metadata or {}).get(_GROUPS_KEY)
    return imagenet_groups() if stored is None else _parse_groups(stored)


def classes_of(table: pa.Table) -> tuple[ClassName, ...]:
    """Return all classes of the model that made these results, in the order of its outputs; () if not known."""
    stored = (table.schema.metadata or {}).get(METADATA_KEY)
    return () if stored is None else _parse(stored)


@lru_cache(maxsize=16)
def _parse(stored: bytes) -> tuple[ClassName, ...]:
    return tuple(ClassName(class_id, label) for class_id, label in json.loads(stored))


@lru_cache(maxsize=16)
def _parse_groups(stored: bytes) -> Mapping[str, GroupPath]:
    own = {class_id: parse_path(path) for class_id, path in json.loads(stored).items()}
    return MappingProxyType({**imagenet_groups(), **own})


def _are_all_of(table: pa.Table, classes: tuple[ClassName, ...]) -> bool:
    if "class_id" not in table.column_names:
        return False
    found = pc.unique(table["class_id"].drop_null())
    return len(found) > 0 and bool(
        pc.all(pc.is_in(found, value_set=pa.array([one.class_id for one in classes]))).as_py()
    )


def _rename(table: pa.Table, classes: tuple[ClassName, ...]) -> pa.Table:
    pairs = zip(classes, distinct_names(classes), strict=True)
    names = {one.class_id: name for one, name in pairs if name != one.label}
    columns = set(table.column_names)
    if names and {"class_id", "label"} <= columns:
        labels = _renamed(table["label"], table["class_id"], names)
        table = table.set_column(table.column_names.index("label"), table.schema.field("label"), labels)
    if names and "top" in columns:
        kind = table["top"].type
        top = pa.chunked_array([_renamed_top(chunk, names) for chunk in table["top"].chunks], kind)
        table = table.set_column(table.column_names.index("top"), table.schema.field("top"), top)
    return table


def _renamed(
    labels: pa.Array | pa.ChunkedArray, ids: pa.Array | pa.ChunkedArray, names: Mapping[str, str]
) -> pa.Array | pa.ChunkedArray:
    place = pc.index_in(ids, value_set=pa.array(list(names)))
    if place.null_count == len(place):
        return labels
    return pc.coalesce(pa.array(list(names.values())).take(place), labels)


def _renamed_top(lists: pa.ListArray, names: Mapping[str, str]) -> pa.ListArray:
    entries = lists.flatten()
    labels = entries.field("label")
    renamed = _renamed(labels, entries.field("class_id"), names)
    if renamed is labels:
        return lists
    kind = entries.type
    parts = [renamed if field.name == "label" else entries.field(field.name) for field in kind]
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    values = pa.StructArray.from_arrays(parts, fields=list(kind))
    return pa.ListArray.from_arrays(offsets, values, lists.type, mask=lists.is_null())
