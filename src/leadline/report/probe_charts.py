"""What is read from layers, drawn: each is one function Findings -> Vega-Lite, or None where there is nothing."""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.analysis.findings import Findings, Probe
from leadline.report import drawing
from leadline.report.drawing import INK, Spec, Values
from leadline.report.layer_look import (
    CONTROL,
    POINT,
    TRAINED,
    UNTRAINED,
    curves,
    figure_text,
    layer_colours,
    layer_name,
    layer_shapes,
    measured,
)


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
        base.mark_point(**POINT).encode(x=x, shape=shapes),
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
    layers = curves(
        values,
        [p.layer for p in chosen],
        "lag",
        "value",
        "Steps away from the layer's own step: left is earlier",
        chosen[0].unit,
    )
    constant = alt.Chart(drawing.data([{"value": floor, "name": f"best constant answer, {floor:.1f}"}]))
    line = constant.mark_rule(color=INK, opacity=0.5, strokeDash=[2, 3]).encode(
        y="value:Q", tooltip=alt.Tooltip("name:N", title=" ")
    )
    return drawing.finish([line, *layers], 280, "What is read of an input by its distance")
