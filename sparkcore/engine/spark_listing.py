"""List the images of a request on a file system that only Spark knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sparkcore.engine.input_errors import listed_by_spark
from sparkcore.engine.spill import ListedFile
from sparkcore.origins import without_password

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CHECKED_NAMES = 256


def list_with_spark(spark: SparkSession, uri: str, check: Callable[[], None] = lambda: None) -> Iterator[ListedFile]:
    """Yield the files below a URI, without those that Spark's sources hide: empty files and hidden names.

    `check` is called every few hundred names, and ends the listing by raising. An origin has no password. Raises
    InputError for a wrong URI, StorageError where its file system cannot be reached.
    """
    from pyspark.sql import functions as F  # noqa: N812

    with listed_by_spark(uri, check):
        load = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
        frame = load.option("ignoreMissingFiles", "true").load(uri)
        metadata = (F.col("_metadata.file_path"), F.col("_metadata.file_size"))
        times = F.unix_millis(F.col("_metadata.file_modification_time"))
        for number, (path, size_bytes, modified_ms) in enumerate(frame.select(*metadata, times).toLocalIterator()):
            if number % _CHECKED_NAMES == 0:
                check()
            yield ListedFile(without_password(path), size_bytes, modified_ms, str(modified_ms * 1_000_000))
