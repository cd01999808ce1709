"""The charts of the page: Verdict -> Vega-Lite specification, or None where there is nothing to draw."""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.records.answers import MapPoint
from leadline.records.base import Interval
from leadline.records.verdict import Verdict
from leadline.report import drawing, figures
from leadline.report.drawing import BLUE, GREEN, INK, ORANGE, Spec, Values

_POINT: dict[str, Any] = {"filled": True, "size": 85, "opacity": 1}


def study_map(verdict: Verdict) -> Spec | None:
    """Loss after a short training against size: one line for each depth and sight."""
    points = [point for point in verdict.map if point.short_score is not None]
    if len(points) < 4:
        return None
    scale = figures.scale(verdict)
    values = [
        {
            "parameters": point.num_parameters,
            "loss": figures.loss(scale, point.short_score or 0.0),
            "sight": _sight(point),
            "depth": figures.plural(point.spec.num_layers, "layer"),
            "network": point.description,
        }
        for point in points
    ]
    x = alt.X("parameters:Q", title="Parameters", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s", grid=False))
    y = alt.Y("loss:Q", title=f"{figures.loss_title(scale)}, short training", scale=alt.Scale(zero=False))
    base = alt.Chart(drawing.data(values)).encode(
        x=x,
        y=y,
        color=drawing.colour("sight", {"one way": ORANGE, "a window ahead": GREEN, "both ways": BLUE}),
        tooltip=drawing.tips("network", "parameters", loss=scale.loss_unit),
    )
    layers = [
        base.mark_line(strokeWidth=1.5, opacity=0.6).encode(strokeDash=alt.StrokeDash("depth:N", legend=None)),
        base.mark_point(**_POINT).encode(shape=drawing.shape("depth", _DEPTHS)),
    ]
    return drawing.finish(layers, 300, "Loss of the map's networks against their size")


_DEPTHS = {"1 layer": "circle", "2 layers": "square", "3 layers": "triangle-up"}


def look_ahead(verdict: Verdict) -> Spec | None:
    """Loss against the number of next steps that are seen, both directions as the asymptote."""
    points = [point for point in verdict.streaming if point.steps != "all"]
    if len(points) < 2:
        return None
    scale = figures.scale(verdict)
    values = [
        {"steps": int(point.steps), "parameters": point.num_parameters, **_score(scale, point.score, point.interval)}
        for point in points
    ]
    title = figures.loss_title(scale)
    axis = alt.Axis(values=[value["steps"] for value in values], format="d", grid=False)
    x = alt.X("steps:Q", title="Steps seen ahead", axis=axis, scale=alt.Scale(nice=False, padding=20))
    tips = drawing.tips("steps", "parameters", label=scale.loss_unit, range="range")
    base = alt.Chart(drawing.data(values)).encode(x=x, tooltip=tips)
    far = _asymptote(verdict)
    y = alt.Y("loss:Q", title=title, scale=drawing.from_zero([*values, *far]))
    layers = [
        *_asymptote_marks(far),
        base.mark_area(opacity=0.18, color=BLUE).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_line(strokeWidth=2, color=BLUE).encode(y=y),
        base.mark_point(**_POINT, color=BLUE).encode(y=y),
        base.mark_text(align="left", dx=5, dy=-12, color=INK, fontWeight=600).encode(y=y, text="label:N"),
    ]
    return drawing.finish(layers, 260, "Loss against look-ahead")


def reading(verdict: Verdict) -> Spec | None:
    """Loss against the share of the sequence that was read."""
    curve = sorted(verdict.reading_curve)
    if len(curve) < 2:
        return None
    scale = figures.scale(verdict)
    values = [
        {"share": 100 * share, "read": figures.percent(share), **_score(scale, score, None)} for share, score in curve
    ]
    axis = alt.Axis(values=[0, 25, 50, 75, 100], grid=False)
    x = alt.X(
        "share:Q", title="Share of the sequence read (%)", axis=axis, scale=alt.Scale(domain=[0, 100], padding=20)
    )
    y = alt.Y("loss:Q", title=figures.loss_title(scale), scale=alt.Scale(zero=True))
    base = alt.Chart(drawing.data(values)).encode(x=x, y=y, tooltip=drawing.tips("read", label=scale.loss_unit))
    layers = [
        base.mark_line(strokeWidth=2, color=BLUE),
        base.mark_point(**_POINT, color=BLUE),
        base.mark_text(dy=-15, color=INK, fontWeight=600).encode(text="label:N"),
    ]
    return drawing.finish(layers, 240, "Loss against the share of the sequence read")


def _sight(point: MapPoint) -> str:
    if point.spec.bidirectional:
        return "both ways"
    return "a window ahead" if point.spec.look_ahead else "one way"


def _score(scale: figures.Scale, score: float, interval: Interval | None) -> dict[str, Any]:
    """A loss with its ends and their texts."""
    value, text = figures.loss(scale, score), figures.loss_number(scale, score)
    if interval is None or not figures.is_finite(interval):
        return {"loss": value, "low": None, "high": None, "label": text, "range": "none"}
    low, high = figures.loss_interval(scale, interval)
    return {"loss": value, "low": low, "high": high, "label": text, "range": figures.loss_range(scale, interval)}


def _asymptote(verdict: Verdict) -> Values:
    whole = next((point for point in verdict.streaming if point.steps == "all"), None)
    if whole is None:
        return []
    value = _score(figures.scale(verdict), whole.score, whole.interval)
    return [{**value, "name": f"both ways {value['label']}", "parameters": whole.num_parameters}]


def _asymptote_marks(values: Values) -> list[Any]:
    if not values:
        return []
    base = alt.Chart(drawing.data(values)).encode(tooltip=drawing.tips("name", "parameters", range="range"))
    name = base.mark_text(align="right", baseline="top", dy=9, color=ORANGE, fontWeight=600)
    return [
        base.mark_rect(opacity=0.16, color=ORANGE).encode(y="low:Q", y2="high:Q"),
        base.mark_rule(strokeWidth=2, strokeDash=[5, 4], color=ORANGE).encode(y="loss:Q"),
        name.encode(y="loss:Q", x=alt.value(alt.ExprRef("width")), text="name:N"),
    ]
