"""How far the images of two runs differ, where the runs have no image in common."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import cached, gallery, tables, text
from pages.components.opened import Opened
from sparkcore.analysis.drift import LEVEL, Drift, measure_drift, run_vectors
from sparkcore.errors import RequestError
from sparkcore.imaging.lettering import display_name

_ROWS = 12


def show(this: Opened, other: Opened) -> None:
    """Draw what differs between the images of this run and those of the other one, which is the usual batch."""
    try:
        found = _drift(other.without_reviews, this.without_reviews)
    except RequestError as error:
        st.info(text.escape(str(error)), icon=":material/info:")
        return
    st.subheader("Drift", anchor=False)
    said = text.escape(display_name(found.sentence()))
    if found.alarm:
        st.warning(said, icon=":material/trending_up:")
    else:
        st.success(said, icon=":material/check:")
    scores = f"{text.percent(found.score_distance)} at most (Kolmogorov-Smirnov, p = {found.score_p:.2g})"
    st.caption(
        f"The runs have no image in common, so their batches are compared: {text.images(found.images_b)} of this run "
        f"with {text.images(found.images_a)} of the other one. Tests at {100 * LEVEL:.0f} %, corrected for their "
        f"number. Scores differ by {scores}."
    )
    _show_labels(found)
    st.subheader("Least like the other run", anchor=False)
    gallery.wall(this, found.strange, key="strange")


def _show_labels(found: Drift) -> None:
    part = found.labels.slice(0, _ROWS)
    shares = ("share_a", "share_b", "change", "low", "high")
    columns = {"name": text.display_names(part["name"])}
    columns |= {name: pc.multiply(part[name], 100) for name in shares}
    columns["alarm"] = pc.if_else(part["alarm"], "differs", "")
    numbers = {
        name: tables.percent(title)
        for name, title in zip(shares, ("Other run", "This run", "Change", "Low end", "High end"), strict=True)
    }
    st.dataframe(
        pa.table(columns),
        hide_index=True,
        column_config={
            "name": st.column_config.TextColumn("Label", pinned=True),
            **numbers,
            "alarm": st.column_config.TextColumn(""),
        },
        alt="Labels whose share changed most, with the 99 % interval of the change",
    )


@st.cache_resource(max_entries=8, show_spinner="Comparing …", hash_funcs=cached.BY_KEY)
def _drift(a: Opened, b: Opened) -> Drift:
    return measure_drift(a.table, b.table, run_vectors(a.store, a.manifest, b.manifest))
