"""Groups of equal and nearly equal pictures, side by side, and the list of those to keep."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import streamlit as st

from pages.components import address, gallery, similar, text
from pages.components.opened import Key, Opened
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.duplicates import EXACT, NEAR, Group, find_duplicates
from sparkcore.analysis.export import write_csv
from sparkcore.runs.vectors import has_embeddings

_GROUPS_PER_PAGE = 10
_SHOWN = 12  # of one group
_KINDS = {"": "All", EXACT: "Equal files", NEAR: "Nearly equal"}
_DIFFERING = {"size_bytes": "file size", "format": "format", "brightness": "brightness", "sharpness": "sharpness"}
_TOLERANCE = 0.05  # smaller differences are not worth a word


def _key_of(opened: Opened) -> Key:
    return opened.key


@st.cache_resource(max_entries=4, show_spinner="Looking for duplicates …", hash_funcs={Opened: _key_of})
def groups(opened: Opened) -> list[Group]:
    """Return all groups of a run, the largest first."""
    found = similar.vectors(opened) if has_embeddings(opened.manifest) else None
    return find_duplicates(opened.table, found)


def show(opened: Opened) -> None:
    """Draw the groups, ten on a page, and the export of what to keep."""
    if opened.table.num_rows and opened.table["content_hash"].null_count == opened.table.num_rows:
        similar.show_missing(opened, "embedding")
        return
    every = groups(opened)
    kind = _choose_kind(every)
    chosen = [group for group in every if kind in ("", group.kind)]
    if not chosen:
        st.success("No duplicates: all pictures differ.", icon=":material/check_circle:")
        return
    _show_summary(opened, chosen)
    gallery.paged(
        np.arange(len(chosen)), partial(_show_groups, opened, chosen), key="duplicates", per_page=_GROUPS_PER_PAGE
    )


def _choose_kind(every: Sequence[Group]) -> str:
    counts = {kind: sum(kind in ("", group.kind) for group in every) for kind in _KINDS}
    key = address.mirror("duplicates_kind", address.get("kind", "", tuple(_KINDS)))
    st.segmented_control(
        "Kind",
        list(_KINDS),
        key=key,
        required=True,
        format_func=lambda kind: f"{_KINDS[kind]} ({counts[kind]:,})",
        on_change=address.writer(key, "kind", default=""),
        label_visibility="collapsed",
    )
    return address.get("kind", "", tuple(_KINDS))


def _show_summary(opened: Opened, chosen: Sequence[Group]) -> None:
    spare = {row for group in chosen for row in group.rows[1:]} - {group.rows[0] for group in chosen}
    sizes = opened.table["size_bytes"].take(pa.array(sorted(spare), pa.int64()))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"**{len(chosen):,} {'group' if len(chosen) == 1 else 'groups'}** · {text.images(len(spare))} could go, "
            f"{text.size(sum(size or 0 for size in sizes.to_pylist()))}",
            width="content",
        )
        st.download_button(
            "Keep-list",
            data=partial(keep_list, opened, chosen),
            file_name=f"keep-{opened.run_id[:8]}.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
            help="A table of all pictures of these groups: which group, and whether to keep the picture.",
        )


def keep_list(opened: Opened, chosen: Sequence[Group]) -> bytes:
    """Return a CSV of the pictures of groups; the first of each group is to be kept."""
    rows = [row for group in chosen for row in group.rows]
    part = opened.table.select(["image_id", "origin", "file_name", "width", "height", "size_bytes", "sharpness"])
    part = part.take(pa.array(rows, pa.int64()))
    numbers = [number for number, group in enumerate(chosen, 1) for _ in group.rows]
    kept = [place == 0 for group in chosen for place in range(len(group.rows))]
    part = part.add_column(0, "keep", pa.array(kept)).add_column(0, "group", pa.array(numbers))
    buffer = io.BytesIO()
    write_csv(part, buffer)
    return buffer.getvalue()


def _show_groups(opened: Opened, chosen: Sequence[Group], numbers: Rows) -> None:
    for number in numbers.tolist():
        group = chosen[number]
        rows = np.array(group.rows[:_SHOWN])
        what = "equal files" if group.kind == EXACT else "nearly equal pictures"
        more = f", the first {_SHOWN}" if len(group.rows) > _SHOWN else ""
        with st.container(border=True, key=f"duplicates_{number}"):
            st.markdown(f"**{len(group.rows):,} {what}**{more} · {_differences(opened, rows)}")
            gallery.wall(opened, rows, key=f"duplicates_wall_{number}", notes=partial(_notes, opened))


def _notes(opened: Opened, rows: Rows) -> list[str]:
    part = opened.table.select(["width", "height", "size_bytes"]).take(pa.array(rows)).to_pylist()
    said = [
        f"{text.pixels(row['height'] or 0, row['width'] or 0)}, {text.size(row['size_bytes'] or 0)}" for row in part
    ]
    return [f"keep · {said[0]}", *said[1:]]


def _differences(opened: Opened, rows: Rows) -> str:
    """Return what differs within a group, in words."""
    part = opened.table.select(["width", "height", *_DIFFERING]).take(pa.array(rows)).to_pylist()
    sizes = {(row["width"], row["height"]) for row in part}
    names = ["size in pixels"] if len(sizes) > 1 else []
    for column, name in _DIFFERING.items():
        values = {row[column] for row in part if row[column] is not None}
        if len(values) > 1 and (isinstance(next(iter(values)), str) or min(values) < max(values) * (1 - _TOLERANCE)):
            names.append(name)
    return f"differ in {', '.join(names)}" if names else "nothing differs but the name"
