"""Which picture a review is about: the same bytes are the same picture, in every run and under every name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from sparkcore.reviews.review import Picture

HASH = "content_hash"
KEY_COLUMNS = (HASH, "image_id", "version", "origin")


def picture_keys(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of the picture of a result row, the best one first.

    The first one has the content hash, where the run has it: it holds under any name. The last one is
    `image_id@version`: the same file, not changed since. Reviews are kept under all keys of the row that was seen, so
    that they hold for runs without hashes too.
    """
    stable = f"{row['image_id']}@{row.get('version') or ''}"
    content = row.get(HASH)
    return (f"sha256:{content}", stable) if content else (stable,)


def pictures_at(table: pa.Table, rows: Sequence[int]) -> list[Picture]:
    """Return the pictures of these rows of a result."""
    columns = [name for name in KEY_COLUMNS if name in table.column_names]
    part = table.select(columns).take(pa.array(rows, pa.int64())).to_pylist()
    return [Picture(picture_keys(row), row["origin"]) for row in part]
