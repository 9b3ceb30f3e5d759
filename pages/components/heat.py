"""Why this label: a heat map over the picture, for each of its labels and for the difference of two."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import streamlit as st

from pages.components import similar, text, trouble
from pages.components.cached import BY_KEY
from pages.components.opened import Opened
from pages.components.picture import Row
from sparkcore import client, intake
from sparkcore.analysis.explanation import Explanation, explanation_png, has_maps, load_explanation
from sparkcore.errors import ImageError, RunFailedError, SparkcoreError
from sparkcore.imaging.lettering import display_name
from sparkcore.runs.results import load_thumbnails
from sparkcore.schema import STATUS_OK

_LONGEST_S = 60  # for a model of any size on a busy machine


def show(opened: Opened, row: Row) -> None:
    """Draw the heat map, once it is opened."""
    if row["status"] != STATUS_OK:
        return
    part = st.expander("Why this label", icon=":material/thermostat:", on_change="rerun", key="why")
    if not part.open:
        return
    with part:
        try:
            if has_maps(opened.manifest):
                _show_map(opened, row, load_explanation(opened.store, opened.manifest, row["image_id"]))
            else:
                similar.show_missing(opened, "activation")
                _show_map(opened, row, _by_occlusion(opened, row["image_id"], row["origin"]))
                st.caption("Found by covering one part of the picture after the other.")
        except SparkcoreError as error:
            trouble.show(error)


@st.cache_data(max_entries=64, show_spinner="Covering parts of the picture …", hash_funcs=BY_KEY)
def _by_occlusion(opened: Opened, image_id: str, origin: str) -> Explanation:
    """Return the evidence that a process with the run's model finds; raises ImageError where the original is gone."""
    intake.open_allowed(origin, intake.allowed_roots(opened.store.state))
    with TemporaryDirectory(prefix="sparkcore-why-") as folder:
        path = Path(folder, "evidence.npz")
        command = client.start_command(("explain", opened.run_id, image_id, path))
        command.wait(_LONGEST_S)
        if command.is_running or command.has_failed:
            command.process.kill()
            raise RunFailedError(f"There is no heat map: {command.said or f'it took more than {_LONGEST_S} seconds.'}")
        with np.load(path) as found:
            return Explanation(tuple(found["labels"].tolist()), found["maps"])


def _show_map(opened: Opened, row: Row, explanation: Explanation) -> None:
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
