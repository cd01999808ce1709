"""The drawings of what layers hold: each is one function Findings -> Vega-Lite, or None where there is nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from leadline.analysis.findings import Findings, Measured, Memory, Probe, Share
from leadline.report import drawing
from leadline.report.drawing import BAR, BLUE, GREEN, GREY, INK, ORANGE, Spec, Values

HUES = (GREY, ORANGE, BLUE, GREEN, INK)
LAYER_SHAPES = ("cross", "square", "circle", "diamond", "triangle-up")
_POINT: dict[str, Any] = {"filled": True, "size": 90, "opacity": 1}
TRAINED, UNTRAINED, CONTROL = "trained", "untrained", "random labels"
PARTS = (
    ("current", "this input", BLUE),
    ("others", "other inputs, added up", GREEN),
    ("beyond", "further away", GREY),
    ("pairs", "pairs", ORANGE),
    ("triples", "triples", "var(--red, #b0304c)"),
    ("more", "more together", "var(--purple, #7a3fa0)"),
)


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


def whole_layers(found: Findings, unit: str) -> list[list[Probe]]:
    """Probes of whole layers by annotation, those with the largest gain over the untrained network first."""
    groups: dict[str, list[Probe]] = {}
    for probe in found.probes:
        if probe.direction == "all" and probe.origin != "lag" and probe.unit == unit:
            groups.setdefault(probe.annotation, []).append(probe)
    return sorted(
        groups.values(), key=lambda probes: -max((p.gain.value if p.gain else 0.0) for p in probes if p.layer)
    )


def probes(found: Findings, unit: str) -> Spec | None:
    """Score of every annotation by layer, with the untrained network's and the one on random labels."""
    groups = whole_layers(found, unit)
    if not groups:
        return None
    laid = drawing.rows([(group[0].annotation, [_probe(p) for p in group]) for group in groups])
    layers = [probe.layer for probe in groups[0]]
    base = drawing.marks(laid).encode(
        color=drawing.colour("layer", layer_colours(layers)),
        tooltip=drawing.tips("annotation", "layer", text=unit, untrained_text="untrained", control_text=CONTROL),
    )
    title = "% right on sequences not fitted on" if unit == "% right" else "% of variance explained"
    low = min([0.0, *(v["control"] or 0.0 for v in laid.values), *(v["low"] or 0.0 for v in laid.values)])
    x = alt.X("value:Q", title=title, scale=alt.Scale(domain=[max(low, -20.0), 100], clamp=True))
    shapes = drawing.shape("layer", layer_shapes(layers), legend=False)
    layers_ = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_tick(thickness=2.5, size=13, opacity=0.85).encode(x="untrained:Q"),
        base.mark_text(text="×", fontSize=13, opacity=0.8).encode(x="control:Q"),
        base.mark_point(**_POINT).encode(x=x, shape=shapes),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers_, laid.height, f"Probe scores by layer, {unit}")


def _probe(probe: Probe) -> dict[str, Any]:
    return {
        "annotation": probe.annotation,
        "layer": layer_name(probe.layer),
        **measured(probe.score),
        "untrained": probe.untrained,
        "control": None if probe.control is None else probe.control.value,
        "text": figure_text(probe.score),
        "untrained_text": "" if probe.untrained is None else f"{probe.untrained:.1f}",
        "control_text": "" if probe.control is None else figure_text(probe.control),
    }


def lags(found: Findings) -> Spec | None:
    """How well an input is read so many steps away, by layer; untrained dashed."""
    chosen = [p for p in found.probes if p.origin == "lag" and p.direction == "all" and p.lag is not None and p.layer]
    if len({p.lag for p in chosen}) < 2:
        return None
    values: Values = []
    for probe in chosen:
        common = {"layer": layer_name(probe.layer), "lag": probe.lag, "unit": probe.unit}
        values.append({**common, "which": TRAINED, "value": probe.score.value, "text": figure_text(probe.score)})
        if probe.untrained is not None:
            values.append({**common, "which": UNTRAINED, "value": probe.untrained, "text": f"{probe.untrained:.1f}"})
    floor = chosen[0].constant
    layers = _curves(values, "lag", "value", "Steps away from the layer's own step: left is earlier", chosen[0].unit)
    constant = alt.Chart(drawing.data([{"value": floor, "name": f"best constant answer, {floor:.1f}"}]))
    line = constant.mark_rule(color=INK, opacity=0.5, strokeDash=[2, 3]).encode(
        y="value:Q", tooltip=alt.Tooltip("name:N", title=" ")
    )
    return drawing.finish([line, *layers], 280, "What is read of an input by its distance")


