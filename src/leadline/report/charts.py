"""The charts of the page: Verdict -> Vega-Lite specification, or None where there is nothing to draw."""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.records.base import Interval
from leadline.records.evidence import Diagnosis
from leadline.records.verdict import Verdict
from leadline.report import drawing, figures, streaming_words, words
from leadline.report.drawing import BAR, BLUE, GREEN, INK, ORANGE, Spec, Values

_POINT: dict[str, Any] = {"filled": True, "size": 85, "opacity": 1}


def test(verdict: Verdict) -> Spec | None:
    """Test loss of the advice beside what it is held against, with intervals."""
    if not verdict.test:
        return None
    scale = figures.scale(verdict)
    laid = drawing.rows(
        [
            (
                f"{words.role_name(verdict, row.role)}: {row.description}",
                [
                    {
                        "network": row.description,
                        "kind": "advised" if row.role == "advised" else "held against",
                        "seeds": len(row.seed_scores),
                        **_score(scale, row.score, row.interval),
                    }
                ],
            )
            for row in verdict.test
        ]
    )
    base = drawing.marks(laid).encode(tooltip=_score_tips(scale, "network", "seeds"))
    x = alt.X("zero:Q", title=f"{figures.loss_title(scale)}, test part", scale=alt.Scale(zero=True))
    colours = drawing.colour("kind", {"advised": BLUE, "held against": BAR}, legend=False)
    label = base.mark_text(align="left", dx=7, color=INK, fontWeight=600)
    layers = [
        base.mark_bar(orient="horizontal", size=13).encode(x=x, x2="loss:Q", color=colours),
        base.mark_rule(strokeWidth=2, color=INK).encode(x="low:Q", x2="high:Q"),
        label.encode(x="end:Q", text="label:N"),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "Test loss of the advice and of what it is held against")


test.__test__ = False  # type: ignore[attr-defined]


def path(verdict: Verdict) -> Spec | None:
    """Loss of each incumbent on dev data, and on test data where it was read."""
    groups = [group for place in range(len(verdict.incumbents)) if (group := _incumbent(verdict, place))]
    if len(groups) < 2:
        return None
    scale, laid = figures.scale(verdict), drawing.rows(groups)
    base = drawing.marks(laid).encode(
        color=drawing.colour("part", {"dev": BLUE, "test": ORANGE}),
        tooltip=_score_tips(scale, "network", "part", "parameters", "seeds"),
    )
    x = alt.X("loss:Q", title=figures.loss_title(scale), scale=drawing.from_zero(laid.values))
    shapes = drawing.shape("part", {"dev": "circle", "test": "diamond"})
    layers = [
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        base.mark_point(**_POINT).encode(x=x, shape=shapes),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "Loss of each network on the path")


def square(verdict: Verdict) -> Spec | None:
    """Loss of the four corners, with intervals: one line for each direction."""
    if verdict.square is None or len(verdict.square.corners) < 2:
        return None
    scale = figures.scale(verdict)
    shallow = min(corner.num_layers for corner in verdict.square.corners)
    values = [
        {
            "layers": figures.plural(corner.num_layers, "layer"),
            "order": corner.num_layers,
            "direction": "both ways" if corner.bidirectional else "one way",
            "network": words.arm_name(verdict, corner.arm),
            "parameters": corner.num_parameters,
            "seeds": corner.dev.seeds,
            **_score(scale, corner.dev.score, corner.dev.interval),
        }
        for corner in verdict.square.corners
    ]
    x = alt.X("layers:N", sort=alt.EncodingSortField("order"), title="Depth, at equal parameters")
    base = alt.Chart(drawing.data(values)).encode(
        x=x.axis(labelAngle=0).scale(padding=0.35),
        color=drawing.colour("direction", {"one way": ORANGE, "both ways": BLUE}),
        tooltip=_score_tips(scale, "network", "direction", "parameters", "seeds"),
    )
    title = figures.loss_title(scale)
    y = alt.Y("loss:Q", title=title, scale=drawing.from_zero(values))
    shapes = drawing.shape("direction", {"one way": "square", "both ways": "circle"})
    left, right = (base.transform_filter(f"datum.order {sign} {shallow}") for sign in ("==", "!="))
    layers = [
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_point(**_POINT).encode(y=y, shape=shapes),
        left.mark_text(align="right", dx=-13, fontWeight=600).encode(y=y, text="label:N"),
        right.mark_text(align="left", dx=13, fontWeight=600).encode(y=y, text="label:N"),
    ]
    return drawing.finish(layers, 260, "Loss of one layer and of a deep stack, one way and both ways")


