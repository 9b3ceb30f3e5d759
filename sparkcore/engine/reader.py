"""Spark's two data sources for images, with one set of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparkcore.config import READERS
from sparkcore.errors import ConfigError, InputError, first_line
from sparkcore.origins import spark_path
from sparkcore.worker.task import PAYLOADS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FORMATS = {"bytes": "binaryFile", "image": "image"}


def read_images(spark: SparkSession, path: str, reader: str = "bytes", *, drop_invalid: bool = False) -> DataFrame:
    """Return the images of a path, pattern or URI as a frame, one row per file; nothing is read yet.

    Columns: `origin` (URI of the file), `size_bytes`, `modified_at`, the picture, and the partition columns where
    folders are named `key=value`. The picture is `content`, the file's bytes, with `reader="bytes"`, and `image`,
    Spark's struct of origin, height, width, nChannels, mode and data in BGR order, with `reader="image"`.
    `drop_invalid` leaves out what Spark's image source cannot decode; it has no effect on bytes.

    Raises ConfigError for an unknown reader, InputError where there is no such path.
    """
    if reader not in READERS:
        raise ConfigError.unexpected("reader", "one of " + ", ".join(READERS), reader)
    from pyspark.errors import AnalysisException

    root = spark_path(path)
    load = spark.read.format(FORMATS[reader])
    if reader == "image":
        load = load.option("dropInvalid", str(drop_invalid).lower())
    try:
        if _is_partitioned(spark, root):
            return _shaped(load.load(root), reader)
        return _shaped(load.option("recursiveFileLookup", "true").load(root), reader)
    except AnalysisException as error:
        raise InputError(
            f"Expected a folder, a file, a pattern or a URI that Spark can list, received {path!r}: {first_line(error)}"
        ) from error


def load_payloads(spark: SparkSession, paths: tuple[str, ...], reader: str) -> DataFrame:
    """Return `origin` and the picture of all files below `paths`, which Spark lists now and not again later."""
    from pyspark.sql import functions as F  # noqa: N812

    # Files that disappear or break in the meantime are left out here and get their reason later.
    load = spark.read.format(FORMATS[reader]).option("recursiveFileLookup", "true")
    load = load.option("ignoreMissingFiles", "true").option("ignoreCorruptFiles", "true")
    return load.load(list(paths)).select(F.col("_metadata.file_path").alias("origin"), PAYLOADS[reader])


def only(payloads: DataFrame, origins: list[str]) -> DataFrame:
    """Return the rows of just these files.

    Spark applies a filter on file metadata while it plans, so it opens no other file. The filter is one SQL text
    because `isin` makes a call to the JVM for every name: 0.3 s for 300 names instead of 0.02 s.
    """
    return payloads.where(f"origin IN ({', '.join(_sql_text(origin) for origin in origins)})")


def _sql_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _shaped(frame: DataFrame, reader: str) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812

    own = {"bytes": ("path", "modificationTime", "length", "content"), "image": ("image",)}[reader]
    partitions = [name for name in frame.columns if name not in own]
    return frame.select(
        F.col("_metadata.file_path").alias("origin"),
        F.col("_metadata.file_size").alias("size_bytes"),
        F.col("_metadata.file_modification_time").alias("modified_at"),
        PAYLOADS[reader],
        *partitions,
    )


def _is_partitioned(spark: SparkSession, root: str) -> bool:
    """Tell whether the first level of the folder has `key=value` names."""
    from pyspark.errors import AnalysisException

    try:
        # No inference: this only asks whether the pattern matches.
        spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(f"{root.rstrip('/')}/*=*")
    except AnalysisException:
        return False
    return True
