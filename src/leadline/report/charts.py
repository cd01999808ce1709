"""Verdict -> Vega-Lite specifications, made with altair.

Colours are CSS variables with a fallback, and ink is `currentColor`, so that one drawing follows a page from light
to dark and onto paper. Palette after Okabe & Ito (2008), told apart by shape or place as well as by hue. Widths
follow the container; long names stand above their row, so that nothing is squeezed on a narrow screen.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.records import Comparison, Diagnosis, Verdict
from leadline.report import figures, words

Spec = dict[str, Any]
Values = list[dict[str, Any]]

BLUE, ORANGE, GREEN, GREY = (
    "var(--blue, #0072b2)",
    "var(--orange, #c2540a)",
    "var(--green, #00805f)",
    "var(--grey, #767676)",
)
INK, FAINT = "currentColor", "var(--line, #d9d9d9)"
DECISIONS: dict[str, tuple[str, str, str]] = {
    "better": ("better", BLUE, "circle"),
    "not_worth_it": ("not worth it", GREY, "square"),
    "undecided": ("undecided", ORANGE, "diamond"),
    "not_pursued": ("not pursued (screening only)", GREY, "stroke"),
    "failed_to_train": ("could not be trained", ORANGE, "cross"),
}
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"
_ROW = 46


def square(verdict: Verdict) -> Spec | None:
    """Loss of the four corners, with intervals: one line for each direction."""
    if verdict.square is None or len(verdict.square.corners) < 2:
        return None
    scale = figures.scale(verdict)
    values = [
        {
            "layers": figures.plural(corner.num_layers, "layer"),
            "order": corner.num_layers,
            "direction": "both ways" if corner.bidirectional else "one way",
            **_ends(verdict, corner.dev.score, corner.dev.interval),
            "network": words.arm_name(verdict, corner.arm),
            "parameters": corner.num_parameters,
            "seeds": corner.dev.seeds,
        }
        for corner in verdict.square.corners
    ]
    x = alt.X("layers:N", sort=alt.EncodingSortField("order"), title="Depth, at equal parameters")
    base = alt.Chart(alt.InlineData(values)).encode(
        x=x.axis(labelAngle=0).scale(padding=0.35),
        color=_colour("direction", {"one way": ORANGE, "both ways": BLUE}, legend=True),
        tooltip=_tips(scale, "network", "direction", "parameters", "seeds"),
    )
    y = alt.Y("loss:Q", title=figures.loss_title(scale), scale=alt.Scale(zero=True))
    shape = alt.Shape(
        "direction:N",
        scale=alt.Scale(domain=["one way", "both ways"], range=["square", "circle"]),
        legend=None,
    )
    layers = [
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title=figures.loss_title(scale)), y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(y=y, shape=shape),
        base.mark_text(dx=12, align="left", fontWeight=600).encode(y=y, text="label:N"),
    ]
    return _finish(alt.layer(*layers), 280, "Loss of one layer and of a deep stack, one way and both ways")


def path(verdict: Verdict) -> Spec | None:
    """Loss of each incumbent on dev data, and on test data where it was read."""
    known = [(name, words.find_arm(verdict, name)) for name in verdict.incumbents]
    tests = {row.arm: row for row in verdict.test}
    values: Values = []
    for row, (_, arm) in enumerate(known):
        if arm is None or arm.dev is None:
            continue
        step = f"{words.move_name(verdict.path[row - 1])}: " if 0 < row <= len(verdict.path) else ""
        common = {"row": row, "name": f"{step}{arm.description}", "parameters": arm.num_parameters}
        values.append(
            {
                **common,
                "part": "dev",
                **_ends(verdict, arm.dev.score, arm.dev.interval),
                "seeds": arm.dev.seeds,
            }
        )
        if arm.name in tests:
            final = tests[arm.name]
            ends = _ends(verdict, final.score, final.interval)
            values.append({**common, "part": "test", **ends, "seeds": len(final.seed_scores)})
    if sum(value["part"] == "dev" for value in values) < 2:
        return None
    scale = figures.scale(verdict)
    colour = _colour("part", {"dev": BLUE, "test": ORANGE}, legend=True)
    offset = _offset("part", ["dev", "test"])
    base = _row_base(values).encode(
        color=colour, yOffset=offset, tooltip=_tips(scale, "name", "part", "parameters", "seeds")
    )
    x = alt.X("loss:Q", title=figures.loss_title(scale), scale=alt.Scale(zero=True))
    shape = alt.Shape(
        "part:N", scale=alt.Scale(domain=["dev", "test"], range=["circle", "diamond"]), legend=None
    )
    layers = [
        _row_names(values),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(x=x, shape=shape),
    ]
    return _finish(alt.layer(*layers), alt.Step(_ROW + 8), "Loss of each network on the path")


def width_and_depth(verdict: Verdict) -> Spec | None:
    """What `wider` and `deeper` bought, from the same incumbent and at equal parameters."""
    values: Values = []
    for row, (wider, deeper) in enumerate(width_depth_pairs(verdict)):
        for move in (wider, deeper):
            values.append(
                {
                    **_move_value(verdict, move),
                    "row": row,
                    "name": f"from {words.arm_name(verdict, move.source)}",
                }
            )
    if not values:
        return None
    scale = figures.scale(verdict)
    offset = _offset("move", ["wider", "deeper"])
    base = _row_base(values).encode(
        color=_colour("move", {"wider": ORANGE, "deeper": BLUE}, legend=True),
        yOffset=offset,
        tooltip=_effect_tips(scale, "move", "name", "network", "parameters", "against", "pairs", "level"),
    )
    shape = alt.Shape(
        "move:N", scale=alt.Scale(domain=["wider", "deeper"], range=["square", "circle"]), legend=None
    )
    layers = [
        *_effect_lines(verdict),
        _row_names(values),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(x=_effect_x(verdict), shape=shape),
    ]
    return _finish(alt.layer(*layers), alt.Step(_ROW + 8), "Effect of a wider and of a deeper network")


def look_ahead(verdict: Verdict) -> Spec | None:
    """Loss against the number of next steps that are seen, both directions as the asymptote."""
    points = words.steps_ahead(verdict.look_ahead_curve)
    if len(points) < 2:
        return None
    scale = figures.scale(verdict)
    values = [
        {
            "steps": int(point.steps),
            **_ends(verdict, point.score, point.interval),
            "parameters": point.num_parameters,
            "seeds": point.seeds,
        }
        for point in points
    ]
    ticks = [value["steps"] for value in values]
    x = alt.X("steps:Q", title="Steps seen ahead", axis=alt.Axis(values=ticks, format="d", grid=False))
    title = figures.loss_title(scale)
    base = alt.Chart(alt.InlineData(values)).encode(x=x, tooltip=_tips(scale, "steps", "parameters", "seeds"))
    y = alt.Y("loss:Q", title=title, scale=alt.Scale(zero=True))
    layers: list[Any] = [
        *_asymptote(verdict),
        base.mark_area(opacity=0.18, color=BLUE).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_line(strokeWidth=2, color=BLUE).encode(y=y),
        base.mark_point(filled=True, size=70, opacity=1, color=BLUE).encode(y=y),
        base.mark_text(dy=-14, color=INK).encode(y=y, text="label:N"),
    ]
    return _finish(alt.layer(*layers), 280, "Loss against look-ahead")


def bias_and_variance(verdict: Verdict) -> Spec | None:
    """Training, tune and dev loss of each incumbent, with the best baseline's dev loss."""
    values = [value for row, stand in enumerate(verdict.diagnosis) for value in _stand(verdict, row, stand)]
    if not values:
        return None
    scale = figures.scale(verdict)
    parts = {"train": GREY, "tune": GREEN, "dev": BLUE, "best baseline, dev": ORANGE}
    present = {
        part: colour for part, colour in parts.items() if any(value["part"] == part for value in values)
    }
    offset = _offset("part", list(present))
    base = _row_base(values).encode(yOffset=offset, tooltip=_tips(scale, "name", "part", interval=False))
    x = alt.X("loss:Q", title=figures.loss_title(scale), scale=alt.Scale(zero=True))
    bars = base.mark_bar(height={"band": 1}).encode(x=x, color=_colour("part", present, legend=True))
    label = base.mark_text(align="left", dx=5, color=INK).encode(x=x, text="label:N")
    chart = alt.layer(_row_names(values), bars, label)
    return _finish(
        chart, alt.Step(40 + 15 * len(present)), "Training, tune and dev loss of each network on the path"
    )


