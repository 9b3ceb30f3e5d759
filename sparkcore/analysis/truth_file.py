"""True labels in a CSV of two columns."""

from __future__ import annotations

import csv
import io
import os

import pyarrow as pa

from sparkcore.analysis.review_files import Line
from sparkcore.errors import RequestError
from sparkcore.origins import local_path


def read_truth(content: bytes, name: str, table: pa.Table) -> list[Line]:
    """Read a CSV of two columns, an image and its true label, as lines about the images of a result.

    An image is named by its id, its origin or path, or the end of its path, as in `cats/1.jpg`. A first line without a
    known image is a header. Images that the result does not have are left out. Raises RequestError.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) if row]
        uneven = next((number for number, row in enumerate(rows, 1) if len(row) < 2), 0)
    except (UnicodeDecodeError, csv.Error) as error:
        raise RequestError(f"truth: expected a UTF-8 CSV of two columns, received {name}: {error}.") from error
    if uneven:
        raise RequestError(f"truth: expected an image and a label in every line of {name}, line {uneven} has less.")
    named = _named(table, {row[0].strip() for row in rows})
    lines = {  # of two labels of one image, the last one counts
        named[row[0].strip()]: Line(f"{name}, line {number}", named[row[0].strip()], row[1])
        for number, row in enumerate(rows, 1)
        if row[0].strip() in named and row[1].strip()
    }
    if not lines:
        raise RequestError(f"truth: expected images of this run in {name}, found none of its {len(rows):,} lines.")
    return list(lines.values())


def _named(table: pa.Table, wanted: set[str]) -> dict[str, str]:
    """Return the image id that each of the wanted names stands for; a name of several images stands for none."""
    found: dict[str, set[str]] = {}
    longest = max((name.count("/") for name in wanted), default=0) + 1
    for batch in table.select(["image_id", "origin"]).to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            path = local_path(row["origin"])
            parts = (os.fspath(path) if path else row["origin"]).split("/")
            ends = {"/".join(parts[-length:]) for length in range(1, min(longest, len(parts)) + 1)}
            for name in wanted.intersection({row["image_id"], row["origin"], "/".join(parts), *ends}):
                found.setdefault(name, set()).add(row["image_id"])
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}
