"""How good the guesses of a run are: computed once for each set of filters, shown as numbers and as a table."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import streamlit as st

from pages.components.filters import matching_rows
from pages.components.frame import Opened
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.metrics import Evaluation, evaluate
from sparkcore.analysis.selection import select, sort
from sparkcore.analysis.truth import has_truth
from sparkcore.errors import RequestError

_TABLE_HEIGHT = 420


def find(opened: Opened, wanted: Filters) -> Evaluation | None:
    """Return the evaluation of the images that pass, or None where no truth of them is known; all viewers share it."""
    if not has_truth(opened.table):
        return None
    return _evaluation((str(opened.store.root), opened.run_id, opened.manifest.finished_at), opened, wanted)


def surest(opened: Opened, wanted: Filters) -> Rows:
    """Return the rows that pass, those with the highest score first; all viewers share them."""
    return _surest((str(opened.store.root), opened.run_id, opened.manifest.finished_at), opened.table, wanted)


def show_numbers(evaluation: Evaluation) -> None:
    """Draw the numbers that sum an evaluation up."""
    numbers = [
        ("First guess right", f"{evaluation.top_1:.1%}", "Share of the images whose first guess is their truth."),
        (
            f"Right within {evaluation.depth}",
            f"{evaluation.top_k:.1%}",
            f"Share of the images whose truth is among the first {evaluation.depth} guesses.",
        ),
        ("Images judged", f"{evaluation.support:,}", "Images with both a known truth and a guess."),
        (
            "Calibration error",
            f"{evaluation.calibration_error:.1%}",
            "By how much scores and accuracy differ, on average; 0 % is perfect (expected calibration error).",
        ),
    ]
    if evaluation.depth == 1:
        del numbers[1]
    if evaluation.unmatched:
        why = "Images whose truth is no class that this model guessed anywhere. They count as wrong."
        numbers.append(("Truth never guessed", f"{evaluation.unmatched:,}", why))
    with st.container(horizontal=True):
        for name, value, why in numbers:
            st.metric(name, value, help=why, border=True)


def show_classes(classes: pa.Table) -> None:
    """Draw precision, recall and support of every class; the largest first."""
    with st.container(border=True):
        st.markdown("**Classes**")
        st.caption("Precision: how many guesses of the class are right. Recall: how many of its images are found.")
        st.dataframe(
            classes,
            hide_index=True,
            height=_TABLE_HEIGHT,
            column_config={
                "name": st.column_config.TextColumn("Class", pinned=True),
                "precision": _share("Precision"),
                "recall": _share("Recall"),
                "f1": _share("F1", "Harmonic mean of precision and recall."),
                "support": st.column_config.NumberColumn("Images", format="localized"),
                "predicted": st.column_config.NumberColumn("Guessed", format="localized"),
            },
            alt="Precision, recall and number of images of every class",
        )


def _share(title: str, about: str | None = None) -> Any:
    return st.column_config.ProgressColumn(title, help=about, min_value=0.0, max_value=1.0, format="percent")


@st.cache_resource(max_entries=16, show_spinner=False)
def _evaluation(run: tuple[str, ...], _opened: Opened, wanted: Filters) -> Evaluation | None:
    del run  # part of the key, in place of the table
    try:
        return evaluate(_opened.table, matching_rows(_opened, wanted))
    except RequestError:  # the filters leave no image with a known truth
        return None


@st.cache_resource(max_entries=16, show_spinner=False)
def _surest(run: tuple[str, ...], _table: pa.Table, wanted: Filters) -> Rows:
    del run  # part of the key, in place of the table
    return sort(_table, select(_table, wanted), "score", descending=True)