def _curves(values: Values, x: str, y: str, x_title: str, y_title: str, log: bool = False) -> list[Any]:
    """Lines by layer; what is untrained is dashed and thin."""
    names = list(dict.fromkeys(value["layer"] for value in values))
    colours = {name: HUES[min(_number(name), len(HUES) - 1)] for name in names}
    scale = alt.Scale(type="log") if log else alt.Scale(zero=True)
    axis = alt.Axis(format="~e") if log else alt.Axis()
    base = alt.Chart(drawing.data(values)).encode(
        x=alt.X(f"{x}:Q", title=x_title, axis=alt.Axis(format="d", grid=False, tickMinStep=1)),
        y=alt.Y(f"{y}:Q", title=y_title, scale=scale, axis=axis),
        color=drawing.colour("layer", colours),
        tooltip=drawing.tips("layer", "which", x, text=y_title),
    )
    trained, untrained = (base.transform_filter(f"datum.which == '{which}'") for which in (TRAINED, UNTRAINED))
    shapes = drawing.shape("layer", {name: LAYER_SHAPES[min(_number(name), 4)] for name in names}, legend=False)
    return [
        untrained.mark_line(strokeWidth=1.5, strokeDash=[4, 4], opacity=0.7),
        trained.mark_line(strokeWidth=2.5),
        trained.mark_point(filled=True, size=45, opacity=1).encode(shape=shapes),
    ]


def _number(name: str) -> int:
    return int(name.split()[-1]) if name[-1].isdigit() else 0


def decay(found: Findings, side: str) -> Spec | None:
    """What is left of a replaced input, by steps since."""
    chosen = [m for m in found.memory if m.kind == "driven" and m.side == side and len(m.curve) > 2]
    if not chosen:
        return None
    values: Values = []
    for one in chosen:
        for which, curve in ((TRAINED, one.curve), (UNTRAINED, one.untrained_curve)):
            values += [
                {
                    "layer": layer_name(one.layer),
                    "which": which,
                    "steps": lag,
                    "left": 100 * left,
                    "text": f"{100 * left:.1f} %",
                }
                for lag, left in curve
            ]
    where = "after" if side == "back" else "before"
    layers = _curves(values, "steps", "left", f"Steps {where} the replaced input", "% of the difference left")
    half = alt.Chart(drawing.data([{"left": 50.0, "name": "half is left"}]))
    line = half.mark_rule(color=INK, opacity=0.5, strokeDash=[2, 3]).encode(
        y="left:Q", tooltip=alt.Tooltip("name:N", title=" ")
    )
    return drawing.finish([line, *layers], 260, "What is left of a replaced input")


def half_lives(found: Findings) -> Spec | None:
    """Half-lives by layer with intervals, the twins' as a tick."""
    if not found.memory:
        return None
    groups: list[tuple[str, Values]] = []
    for kind, side, title in (
        ("driven", "back", "An earlier input replaced"),
        ("driven", "ahead", "A later input replaced"),
        ("own", "back", "Own state moved, reading forward"),
        ("own", "ahead", "Own state moved, reading backward"),
    ):
        rows = [_half_life(m) for m in found.memory if m.kind == kind and m.side == side]
        if rows:
            groups.append((title, rows))
    laid = drawing.rows(groups)
    layers = [m.layer for m in found.memory]
    base = drawing.marks(laid).encode(
        color=drawing.colour("layer", layer_colours(layers)),
        tooltip=drawing.tips("layer", text="half-life in steps", untrained_text="untrained", gates="gates promise"),
    )
    x = alt.X("value:Q", title="Half-life, steps", scale=alt.Scale(zero=True))
    shapes = drawing.shape("layer", layer_shapes(layers), legend=False)
    drawn = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title="Half-life, steps"), x2="high:Q"),
        base.mark_tick(thickness=2.5, size=13, opacity=0.85).encode(x="untrained:Q"),
        base.mark_point(**_POINT).encode(x=x, shape=shapes),
        *drawing.row_names(laid),
    ]
    return drawing.finish(drawn, laid.height, "Half-lives by layer")


def _half_life(one: Memory) -> dict[str, Any]:
    ends = one.interval if one.interval is not None and all(math.isfinite(end) for end in one.interval) else None
    text = f"more than {one.beyond}" if one.half_life is None else f"{one.half_life:.2f}"
    span = f" ({ends[0]:.2f} to {ends[1]:.2f})" if ends else ""
    return {
        "layer": layer_name(one.layer),
        "value": one.half_life,
        "low": ends[0] if ends else None,
        "high": ends[1] if ends else None,
        "untrained": one.untrained,
        "text": text + span,
        "untrained_text": f"more than {one.untrained_beyond}" if one.untrained is None else f"{one.untrained:.2f}",
        "gates": "" if one.gates is None else f"{one.gates:.2f}",
    }


