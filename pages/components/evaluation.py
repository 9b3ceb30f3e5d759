"""How good the predictions of a run are, as numbers and as a table of classes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import tables, text
from pages.components.opened import Opened
from sparkcore.analysis.filters import INCORRECT, Filters
from sparkcore.analysis.intervals import clopper_pearson
from sparkcore.analysis.metrics import Evaluation
from sparkcore.analysis.reviewed import REVIEWED, truth_sources
from sparkcore.imaging.lettering import display_name


def show_unknown_classes(evaluation: Evaluation) -> None:
    """Say where the truth has classes that the model cannot name, and how it does on the rest."""
    if not (evaluation.classes_known and evaluation.unmatched):
        return
    true_classes = pc.sum(pc.greater(evaluation.classes["support"], 0)).as_py()
    said = (
        f"The model has no name for **{evaluation.unmatched_classes:,} of the {true_classes:,} true classes**: "
        f"{text.images(evaluation.unmatched)} that it cannot predict correctly."
    )
    if evaluation.matched_top_1 is not None:
        rest = text.images(evaluation.support - evaluation.unmatched)
        said += f" On the other {rest} its accuracy is **{text.percent(evaluation.matched_top_1)}**."
    st.info(said, icon=":material/translate:")


def show_sources(opened: Opened) -> None:
    """Say how many true labels of the run are from reviews."""
    counts = truth_sources(opened.table)
    if REVIEWED in counts:
        rest = "".join(f", {count:,} from the {name}" for name, count in counts.items() if name != REVIEWED)
        st.caption(f"True labels of the run: {counts[REVIEWED]:,} reviewed{rest}.")


def show_numbers(evaluation: Evaluation) -> None:
    """Draw the numbers that summarize an evaluation."""
    depth = evaluation.depth
    low, high = clopper_pearson(evaluation.top_1 * evaluation.support, evaluation.support)
    numbers = [
        (
            "Top-1 accuracy",
            text.percent(evaluation.top_1),
            f"Share of the images whose prediction is their true label. 95 % interval, if they are a random sample: "
            f"{text.percent(low)} to {text.percent(high)}.",
        ),
        (
            f"Top-{depth} accuracy",
            text.percent(evaluation.top_k),
            f"Share of the images whose true label is among their {depth} most likely labels.",
        ),
        ("With a true label", f"{evaluation.support:,}", "Images that have both a true label and a prediction."),
        (
            "Calibration error",
            text.percent(evaluation.calibration_error),
            "Mean difference between score and accuracy; 0 % is perfect (expected calibration error).",
        ),
    ]
    if depth == 1:
        del numbers[1]
    if evaluation.unmatched and not evaluation.classes_known:
        why = "Images whose true label was never predicted in this run. They count as incorrect."
        numbers.append(("True label never predicted", f"{evaluation.unmatched:,}", why))
    with st.container(horizontal=True):
        for name, value, why in numbers:
            st.metric(name, value, help=why, border=True)


def describe_images(wanted: Filters, count: int) -> str:
    """Return the heading above the images of an evaluation."""
    if wanted.pair:
        true_label, prediction = (text.escape(display_name(name)) for name in wanted.pair)
        return f"{text.images(count)} of {true_label} labeled {prediction}"
    if wanted.correct == INCORRECT:
        return f"{count:,} {'mistake' if count == 1 else 'mistakes'}, most confident first"
    return f"{text.images(count)} labeled correctly, most confident first"


def show_classes(classes: pa.Table) -> None:
    """Draw precision, recall and support of every class, the largest first."""
    columns = {name: classes[name] for name in classes.column_names}
    columns["name"] = text.display_names(columns["name"])
    columns |= {name: pc.multiply(columns[name], 100) for name in ("precision", "recall", "f1")}
    tables.show(
        "**Classes**",
        "Precision: share of the predictions of a class that are correct. "
        "Recall: share of the images of a class that are found.",
        columns,
        {
            "name": st.column_config.TextColumn("Class", pinned=True),
            "precision": tables.bar("Precision"),
            "recall": tables.bar("Recall"),
            "f1": tables.bar("F1", help="Harmonic mean of precision and recall."),
            "support": tables.count("Images"),
            "predicted": tables.count("Predicted"),
        },
        alt="Precision, recall and number of images of every class",
    )