def moves(verdict: Verdict) -> Spec | None:
    """Every move's effect and interval against zero and the margin."""
    values = [
        {
            **_move_value(verdict, move),
            "row": row,
            "name": f"{words.move_name(move.move)}: {words.arm_name(verdict, move.to)}",
        }
        for row, move in enumerate(verdict.moves)
        if move.effect is not None or move.screening is not None
    ]
    if not values:
        return None
    scale = figures.scale(verdict)
    present = {
        decision: look
        for decision, look in DECISIONS.items()
        if any(v["decision"] == look[0] for v in values)
    }
    names = [name for name, _, _ in present.values()]
    tips = _effect_tips(scale, "name", "source", "against", "decision", "pairs", "level")
    base = _row_base(values).encode(
        color=_colour("decision", {name: colour for name, colour, _ in present.values()}, legend=True),
        tooltip=tips,
    )
    shapes = alt.Scale(domain=names, range=[shape for _, _, shape in present.values()])
    marks = base.mark_point(filled=True, size=80, opacity=1, strokeWidth=2)
    layers = [
        *_effect_lines(verdict),
        _row_names(values),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        marks.encode(
            x=_effect_x(verdict), shape=alt.Shape("decision:N", scale=shapes, legend=alt.Legend(title=None))
        ),
    ]
    return _finish(alt.layer(*layers), alt.Step(_ROW), "Effect of every move, with its interval")