def gradient(found: Findings) -> Spec | None:
    """Layer by lag: how much of the loss gradient is left."""
    values: Values = []
    for reach in found.gradients:
        for lag, left in reach.norms:
            if lag or reach.side == "back":
                signed = -lag if reach.side == "back" else lag
                shown = f"{left:.2g}"
                values.append({"layer": layer_name(reach.layer), "lag": signed, "text": shown, "shade": _shade(left)})
    if not values:
        return None
    names = sorted({value["layer"] for value in values}, key=_number, reverse=True)
    width = len({value["lag"] for value in values})
    base = alt.Chart(drawing.data(values)).encode(
        x=alt.X("lag:O", title="Steps from the loss: left is earlier", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("layer:N", sort=names, title=None),
        tooltip=drawing.tips("layer", "lag", text="gradient, over that at the loss"),
    )
    shade = alt.Opacity("shade:Q", scale=alt.Scale(domain=[0, 1], range=[0.06, 1]), legend=None)
    layers = [base.mark_rect(color=BLUE, stroke=drawing.GROUND, strokeWidth=2, cornerRadius=2).encode(opacity=shade)]
    if width <= 20:
        layers.append(
            base.mark_text(fontSize=11).encode(
                text=alt.Text("text:N"),
                color=alt.condition("datum.shade > 0.55", alt.value(drawing.GROUND), alt.value(INK)),
            )
        )
    return drawing.finish(layers, 44 * len(names) + 10, "Gradient of the loss by layer and lag")


def _shade(left: float) -> float:
    """0 at a thousandth or less, 1 at one or more, by the logarithm."""
    return min(1.0, max(0.0, 1 + math.log10(max(left, 1e-6)) / 3))


def shares(found: Findings) -> Spec | None:
    """Parts of each layer's state variance, stacked."""
    if not found.shares:
        return None
    groups = []
    for layer in sorted({share.layer for share in found.shares}):
        for share in (s for s in found.shares if s.layer == layer):
            name = f"Layer {layer}, untrained" if share.untrained else f"Layer {layer}"
            groups.append((name, [_stack(share)]))
    laid = drawing.rows(groups)
    pieces = drawing.Rows(
        laid.names, [{"y": row["y"], **piece} for row in laid.values for piece in row["pieces"]], laid.height
    )
    base = drawing.marks(pieces).encode(tooltip=drawing.tips("part", text="% of the state's variance"))
    colours = {name: hue for _, name, hue in PARTS}
    bar = base.mark_bar(orient="horizontal", size=15, stroke=drawing.GROUND, strokeWidth=1)
    x = alt.X("start:Q", title="% of the state's variance", scale=alt.Scale(domain=[0, 100], clamp=True))
    layers = [
        bar.encode(x=x, x2="end:Q", color=drawing.colour("part", colours)),
        base.transform_filter("datum.end - datum.start > 7")
        .mark_text(color=drawing.GROUND, fontSize=11)
        .encode(x="middle:Q", text="short:N"),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "What a layer's state is made of")


def _stack(share: Share) -> dict[str, Any]:
    start, pieces = 0.0, []
    for field, name, _ in PARTS:
        value: Measured = getattr(share, field)
        end = start + max(value.value, 0.0)
        pieces.append(
            {
                "part": name,
                "start": start,
                "end": end,
                "middle": (start + end) / 2,
                "short": f"{value.value:.0f}",
                "text": figure_text(value),
            }
        )
        start = end
    return {"pieces": pieces}


def ablation(found: Findings) -> Spec | None:
    """Score lost by layer, in two ways."""
    rows = [one for one in found.ablation if one.used is not None and one.adds is not None]
    if not rows:
        return None
    groups: list[tuple[str, Values]] = []
    for one in rows:
        assert one.used is not None
        assert one.adds is not None
        groups.append(
            (
                f"Layer {one.layer}",
                [
                    {"what": "another sequence's states", "text": figure_text(one.used), **measured(one.used)},
                    {"what": "a linear map instead", "text": figure_text(one.adds), **measured(one.adds)},
                ],
            )
        )
    laid = drawing.rows(groups)
    base = drawing.marks(laid).encode(tooltip=drawing.tips("what", text="score lost"))
    colours = {"another sequence's states": ORANGE, "a linear map instead": BLUE}
    bars = base.transform_calculate(zero="0").mark_bar(orient="horizontal", size=11)
    x = alt.X("zero:Q", title=f"Score lost ({found.looked.score_unit})", scale=alt.Scale(zero=True))
    layers = [
        bars.encode(x=x, x2="value:Q", color=drawing.colour("what", colours)),
        base.mark_rule(strokeWidth=1.5, color=INK).encode(x="low:Q", x2="high:Q"),
        base.mark_text(align="left", dx=8, color=INK, fontSize=11.5).encode(x="high:Q", text="text:N"),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "Score lost without each layer")


def history(found: Findings) -> Spec | None:
    """Score by how much history is left."""
    if len(found.history) < 2:
        return None
    values: Values = []
    for point in found.history:
        for name, value in (("cut off", point.truncated), ("in another order", point.shuffled)):
            values.append({"rest": name, "steps": point.steps, "text": figure_text(value), **measured(value)})
    side = "on either side" if found.looked.bidirectional else "before"
    base = alt.Chart(drawing.data(values)).encode(
        x=alt.X("steps:Q", title=f"Steps {side} left as they are", axis=alt.Axis(format="d", grid=False)),
        color=drawing.colour("rest", {"cut off": BLUE, "in another order": ORANGE}),
        tooltip=drawing.tips("rest", "steps", text=found.looked.score_unit),
    )
    y = alt.Y("value:Q", title=found.looked.score_unit, scale=alt.Scale(zero=False))
    full = found.history[0].full
    whole = alt.Chart(drawing.data([{**measured(full), "name": f"everything as it is, {figure_text(full)}"}]))
    shapes = drawing.shape("rest", {"cut off": "circle", "in another order": "square"}, legend=False)
    layers = [
        whole.mark_rule(color=INK, strokeDash=[5, 4], opacity=0.7).encode(
            y="value:Q", tooltip=alt.Tooltip("name:N", title=" ")
        ),
        base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=found.looked.score_unit), y2="high:Q"),
        base.mark_line(strokeWidth=2).encode(y=y),
        base.mark_point(filled=True, size=55, opacity=1).encode(y=y, shape=shapes),
    ]
    return drawing.finish(layers, 260, "Score by how much of the sequence is left")


