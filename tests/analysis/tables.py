"""Result tables from short descriptions of their rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from sparkcore.schema import image_id, result_schema

Prediction = tuple[str | None, str, float]  # class id, label, score


def row(name: str, *top: Prediction, **values: Any) -> dict[str, Any]:
    """Return a classified image: its predictions, best first, and any other columns."""
    first = top[0]
    second = top[1][2] if len(top) > 1 else 0.0
    origin = values.pop("origin", f"file:/data/{name}")
    return {
        "image_id": image_id(origin),
        "origin": origin,
        "file_name": name,
        "status": "ok",
        "class_id": first[0],
        "label": first[1],
        "score": first[2],
        "margin": first[2] - second,
        "top": [{"class_id": c, "label": label, "score": score} for c, label, score in top],
        **values,
    }


def failed(name: str, error_type: str, message: str = "no reason", **values: Any) -> dict[str, Any]:
    """Return an unreadable image."""
    origin = f"file:/data/{name}"
    return {
        "image_id": image_id(origin),
        "origin": origin,
        "file_name": name,
        "status": "error",
        "error_type": error_type,
        "error_message": message,
        **values,
    }


def table_of(*rows: dict[str, Any], thumbnail: bool = False) -> pa.Table:
    """Return the rows as a result table, with the thumbnail column only on request."""
    table = pa.Table.from_pylist(list(rows), schema=result_schema())
    return table if thumbnail else table.drop_columns(["thumbnail"])
