"""How long layers remember, drawn: each is one function Findings -> Vega-Lite, or None where there is nothing."""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from leadline.analysis.findings import Findings
from leadline.analysis.lasting import Memory
from leadline.report import drawing
from leadline.report.drawing import INK, Spec, Values
from leadline.report.layer_look import POINT, TRAINED, UNTRAINED, curves, layer_colours, layer_name, layer_shapes


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
    layers = curves(
        values,
        [m.layer for m in chosen],
        "steps",
        "left",
        f"Steps {where} the replaced input",
        "% of the difference left",
    )
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
        base.mark_point(**POINT).encode(x=x, shape=shapes),
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
