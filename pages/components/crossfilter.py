"""From a click or a drag in a chart to a filter in the address, and back to the chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from pages.components import address
from pages.components.chart import Listener, Panel, show
from pages.components.filters import selection_to_filter, set_filter
from sparkcore.analysis.filters import Filters

_DIGITS = 3


def show_linked(panel: Panel, wanted: Filters, field: str, selection: str) -> None:
    """Draw a panel whose `selection` sets one field of the filters; what is set already, once more, removes it."""
    value = getattr(wanted, field)
    # A new key for a new value: the chart draws the filter of the address, and no selection of its own.
    show(
        panel, key=f"chart-{field}-{selection}-{crc32(repr(value).encode()):08x}", on_select=_listener(field, selection)
    )


def picked(wanted: Filters, field: str, selection: Any) -> dict[str, Any]:
    """Return the change of the filters that a chart's selection asks for; an unusable one asks for none."""
    change = selection_to_filter(selection, [field])
    if change is None:
        return {}
    value = change[field]
    if field in ("score", "margin", "entropy") and value is not None:
        low, high = value
        change = {field: (round(low, _DIGITS), round(high, _DIGITS))}
    return {field: None} if change[field] == getattr(wanted, field) else change


def _listener(field: str, selection: str) -> Listener:
    def listen(event: Mapping[str, Any]) -> None:
        change = picked(address.filters(), field, event.get(selection))
        if change:
            set_filter(**change)

    return listen
