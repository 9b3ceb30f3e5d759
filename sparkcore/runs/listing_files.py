"""The listing of a run in the store: Parquet sorted by image_id, in which each row group is a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from sparkcore.runs.layout import PlanFolder
from sparkcore.runs.plan import BUCKETS_PER_LISTING, Plan
from sparkcore.schema import LISTING_SCHEMA
from sparkcore.storage.interface import Storage


def write_listing(
    storage: Storage, folder: PlanFolder, pieces: Iterable[pa.Table], bucket_size: int
) -> tuple[int, ...]:
    """Write the listing files of a plan and return their sizes in bytes; `pieces` are sorted over all of them."""
    sizes: list[int] = []
    buckets = _buckets(pieces, bucket_size)
    first = next(buckets, None)
    while first is not None:
        with storage.open_writer(folder.listing(len(sizes))) as file:
            with pq.ParquetWriter(file, LISTING_SCHEMA, compression="zstd", use_dictionary=False) as writer:
                writer.write_table(first)
                for _, table in zip(range(BUCKETS_PER_LISTING - 1), buckets, strict=False):
                    writer.write_table(table)
            sizes.append(file.tell())
        first = next(buckets, None)
    return tuple(sizes)


class BucketReader:
    """Read the rows of buckets; the listing file used last stays open until `close`."""

    def __init__(self, storage: Storage, plan: Plan) -> None:
        self._storage = storage
        self._plan = plan
        self._number: int | None = None
        self._file: pq.ParquetFile | None = None

    def read(self, bucket: int) -> pa.Table:
        """Return the listed files of a bucket, columns of LISTING_SCHEMA, sorted by image_id."""
        number, group = divmod(bucket, BUCKETS_PER_LISTING)
        if self._file is None or number != self._number:
            self.close()
            source = self._storage.open_reader(self._plan.folder.listing(number), self._plan.listing_bytes[number])
            self._number, self._file = number, pq.ParquetFile(source)
        return self._file.read_row_group(group)

    def close(self) -> None:
        """Close the open file."""
        if self._file is not None:
            self._file.close(force=True)
            self._file = None


def _buckets(pieces: Iterable[pa.Table], bucket_size: int) -> Iterator[pa.Table]:
    """Cut sorted pieces into tables of exactly `bucket_size` rows, the last one maybe fewer."""
    held = LISTING_SCHEMA.empty_table()
    for piece in pieces:
        held = pa.concat_tables([held, piece])
        whole = held.num_rows // bucket_size * bucket_size
        for start in range(0, whole, bucket_size):
            yield held.slice(start, bucket_size)
        held = held.slice(whole)
    if held.num_rows:
        yield held
