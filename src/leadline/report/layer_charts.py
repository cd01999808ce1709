"""The drawings of what layers hold: each is one function Findings -> Vega-Lite, or None where there is nothing."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from leadline.analysis.findings import Findings, Share
from leadline.analysis.measured import Measured
from leadline.report import drawing
from leadline.report.drawing import BAR, BLUE, GREEN, GREY, INK, ORANGE, Spec, Values
from leadline.report.layer_look import POINT, figure_text, layer_colours, layer_name, layer_shapes, measured

PARTS = (
    ("current", "this input", BLUE),
    ("others", "other inputs, added up", GREEN),
    ("beyond", "further away", GREY),
    ("pairs", "pairs", ORANGE),
    ("triples", "triples", "var(--red, #b0304c)"),
    ("more", "more together", "var(--purple, #7a3fa0)"),
)


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
    names = [layer_name(layer) for layer in sorted({reach.layer for reach in found.gradients}, reverse=True)]
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
    values: Values = [{"one": name, "other": name, "cka": 1.0, "text": "1", "told": "1"} for name in names]
    for pair in pairs:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            around = "" if pair.interval is None else f" ({pair.interval[0]:.2f} to {pair.interval[1]:.2f})"
            told = {"text": f"{pair.cka:.2f}", "told": f"{pair.cka:.2f}{around}"}
            values.append({"one": one, "other": other, "cka": max(pair.cka, 0.0), **told})
    base = alt.Chart(drawing.data(values)).encode(
        x=alt.X("one:N", sort=names, title=None, axis=alt.Axis(labelAngle=0, orient="top")),
        y=alt.Y("other:N", sort=names, title=None),
        tooltip=drawing.tips("one", "other", told="CKA"),
    )
    shade = alt.Opacity("cka:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 1]), legend=None)
    layers = [
        base.mark_rect(color=BLUE, stroke=drawing.GROUND, strokeWidth=2, cornerRadius=2).encode(opacity=shade),
        base.mark_text(fontSize=12).encode(
            text="text:N", color=alt.condition("datum.cka > 0.55", alt.value(drawing.GROUND), alt.value(INK))
        ),
    ]
    return drawing.finish(layers, 44 * len(names) + 30, "How alike the layers are")


def errors(found: Findings) -> Spec | None:
    """Errors that each layer's readout makes no more, by kind; the top layer against the one below."""
    top = max((e.layer for e in found.errors), default=0)
    chosen = [e for e in found.errors if e.layer == top]
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
        .mark_point(**POINT)
        .encode(
            x=x,
            color=drawing.colour("which", layer_colours([top - 1, top])),
            shape=drawing.shape("which", layer_shapes([top - 1, top]), legend=False),
        ),
        base.transform_calculate(which=f"'{above}'")
        .mark_point(**POINT)
        .encode(
            x=alt.X("here:Q", title=title),
            color=drawing.colour("which", layer_colours([top - 1, top])),
            shape=drawing.shape("which", layer_shapes([top - 1, top]), legend=False),
        ),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "Errors that the top layer removes, by kind")
