"""The choice of what gives the pictures of the map their color; a click on the key filters by it."""

from __future__ import annotations

import streamlit as st

from pages.components import address, cached, filters
from pages.components.opened import Opened
from sparkcore.analysis.map_kinds import GROUP, LABEL, TRUTH
from sparkcore.groups import GroupPath, parse_path
from sparkcore.imaging.lettering import display_name

_COLOR = "color"
_TITLES = {GROUP: "Group", LABEL: "Label", TRUTH: "Correctness"}
_NONE = {GROUP: "in no group", LABEL: "no label", TRUTH: "no true label"}


def offered(opened: Opened) -> list[str]:
    """Return the choices for a run, the usual one first."""
    options = cached.filter_options(opened)
    return [*([GROUP] if options.groups else []), LABEL, *([TRUTH] if options.has_truth else [])]


def chosen(opened: Opened) -> str:
    """Return the choice in the address."""
    choices = offered(opened)
    return address.get(_COLOR, choices[0], choices)


def show(opened: Opened) -> None:
    """Draw the choice, where there is one."""
    choices = offered(opened)
    if len(choices) > 1:
        key = address.mirror("map_color", chosen(opened))
        st.segmented_control(
            "Color",
            choices,
            key=key,
            required=True,
            format_func=_TITLES.__getitem__,
            on_change=address.writer(key, _COLOR, default=choices[0]),
            label_visibility="collapsed",
        )


def within() -> GroupPath:
    """Return the group whose groups have colors: the one of the filter, if it is one."""
    groups = address.filters().groups
    return parse_path(groups[0]) if len(groups) == 1 else ()


def name(kind: str, by: str) -> str:
    """Return a kind as people read it."""
    return parse_path(kind)[-1] if by == GROUP else kind.capitalize() if by == TRUTH else display_name(kind)


def none(by: str) -> str:
    """Return what is said of a picture without a kind."""
    return _NONE[by]


def wanted(by: str) -> list[str]:
    """Return the kinds that the filters ask for."""
    current = address.filters()
    return list(current.groups) if by == GROUP else list(current.labels) if by == LABEL else [current.correct or ""]


def turn(kind: str, by: str) -> None:
    """Add a kind to the filters, or remove it; call it from callbacks."""
    labels = address.filters().labels
    if by == LABEL:
        chosen_labels = tuple(one for one in labels if one != kind) if kind in labels else (*labels, kind)
        filters.set_filter(labels=chosen_labels)
    elif by == GROUP:
        filters.set_filter(groups=(kind,), labels=None)
    else:
        filters.set_filter(correct=None if kind in wanted(by) else kind)
