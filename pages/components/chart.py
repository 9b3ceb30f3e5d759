"""A chart in a card of its own, with the same numbers as a table and both as files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import streamlit as st

from sparkcore.analysis.export import write_csv
from sparkcore.analysis.filters import Range
from sparkcore.analysis.svg import to_svg

if TYPE_CHECKING:
    import altair as alt

Selection = Mapping[str, Any]
Listener = Callable[[Selection], None]

PICTURE_WIDTH = 720  # pixels
_FEW_ROWS = 9
_TABLE_HEIGHT = 350
_FADED = 0.3
_COLUMN_FORMATS = {"count": "localized", "share": "percent", "number": "%.3f"}


@dataclass(frozen=True, slots=True)
class Panel:
    """Hold a chart and the small table that it draws.

    `columns` says which columns of the table people see: name -> (title, kind), where kind is text, count, share
    (0 to 1) or number. `note` is a sentence under the title.
    """

    title: str
    chart: alt.Chart | alt.LayerChart
    table: pa.Table
    columns: Mapping[str, tuple[str, str]]
    note: str = ""


def show(
    panel: Panel, *, key: str, on_select: Listener | None = None, controls: Callable[[], None] | None = None
) -> None:
    """Draw the panel; `on_select` gets what the chart's own selections hold whenever they change.

    `controls` draws widgets between the note and the chart.

    What is chosen lives in the URL, and `emphasize` draws it. A chart that follows the URL needs a `key` that changes
    with it: then its own selection begins anew and never contradicts the URL.
    """
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{panel.title}**", width="content")
            _numbers(panel, key)
        if panel.note:
            st.caption(panel.note)
        if controls is not None:
            controls()
        st.altair_chart(
            panel.chart,
            key=key,
            width="stretch",
            on_select="ignore" if on_select is None else partial(_forward, key, on_select),
            alt=_alt(panel),
        )


def emphasize(
    chart: alt.Chart, texts: Mapping[str, Sequence[str]] | None = None, span: Range = (None, None)
) -> alt.Chart:
    """Fade all marks but those whose fields hold one of the `texts` and whose bin reaches into `span`."""
    import altair as alt

    tests: list[dict[str, Any]] = [{"field": name, "oneOf": list(values)} for name, values in (texts or {}).items()]
    tests += [
        {"field": name, test: end}
        for name, test, end in (("high", "gt", span[0]), ("low", "lt", span[1]))
        if end is not None
    ]
    if not tests:
        return chart
    return chart.encode(opacity=alt.OpacityValue(_FADED, condition={"test": {"and": tests}, "value": 1}))


def csv_bytes(table: pa.Table) -> bytes:
    """Return a small table as a CSV file that a spreadsheet may open."""
    buffer = BytesIO()
    write_csv(table, buffer)
    return buffer.getvalue()


def svg_bytes(chart: alt.Chart | alt.LayerChart) -> bytes:
    """Return a chart as an SVG file."""
    return to_svg([chart], width=PICTURE_WIDTH)[0].encode()


def _alt(panel: Panel) -> str | None:
    """Return the words for those who do not see the chart; None where the chart brings its own."""
    if isinstance(panel.chart.description, str):
        return None
    texts = [layer.description for layer in getattr(panel.chart, "layer", ()) if isinstance(layer.description, str)]
    return texts[0] if texts else panel.title


def _forward(key: str, on_select: Listener) -> None:
    on_select(st.session_state[key].selection)


def _numbers(panel: Panel, key: str) -> None:
    table = panel.table.select(list(panel.columns)).rename_columns([title for title, _ in panel.columns.values()])
    name = re.sub(r"[^a-z0-9]+", "-", panel.title.lower()).strip("-")
    with st.popover("Numbers", icon=":material/table_rows:", type="tertiary", key=f"{key}-numbers"):
        st.dataframe(
            table,
            hide_index=True,
            height="content" if table.num_rows <= _FEW_ROWS else _TABLE_HEIGHT,
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
