"""A chart in a card, with the same numbers as a table and both as files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from pages.components import tables, text
from sparkcore.analysis.chart_style import BLUE, CATEGORIES, FADED_OPACITY, GRAY, GREEN, ORANGE, PURPLE, SKY, VERMILION
from sparkcore.analysis.export import write_csv
from sparkcore.analysis.filters import Range
from sparkcore.analysis.svg import to_svg

if TYPE_CHECKING:
    import altair as alt

Selection = Mapping[str, Any]
Listener = Callable[[Selection], None]

PICTURE_WIDTH = 720  # pixels
_COLUMN_FORMATS = {"count": "localized", "share": "%.1f %%", "number": "%.3f"}
# The dark theme's colors, as chartCategoricalColors in .streamlit/config.toml.
_DARK = {
    BLUE: "#56B4E9",
    GREEN: "#2DBE95",
    ORANGE: "#E69F00",
    PURPLE: "#CC79A7",
    SKY: "#2A80B4",
    VERMILION: "#E9782B",
    GRAY: "#A7AFBA",
}
_PERCENT = {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["$", ""], "percent": " %"}


@dataclass(frozen=True, slots=True)
class Panel:
    """Hold a chart and the small table that it draws.

    `columns` names the columns of the table that people see: name -> (title, kind), where kind is text, label (the
    name of a class), count, share (0 to 1) or number. `note` is a sentence below the title.
    """

    title: str
    chart: alt.Chart | alt.LayerChart
    table: pa.Table
    columns: Mapping[str, tuple[str, str]]
    note: str = ""


def show(
    panel: Panel, *, key: str, on_select: Listener | None = None, controls: Callable[[], None] | None = None
) -> None:
    """Draw the panel; `on_select` gets the selections of the chart whenever they change.

    `controls` draws widgets between the note and the chart. A chart that shows a state of the address needs a `key`
    that changes with that state: its own selection then starts empty and never contradicts the address.
    """
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{panel.title}**", width="content")
            _show_numbers(panel, key)
        if panel.note:
            st.caption(panel.note)
        if controls is not None:
            controls()
        st.vega_lite_chart(
            spec=themed(panel.chart),
            key=key,
            width="stretch",
            on_select="ignore" if on_select is None else partial(_forward, key, on_select),
            alt=_alt(panel),
        )


def themed(chart: alt.Chart | alt.LayerChart) -> dict[str, Any]:
    """Return the chart's specification with colors that follow the reader's theme.

    The browser chooses them by the background, because the server may not know the theme.
    """
    spec: dict[str, Any] = _with_theme_colors(chart.to_dict())
    spec["config"] = {**spec.get("config", {}), "locale": {"number": _PERCENT}}
    return spec


def emphasize(
    chart: alt.Chart, texts: Mapping[str, Sequence[str]] | None = None, span: Range = (None, None)
) -> alt.Chart:
    """Fade all marks but those whose fields hold one of the `texts` and whose bin overlaps `span`."""
    import altair as alt

    tests: list[dict[str, Any]] = [{"field": name, "oneOf": list(values)} for name, values in (texts or {}).items()]
    tests += [
        {"field": name, test: end}
        for name, test, end in (("high", "gt", span[0]), ("low", "lt", span[1]))
        if end is not None
    ]
    if not tests:
        return chart
    return chart.encode(opacity=alt.OpacityValue(FADED_OPACITY, condition={"test": {"and": tests}, "value": 1}))


def csv_bytes(table: pa.Table) -> bytes:
    """Return a small table as a CSV file that is safe to open in a spreadsheet."""
    buffer = BytesIO()
    write_csv(table, buffer)
    return buffer.getvalue()


def svg_bytes(chart: alt.Chart | alt.LayerChart) -> bytes:
    """Return a chart as an SVG file."""
    return to_svg(chart, PICTURE_WIDTH).encode()


def _with_theme_colors(value: Any) -> Any:
    if isinstance(value, str) and value in _DARK:
        return {"expr": f"luminance(background) < 0.2 ? '{_DARK[value]}' : '{value}'"}
    if isinstance(value, list):
        return [_with_theme_colors(one) for one in value]
    if isinstance(value, dict):
        # Without a range of its own, a scale takes the categorical colors of the theme.
        return {k: _with_theme_colors(v) for k, v in value.items() if not (k == "range" and v == list(CATEGORIES))}
    return value


def _alt(panel: Panel) -> str | None:
    """Return a description for screen readers; None where the chart has its own."""
    if isinstance(panel.chart.description, str):
        return None
    texts = [layer.description for layer in getattr(panel.chart, "layer", ()) if isinstance(layer.description, str)]
    return texts[0] if texts else panel.title


def _forward(key: str, on_select: Listener) -> None:
    on_select(st.session_state[key].selection)


def _show_numbers(panel: Panel, key: str) -> None:
    table = _numbers(panel)
    name = re.sub(r"[^a-z0-9]+", "-", panel.title.lower()).strip("-")
    with st.popover("Numbers", icon=":material/table_rows:", type="tertiary", key=f"{key}-numbers"):
        st.dataframe(
            _shares_in_percent(panel, table),
            hide_index=True,
            height=tables.height(table.num_rows),
            column_config={
                title: st.column_config.NumberColumn(title, format=_COLUMN_FORMATS[kind])
                for title, kind in panel.columns.values()
                if kind in _COLUMN_FORMATS
            },
            alt=panel.title,
        )
        with st.container(horizontal=True):
            st.download_button(
                "Numbers as CSV",
                data=partial(csv_bytes, table),
                file_name=f"{name}.csv",
                mime="text/csv",
                on_click="ignore",
                icon=":material/download:",
                key=f"{key}-csv",
            )
            st.download_button(
                "Picture as SVG",
                data=partial(svg_bytes, panel.chart),
                file_name=f"{name}.svg",
                mime="image/svg+xml",
                on_click="ignore",
                icon=":material/image:",
                key=f"{key}-svg",
            )


def _numbers(panel: Panel) -> pa.Table:
    columns = {
        title: text.display_names(panel.table[name]) if kind == "label" else panel.table[name]
        for name, (title, kind) in panel.columns.items()
    }
    return pa.table(columns)


def _shares_in_percent(panel: Panel, table: pa.Table) -> pa.Table:
    shares = {title for title, kind in panel.columns.values() if kind == "share"}
    return pa.table(
        {name: pc.multiply(table[name], 100) if name in shares else table[name] for name in table.schema.names}
    )
