"""Gallery: a wall of all pictures of a run."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.components import again, chosen, exports, filters, frame, gallery, similar, sorting

opened = frame.show("gallery")
if opened is None:
    st.stop()

wanted = filters.show(opened)
similar.show_chip(opened)
rows = sorting.rows(opened, wanted)
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    exports.show_count(opened, rows, wanted)
    with st.container(horizontal=True, width="content", vertical_alignment="bottom"):
        sorting.show()
        again.show(opened, rows, key="again")
        exports.show_menu(exports.Exported(opened, rows, wanted))

chosen.show(opened, rows)
if len(rows):
    gallery.show(opened, rows, key="wall", notes=sorting.notes(opened), choice=partial(chosen.on_wall, opened))
else:
    st.info("No image passes all filters. Remove one of them above.", icon=":material/filter_alt_off:")
