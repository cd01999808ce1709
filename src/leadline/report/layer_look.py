"""How layers look in every drawing: their names, colours and shapes, figures as text, curves by layer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import altair as alt

from leadline.analysis.measured import Measured
from leadline.report import drawing
from leadline.report.drawing import BLUE, GREEN, GREY, INK, ORANGE, Values

HUES = (GREY, ORANGE, BLUE, GREEN, INK)
LAYER_SHAPES = ("cross", "square", "circle", "diamond", "triangle-up")
POINT: dict[str, Any] = {"filled": True, "size": 90, "opacity": 1}
TRAINED, UNTRAINED, CONTROL = "trained", "untrained", "random labels"


def layer_name(layer: int) -> str:
    """ "input" for what layer 1 reads."""
    return "input" if layer == 0 else f"layer {layer}"


def layer_colours(layers: Iterable[int]) -> dict[str, str]:
    """A colour for each layer, the same in every drawing."""
    return {layer_name(layer): HUES[min(layer, len(HUES) - 1)] for layer in sorted(set(layers))}


def layer_shapes(layers: Iterable[int]) -> dict[str, str]:
    """A shape for each layer."""
    return {layer_name(layer): LAYER_SHAPES[min(layer, len(LAYER_SHAPES) - 1)] for layer in sorted(set(layers))}


def measured(value: Measured) -> dict[str, float | None]:
    """A figure and the ends of its interval."""
    low, high = value.interval if value.interval is not None else (None, None)
    return {"value": value.value, "low": low, "high": high}


def figure_text(value: Measured, places: int = 1) -> str:
    """A figure with its interval."""
    if value.interval is None:
        return f"{value.value:.{places}f}"
    low, high = value.interval
    return f"{value.value:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def curves(values: Values, layers: Iterable[int], x: str, y: str, x_title: str, y_title: str) -> list[Any]:
    """Lines by layer; what is untrained is dashed and thin."""
    shown = sorted(set(layers))
    base = alt.Chart(drawing.data(values)).encode(
        x=alt.X(f"{x}:Q", title=x_title, axis=alt.Axis(format="d", grid=False, tickMinStep=1)),
        y=alt.Y(f"{y}:Q", title=y_title, scale=alt.Scale(zero=True)),
        color=drawing.colour("layer", layer_colours(shown)),
        tooltip=drawing.tips("layer", "which", x, text=y_title),
    )
    trained, untrained = (base.transform_filter(f"datum.which == '{which}'") for which in (TRAINED, UNTRAINED))
    shapes = drawing.shape("layer", layer_shapes(shown), legend=False)
    return [
        untrained.mark_line(strokeWidth=1.5, strokeDash=[4, 4], opacity=0.7),
        trained.mark_line(strokeWidth=2.5),
        trained.mark_point(filled=True, size=45, opacity=1).encode(shape=shapes),
    ]
