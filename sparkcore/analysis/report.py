"""A run as one self-contained HTML file, without scripts and without external requests."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.aggregates import error_counts
from sparkcore.analysis.columns import Rows, is_ok
from sparkcore.analysis.export import Thumbnails
from sparkcore.analysis.filters import Filters, describe
from sparkcore.analysis.metrics import Evaluation, evaluate
from sparkcore.analysis.report_charts import class_rows, evaluation_charts, prediction_charts
from sparkcore.analysis.selection import select, sort
from sparkcore.analysis.svg import to_svg
from sparkcore.analysis.truth import match
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import display_name

IMAGES_SHOWN = 12
ERRORS_SHOWN = 50
CLASSES_SHOWN = 30
BLOCK_CLASSES = 12

_TEMPLATE = "report.html.j2"
_IMAGE_TYPES = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"RI": "image/webp"}
_SECTIONS = (("config", "Settings"), ("model", "Model"), ("timings", "Timings"), ("versions", "Versions"))


@dataclass(frozen=True, slots=True)
class Tile:
    """Hold one image of the report as texts.

    `picture` is a data URI, empty without a thumbnail; `truth` is the true label of a mistake, else empty.
    """

    file_name: str
    picture: str
    label: str
    score: str
    second: str
    truth: str


@dataclass(frozen=True, slots=True)
class Wall:
    """Hold a group of images with its title and an explanation."""

    title: str
    note: str
    tiles: tuple[Tile, ...]


def render_report(
    table: pa.Table,
    manifest: Mapping[str, Any],
    *,
    filters: Filters | None = None,
    thumbnails: Thumbnails | None = None,
    title: str = "",
) -> str:
    """Return the report of a run, or of its images that pass `filters`, as an HTML document.

    `table` is the whole result. `manifest` provides settings, model, timings and versions, as far as it has them.
    `thumbnails` reads the pictures to show; without it there are none.
    """
    wanted = filters or Filters()
    rows = select(table, wanted)
    evaluation = _evaluate(table, rows)
    of_predictions = list(prediction_charts(table, rows))
    charts = [*of_predictions, *(evaluation_charts(evaluation) if evaluation else ())]
    drawn = list(zip(charts, to_svg([item.chart for item in charts]), strict=True))
    return _template().render(
        title=title or f"Run {manifest.get('run_id', '')}".strip(),
        subtitle=_subtitle(manifest),
        chips=describe(wanted),
        facts=list(_facts(table, rows, manifest, evaluation)),
        prediction_charts=drawn[: len(of_predictions)],
        evaluation_charts=drawn[len(of_predictions) :],
        classes=() if evaluation is None else class_rows(evaluation, CLASSES_SHOWN),
        walls=list(_walls(table, rows, thumbnails)),
        errors=error_counts(table, rows).to_pylist(),
        error_images=_error_images(table, rows),
        sections=[(name, _settings(manifest.get(key))) for key, name in _SECTIONS if manifest.get(key)],
    )


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["display_name"] = display_name
    return environment.get_template(_TEMPLATE)


def _evaluate(table: pa.Table, rows: Rows) -> Evaluation | None:
    try:
        return evaluate(table, rows, BLOCK_CLASSES)
    except RequestError:
        return None


def _subtitle(manifest: Mapping[str, Any]) -> str:
    model = manifest.get("model")
    name = model.get("name") if isinstance(model, Mapping) else model
    created = str(manifest.get("created_at") or "").replace("T", " ")[:16]
    parts = [name and f"model {name}", created and f"{created} UTC", (manifest.get("config") or {}).get("images")]
    return " · ".join(str(part) for part in parts if part)


def _facts(
    table: pa.Table, rows: Rows, manifest: Mapping[str, Any], evaluation: Evaluation | None
) -> Iterator[tuple[str, str]]:
    """Yield name and value of each number at the top of the report."""
    labels = table["label"].take(pa.array(rows))
    yield "images", f"{len(rows):,}"
    yield "unreadable", f"{labels.null_count:,}"
    yield "distinct labels", f"{pc.count_distinct(labels).as_py():,}"
    if evaluation is not None:
        yield "top-1 accuracy", f"{evaluation.top_1:.1%}"
        if evaluation.depth > 1:
            yield f"top-{evaluation.depth} accuracy", f"{evaluation.top_k:.1%}"
    if manifest.get("images_per_second_no_load"):
        yield "images per second", f"{manifest['images_per_second_no_load']:,.1f}"


def _walls(table: pa.Table, rows: Rows, thumbnails: Thumbnails | None) -> Iterator[Wall]:
    read = rows[is_ok(table, rows)]
    matched = match(table)
    is_mistake = matched.judged & ~matched.correct
    names = [*map(display_name, matched.names), ""]
    truths = np.array(names, dtype=object)[np.where(is_mistake, matched.truth, -1)]
    walls = (
        ("Most confident", "The highest scores.", sort(table, read, "score", descending=True)),
        (
            "Least confident",
            "The first and the second prediction have nearly equal scores.",
            sort(table, read, "margin"),
        ),
        (
            "Most confident mistakes",
            "Incorrect predictions with the highest scores.",
            sort(table, read[is_mistake[read]], "score", True),
        ),
    )
    for title, note, chosen in walls:
        if len(chosen):
            yield Wall(title, note, tuple(_tiles(table, chosen[:IMAGES_SHOWN], truths, thumbnails)))


def _tiles(table: pa.Table, rows: Rows, truths: Any, thumbnails: Thumbnails | None) -> Iterator[Tile]:
    part = table.select(["image_id", "file_name", "label", "score", "top"]).take(pa.array(rows)).to_pylist()
    pictures = thumbnails([row["image_id"] for row in part]) if thumbnails else {}
    for row, truth in zip(part, truths[rows], strict=True):
        top = row["top"] or []
        yield Tile(
            file_name=row["file_name"],
            picture=_data_uri(pictures.get(row["image_id"])),
            label=display_name(row["label"]),
            score=_score(row["score"]),
            second=f"{display_name(top[1]['label'])} {_score(top[1]['score'])}" if len(top) > 1 else "",
            truth=truth,
        )


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.1%}"


def _data_uri(picture: bytes | None) -> str:
    kind = _IMAGE_TYPES.get((picture or b"")[:2])
    return "" if picture is None or kind is None else f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def _error_images(table: pa.Table, rows: Rows) -> list[dict[str, Any]]:
    failed = rows[table["error_type"].is_valid().to_numpy()[rows]][:ERRORS_SHOWN]
    return table.select(["file_name", "error_type", "error_message"]).take(pa.array(failed)).to_pylist()


def _settings(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Return name and value of everything that is set in a nested mapping, as texts."""
    if isinstance(value, Mapping):
        parts = [_settings(inner, display_name(f"{name} {key}".strip())) for key, inner in value.items()]
        return [row for part in parts for row in part]
    if value is None or value in ([], "", ()):
        return []
    if isinstance(value, list | tuple):
        return [(name, ", ".join(str(item) for item in value))]
    return [(name or "name", f"{value:,.3g}" if isinstance(value, float) else str(value))]
