"""List the files of a request: names, sizes and modification times.

Local folders and object stores are listed without Spark: that takes milliseconds and includes what Spark's listing
hides (empty files, names that begin with "_"). Spark lists any other file system.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.engine.object_listing import list_objects
from sparkcore.errors import InputError, first_line
from sparkcore.origins import (
    absolute_path,
    escape_glob,
    file_name,
    has_image_suffix,
    is_hidden_file,
    is_hidden_folder,
    is_local,
    origin_of,
    split_object_uri,
)
from sparkcore.roots import check_allowed, expand_braces, fixed_folder, glob_paths, is_allowed
from sparkcore.schema import SOURCE_FIELDS, image_id

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MAX_SPARK_PATHS = 64  # Spark plans thousands of explicit paths far slower than one folder


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a request.

    `files` has the source columns of a result, `spark_paths` is what Spark has to load to find them, `links_left_out`
    counts links that lead out of the allowed roots, `hidden_left_out` counts images in the listed local folders whose
    names begin with a dot.
    """

    files: pa.Table
    spark_paths: tuple[str, ...]
    links_left_out: int = 0
    hidden_left_out: int = 0


@dataclass(slots=True)
class _Gate:
    """Keep a walk below the allowed roots, None for anywhere, and note the links and hidden images left out."""

    roots: tuple[Path, ...] | None
    refused: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    _seen: dict[str, bool] = field(default_factory=dict)

    def admits(self, path: str) -> bool:
        """Tell whether a path leads to a place below the roots; the answer for its folder is remembered."""
        if self.roots is None:
            return True
        # Only a link leaves the folder that contains it.
        place = path if os.path.islink(path) else os.path.dirname(path)
        if place not in self._seen:
            self._seen[place] = is_allowed(place, self.roots)
        if not self._seen[place]:
            folder, name = os.path.split(place)
            self.refused.add(os.path.join(os.path.realpath(folder), name))  # one link, whatever path leads to it
        return self._seen[place]


def list_images(images: str, spark: Callable[[], SparkSession], roots: tuple[Path, ...] | None = None) -> Listing:
    """List the files of a path, pattern or URI, sorted by origin.

    With `roots`, only files whose real path lies below one of them are listed; links that lead elsewhere are left out
    and counted. `spark` is called only for file systems that this package cannot list itself. Raises InputError where
    there is no file, StorageError where an object store cannot be listed.
    """
    gate = _Gate(roots)
    if not is_local(images):
        if roots is not None:
            raise InputError(f"images: expected a path on this machine, received the address {images!r}.")
        found = list_objects(images) if split_object_uri(images) else list_with_spark(spark(), images)
        return _listing(images, found, (images,), gate)
    path = absolute_path(images)
    if roots is not None:
        check_allowed(path, roots)
    if path.is_dir():
        return _listing(images, _walk(path, gate), (escape_glob(str(path)),), gate)
    if path.exists():
        return _listing(images, iter([path]), (escape_glob(str(path)),), gate)
    matches = list(glob_paths(path, follow_links=roots is None))
    if not matches:
        raise InputError(
            f"Expected a folder, a file or a pattern that matches something, received {images!r}, and there is no such "
            "path. Check the spelling; relative paths start in the current folder."
        )
    admitted = [match for match in matches if gate.admits(os.fspath(match))]
    files = sorted({file for match in admitted for file in (_walk(match, gate) if match.is_dir() else [match])})
    return _listing(images, iter(files), _spark_paths(path, files), gate)


def sampled(listing: Listing, sample: int | None, seed: int) -> Listing:
    """Keep at most `sample` files, chosen by `seed` and their origins alone."""
    if sample is None or sample >= listing.files.num_rows:
        return listing
    keys = [hashlib.sha256(f"{seed}\0{o}".encode()).digest() for o in listing.files["origin"].to_pylist()]
    chosen = sorted(sorted(range(len(keys)), key=keys.__getitem__)[:sample])
    return replace(listing, files=listing.files.take(chosen))


def list_with_spark(spark: SparkSession, uri: str) -> Iterator[tuple[str, int | None, int | None]]:
    """Yield (origin, size in bytes, mtime in ms) of all files below a URI; raises InputError for a wrong one."""
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F  # noqa: N812

    try:
        frame = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(uri)
        columns = [F.col("_metadata.file_path"), F.col("length"), F.unix_millis("modificationTime")]
        rows = frame.select(*columns).toArrow()
        # Spark returns no rows for empty files, but it knows their names (with other slashes).
        names = {re.sub("^file:///", "file:/", name) for name in frame.inputFiles()}
        empty = names - set(rows[0].to_pylist())
    except AnalysisException as error:
        raise InputError(
            f"Expected a path that Spark can list, received {uri!r}: {first_line(error)} "
            "Check the address, the file system's driver and its credentials."
        ) from error
    yield from zip(*(column.to_pylist() for column in rows.columns), strict=True)
    yield from ((name, 0, 0) for name in empty)


def _walk(root: Path, gate: _Gate) -> Iterator[Path]:
    """Yield the files below a folder, without hidden names; each linked folder is visited once."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [n for n in sorted(folders) if not is_hidden_folder(n) and gate.admits(os.path.join(folder, n))]
        for name in sorted(names):
            if name.startswith(".") and has_image_suffix(name):
                gate.hidden.add(os.path.join(real, name))
            if not is_hidden_file(name) and gate.admits(os.path.join(folder, name)):
                yield Path(folder, name)


def _spark_paths(pattern: Path, files: list[Path]) -> tuple[str, ...]:
    parents = sorted({str(file.parent) for file in files})
    if len(parents) > _MAX_SPARK_PATHS:
        parents = sorted({str(fixed_folder(one)) for one in expand_braces(os.fspath(pattern))})
    return tuple(map(escape_glob, parents))


def _listing(
    images: str,
    found: Iterator[Path] | Iterator[tuple[str, int | None, int | None]],
    spark_paths: tuple[str, ...],
    gate: _Gate,
) -> Listing:
    rows = sorted(entry for entry in (_entry(item) for item in found) if entry is not None)
    if not rows:
        outside = f" {len(gate.refused)} links lead out of the allowed folders." if gate.refused else ""
        raise InputError(
            f"Expected at least one image, received {images!r}, which contains no file. "
            f"Names that begin with a dot do not count.{outside}"
        )
    origins = [origin for origin, _, _ in rows]
    columns = [
        pa.array([image_id(origin) for origin in origins], pa.string()),
        pa.array(origins, pa.string()),
        pa.array([file_name(origin) for origin in origins], pa.string()),
        pa.array([size for _, size, _ in rows], pa.int64()),
        pc.multiply(pa.array([modified for _, _, modified in rows], pa.int64()), 1000).cast(pa.timestamp("us", "UTC")),
    ]
    files = pa.Table.from_arrays(columns, schema=pa.schema(SOURCE_FIELDS))
    return Listing(files, spark_paths, len(gate.refused), len(gate.hidden))


def _entry(item: Path | tuple[str, int | None, int | None]) -> tuple[str, int, int] | None:
    """Return (origin, size, mtime in ms as Hadoop keeps it), or None for pipes and devices."""
    if isinstance(item, tuple):
        return item[0], item[1] or 0, item[2] or 0
    try:
        stat = item.stat()
    except OSError:
        return origin_of(item), 0, 0  # a dangling link: reading it finds the reason
    if not item.is_file():
        return None
    return origin_of(item), stat.st_size, stat.st_mtime_ns // 1_000_000
