"""Reading pictures of rows at known places: ranges of part files, or the row groups of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.errors import RunFailedError
from sparkcore.runs.manifest import Manifest
from sparkcore.runs.parts import FIRST_VERSION, StoredFile, read_columns, stored_parts
from sparkcore.storage.ahead import map_ahead
from sparkcore.storage.folder import FolderStorage
from sparkcore.storage.interface import Storage

_GAP_BYTES = 64 << 10  # a second request costs more than these
_LONGEST_BYTES = 8 << 20
_REQUESTS = 32  # at once, to an object store
_REQUESTS_HERE = 4


@dataclass(frozen=True, slots=True, order=True)
class _Picture:
    """A picture in a part file: its part, first byte, last byte and one, and the number of its row."""

    part: int
    start: int
    end: int
    row: int


def thumbnails_at(storage: Storage, manifest: Manifest, places: pa.Table) -> list[bytes | None]:
    """Return the JPEG thumbnails of rows in their order.

    `places` has `image_id` and the columns of PLACE_FIELDS. Raises RunFailedError where a part file is missing.
    """
    parts = stored_parts(storage, manifest.run_id, manifest)
    if manifest.version == FIRST_VERSION:
        return _from_row_groups(storage, parts, places)
    found: list[bytes | None] = [None] * places.num_rows
    for pictures in map_ahead(partial(_read, storage, parts), _groups(_pictures(places)), _at_once(storage)):
        for row, content in pictures:
            found[row] = content
    return found


def rows_at(storage: Storage, manifest: Manifest, places: pa.Table, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield `columns`, among them image_id, of rows at their places, by part; only their row groups are read."""
    parts = stored_parts(storage, manifest.run_id, manifest)
    yield from _rows_at(storage, parts, places, columns)


def _rows_at(
    storage: Storage, parts: Sequence[StoredFile], places: pa.Table, columns: Sequence[str]
) -> Iterator[pa.Table]:
    wanted = places["image_id"].combine_chunks()
    groups: defaultdict[int, set[int]] = defaultdict(set)
    for part, group in zip(places["part"].to_pylist(), places["row_group"].to_pylist(), strict=True):
        groups[part].add(group)

    def read(part: int) -> pa.Table:
        rows = read_columns(storage, parts[part], columns, sorted(groups[part]))
        return rows.filter(pc.is_in(rows["image_id"], value_set=wanted))

    yield from map_ahead(read, sorted(groups), _at_once(storage))


def _from_row_groups(storage: Storage, parts: Sequence[StoredFile], places: pa.Table) -> list[bytes | None]:
    pictures: dict[str, bytes | None] = {}
    for rows in _rows_at(storage, parts, places, ["image_id", "thumbnail"]):
        pictures.update(zip(rows["image_id"].to_pylist(), rows["thumbnail"].to_pylist(), strict=True))
    return [pictures.get(image_id) for image_id in places["image_id"].to_pylist()]


def _pictures(places: pa.Table) -> list[_Picture]:
    columns = (places[name].to_pylist() for name in ("part", "thumbnail_start", "thumbnail_bytes"))
    rows = enumerate(zip(*columns, strict=True))
    return sorted(
        _Picture(part, start, start + length, row) for row, (part, start, length) in rows if start is not None
    )


def _groups(pictures: Iterable[_Picture]) -> Iterator[list[_Picture]]:
    """Divide sorted pictures into those that one request reads."""
    group: list[_Picture] = []
    for picture in pictures:
        if group and not _is_near(group, picture):
            yield group
            group = []
        group.append(picture)
    if group:
        yield group


def _is_near(group: list[_Picture], picture: _Picture) -> bool:
    return (
        picture.part == group[0].part
        and picture.start - group[-1].end <= _GAP_BYTES
        and picture.end - group[0].start <= _LONGEST_BYTES
    )


def _read(storage: Storage, parts: Sequence[StoredFile], group: list[_Picture]) -> list[tuple[int, bytes]]:
    part, start = parts[group[0].part], group[0].start
    try:
        content = storage.read_range(part.name, start, group[-1].end - start)
    except FileNotFoundError:
        raise RunFailedError(f"Expected {part.name} in {storage.uri}, found none. Delete the run.") from None
    return [(picture.row, content[picture.start - start : picture.end - start]) for picture in group]


def _at_once(storage: Storage) -> int:
    return _REQUESTS_HERE if isinstance(storage, FolderStorage) else _REQUESTS
