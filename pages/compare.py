"""Compare: what changed between two runs, image by image."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import cached, comparison, drifting, filters, frame, gallery, paired, preference, side_by_side
from sparkcore.analysis.comparison import config_changes
from sparkcore.analysis.filters import Filters

left = frame.show("compare")
if left is None:
    st.stop()
right = comparison.choose(left)
if right is None:
    st.info(
        "There is only one run so far. Repeat it with another model, resize mode or precision to see what changes.",
        icon=":material/compare_arrows:",
    )
    st.page_link(
        "pages/run.py", label="Repeat with changes", icon=":material/replay:", query_params={"repeat": left.run_id}
    )
    st.stop()

wanted = filters.show(left)
preference.show(left if left.given_and_reviewed else right)
compared = cached.comparison(left, right, wanted)
found = compared.comparison
if wanted != Filters():
    st.caption("The filters are those of this run: they choose images by what it says of them.")
if found.both:
    paired.show(compared.paired)
    comparison.show_numbers(found)
comparison.show_settings(config_changes(left.manifest.to_dict(), right.manifest.to_dict()))
if not found.both:
    drifting.show(left, right)
    st.stop()
if not found.judged:
    st.info("The two runs have no image in common that has a label in both.", icon=":material/join_inner:")
    st.stop()

chosen = comparison.change_filter()
comparison.show_charts(found, chosen)
if not found.changed.num_rows:
    st.success("No label changed.", icon=":material/check_circle:")
    st.stop()
changes = comparison.matching_changes(compared.changed, chosen)
with st.container(key=comparison.RESULTS):
    st.subheader("Images whose label changed", anchor=False)
    comparison.show_outcomes(compared.changed, compared.paired)
    comparison.show_chips(chosen)
    comparison.show_export(compared.changed, changes, right)
    st.markdown(f"**{len(changes):,}** of {found.changed.num_rows:,} images, largest change in score first")
    if len(changes):
        side_by_side.show_names(left, right)
        draw = partial(side_by_side.show, left, right, compared.rows, key="changed")
        gallery.paged(changes, draw, key="changed")
