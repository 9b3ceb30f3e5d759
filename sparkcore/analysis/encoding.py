"""What all charts share: colors, axes, selections, descriptions.

Colors are Okabe and Ito's, safe for the color-blind. Colors of text, grid and background are left to the theme.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

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

LABEL_WIDTH = 140
_FADED = 0.35
_WITH_SPACES = "replace(datum.label, regexp('_', 'g'), ' ')"
_FEW = 5  # up to here an axis names each whole number


def name_axis(width: int, **settings: Any) -> alt.Axis:
    """Return an axis of names: underscores as spaces, the outer ones in line with the others."""
    import altair as alt

    return alt.Axis(labelLimit=width, labelFlush=False, labelExpr=_WITH_SPACES, **settings)


def count_axis(channel: Any, table: pa.Table, title: str = "images") -> Any:
    """Return an x or y channel for the `count` of a table: whole numbers only."""
    import altair as alt

    greatest = pc.max(table["count"]).as_py() or 1
    few = list(range(greatest + 1)) if greatest <= _FEW else alt.Undefined  # there is no half image
    return channel.title(title).axis(alt.Axis(format=",d", values=few, tickMinStep=1))


def category(field: str, symbol: str = "square") -> alt.Color:
    """Return the color of a field with few values, and its legend above the chart."""
    import altair as alt

    legend = alt.Legend(title=None, orient="top", columns=3, labelLimit=LABEL_WIDTH, symbolType=symbol)
    return alt.Color(f"{field}:N", sort=None, scale=alt.Scale(range=list(CATEGORIES)), legend=legend)


def selectable(chart: alt.Chart, selection: str | None, columns: list[str]) -> alt.Chart:
    """Let a click choose the values of `columns`, and fade all else; None leaves the chart as it is."""
    import altair as alt

    if selection is None:
        return chart
    point = alt.selection_point(name=selection, fields=columns)
    return chart.add_params(point).encode(opacity=alt.condition(point, alt.value(1), alt.value(_FADED)))


def describe(title: str, table: pa.Table, name: str, value: str) -> str:
    """Return the title, the size of the table and its greatest value as one sentence."""
    values = [v for v in table[value].to_pylist() if v is not None]
    if not values:
        return f"{title}: nothing to show."
    greatest = max(values)
    at = table[name].to_pylist()[table[value].to_pylist().index(greatest)]
    place = at if isinstance(at, str) else f"{at:.3g}"
    return f"{title}: {len(values)} values, the greatest {greatest:,.6g} at {place}."