def reading(verdict: Verdict) -> Spec | None:
    """Loss against the share of the sequence that was read."""
    curve = sorted(verdict.reading_curve)
    if len(curve) < 2:
        return None
    scale = figures.scale(verdict)
    values = [
        {"share": 100 * share, "loss": figures.loss(scale, score), "label": figures.loss_number(scale, score)}
        for share, score in curve
    ]
    x = alt.X("share:Q", title="Share of the sequence read (%)", scale=alt.Scale(domain=[0, 100]))
    y = alt.Y("loss:Q", title=figures.loss_title(scale), scale=alt.Scale(zero=True))
    tips = [
        alt.Tooltip("share:Q", title="share read (%)", format=".3~g"),
        alt.Tooltip("label:N", title=scale.loss_unit),
    ]
    base = alt.Chart(alt.InlineData(values)).encode(x=x, y=y, tooltip=tips)
    line = base.mark_line(strokeWidth=2, color=BLUE)
    points = base.mark_point(filled=True, size=70, opacity=1, color=BLUE)
    text = base.mark_text(dy=-14, color=INK).encode(text="label:N")
    return _finish(alt.layer(line, points, text), 260, "Loss against the share of the sequence read")


def test(verdict: Verdict) -> Spec | None:
    """Test loss of the advice beside what it is held against, with intervals and single seeds."""
    if not verdict.test:
        return None
    scale = figures.scale(verdict)
    values: Values = []
    seeds: Values = []
    for row, final in enumerate(verdict.test):
        name = f"{words.ROLES[final.role]}: {final.description}"
        kind = "advised" if final.role == "advised" else "held against"
        values.append({"row": row, "name": name, "kind": kind, **_ends(verdict, final.score, final.interval)})
        seeds += [
            {"row": row, "name": name, "loss": figures.loss(scale, score)} for score in final.seed_scores
        ]
    base = _row_base(values).encode(tooltip=_tips(scale, "name"))
    x = alt.X("loss:Q", title=f"{figures.loss_title(scale)}, test part", scale=alt.Scale(zero=True))
    colour = _colour("kind", {"advised": BLUE, "held against": GREY}, legend=False)
    layers = [
        _row_names(values),
        base.mark_bar(height=16, yOffset=6).encode(x=x, color=colour),
        base.mark_rule(strokeWidth=2, yOffset=6, color=INK).encode(x="low:Q", x2="high:Q"),
        _row_base(seeds).mark_tick(size=10, thickness=1.5, yOffset=6, color=INK, opacity=0.7).encode(x=x),
    ]
    return _finish(alt.layer(*layers), alt.Step(_ROW + 6), "Test loss with intervals")


