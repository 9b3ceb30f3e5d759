"""List the files of a request: names, sizes, modification times and versions.

Local folders and object stores are listed without Spark: that takes milliseconds and includes what Spark's listing
hides (empty files, names that begin with "_"). Spark lists any other file system.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.config import RunConfig
from sparkcore.engine.list_file import ListFile
from sparkcore.engine.local_listing import LocalListing
from sparkcore.engine.object_listing import list_objects
from sparkcore.engine.sample import sampled
from sparkcore.engine.spark_listing import list_with_spark
from sparkcore.engine.spill import ListedFile, SortedFiles, sorted_files
from sparkcore.errors import InputError
from sparkcore.origins import is_local, list_file, split_object_uri, without_password
from sparkcore.roots import Root, check_allowed_uri

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class Listing:
    """The distinct files of a request.

    `size_bytes` is the sum of their sizes, `digest` the sha256 of their origins, sizes and versions in the order of
    image_id. `spark_paths` is what Spark has to load to find them, `links_left_out` counts links that lead out of the
    allowed roots, `hidden_left_out` counts images in the listed local folders whose names begin with a dot. `bucket` is
    the URI of the bucket that has the objects among the files, None where all are elsewhere.
    """

    images: int
    size_bytes: int
    digest: str
    spark_paths: tuple[str, ...] = field(repr=False)  # may have a password
    links_left_out: int = 0
    hidden_left_out: int = 0
    bucket: str | None = None
    _pieces: Callable[[], Iterator[pa.Table]] = field(kw_only=True, repr=False, compare=False)

    def pieces(self) -> Iterator[pa.Table]:
        """Yield tables with the columns of `LISTING_SCHEMA`, sorted by image_id over all of them, from the start."""
        return self._pieces()


@contextmanager
def list_images(
    config: RunConfig,
    spark: Callable[[], SparkSession],
    spill: Path,
    *,
    roots: tuple[Root, ...] | None = None,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Listing]:
    """List the files of a request; many of them are kept below the folder `spill` until the end of the block.

    With `roots`, only files whose real path lies below one of them are listed; links that lead elsewhere are left out
    and counted. `spark` is called only for file systems that this package cannot list itself. `check` is called every
    few hundred names, and ends the listing by raising. Raises InputError where there is no file, StorageError where an
    object store cannot be listed.
    """
    images = config.images
    path = list_file(images)
    if path is not None:
        named = ListFile(path, roots, check)
        with sorted_files(sampled(named.files(), config.sample, config.seed), spill) as found:
            _check_any(images, found, named.left_out)
            yield Listing(*_sums(found), named.spark_paths, named.left_out, bucket=named.bucket, _pieces=found.pieces)
        return
    if is_local(images):
        local = LocalListing(images, roots, check)
        with sorted_files(sampled(local.files(), config.sample, config.seed), spill) as found:
            _check_any(images, found, local.links_left_out)
            left_out = (local.links_left_out, local.hidden_left_out)
            yield Listing(*_sums(found), local.spark_paths, *left_out, _pieces=found.pieces)
        return
    if roots is not None:
        check_allowed_uri(images, roots)
    with sorted_files(sampled(_remote(images, spark, check), config.sample, config.seed), spill) as found:
        _check_any(images, found)
        bucket, _ = split_object_uri(images) or (None, "")
        yield Listing(*_sums(found), (images,), bucket=bucket, _pieces=found.pieces)


def _remote(images: str, spark: Callable[[], SparkSession], check: Callable[[], None]) -> Iterator[ListedFile]:
    return list_objects(images, check) if split_object_uri(images) else list_with_spark(spark(), images, check)


def _sums(found: SortedFiles) -> tuple[int, int, str]:
    return found.images, found.size_bytes, found.digest


def _check_any(images: str, found: SortedFiles, links_left_out: int = 0) -> None:
    if not found.images:
        outside = f" {links_left_out:,} names lead out of the allowed places." if links_left_out else ""
        raise InputError(
            f"Expected at least one image, received {without_password(images)!r}, which contains no file. "
            f"Names that begin with a dot do not count.{outside}"
        )
