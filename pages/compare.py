"""Compare: what changed between two runs, image by image."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import changes, comparisons, frame, gallery, pairs
from sparkcore.analysis.comparison import config_changes

left = frame.show("compare")
if left is None:
    st.stop()
right = comparisons.choose(left)
if right is None:
    st.info(
        "There is only this run yet. Repeat it with another model, resize or precision, and see here what changed.",
        icon=":material/compare_arrows:",
    )
    st.page_link(
        "pages/run.py", label="Repeat with a change", icon=":material/replay:", query_params={"repeat": left.run_id}
    )
    st.stop()

compared = comparisons.find(left, right)
comparison = compared.comparison
changes.show_numbers(comparison)
comparisons.show_settings(config_changes(left.manifest.to_dict(), right.manifest.to_dict()))
if not comparison.judged:
    st.info("The two runs have no image in common that has a label in both.", icon=":material/join_inner:")
    st.stop()

asked = comparisons.wanted()
changes.show_charts(comparison, asked)
if not comparison.changed.num_rows:
    st.success("No label changed.", icon=":material/check_circle:")
    st.stop()
st.subheader("Images whose label changed", anchor=False)
changes.show_chips(asked)
chosen = comparisons.only(comparison.changed, asked)
st.markdown(f"**{len(chosen):,}** of {comparison.changed.num_rows:,} images, the greatest change of score first")
if len(chosen):
    pairs.show_names(left, right)
    draw = partial(pairs.show, left, right, compared.rows, key="changed")
    gallery.paged(chosen, draw, key="changed")