def similarity(found: Findings) -> Spec | None:
    """CKA of every two layers."""
    pairs = [s for s in found.similarity if "," not in s.first and "," not in s.second]
    if len(pairs) < 2:
        return None
    names = list(dict.fromkeys([*(s.first for s in pairs), *(s.second for s in pairs)]))
    values: Values = [{"one": name, "other": name, "cka": 1.0, "text": "1"} for name in names]
    for pair in pairs:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            values.append({"one": one, "other": other, "cka": max(pair.cka, 0.0), "text": f"{pair.cka:.2f}"})
    base = alt.Chart(drawing.data(values)).encode(
        x=alt.X("one:N", sort=names, title=None, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("other:N", sort=names, title=None),
        tooltip=drawing.tips("one", "other", text="CKA"),
    )
    shade = alt.Opacity("cka:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 1]), legend=None)
    layers = [
        base.mark_rect(color=BLUE, stroke=drawing.GROUND, strokeWidth=2, cornerRadius=2).encode(opacity=shade),
        base.mark_text(fontSize=12).encode(
            text="text:N", color=alt.condition("datum.cka > 0.55", alt.value(drawing.GROUND), alt.value(INK))
        ),
    ]
    return drawing.finish(layers, 44 * len(names) + 30, "How alike the layers are")


def errors(found: Findings, groupings: Sequence[str] | None = None) -> Spec | None:
    """Errors that each layer's readout makes no more, by kind; the top layer against the one below."""
    top = max((e.layer for e in found.errors), default=0)
    chosen = [e for e in found.errors if e.layer == top and (groupings is None or e.grouping in groupings)]
    if not chosen:
        return None
    groups: list[tuple[str, Values]] = []
    for grouping in dict.fromkeys(e.grouping for e in chosen):
        groups.append((grouping[:1].upper() + grouping[1:], []))
        here = sorted((e for e in chosen if e.grouping == grouping), key=lambda e: -e.removed.value)
        groups += [
            (
                e.group,
                [{"group": e.group, "below": e.below, "here": e.here, "text": figure_text(e.removed), "rows": e.rows}],
            )
            for e in here
        ]
    laid = drawing.rows(groups)
    base = drawing.marks(laid).encode(tooltip=drawing.tips("group", "below", "here", "rows", text="errors removed"))
    title = "% wrong, read out linearly"
    below, above = layer_name(top - 1), layer_name(top)
    x = alt.X("below:Q", title=title, scale=alt.Scale(zero=True))
    layers = [
        base.mark_rule(strokeWidth=2, color=BAR).encode(x=x, x2="here:Q"),
        base.transform_calculate(which=f"'{below}'")
        .mark_point(**_POINT)
        .encode(
            x=x,
            color=drawing.colour("which", layer_colours([top - 1, top])),
            shape=drawing.shape("which", layer_shapes([top - 1, top]), legend=False),
        ),
        base.transform_calculate(which=f"'{above}'")
        .mark_point(**_POINT)
        .encode(
            x=alt.X("here:Q", title=title),
            color=drawing.colour("which", layer_colours([top - 1, top])),
            shape=drawing.shape("which", layer_shapes([top - 1, top]), legend=False),
        ),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "Errors that the top layer removes, by kind")
