"""Which files a request means: names, sizes and times, no content.

Local folders are walked here: that takes milliseconds, needs no Spark, and sees what Spark's own listing hides (empty
files, names that begin with "_"). Any other file system is listed by Spark.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.errors import InputError
from sparkcore.origins import file_name, local_path, origin_of
from sparkcore.schema import SOURCE_FIELDS, image_id

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif", ".jp2", ".ppm", ".pgm"]
)
_GLOB_LETTERS = re.compile(r"[\[\]{}*?\\]")
_MAX_GLOB_ROOTS = 64  # Spark plans thousands of explicit paths far slower than one folder


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a request: `files` has the source columns of a result, `roots` is what Spark has to load."""

    files: pa.Table
    roots: tuple[str, ...]


def list_images(images: str, spark: Callable[[], SparkSession]) -> Listing:
    """List the files of a path, glob or URI, sorted by origin; raises InputError where there is none.

    `spark` is only called for file systems that are not local.
    """
    if not is_local(images):
        return _listed(images, list_with_spark(spark(), images), (images,))
    path = _local(images)
    if path.is_dir():
        return _listed(images, _walk(path), (escape_glob(str(path)),))
    if path.exists():
        return _listed(images, iter([path]), (escape_glob(str(path)),))
    matches = [Path(match) for pattern in expand_braces(str(path)) for match in glob.glob(pattern, recursive=True)]
    if not matches:
        raise InputError(
            f"Expected a folder, a file or a glob that matches something, received {images!r}, and there is no such "
            "path. Check the spelling; relative paths start in the current folder."
        )
    files = sorted({file for match in matches for file in (_walk(match) if match.is_dir() else [match])})
    return _listed(images, iter(files), _glob_roots(path, files))


def is_local(images: str) -> bool:
    """Tell whether a path or URI means this machine's file system."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):", images)
    return scheme is None or scheme[1] == "file"


def spark_path(images: str) -> str:
    """Return what Spark has to load for a path, glob or URI: an existing local path is meant literally."""
    if not is_local(images):
        return images
    path = _local(images)
    return escape_glob(str(path)) if path.exists() else str(path)


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
        # Spark never gives rows for empty files, but it knows their names (with other slashes).
        names = {re.sub("^file:///", "file:/", name) for name in frame.inputFiles()}
        empty = names - set(rows[0].to_pylist())
    except AnalysisException as error:
        raise InputError(
            f"Expected a path that Spark can list, received {uri!r}: {str(error).splitlines()[0]} "
            "Check the address and that the file system's driver and credentials are set up."
        ) from error
    yield from zip(*(column.to_pylist() for column in rows.columns), strict=True)
    yield from ((name, 0, 0) for name in empty)


def escape_glob(path: str) -> str:
    """Return the path so that Hadoop takes it literally."""
    return _GLOB_LETTERS.sub(r"\\\g<0>", path)


def expand_braces(pattern: str) -> list[str]:
    """Return the patterns that `{a,b}` stands for, as Hadoop's globs know them and Python's do not."""
    match = re.search(r"\{([^{}]*)\}", pattern)
    if not match:
        return [pattern]
    head, tail = pattern[: match.start()], pattern[match.end() :]
    return [full for choice in match[1].split(",") for full in expand_braces(head + choice + tail)]


def _local(images: str) -> Path:
    """Return the absolute path; an origin copied from a result comes back to its file."""
    if images.startswith("file:"):
        unquoted = local_path(images)
        if unquoted is not None and unquoted.exists():
            return unquoted
        images = re.sub("^file:(//)?", "", images)
    return Path(os.path.abspath(os.path.expanduser(images)))


def _walk(root: Path) -> Iterator[Path]:
    """Yield the files below a folder; links to folders are followed once, hidden names left out."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            # "_DSC0001.jpg" is a camera's name, "_SUCCESS" a marker of Spark.
            marker = name.startswith("_") and Path(name).suffix.lower() not in _IMAGE_SUFFIXES
            if not name.startswith(".") and not marker:
                yield Path(folder, name)


def _glob_roots(pattern: Path, files: list[Path]) -> tuple[str, ...]:
    parents = sorted({str(file.parent) for file in files})
    if len(parents) <= _MAX_GLOB_ROOTS:
        return tuple(map(escape_glob, parents))
    first_wild = next(i for i, part in enumerate(pattern.parts) if _GLOB_LETTERS.search(part))
    return (escape_glob(str(Path(*pattern.parts[:first_wild]))),)


def _listed(
    images: str, found: Iterator[Path] | Iterator[tuple[str, int | None, int | None]], roots: tuple[str, ...]
) -> Listing:
    rows = sorted(entry for entry in (_entry(item) for item in found) if entry is not None)
    if not rows:
        raise InputError(
            f"Expected at least one image, received {images!r}, which holds no file. "
            "Names that begin with a dot are not counted."
        )
    origins = [origin for origin, _, _ in rows]
    columns = [
        pa.array([image_id(origin) for origin in origins], pa.string()),
        pa.array(origins, pa.string()),
        pa.array([file_name(origin) for origin in origins], pa.string()),
        pa.array([size for _, size, _ in rows], pa.int64()),
        pc.multiply(pa.array([modified for _, _, modified in rows], pa.int64()), 1000).cast(pa.timestamp("us", "UTC")),
    ]
    return Listing(pa.Table.from_arrays(columns, schema=pa.schema(SOURCE_FIELDS)), roots)


def _entry(item: Path | tuple[str, int | None, int | None]) -> tuple[str, int, int] | None:
    """Return (origin, size, mtime in ms, as exact as Hadoop keeps it), or None for pipes and devices."""
    if isinstance(item, tuple):
        return item[0], item[1] or 0, item[2] or 0
    try:
        stat = item.stat()
    except OSError:
        return origin_of(item), 0, 0  # a link to nowhere: the reason is found when it is read
    if not item.is_file():
        return None
    return origin_of(item), stat.st_size, stat.st_mtime_ns // 1_000_000