def look_ahead(verdict: Verdict) -> Spec | None:
    """Loss against the number of next steps that are seen, both directions as the asymptote."""
    points = streaming_words.steps_ahead(verdict.look_ahead_curve)
    if len(points) < 2:
        return None
    scale = figures.scale(verdict)
    values = [
        {
            "steps": int(point.steps),
            "parameters": point.num_parameters,
            "seeds": point.seeds,
            **_score(scale, point.score, point.interval),
        }
        for point in points
    ]
    title = figures.loss_title(scale)
    axis = alt.Axis(values=[value["steps"] for value in values], format="d", grid=False)
    x = alt.X("steps:Q", title="Steps seen ahead", axis=axis, scale=alt.Scale(nice=False, padding=20))
    base = alt.Chart(drawing.data(values)).encode(x=x, tooltip=_score_tips(scale, "steps", "parameters", "seeds"))
    far = _asymptote(verdict)
    y = alt.Y("loss:Q", title=title, scale=drawing.from_zero([*values, *far]))
    layers = [
        *_asymptote_marks(far),
        base.mark_area(opacity=0.18, color=BLUE).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_line(strokeWidth=2, color=BLUE).encode(y=y),
        base.mark_point(**_POINT, color=BLUE).encode(y=y),
        base.mark_text(align="left", dx=5, dy=-12, color=INK, fontWeight=600).encode(y=y, text="label:N"),
    ]
    return drawing.finish(layers, 280, "Loss against look-ahead")


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
    x_scale = alt.Scale(domain=[0, 100], padding=20)
    x = alt.X("share:Q", title="Share of the sequence read (%)", axis=axis, scale=x_scale)
    y = alt.Y("loss:Q", title=figures.loss_title(scale), scale=alt.Scale(zero=True))
    tips = drawing.tips("read", label=scale.loss_unit)
    base = alt.Chart(drawing.data(values)).encode(x=x, y=y, tooltip=tips)
    layers = [
        base.mark_line(strokeWidth=2, color=BLUE),
        base.mark_point(**_POINT, color=BLUE),
        base.mark_text(dy=-15, color=INK, fontWeight=600).encode(text="label:N"),
    ]
    return drawing.finish(layers, 260, "Loss against the share of the sequence read")


def bias_and_variance(verdict: Verdict) -> Spec | None:
    """Training, tune and dev loss of each incumbent, with the best baseline's dev loss."""
    if not verdict.diagnosis:
        return None
    scale = figures.scale(verdict)
    laid = drawing.rows(
        [(words.arm_name(verdict, stand.incumbent), _parts(scale, stand)) for stand in verdict.diagnosis]
    )
    colours = {"train": BAR, "tune": GREEN, "dev": BLUE, "best baseline, dev": ORANGE}
    seen = {value["part"] for value in laid.values}
    base = drawing.marks(laid).encode(tooltip=drawing.tips("network", "part", label=scale.loss_unit))
    x = alt.X("zero:Q", title=figures.loss_title(scale), scale=alt.Scale(zero=True))
    bars = base.mark_bar(orient="horizontal", size=11)
    label = base.mark_text(align="left", dx=5, color=INK, fontSize=11.5)
    layers = [
        bars.encode(
            x=x, x2="loss:Q", color=drawing.colour("part", {part: c for part, c in colours.items() if part in seen})
        ),
        label.encode(x="loss:Q", text="label:N"),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "Training, tune and dev loss of each network on the path")


def _score(scale: figures.Scale, score: float, interval: Interval | None) -> dict[str, Any]:
    """A loss with its ends and their texts; `end` is where a label has room."""
    value, text = figures.loss(scale, score), figures.loss_number(scale, score)
    if interval is None or not figures.is_finite(interval):
        return {"zero": 0, "loss": value, "low": None, "high": None, "end": value, "label": text, "range": "none"}
    low, high = figures.loss_interval(scale, interval)
    span = figures.loss_range(scale, interval)
    ends = {"low": low, "high": high, "end": max(value, high)}
    return {"zero": 0, "loss": value, **ends, "label": text, "range": span}


def _score_tips(scale: figures.Scale, *fields: str) -> list[alt.Tooltip]:
    return drawing.tips(*fields, label=scale.loss_unit, range="interval")


def _incumbent(verdict: Verdict, place: int) -> tuple[str, Values] | None:
    arm = words.find_arm(verdict, verdict.incumbents[place])
    if arm is None or arm.dev is None:
        return None
    scale = figures.scale(verdict)
    common = {"network": arm.description, "parameters": arm.num_parameters}
    values: Values = [
        {**common, "part": "dev", "seeds": arm.dev.seeds, **_score(scale, arm.dev.score, arm.dev.interval)}
    ]
    for row in verdict.test:
        if row.arm == arm.name:
            final = _score(scale, row.score, row.interval)
            values.append({**common, "part": "test", "seeds": len(row.seed_scores), **final})
    step = words.move_name(verdict.path[place - 1]) if 0 < place <= len(verdict.path) else "start"
    return f"{step}: {arm.description}", values


def _parts(scale: figures.Scale, stand: Diagnosis) -> Values:
    parts = [("train", stand.train), ("tune", stand.tune), ("dev", stand.dev)]
    if stand.baseline_dev is not None:
        parts.append(("best baseline, dev", stand.baseline_dev))
    return [{"network": stand.incumbent, "part": part, **_score(scale, score, None)} for part, score in parts]


def _asymptote(verdict: Verdict) -> Values:
    whole = next((point for point in verdict.look_ahead_curve if point.steps == "all"), None)
    if whole is None:
        return []
    value = _score(figures.scale(verdict), whole.score, whole.interval)
    return [{**value, "name": f"both directions {value['label']}", "parameters": whole.num_parameters}]


def _asymptote_marks(values: Values) -> list[Any]:
    if not values:
        return []
    base = alt.Chart(drawing.data(values)).encode(tooltip=drawing.tips("name", "parameters", range="interval"))
    name = base.mark_text(align="right", baseline="top", dy=9, color=ORANGE, fontWeight=600)
    return [
        base.mark_rect(opacity=0.16, color=ORANGE).encode(y="low:Q", y2="high:Q"),
        base.mark_rule(strokeWidth=2, strokeDash=[5, 4], color=ORANGE).encode(y="loss:Q"),
        name.encode(y="loss:Q", x=alt.value(alt.ExprRef("width")), text="name:N"),
    ]
