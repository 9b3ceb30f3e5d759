"""Decide by score: the threshold for a wanted precision, what is accepted, reviewed and rejected, and the policy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import address, cached, place, policies, tables, text
from pages.components.filters import set_filter
from pages.components.opened import Opened
from sparkcore.analysis.filters import Filters
from sparkcore.analysis.policy import (
    ACCEPT,
    REJECT,
    REVIEW,
    Aim,
    FittedPolicy,
    Policy,
    count_decisions,
    decide,
    fit_policy,
    measure_precision,
)
from sparkcore.analysis.thresholds import CONFIDENCE
from sparkcore.analysis.truth import has_truth
from sparkcore.errors import RequestError

_PRECISION, _REJECT = 95, 0  # percent


def show(opened: Opened, wanted: Filters) -> None:
    """Draw the thresholds for a precision, or those of a saved policy, and what they do with the filtered images."""
    if not (has_truth(opened.table) or policies.are_there(opened.store)):
        return
    with st.container(border=True, key="decision"):
        st.markdown("**Decide by score**")
        saved = policies.choose(opened.store, "decision_policy", "Policy")
        others = wanted.without("score").without("correct")
        if saved is not None:
            _show_saved(opened, others, saved)
            _show_decisions(opened, wanted, saved, is_saved=True)
        elif has_truth(opened.table):
            _show_fit(opened, wanted, others)


def _show_fit(opened: Opened, wanted: Filters, others: Filters) -> None:
    aim = _show_aim()
    try:
        fitted = _fit(opened, aim, others)
    except RequestError as error:
        st.info(text.escape(str(error)), icon=":material/info:")
        return
    _show_found(fitted)
    _show_decisions(opened, wanted, fitted.policy, is_saved=False)
    if aim.by_class:
        _show_classes(fitted)


def _show_saved(opened: Opened, others: Filters, policy: Policy) -> None:
    """Say what a saved policy accepts, and how precise that is here where true labels are known."""
    said = f"Accepts from a score of **{text.percent(policy.accept)}** on"
    said += f", with a threshold of their own for {len(policy.classes):,} classes." if policy.classes else "."
    measured = measure_precision(opened.table, policy, cached.matching_rows(opened, others))
    if measured is not None:
        low, high = text.percent(measured.low), text.percent(measured.high)
        said += (
            f" Here **{text.percent(measured.precision)}** of the accepted ones are correct ({100 * CONFIDENCE:.0f} % "
            f"interval: {low} to {high}, of {text.images(measured.kept)} with a true label)."
        )
    st.markdown(said)


def _show_aim() -> Aim:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        precision = _number("Precision in %", "precision", _PRECISION, (1, 100))
        reject = _number("Reject: at most % correct", "reject", _REJECT, (0, 99))
        guarantee = _toggle("Guarantee", "sure", "The low end of the interval reaches the precision too.")
        by_class = _toggle("For each class", "by", "Classes with many judged images get thresholds of their own.")
    return Aim(precision / 100, guarantee, reject / 100, by_class)


def _show_found(fitted: FittedPolicy) -> None:
    found = fitted.found
    interval = f"{100 * CONFIDENCE:.0f} % interval: {text.percent(found.low)} to {text.percent(found.high)}"
    st.markdown(
        f"From a score of **{text.percent(found.threshold)}** on, **{text.percent(found.precision)}** of the "
        f"predictions are correct ({interval}): {found.kept:,} of {text.images(fitted.judged)} with a true label, "
        f"{text.percent(found.share)}.",
        help="Clopper-Pearson. The low end of the interval holds for other images of the same kind.",
    )


def _show_decisions(opened: Opened, wanted: Filters, policy: Policy, *, is_saved: bool) -> None:
    decided = decide(opened.table, policy).take(pa.array(cached.matching_rows(opened, wanted)))
    counts = count_decisions(decided)
    st.markdown(
        f":material/check: **{counts[ACCEPT]:,}** accepted · :material/how_to_reg: **{counts[REVIEW]:,}** to review · "
        f":material/block: **{counts[REJECT]:,}** rejected, of {text.images(len(decided) - decided.null_count)}"
    )
    below = float(np.nextafter(np.float32(policy.accept), np.float32(0)))  # ranges include both ends
    with st.container(horizontal=True):
        for name, label, ends in (
            ("accept", "Show accepted", (policy.accept, None)),
            ("review", "Show those to review", (policy.reject or None, below)),
        ):
            if not policy.classes:  # thresholds of classes are no range of scores
                st.button(label, key=f"decision_{name}", icon=":material/filter_alt:", on_click=_keep, args=(ends,))
        st.download_button(
            "Policy (JSON)",
            data=policy.to_json(),
            file_name=f"{policy.name}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            help="For `sparkcore run --policy` and `sparkcore export --policy`.",
        )
        show = policies.show_delete if is_saved else policies.show_save
        show(opened.store, policy)


def _show_classes(fitted: FittedPolicy) -> None:
    classes = fitted.policy.classes
    if not classes:
        st.caption("No class has enough judged images for a threshold of its own.")
        return
    table = pa.table({"class": list(classes), "score": list(classes.values())})
    columns = {"class": text.display_names(table["class"]), "score": pc.multiply(table["score"], 100)}
    st.dataframe(
        pa.table(columns),
        hide_index=True,
        height=tables.height(len(classes)),
        column_config={
            "class": st.column_config.TextColumn("Class"),
            "score": tables.percent("Minimum score"),
        },
        alt="Minimum score of each class",
    )


def _keep(ends: tuple[float | None, float | None]) -> None:
    set_filter(score=ends)
    place.ask()  # the chip of the new filter is at the top


def _number(label: str, name: str, default: int, bounds: tuple[int, int]) -> int:
    value = min(address.get_int(name, default, bounds[0]), bounds[1])
    key = address.mirror(f"decision_{name}", value)
    st.number_input(
        label, *bounds, key=key, on_change=address.writer(key, name, default=default), width=190, format="%d"
    )
    return value


def _toggle(label: str, name: str, about: str) -> bool:
    value = address.get(name) == "yes"
    key = address.mirror(f"decision_{name}", value)
    st.toggle(label, key=key, help=about, on_change=address.writer(key, name, lambda _: "yes", default=False))
    return value


@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs=cached.BY_KEY)
def _fit(opened: Opened, aim: Aim, wanted: Filters) -> FittedPolicy:
    name = f"{opened.manifest.model['name']}-{100 * aim.precision:g}"
    rows = cached.matching_rows(opened, wanted)
    return fit_policy(opened.table, aim, name=name, run_id=opened.run_id, rows=rows)
