"""Small tables for charts and pages, aggregated from any number of rows.

Every function takes the whole result and the row numbers to include in `rows` (None: all). Rows without a label
(errors) count only in `error_counts`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sparkcore.analysis.columns import Rows, count_pairs, encode, floats, top_blocks
from sparkcore.schema import ERROR_TYPES

BINS = 40
THRESHOLDS = np.arange(101) / 100


def label_counts(table: pa.Table, rows: Rows | None = None, top: int = 20) -> pa.Table:
    """Count the images of the `top` most frequent labels, and those of all other labels in one last row.

    Columns: label, count, share (of the labeled images), is_rest. The last row's label is "N other labels".
    """
    labels = encode(table["label"]).at(rows)
    count = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.values))
    order = np.lexsort((np.arange(len(count)), -count))[: int((count > 0).sum())]
    names = [labels.values[code] for code in order[:top]]
    counts = count[order[:top]].tolist()
    rest = order[top:]
    if len(rest):
        names.append("1 other label" if len(rest) == 1 else f"{len(rest):,} other labels")
        counts.append(int(count[rest].sum()))
    return pa.table(
        {
            "label": pa.array(names, pa.string()),
            "count": pa.array(counts, pa.int64()),
            "share": np.array(counts) / max(int(count.sum()), 1),
            "is_rest": [False] * min(top, len(order)) + [True] * bool(len(rest)),
        }
    )


def histogram(table: pa.Table, column: str, rows: Rows | None = None, bins: int = BINS) -> pa.Table:
    """Count the images by `score`, `margin` or `entropy` in bins of equal width.

    Columns: low, high, count. Score and margin span 0 to 1. Entropy spans 0 to the maximum of the whole table, so
    that the bins stay the same under any filter.
    """
    values = floats(table, column)
    return _histogram(values if rows is None else values[rows], _edges(column, values, bins))


def histogram_by_label(
    table: pa.Table, column: str, labels: tuple[str, ...], rows: Rows | None = None, bins: int = BINS
) -> pa.Table:
    """Return `histogram` for each of these labels, in their order: label, low, high, count."""
    values, encoded = floats(table, column), encode(table["label"]).at(rows)
    edges = _edges(column, values, bins)
    chosen = values if rows is None else values[rows]
    parts = []
    for label in labels:
        code = encoded.values.index(label) if label in encoded.values else -2
        part = _histogram(chosen[encoded.codes == code], edges)
        parts.append(part.add_column(0, "label", pa.array([label] * bins, pa.string())))
    empty = _histogram(chosen[:0], edges).slice(0, 0).add_column(0, "label", pa.array([], pa.string()))
    return pa.concat_tables(parts or [empty])


def coverage(table: pa.Table, rows: Rows | None = None) -> pa.Table:
    """Return the number and share of images at or above each minimum score: threshold, images, share."""
    score = floats(table, "score", rows)
    score = np.sort(score[~np.isnan(score)])
    images = len(score) - np.searchsorted(score, THRESHOLDS.astype(np.float32), side="left")
    return pa.table({"threshold": THRESHOLDS, "images": images, "share": images / max(len(score), 1)})


def prediction_pairs(table: pa.Table, rows: Rows | None = None, top: int = 20) -> pa.Table:
    """Count the `top` most frequent pairs of first and second prediction: first, second, count."""
    labels: dict[str, int] = {}
    predicted = np.full((2, table.num_rows), -1, dtype=np.int32)
    for block in top_blocks(table):
        numbers = np.array([labels.setdefault(v, len(labels)) for v in block.label.values] + [-1], dtype=np.int32)
        for position in (0, 1):
            here = block.positions == position
            predicted[position, block.rows[here]] = numbers[block.label.codes[here]]
    chosen = predicted if rows is None else predicted[:, rows]
    both = (chosen >= 0).all(axis=0)
    first, second, count = (part[:top] for part in count_pairs(chosen[0, both], chosen[1, both]))
    names = tuple(labels)
    return pa.table(
        {
            "first": pa.array([names[code] for code in first], pa.string()),
            "second": pa.array([names[code] for code in second], pa.string()),
            "count": count,
        }
    )


def error_counts(table: pa.Table, rows: Rows | None = None) -> pa.Table:
    """Count the unreadable images by error type, most frequent first: error_type, meaning, count."""
    errors = encode(table["error_type"]).at(rows)
    count = np.bincount(errors.codes[errors.codes >= 0], minlength=len(errors.values))
    found = sorted((-int(n), name) for n, name in zip(count, errors.values, strict=True) if n)
    return pa.table(
        {
            "error_type": pa.array([name for _, name in found], pa.string()),
            "meaning": pa.array([ERROR_TYPES.get(name, "") for _, name in found], pa.string()),
            "count": pa.array([-n for n, _ in found], pa.int64()),
        }
    )


def score_spread(table: pa.Table, rows: Rows | None = None, top: int = 20) -> pa.Table:
    """Return minimum, quartiles and maximum of the scores of the `top` most frequent labels.

    Columns: label, count, minimum, lower, median, upper, maximum. Quartiles are interpolated linearly.
    """
    labels, score = encode(table["label"]).at(rows), floats(table, "score", rows)
    count = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.values))
    chosen = np.lexsort((np.arange(len(count)), -count))[: min(top, int((count > 0).sum()))]
    place = np.full(len(count) + 1, -1)
    place[chosen] = np.arange(len(chosen))
    group = place[labels.codes]
    inside = group >= 0
    order = np.lexsort((score[inside], group[inside]))
    ordered = score[inside][order].astype(np.float64)
    size = count[chosen]
    start = np.cumsum(size) - size
    names = ("minimum", "lower", "median", "upper", "maximum")
    quantiles = {name: _quantile(ordered, start, size, step / 4) for step, name in enumerate(names)}
    return pa.table(
        {"label": pa.array([labels.values[code] for code in chosen], pa.string()), "count": size, **quantiles}
    )


def _quantile(
    ordered: npt.NDArray[np.float64], start: npt.NDArray[np.int64], size: npt.NDArray[np.int64], share: float
) -> npt.NDArray[np.float64]:
    place = share * (size - 1)
    below = np.floor(place).astype(np.int64)
    above = np.ceil(place).astype(np.int64)
    rest = place - below
    return ordered[start + below] * (1 - rest) + ordered[start + above] * rest


def _edges(column: str, values: npt.NDArray[np.float32], bins: int) -> npt.NDArray[np.float64]:
    known = values[~np.isnan(values)] if column == "entropy" else np.ones(1)
    # Rounded up to the next tenth, so that the axis ends at a round number.
    maximum = max(np.ceil(float(known.max()) * 10 - 1e-6) / 10, 0.1) if len(known) else 1.0
    return np.linspace(0.0, maximum, bins + 1)


def _histogram(values: npt.NDArray[np.float32], edges: npt.NDArray[np.float64]) -> pa.Table:
    known = np.clip(values[~np.isnan(values)], edges[0], edges[-1])  # a sum of float32 scores may exceed 1 slightly
    return pa.table({"low": edges[:-1], "high": edges[1:], "count": np.histogram(known, edges)[0]})
