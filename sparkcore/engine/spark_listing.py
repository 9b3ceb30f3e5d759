"""List the images of a request on a file system that only Spark knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sparkcore.engine.spill import ListedFile
from sparkcore.errors import InputError, first_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def list_with_spark(spark: SparkSession, uri: str) -> Iterator[ListedFile]:
    """Yield all files below a URI; raises InputError for a wrong one."""
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
    for origin, size_bytes, modified_ms in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        yield ListedFile(origin, size_bytes or 0, modified_ms or 0, str((modified_ms or 0) * 1_000_000))
    yield from (ListedFile(name, 0, 0, "0") for name in empty)
