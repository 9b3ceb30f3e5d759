"""Why this label: a heat map over the picture, for each of its labels and for the difference of two."""

from __future__ import annotations

import streamlit as st

from pages.components import similar, text, trouble
from pages.components.opened import Opened
from pages.components.picture import Row
from sparkcore import intake
from sparkcore.analysis.explanation import explanation_png, load_explanation
from sparkcore.errors import ImageError, SparkcoreError
from sparkcore.imaging.lettering import display_name
from sparkcore.runs.results import load_thumbnails
from sparkcore.schema import STATUS_OK


def show(opened: Opened, row: Row) -> None:
    """Draw the heat map, once it is opened."""
    if row["status"] != STATUS_OK:
        return
    part = st.expander("Why this label", icon=":material/thermostat:", on_change="rerun", key="why")
    if not part.open:
        return
    with part:
        if "activation" not in (opened.manifest.model.get("features") or {}):
            similar.show_missing(opened, "activation")
            return
        try:
            _show_map(opened, row)
        except SparkcoreError as error:
            trouble.show(error)


def _show_map(opened: Opened, row: Row) -> None:
    explanation = load_explanation(opened.store, opened.manifest, row["image_id"])
    image_id = row["image_id"]
    label = st.segmented_control(
        "Label",
        explanation.labels,
        default=explanation.labels[0],
        required=True,
        format_func=lambda one: text.escape(display_name(one)),  # unlike those of a selectbox, options are Markdown
        key=f"why_label_{image_id}",
    )
    others = [one for one in explanation.labels if one != label]
    against = st.selectbox(
        "And not",
        others,
        index=None,
        placeholder="None: all evidence",
        format_func=display_name,
        key=f"why_against_{image_id}_{label}",
        help="Shows what speaks for the first label and not for this one.",
    )
    evidence = explanation.evidence(label, against)
    said = f"Where the model sees {display_name(label)}"
    said += f" and not {display_name(against)}" if against else ""
    content = _picture(opened, row)
    st.image(explanation_png(content, evidence, opened.manifest), width="stretch", alt=f"{said}, {row['file_name']}")
    other = f"for {display_name(against)}" if against else "against it"
    st.caption(f"Orange speaks for {text.escape(display_name(label))}, blue {text.escape(other)}.")


def _picture(opened: Opened, row: Row) -> bytes:
    """Return the original, or the thumbnail where this server may not read it."""
    try:
        return intake.open_allowed(row["origin"], intake.allowed_roots(opened.store.state))
    except ImageError:
        found = load_thumbnails(opened.store, opened.run_id, [row["image_id"]])
        if row["image_id"] not in found:
            raise
        return found[row["image_id"]]
