"""A run as one self-contained HTML file, without scripts and without external requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.aggregates import error_counts
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.export import Thumbnails
from sparkcore.analysis.filters import Filters, describe
from sparkcore.analysis.metrics import Evaluation, evaluate
from sparkcore.analysis.report_charts import class_rows, evaluation_charts, prediction_charts
from sparkcore.analysis.report_pictures import walls
from sparkcore.analysis.selection import select
from sparkcore.analysis.svg import to_svg
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import display_name, percent
from sparkcore.runs.agreement import agreement_text
from sparkcore.runs.notes import run_name

ERRORS_SHOWN = 50
CLASSES_SHOWN = 30
BLOCK_CLASSES = 12

_TEMPLATE = "report.html.j2"
_SECTIONS = (("config", "Settings"), ("model", "Model"), ("timings", "Timings"), ("versions", "Versions"))


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
    `thumbnails` reads the pictures to show; without it there are none. `title` is the run's own name; without it, the
    title says what was run. Accuracy is left out where a filter decides it.
    """
    wanted = filters or Filters()
    rows = select(table, wanted)
    evaluation = None if wanted.correct or wanted.pair else _evaluate(table, rows)
    of_predictions = list(prediction_charts(table, rows))
    charts = [*of_predictions, *(evaluation_charts(evaluation) if evaluation else ())]
    drawn = list(zip(charts, to_svg([item.chart for item in charts]), strict=True))
    return _template().render(
        title=title or run_name(manifest) or "Image classification",
        subtitle=_subtitle(manifest),
        chips=describe(wanted),
        facts=list(_facts(table, rows, manifest, evaluation)),
        prediction_charts=drawn[: len(of_predictions)],
        evaluation_charts=drawn[len(of_predictions) :],
        classes=() if evaluation is None else class_rows(evaluation, CLASSES_SHOWN),
        walls=list(walls(table, rows, thumbnails)),
        errors=error_counts(table, rows).to_pylist(),
        error_images=_error_images(table, rows),
        sections=list(_sections(manifest)),
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
        yield "top-1 accuracy", percent(evaluation.top_1)
        if evaluation.depth > 1:
            yield f"top-{evaluation.depth} accuracy", percent(evaluation.top_k)
        if evaluation.classes_known and evaluation.unmatched:
            yield "images of classes that the model does not know", f"{evaluation.unmatched:,}"
        if evaluation.classes_known and evaluation.unmatched and evaluation.matched_top_1 is not None:
            yield "top-1 accuracy on the other images", percent(evaluation.matched_top_1)
    if manifest.get("images_per_second_no_load"):
        yield "images per second", f"{manifest['images_per_second_no_load']:,.1f}"


def _error_images(table: pa.Table, rows: Rows) -> list[dict[str, Any]]:
    failed = rows[table["error_type"].is_valid().to_numpy()[rows]][:ERRORS_SHOWN]
    return table.select(["file_name", "error_type", "error_message"]).take(pa.array(failed)).to_pylist()


def _sections(manifest: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    if manifest.get("run_id"):
        yield "Run", [("id", str(manifest["run_id"]))]
    if stated := agreement_text(manifest):
        yield "Precision", [("agreement with float32", stated)]
    for key, title in _SECTIONS:
        if manifest.get(key):
            yield title, _settings(manifest[key])


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