test.__test__ = False  # type: ignore[attr-defined]


def width_depth_pairs(verdict: Verdict) -> list[tuple[Comparison, Comparison]]:
    """(`wider`, `deeper`) measured in pairs from the same incumbent, in the order of the path."""
    measured = [move for move in verdict.moves if move.effect is not None and move.interval is not None]
    found = []
    for source in dict.fromkeys(move.source for move in measured):
        here = {move.move: move for move in measured if move.source == source}
        if "wider" in here and "deeper" in here:
            found.append((here["wider"], here["deeper"]))
    return found


def _ends(verdict: Verdict, score: float, interval: tuple[float, float]) -> dict[str, Any]:
    scale = figures.scale(verdict)
    low, high = figures.loss_interval(scale, interval)
    text = figures.loss_range(scale, interval)
    return {
        "loss": figures.loss(scale, score),
        "low": low,
        "high": high,
        "label": figures.loss_number(scale, score),
        "range": text,
    }


def _move_value(verdict: Verdict, move: Comparison) -> dict[str, Any]:
    arm = words.find_arm(verdict, move.to)
    low, high = move.interval or (None, None)
    return {
        "move": words.move_name(move.move),
        "effect": move.effect if move.effect is not None else move.screening,
        "low": low,
        "high": high,
        "text": "one screening run"
        if move.effect is None
        else figures.effect_text(figures.scale(verdict), move.effect, move.interval),
        "decision": DECISIONS[move.decision][0],
        "source": words.arm_name(verdict, move.source),
        "against": words.arm_name(verdict, move.against),
        "network": words.arm_name(verdict, move.to),
        "parameters": arm.num_parameters if arm else None,
        "pairs": move.pairs,
        "level": "" if move.level is None else figures.percent(move.level),
    }


def _stand(verdict: Verdict, row: int, stand: Diagnosis) -> Values:
    scale = figures.scale(verdict)
    parts = [("train", stand.train), ("tune", stand.tune), ("dev", stand.dev)]
    if stand.baseline_dev is not None:
        parts.append(("best baseline, dev", stand.baseline_dev))
    name = words.arm_name(verdict, stand.incumbent)
    return [
        {
            "row": row,
            "name": name,
            "part": part,
            "loss": figures.loss(scale, score),
            "label": figures.loss_number(scale, score),
        }
        for part, score in parts
    ]


def _row_base(values: Values) -> alt.Chart:
    return alt.Chart(alt.InlineData(values)).encode(y=alt.Y("row:O", axis=None, scale=alt.Scale(padding=0)))


def _row_names(values: Values) -> alt.Chart:
    """Each row's name, above its marks and as wide as the chart."""
    first = list({value["row"]: {"row": value["row"], "name": value["name"]} for value in values}.values())
    mark = _row_base(first).mark_text(align="left", baseline="top", color=INK, limit=alt.ExprRef("width"))
    return mark.encode(
        y=alt.Y("row:O", axis=None, bandPosition=0),
        x=alt.value(0),
        text="name:N",
        tooltip=alt.Tooltip("name:N", title=" "),
    )


def _offset(field: str, domain: list[str]) -> alt.YOffset:
    """Places below each other in a row; the topmost is left to the row's name."""
    return alt.YOffset(f"{field}:N", scale=alt.Scale(domain=["", *domain], paddingInner=0.15))


