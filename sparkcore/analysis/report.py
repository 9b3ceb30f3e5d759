"""A run as one self-contained HTML file, without scripts and without external requests.

It tells on a few pages what the pictures are, how good the model is on them, and what to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.analysis.aggregates import error_counts, label_counts
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.export import Thumbnails
from sparkcore.analysis.filters import Filters, describe
from sparkcore.analysis.groups import group_counts
from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.analysis.label_table import group_accuracy
from sparkcore.analysis.metrics import Evaluation, evaluate
from sparkcore.analysis.report_pictures import walls
from sparkcore.analysis.reviewed import REVIEWED, truth_sources
from sparkcore.analysis.selection import select
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import display_name, percent
from sparkcore.runs.agreement import agreement_text
from sparkcore.runs.notes import run_name, source_name
from sparkcore.runs.vectors import Vectors

LABELS_SHOWN = 15
ROWS_SHOWN = 8  # of a table of classes or mistakes
ERRORS_SHOWN = 10
LEAST_JUDGED = 50  # images, for tables of classes and scores
LEAST_OF_CLASS = 5  # images
_LEAST_SHARE = 0.02  # of the most frequent label
_MINIMUM_SCORES = (50, 70, 80, 90, 95)  # percent

_TEMPLATE = "report.html.j2"
_SECTIONS = (("config", "Settings"), ("model", "Model"), ("versions", "Versions"))
_OF_MODEL = ("name", "source", "digest", "height", "width", "classes", "resize", "runtime", "precision")
_SOURCES = {REVIEWED: "reviews", "folder": "the names of their folders", "filename": "their file names"}

Cells = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Say what a report is of: the images that pass `filters`, under a `title` (empty: the name of the run).

    `thumbnails` reads the pictures to show; without it there are none. `vectors` are the embeddings of the run, which
    find duplicates and odd pictures.
    """

    filters: Filters = field(default_factory=Filters)
    title: str = ""
    thumbnails: Thumbnails | None = None
    vectors: Vectors | None = None


