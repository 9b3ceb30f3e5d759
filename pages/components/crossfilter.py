"""Crossfilters: a click or a drag in a chart becomes a filter in the address, which the chart then draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from pages.components import address, filters, place
from pages.components.panel import Panel, show
from sparkcore.analysis.filters import Filters, Range

_DIGITS = 3


def show_linked(panel: Panel, wanted: Filters, field: str, selection: str, results: str = "") -> None:
    """Draw a panel whose `selection` sets one field of the filters; selecting the same value again removes it.

    `results` is the key of the container with the images that a selection shows: it is brought into view.
    """

    def choose(chosen: Any) -> None:
        change = picked(address.filters(), field, chosen)
        if change:
            filters.set_filter(**change)
            if results and change[field] is not None:
                place.ask(results)

    show_selectable(panel, f"chart-{field}", selection, getattr(wanted, field), choose)


def show_selectable(panel: Panel, key: str, selection: str, value: Any, choose: Callable[[Any], None]) -> None:
    """Draw a panel that shows `value` as selected; `choose` gets the content of its `selection` after each change."""

    def listen(event: Mapping[str, Any]) -> None:
        choose(event.get(selection))

    # A new key for a new value: the chart draws the state of the address and no selection of its own.
    show(panel, key=f"{key}-{selection}-{crc32(repr(value).encode()):08x}", on_select=listen)


def picked(wanted: Filters, field: str, selection: Any) -> dict[str, Any]:
    """Return the change of the filters that a chart's selection means; an unusable one means none."""
    change = selection_to_filter(selection, field)
    if change is None:
        return {}
    value = change[field]
    if field in ("score", "margin", "entropy") and value is not None:
        low, high = value
        change = {field: (round(low, _DIGITS), round(high, _DIGITS))}
    return {field: None} if change[field] == getattr(wanted, field) else change


def selection_to_filter(selection: Any, field: str) -> dict[str, Any] | None:
    """Return a chart's selection as the value of one field of the filters; None where it is unusable.

    A selection is a list of marks, each with its fields (the last one counts), or the ends of an interval, as in
    {"low": [0.2, 0.6]}. The fields "pair" and "top_two" take the first two texts of a mark. An empty selection gives
    {field: None}: the filter is removed.
    """
    if not selection:
        return {field: None}
    if isinstance(selection, Mapping):
        ends = next(iter(selection.values()))
        return {field: _range(ends)} if _range(ends) else None
    values = [value for value in selection[-1].values() if isinstance(value, str)]
    if field in ("pair", "top_two"):
        return {field: (values[0], values[1])} if len(values) >= 2 else None
    return {field: (values[0],)} if values else None


def _range(ends: Any) -> Range | None:
    if not isinstance(ends, Sequence) or len(ends) != 2 or not all(isinstance(end, int | float) for end in ends):
        return None
    low, high = sorted(float(end) for end in ends)
    return (low, high)
