"""Reviewed pictures as a folder for each label, the form in which most programs take pictures to learn from."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.archive import ArchiveNames
from sparkcore.analysis.reviewed import CANNOT_TELL
from sparkcore.errors import RequestError, SparkcoreError
from sparkcore.imaging.lettering import display_name
from sparkcore.origins import local_path


@dataclass(frozen=True, slots=True)
class LabelFolders:
    """Hold the number of pictures and folders, and the missing pictures as (origin, reason)."""

    pictures: int
    folders: int
    missing: tuple[tuple[str, str], ...]


def write_label_folders(
    table: pa.Table, folder: Path, open_image: Callable[[str], bytes], *, links: bool = False
) -> LabelFolders:
    """Write the reviewed images of a result with reviews to `folder/<label>/<file name>`, as copies or as links.

    The folder must be new or empty: what was there before would be taken for reviewed. `open_image` returns the bytes
    of an origin, or raises OSError or a SparkcoreError. Links are for local files alone. Raises RequestError.
    """
    if folder.exists() and any(folder.iterdir()):
        raise RequestError(f"{folder}: expected a folder that is new or empty, received one with files in it.")
    names, folders = defaultdict[str, ArchiveNames](ArchiveNames), _Folders()
    missing: list[tuple[str, str]] = []
    pictures = 0
    for row in _reviewed(table):
        target = folder / folders.name(row["review"])
        target.mkdir(parents=True, exist_ok=True)
        suffix = Path(row["file_name"]).suffix
        try:
            _put(
                target / f"{names[target.name].take(row['file_name'])}{suffix}", row["origin"], open_image, links=links
            )
            pictures += 1
        except (OSError, SparkcoreError) as error:
            missing.append((row["origin"], str(error)))
    return LabelFolders(pictures, len(names), tuple(missing))


class _Folders:
    """Name the folder of each label, so that every file system takes it."""

    def __init__(self) -> None:
        self._names = ArchiveNames()
        self._by_label: dict[str, str] = {}

    def name(self, label: str) -> str:
        if label not in self._by_label:
            # A stem ends at the last dot, and labels have dots of their own.
            self._by_label[label] = self._names.take(f"{display_name(label).replace('/', '-')}.label")
        return self._by_label[label]


def _reviewed(table: pa.Table) -> list[Mapping[str, Any]]:
    if "review" not in table.column_names:
        return []
    chosen = pc.and_(pc.is_valid(table["review"]), pc.not_equal(table["review"], CANNOT_TELL))
    rows: list[Mapping[str, Any]] = table.filter(chosen).select(["origin", "file_name", "review"]).to_pylist()
    return rows


def _put(path: Path, origin: str, open_image: Callable[[str], bytes], *, links: bool) -> None:
    local = local_path(origin)
    if not links:
        path.write_bytes(open_image(origin))
    elif local is None:
        raise RequestError("It is not a local file, so that there is nothing to link to. Export copies.")
    elif not local.is_file():
        raise RequestError("The file is gone.")
    else:
        os.symlink(local, path)