def render_report(table: pa.Table, manifest: Mapping[str, Any], wanted: Wanted | None = None) -> str:
    """Return the report of a run as an HTML document.

    `table` is the whole result. `manifest` provides settings, model and versions, as far as it has them. Accuracy is
    left out where a filter decides it.
    """
    wanted = wanted or Wanted()
    rows = select(table, wanted.filters)
    found = None if wanted.filters.correct or wanted.filters.pair else _evaluate(table, rows)
    is_large = found is not None and found.support >= LEAST_JUDGED and 0 < found.top_1 < 1
    name = run_name(manifest)
    return _template().render(
        title=wanted.title or name or "Image classification",
        subtitle=_subtitle(manifest, name if wanted.title and wanted.title != name else ""),
        chips=describe(wanted.filters),
        lead=" ".join(_lead(table, rows, found, manifest)),
        facts=list(_facts(table, rows, found)),
        mistakes=_mistakes(found) if found else [],
        groups=_groups(table, rows) if is_large else [],
        hardest=_hardest(found) if found and is_large else [],
        by_score=_by_score(found) if found and is_large else [],
        labels=_label_bars(table, rows),
        walls=list(walls(table, rows, wanted.thumbnails, wanted.vectors)),
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
        return evaluate(table, rows)
    except RequestError:
        return None


def _subtitle(manifest: Mapping[str, Any], name: str) -> str:
    created = str(manifest.get("created_at") or "").replace("T", " ")[:16]
    return " · ".join(filter(None, (name, created and f"{created} UTC")))


def _lead(table: pa.Table, rows: Rows, found: Evaluation | None, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield the sentences at the top: what was done, and how good it is."""
    model = manifest.get("model") or {}
    name = model.get("name") if isinstance(model, Mapping) else model
    part = f"{len(rows):,} of {table.num_rows:,} images" if len(rows) != table.num_rows else _images(len(rows))
    source = source_name(str((manifest.get("config") or {}).get("images") or ""))
    yield f"{name or 'A model'} classified {part}{' of ' * bool(source)}{source}."
    if found is None:
        return
    low, high = clopper_pearson(found.top_1 * found.support, found.support)
    sources = truth_sources(table.take(pa.array(rows)), (manifest.get("config") or {}).get("truth") or "folder")
    said = " and ".join(_SOURCES.get(source, source) for source in sources)
    yield (
        f"Of {found.support:,} with a true label by {said}, {percent(found.top_1)} are correct "
        f"(95 % interval for more images of this kind: {percent(low)} to {percent(high)})."
    )
    if found.classes_known and found.unmatched:
        yield f"The model has no name for the true class of {_images(found.unmatched)}."
        if found.matched_top_1 is not None:
            yield f"On the others, {percent(found.matched_top_1)} are correct."


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _facts(table: pa.Table, rows: Rows, found: Evaluation | None) -> Iterator[tuple[str, str]]:
    """Yield name and value of each number at the top of the report."""
    labels = table["label"].take(pa.array(rows))
    yield "images", f"{len(rows):,}"
    if labels.null_count:
        yield "unreadable", f"{labels.null_count:,}"
    yield "distinct labels", f"{pc.count_distinct(labels).as_py():,}"
    if found is not None:
        yield "correct", percent(found.top_1)
        if found.depth > 1:
            yield f"among the first {found.depth} labels", percent(found.top_k)


def _label_bars(table: pa.Table, rows: Rows) -> list[dict[str, Any]]:
    """Return label, count and share of the groups of labels, or of the most frequent labels, if one stands out."""
    groups = group_counts(table, rows).slice(0, LABELS_SHOWN).to_pylist()
    counts = groups if len(groups) > 1 else label_counts(table, rows, LABELS_SHOWN).to_pylist()
    largest = max((one["count"] for one in counts if not one["is_rest"]), default=0)
    if len(counts) < 2 or largest < max(2, _LEAST_SHARE * len(rows)):
        return []
    widths = [0 if one["is_rest"] else 100 * one["count"] / largest for one in counts]
    return [{**one, "width": width, "share": percent(one["share"])} for one, width in zip(counts, widths, strict=True)]


def _mistakes(found: Evaluation) -> Cells:
    """Return true label, prediction and count of the mistakes that happened more than once."""
    pairs = found.pairs.filter(pc.greater(found.pairs["count"], 1)).slice(0, ROWS_SHOWN).to_pylist()
    return [(display_name(one["truth"]), display_name(one["label"]), f"{one['count']:,}") for one in pairs]


def _groups(table: pa.Table, rows: Rows) -> Cells:
    """Return name, share of correct predictions with its interval, and number of images of the largest groups."""
    counts = group_accuracy(table, rows, levels=1)
    largest = counts.filter(pc.greater_equal(counts["images"], LEAST_OF_CLASS)).slice(0, ROWS_SHOWN).to_pylist()
    return [
        (
            one["group"],
            f"{percent(one['accuracy'])} ({percent(one['low'])} to {percent(one['high'])})",
            f"{one['images']:,}",
        )
        for one in largest
    ]


def _hardest(found: Evaluation) -> Cells:
    """Return name, share of correct predictions and number of images of the classes recognized least often."""
    classes = found.classes.filter(pc.greater_equal(found.classes["support"], LEAST_OF_CLASS))
    worst = classes.filter(pc.less(classes["recall"], 1)).sort_by([("recall", "ascending"), ("support", "descending")])
    rows = worst.slice(0, ROWS_SHOWN).to_pylist()
    return [(display_name(one["name"]), percent(one["recall"]), f"{one['support']:,}") for one in rows]


def _by_score(found: Evaluation) -> Cells:
    """Return minimum score, share of the images kept and share of correct predictions among them."""
    rows = found.thresholds.take(pa.array(_MINIMUM_SCORES)).to_pylist()
    return [
        (percent(one["threshold"]), percent(one["share"]), percent(one["accuracy"]))
        for one in rows
        if one["accuracy"] is not None
    ]


def _error_images(table: pa.Table, rows: Rows) -> list[dict[str, Any]]:
    failed = rows[table["error_type"].is_valid().to_numpy()[rows]][:ERRORS_SHOWN]
    return table.select(["file_name", "error_type", "error_message"]).take(pa.array(failed)).to_pylist()


def _sections(manifest: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    if manifest.get("run_id"):
        yield "Run", [("id", str(manifest["run_id"]))]
    if stated := agreement_text(manifest):
        yield "Precision", [("agreement with float32", stated)]
    for key, title in _SECTIONS:
        value = manifest.get(key)
        if key == "model" and isinstance(value, Mapping):
            value = {name: value.get(name) for name in _OF_MODEL}
        if value:
            yield title, _settings(value)


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
