"""Buckets whose files Spark's own data sources read: Hadoop file systems, and `--reader image`.

Slower than workers that open the files themselves, because the content is shuffled to its bucket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from sparkcore.engine.reader import load_payloads, only
from sparkcore.engine.shipping import with_local_model
from sparkcore.origins import is_local, split_object_uri
from sparkcore.runs.listing_files import BucketReader
from sparkcore.worker.bucket import BucketTask
from sparkcore.worker.compute import compute_contents
from sparkcore.worker.opening import MAX_FILE_BYTES
from sparkcore.worker.task import REPORT_DDL, reported

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_MOST_NAMES = 4_096  # in the text of one filter


def is_read_by_spark(images: str, reader: str) -> bool:
    """Tell whether Spark's data sources have to read the images of a request."""
    return reader == "image" or not (is_local(images) or split_object_uri(images))


@dataclass(slots=True)
class SparkSource:
    """Read the files of buckets with Spark; `paths` is what Spark has to load to find them."""

    spark: SparkSession
    paths: tuple[str, ...]
    _payloads: DataFrame | None = field(default=None)

    def rounds(self, buckets: Sequence[int], bucket_size: int) -> Iterator[list[int]]:
        """Divide buckets into jobs whose files can be named in one filter."""
        count = max(1, _MOST_NAMES // bucket_size)
        yield from (list(buckets[start : start + count]) for start in range(0, len(buckets), count))

    def frame(self, task: BucketTask, buckets: Sequence[int]) -> DataFrame:
        """Return the frame that computes buckets; one of which Spark can read no file stays without a receipt."""
        from pyspark.sql import functions as F  # noqa: N812

        with closing(BucketReader(task.store, task.plan)) as reader:
            listings = [reader.read(bucket) for bucket in buckets]
        files = pa.concat_tables(listings)
        sizes = zip(files["origin"].to_pylist(), files["size_bytes"].to_pylist(), strict=True)
        origins = [origin for origin, size in sizes if 0 < size <= MAX_FILE_BYTES]
        if self._payloads is None:  # Spark lists the folders once
            self._payloads = load_payloads(self.spark, self.paths, task.worker.config.reader)
        found = only(self._payloads, origins or [""]).withColumn("image_id", F.expr("left(sha2(origin, 256), 16)"))
        firsts = [listing["image_id"][0].as_py() for listing in listings]
        placed = found.withColumn("bucket", F.expr(_bucket_of(buckets, firsts))).drop("origin")
        ordered = placed.repartition(len(buckets), "bucket").sortWithinPartitions("bucket", "image_id")
        return ordered.mapInArrow(_work(task), REPORT_DDL)


def _work(task: BucketTask) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    localize = with_local_model()

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return reported(lambda: compute_contents(batches, replace(task, worker=localize(task.worker))))

    return work


def _bucket_of(buckets: Sequence[int], firsts: Sequence[str]) -> str:
    """Return the SQL that finds the bucket of an image_id by the lowest id of each bucket."""
    pairs = reversed(list(zip(buckets, firsts, strict=True)))
    cases = " ".join(f"WHEN image_id >= '{first}' THEN {bucket}" for bucket, first in pairs)
    return f"CASE {cases} END"