def _effect_lines(verdict: Verdict) -> list[Any]:
    """The line of no effect and the line of the margin, each with its name at the foot."""
    lines = [
        {"at": 0.0, "name": "no effect"},
        {
            "at": verdict.margin,
            "name": f"margin {figures.margin_text(figures.scale(verdict), verdict.margin)}",
        },
    ]
    base = alt.Chart(alt.InlineData(lines)).encode(x="at:Q", tooltip=alt.Tooltip("name:N", title=" "))
    dash = alt.StrokeDash(
        "name:N", scale=alt.Scale(range=[[1, 0], [5, 4]]), sort=None, legend=alt.Legend(title=None)
    )
    return [base.mark_rule(color=INK, opacity=0.75).encode(strokeDash=dash)]


def _effect_x(verdict: Verdict) -> alt.X:
    return alt.X("effect:Q", title=figures.effect_title(figures.scale(verdict)), scale=alt.Scale(zero=True))


def _asymptote(verdict: Verdict) -> list[Any]:
    whole = next((point for point in verdict.look_ahead_curve if point.steps == "all"), None)
    if whole is None:
        return []
    value = {**_ends(verdict, whole.score, whole.interval), "parameters": whole.num_parameters}
    value["name"] = f"both directions {value['label']}"
    base = alt.Chart(alt.InlineData([value])).encode(
        tooltip=_tips(figures.scale(verdict), "name", "parameters")
    )
    name = base.mark_text(align="right", baseline="top", dy=6, color=ORANGE, fontWeight=600)
    return [
        base.mark_rect(opacity=0.16, color=ORANGE).encode(y="low:Q", y2="high:Q"),
        base.mark_rule(strokeWidth=2, strokeDash=[5, 4], color=ORANGE).encode(y="loss:Q"),
        name.encode(y="loss:Q", x=alt.value(alt.ExprRef("width")), text="name:N"),
    ]


def _colour(field: str, colours: dict[str, str], *, legend: bool) -> alt.Color:
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", scale=scale, legend=alt.Legend(title=None) if legend else None)


def _tips(scale: figures.Scale, *fields: str, interval: bool = True) -> list[alt.Tooltip]:
    ends = [alt.Tooltip("range:N", title="interval")] if interval else []
    return [*(_tip(field) for field in fields), alt.Tooltip("label:N", title=scale.loss_unit), *ends]


def _effect_tips(scale: figures.Scale, *fields: str) -> list[alt.Tooltip]:
    return [*(_tip(field) for field in fields), alt.Tooltip("text:N", title="effect")]


def _tip(field: str) -> alt.Tooltip:
    titles = {"name": "network", "source": "from", "level": "interval at", "steps": "steps ahead"}
    if field == "parameters":
        return alt.Tooltip("parameters:Q", format=",")
    return alt.Tooltip(f"{field}:N", title=titles.get(field, field))


def _finish(chart: Any, height: Any, description: str) -> Spec:
    drawn = chart.properties(
        width="container", height=height, background="transparent", description=description
    )
    drawn = drawn.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    spec: Spec = drawn.configure(
        font=_FONT,
        view=alt.ViewConfig(stroke=None),
        text=alt.MarkConfig(fontSize=12.5, font=_FONT),
        axis=alt.AxisConfig(
            labelColor=INK,
            titleColor=INK,
            gridColor=FAINT,
            domain=False,
            ticks=False,
            labelFontSize=12,
            titleFontSize=12.5,
            titleFontWeight="normal",
            labelPadding=6,
            titlePadding=10,
            labelOpacity=0.85,
            tickCount=5,
        ),
        legend=alt.LegendConfig(
            orient="top",
            direction="horizontal",
            labelColor=INK,
            labelFontSize=12.5,
            labelLimit=0,
            symbolSize=90,
            columns=2,
        ),
    ).to_dict()
    return spec
