"""Pictures of poor quality, and odd ones, with thresholds to move."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import partial

import streamlit as st

from pages.components import address, gallery, similar
from pages.components.opened import Key, Opened
from sparkcore.analysis.columns import Rows
from sparkcore.analysis.quality import Measures, Thresholds, find_problems, measures
from sparkcore.runs.vectors import has_embeddings

_SHOWN = 48
_DEFAULTS = Thresholds()
# Threshold -> (what it says, lowest, highest, step)
_SLIDERS = {
    "dark": ("Dark below a brightness of", 0.0, 1.0, 0.01),
    "bright": ("Bright above a brightness of", 0.0, 1.0, 0.01),
    "contrast": ("Low contrast below", 0.0, 0.5, 0.01),
    "sharpness": ("Blurry below a sharpness of", 0.0, 1000.0, 5.0),
    "tiny": ("Tiny below a side of, in pixels", 0.0, 512.0, 8.0),
    "aspect": ("Odd aspect above a ratio of", 1.0, 10.0, 0.1),
    "unlike": ("Unlike all others below a similarity of", 0.0, 1.0, 0.01),
}


def _key_of(opened: Opened) -> Key:
    return opened.key


@st.cache_resource(max_entries=4, show_spinner="Measuring …", hash_funcs={Opened: _key_of})
def _measures(opened: Opened) -> Measures:
    found = similar.vectors(opened) if has_embeddings(opened.manifest) else None
    return measures(opened.table, found)


def show(opened: Opened) -> None:
    """Draw the kinds of problems with their counts, the pictures of the chosen kind, and the thresholds."""
    st.header("Quality", anchor=False)
    if opened.table.num_rows and opened.table["content_hash"].null_count == opened.table.num_rows:
        similar.show_missing(opened, "embedding")
        return
    problems = find_problems(_measures(opened), _show_thresholds())
    kind = _choose(problems)
    if kind is None:
        st.caption("Choose a kind of problem to see its pictures, the worst first.")
    elif len(problems[kind]):
        if len(problems[kind]) > _SHOWN:
            st.caption(f"The worst {_SHOWN} of {len(problems[kind]):,}. `sparkcore quality` lists all.")
        gallery.wall(opened, problems[kind][:_SHOWN], key="quality_wall", notes=partial(_notes, opened, kind))
    else:
        st.success(f"No picture is {kind} by this threshold.", icon=":material/check_circle:")


def _choose(problems: dict[str, Rows]) -> str | None:
    kinds = tuple(problems)
    key = address.mirror("quality_kind", address.get("quality", "", kinds) or None)
    st.pills(
        "Kind of problem",
        kinds,
        key=key,
        format_func=lambda kind: f"{kind.capitalize()} ({len(problems[kind]):,})",
        on_change=address.writer(key, "quality"),
        label_visibility="collapsed",
    )
    return address.get("quality", "", kinds) or None


def _show_thresholds() -> Thresholds:
    values = {}
    with st.expander("Thresholds", icon=":material/tune:", key="thresholds"):
        columns = st.columns(2)
        for number, field in enumerate(fields(Thresholds)):
            said, low, high, step = _SLIDERS[field.name]
            given = address.get(f"q_{field.name}")
            default = float(getattr(_DEFAULTS, field.name))
            start = min(max(float(given), low), high) if _is_number(given) else default
            key = address.mirror(f"threshold_{field.name}", start)
            with columns[number % 2]:
                values[field.name] = st.slider(
                    said, low, high, step=step, key=key,
                    on_change=address.writer(key, f"q_{field.name}", default=default),
                )  # fmt: skip
    return Thresholds(**values)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,8}(\.[0-9]{0,8})?", text) is not None


def _notes(opened: Opened, kind: str, rows: Rows) -> list[str]:
    found = _measures(opened)
    values, say = {
        "dark": (found.brightness, "brightness {:.2f}"),
        "bright": (found.brightness, "brightness {:.2f}"),
        "low contrast": (found.contrast, "contrast {:.3f}"),
        "blurry": (found.sharpness, "sharpness {:.0f}"),
        "tiny": (found.side, "{:.0f} pixels"),
        "odd aspect": (found.aspect, "ratio {:.1f}"),
        "grayscale": (found.channels, "{:.0f} channel"),
        "unlike all others": (100 * found.likeness, "{:.0f} % similar to the next"),
    }[kind]
    return [say.format(value) for value in values[rows].tolist()]
