"""The filter widgets in the sidebar, and a chip for every active filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from pages.components import address, cached, text
from pages.components.opened import Opened
from sparkcore.analysis.filters import CORRECT, INCORRECT, REVIEWED, STARRED, UNREVIEWED, Filters, Range, describe
from sparkcore.analysis.groups import narrowed_labels
from sparkcore.groups import parse_path
from sparkcore.imaging.lettering import display_name
from sparkcore.schema import STATUS_ERROR, STATUS_OK

_STATUS = {STATUS_OK: "Readable", STATUS_ERROR: "Unreadable"}
_REVIEW = {REVIEWED: "Reviewed", UNREVIEWED: "Open", STARRED: "Star"}
_CORRECT = {CORRECT: "Correct", INCORRECT: "Incorrect"}


def show(opened: Opened) -> Filters:
    """Draw the filter widgets in the sidebar and the chips here; return the filters in the address."""
    filters = address.filters()
    with st.sidebar:
        st.subheader("Filters", anchor=False)
        _show_widgets(cached.filter_options(opened), filters)
    show_chips(filters)
    return filters


def show_chips(filters: Filters) -> None:
    """Draw a button for every active filter that removes it."""
    described = describe(filters)
    if not described:
        return
    with st.container(horizontal=True, gap="small", key="chips"):
        for field, said in described:
            st.button(
                text.escape(said if field in ("name", "find") else display_name(said)),
                key=f"chip_{field}",
                icon=":material/close:",
                icon_position="right",
                help="Remove this filter",
                on_click=set_filter,
                kwargs={field: None},
            )
        if len(described) > 1:
            st.button("Clear all", key="chip_all", type="tertiary", on_click=address.set_filters, args=(Filters(),))


def set_filter(**wanted: Any) -> None:
    """Change some filters in the address and keep the others; None removes one. Call it from callbacks."""
    values = {name: value or getattr(Filters(), name) for name, value in wanted.items()}
    address.set_filters(replace(address.filters(), **values))


def _show_widgets(options: cached.FilterOptions, filters: Filters) -> None:
    _show_text("Search labels", "find", filters.find, "dog, vehicles" if options.groups else "Any")
    if options.groups or filters.groups:
        _show_many("Group", "group", filters.groups, options.groups)
    _show_many("Label", "label", filters.labels, tuple(narrowed_labels(options.labels, filters)))
    _show_text("File name contains", "name", filters.name, "Any")
    _show_percent("Score", "score", filters.score)
    if options.has_truth:
        _show_choice("Prediction", "correct", filters.correct, _CORRECT)
    _show_choice("Reviews", "review", filters.review, _REVIEW)
    if options.tags or filters.tags:
        _show_many("Tag", "tag", filters.tags, options.tags)
    if options.errors:
        _show_choice("File", "status", filters.status, _STATUS)
        _show_many("Problem", "error", filters.errors, options.errors)
    with st.expander("More filters"):
        _show_range("Margin", "margin", filters.margin, (0.0, 1.0))
        _show_range("Entropy", "entropy", filters.entropy, (0.0, options.entropy))
        _show_range("Height in pixels", "height", filters.height, options.height)
        _show_range("Width in pixels", "width", filters.width, options.width)


def _show_many(label: str, name: str, value: tuple[str, ...], options: tuple[str, ...]) -> None:
    key = address.mirror(f"filter_{name}", list(value))
    unknown = [one for one in value if one not in options]
    st.multiselect(
        label,
        [*options, *unknown],
        key=key,
        placeholder="Any",
        format_func=_group_name if name == "group" else display_name,
        filter_mode="contains",
        on_change=address.writer(key, name, list),
    )


def _group_name(path: str) -> str:
    """Return a group as its own name first: in a narrow list, that is what people look for."""
    return " \N{MIDDLE DOT} ".join(reversed(parse_path(path)[-2:]))


def _show_text(label: str, name: str, value: str, example: str) -> None:
    key = address.mirror(f"filter_{name}", value)
    st.text_input(
        label,
        key=key,
        type="search",
        placeholder=example,
        on_change=address.writer(key, name, default=""),
    )


def _show_choice(label: str, name: str, value: str | None, options: Mapping[str, str]) -> None:
    key = address.mirror(f"filter_{name}", value)
    st.segmented_control(
        label,
        list(options),
        key=key,
        format_func=options.__getitem__,
        on_change=address.writer(key, name),
        width="stretch",
    )


def _show_range(label: str, name: str, value: Range | None, bounds: tuple[float, float]) -> None:
    minimum, maximum = bounds
    if minimum >= maximum:
        return
    low, high = value or (None, None)
    inside = (_clip(minimum if low is None else low, bounds), _clip(maximum if high is None else high, bounds))
    key = address.mirror(f"filter_{name}", inside)
    whole = isinstance(minimum, int)
    st.slider(
        label,
        *bounds,
        key=key,
        step=1 if whole else 0.01,
        format="%d" if whole else "%.2f",
        on_change=address.writer(key, name, partial(_range_texts, bounds=bounds)),
    )


def _show_percent(label: str, name: str, value: Range | None) -> None:
    low, high = value or (None, None)
    bounds = (0.0, 100.0)
    inside = (_clip(100 * (low or 0.0), bounds), _clip(100 * (1.0 if high is None else high), bounds))
    key = address.mirror(f"filter_{name}", inside)
    st.slider(
        label,
        *bounds,
        key=key,
        step=1.0,
        format="%.0f %%",
        on_change=address.writer(key, name, lambda ends: _range_texts([end / 100 for end in ends], (0.0, 1.0))),
    )


def _clip(value: float, bounds: tuple[float, float]) -> float:
    # A slider demands one type for its value and its bounds.
    return type(bounds[0])(min(max(value, bounds[0]), bounds[1]))


def _range_texts(value: Sequence[float], bounds: tuple[float, float]) -> list[str] | None:
    texts = ["" if end == bound else f"{end:.9g}" for end, bound in zip(value, bounds, strict=True)]
    return texts if any(texts) else None
