"""List a path or URI, and look at what was found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from sparkcore.config import RunConfig
from sparkcore.engine.listing import Listing, list_images
from sparkcore.origins import file_name
from sparkcore.schema import LISTING_SCHEMA

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Listed(NamedTuple):
    """A listing and its whole table."""

    listing: Listing
    table: pa.Table

    @property
    def names(self) -> list[str]:
        return sorted(map(file_name, self.table["origin"].to_pylist()))

    def row(self, name: str) -> dict[str, Any]:
        """Return the row of a file by its name."""
        return next(row for row in self.table.to_pylist() if file_name(row["origin"]) == name)


def no_spark() -> SparkSession:
    raise AssertionError("a local folder or an object store needs no Spark")


def listed(images: Path | str, roots: tuple[Path, ...] | None = None, **settings: Any) -> Listed:
    """List without Spark and, up to a few files, without a spill."""
    config = RunConfig(str(images), **settings)
    with list_images(config, no_spark, Path("/nowhere/spill"), roots=roots) as listing:
        return Listed(listing, pa.concat_tables([LISTING_SCHEMA.empty_table(), *listing.pieces()]))


def names(images: Path | str, roots: tuple[Path, ...] | None = None, **settings: Any) -> list[str]:
    """Return the sorted names of the listed files."""
    return listed(images, roots, **settings).names
