"""The look that all charts share: colors, axes, selections and descriptions for screen readers.

The colors are Okabe and Ito's color-blind safe palette. Text, grid and background colors are left to the theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from sparkcore.imaging.lettering import display_name

if TYPE_CHECKING:
    import altair as alt

BLUE = "#0072B2"
ORANGE = "#E69F00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
SKY = "#56B4E9"
VERMILION = "#D55E00"
GRAY = "#8A8F98"
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION)

# Column name -> title on charts and in their tables.
TITLES = {
    "name": "class",
    "label": "prediction",
    "truth": "true label",
    "first": "first prediction",
    "second": "second prediction",
    "left": "label in this run",
    "right": "label in the other run",
    "count": "images",
    "low": "from",
    "high": "to",
    "threshold": "minimum score",
    "confidence": "mean score",
    "lower": "lower quartile",
    "upper": "upper quartile",
    "f1": "F1",
    "support": "images",
}

LABEL_WIDTH = 140
FADED_OPACITY = 0.35
_MAX_LISTED_TICKS = 5
# `display_name` in Vega's own language: axes and legends keep the raw class name, which selections return.
_DISPLAY_NAME = "replace(datum.label, regexp('_', 'g'), ' ')"


def name_axis(width: int, **settings: Any) -> alt.Axis:
    """Return an axis of class names, at most `width` pixels wide and shown as `display_name` writes them."""
    import altair as alt

    return alt.Axis(labelLimit=width, labelFlush=False, labelExpr=_DISPLAY_NAME, **settings)


def count_axis(channel: Any, table: pa.Table, title: str = "images") -> Any:
    """Return an x or y channel for the table's `count`, with ticks at whole numbers only."""
    import altair as alt

    maximum = pc.max(table["count"]).as_py() or 1
    # Vega would put a tick at half an image when the maximum is small.
    ticks = list(range(maximum + 1)) if maximum <= _MAX_LISTED_TICKS else alt.Undefined
    return channel.title(title).axis(alt.Axis(format=",d", values=ticks, tickMinStep=1))


def category(field: str, symbol: str = "square") -> alt.Color:
    """Return the color channel of a field with few values, its legend above the chart."""
    import altair as alt

    legend = alt.Legend(
        title=None, orient="top", columns=3, labelLimit=LABEL_WIDTH, labelExpr=_DISPLAY_NAME, symbolType=symbol
    )
    return alt.Color(f"{field}:N", sort=None, scale=alt.Scale(range=list(CATEGORIES)), legend=legend)


def selectable(chart: alt.Chart, selection: str | None, columns: list[str]) -> alt.Chart:
    """Add a point selection on `columns` that fades all other marks; None leaves the chart as it is."""
    import altair as alt

    if selection is None:
        return chart
    point = alt.selection_point(name=selection, fields=columns)
    return chart.add_params(point).encode(opacity=alt.condition(point, alt.value(1), alt.value(FADED_OPACITY)))


def with_display_names(table: pa.Table, *columns: str) -> pa.Table:
    """Return the table with a column `<column>_name` of display names behind each class column, for tooltips."""
    for column in columns:
        names = [display_name(name) for name in table[column].to_pylist()]
        table = table.append_column(f"{column}_name", pa.array(names, pa.string()))
    return table


def describe_chart(title: str, table: pa.Table, position: str, value: str) -> str:
    """Return one sentence with the title, the number of values in column `value`, and where the maximum is."""
    values = [v for v in table[value].to_pylist() if v is not None]
    if not values:
        return f"{title}: nothing to show."
    maximum = max(values)
    at = table[position].to_pylist()[table[value].to_pylist().index(maximum)]
    place = display_name(at) if isinstance(at, str) else f"{at:.3g}"
    unit = "value" if len(values) == 1 else "values"
    return f"{title}: {len(values)} {unit}, maximum {maximum:,.6g} at {place}."
