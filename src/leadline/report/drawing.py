"""The hand that all charts share: colours, rows with their names above, lines of an effect, fonts.

Colours are CSS variables with a fallback, and ink is `currentColor`, so that one drawing follows a page from
light to dark and onto paper. The palette follows Okabe & Ito (2008); shape or place tells apart what colour
does. Widths follow the container, and long names stand above their row, so that nothing is squeezed on a
narrow screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

Spec = dict[str, Any]
Values = list[dict[str, Any]]

BLUE = "var(--blue, #0072b2)"
ORANGE = "var(--orange, #c2540a)"
GREEN = "var(--green, #00805f)"
GREY = "var(--grey, #767676)"
BAR = "var(--bar, #c3c9d0)"
LINE = "var(--line, #dfe3e7)"
GROUND = "var(--ground, #ffffff)"
INK = "currentColor"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
_NAME, _STEP, _GAP, _HEADER = 25, 15, 19, 30


@dataclass(frozen=True)
class Rows:
    """Rows laid out from the top, in pixels.

    Args:
        names: texts with their `y`; a `header` stands over the rows below it.
        values: the marks' data, each with its `y`.
        height: of the whole.
    """

    names: Values
    values: Values
    height: int


def rows(groups: Sequence[tuple[str, Values]]) -> Rows:
    """Lay out named rows: the name, then one line of marks for each value. No values make it a header."""
    names: Values = []
    placed: Values = []
    top = 0
    for name, values in groups:
        names.append({"name": name, "y": top + (_HEADER - _NAME if not values and top else 0), "header": not values})
        placed += [{**value, "y": top + _NAME + _STEP * line} for line, value in enumerate(values)]
        top += _NAME + _STEP * (len(values) - 1) + _GAP if values else _HEADER
    return Rows(names, placed, top)


def data(values: Values) -> Any:
    """Inline data; a figure that is not finite is left out, since JSON has none."""
    return alt.InlineData([{name: _plain(value) for name, value in row.items()} for row in values])


def y_pixels(laid: Rows) -> alt.Y:
    """The y channel of rows."""
    return alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[laid.height, 0], nice=False, zero=False))


def marks(laid: Rows) -> alt.Chart:
    """A chart over the rows' values."""
    return alt.Chart(data(laid.values)).encode(y=y_pixels(laid))


def row_names(laid: Rows) -> list[Any]:
    """Each row's name, as wide as the chart, on a strip of ground so that no line crosses it."""
    layers = []
    for header, weight in ((False, "normal"), (True, "bold")):
        found = [{"name": row["name"], "y": row["y"]} for row in laid.names if row["header"] == header]
        base = alt.Chart(data(found)).encode(
            y=y_pixels(laid), x=alt.value(0), text="name:N", tooltip=alt.Tooltip("name:N", title=" ")
        )
        look: dict[str, Any] = {
            "align": "left",
            "baseline": "top",
            "limit": alt.ExprRef("width"),
            "fontWeight": weight,
        }
        if found:
            layers.append(base.mark_text(**look, color=GROUND, stroke=GROUND, strokeWidth=5, strokeJoin="round"))
            layers.append(base.mark_text(**look, color=INK))
    return layers


def from_zero(values: Values) -> alt.Scale:
    """A scale of losses for points: from zero, unless all lie close together far above it."""
    found = [value[name] for value in values for name in ("loss", "low", "high") if value[name] is not None]
    finite = [value for value in found if math.isfinite(value)]
    return alt.Scale(zero=not finite or min(finite) < 0.6 * max(finite))


def colour(field: str, colours: dict[str, str], *, legend: bool = True) -> alt.Color:
    """A colour for each name."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", scale=scale, legend=alt.Legend(title=None) if legend else None)


def shape(field: str, shapes: dict[str, str], *, legend: bool = True) -> alt.Shape:
    """A shape for each name."""
    scale = alt.Scale(domain=list(shapes), range=list(shapes.values()))
    return alt.Shape(f"{field}:N", scale=scale, legend=alt.Legend(title=None) if legend else None)


def tips(*fields: str, **titles: str) -> list[alt.Tooltip]:
    """A tooltip line for each field; `titles` renames some."""
    return [
        alt.Tooltip(f"{name}:Q", format=",")
        if name == "parameters"
        else alt.Tooltip(f"{name}:N", title=titles.get(name, name))
        for name in (*fields, *(name for name in titles if name not in fields))
    ]


def finish(layers: Sequence[Any], height: int, description: str) -> Spec:
    """One drawing out of layers, as wide as its container."""
    chart = alt.layer(*layers).properties(
        width="container",
        height=height,
        background="transparent",
        description=description,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
    )
    axis = alt.AxisConfig(
        labelColor=INK,
        titleColor=INK,
        gridColor=LINE,
        domain=False,
        ticks=False,
        labelFontSize=12,
        titleFontSize=12.5,
        titleFontWeight="normal",
        labelPadding=6,
        titlePadding=10,
        labelOpacity=0.85,
        tickCount=5,
    )
    legend = alt.LegendConfig(
        orient="top",
        direction="horizontal",
        labelColor=INK,
        labelFontSize=12.5,
        labelLimit=0,
        symbolSize=90,
        symbolOpacity=1,
        columnPadding=16,
        columns=alt.ExprRef("width < 480 ? 2 : 5"),
    )
    text = alt.MarkConfig(fontSize=12.5, font=FONT)
    view = alt.ViewConfig(stroke=None)
    spec: Spec = chart.configure(font=FONT, view=view, text=text, axis=axis, legend=legend).to_dict()
    return spec


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
