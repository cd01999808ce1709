"""Score by distance, where an annotation refers to another step: a chart and a table, Findings -> page."""

from __future__ import annotations

import altair as alt

from leadline.analysis.findings import Bin, Findings, Probe
from leadline.report import drawing
from leadline.report.drawing import INK, Spec, Values
from leadline.report.layer_look import figure_text, layer_colours, layer_name, layer_shapes, measured
from leadline.report.layout import Column, Row, Table


def gains(found: Findings) -> Spec | None:
    """What each layer gains over the one below, by distance; of the annotation that has most rows."""
    probes = [probe for probe in found.probes if len(probe.gains) > 1]
    if not probes:
        return None
    annotation = max(probes, key=lambda probe: probe.rows).annotation
    chosen = [probe for probe in probes if probe.annotation == annotation]
    values: Values = [
        {
            "layer": layer_name(probe.layer),
            "distance": bin_.name,
            "text": figure_text(bin_.score),
            "rows": f"{bin_.rows:,}",
            **measured(bin_.score),
        }
        for probe in chosen
        for bin_ in probe.gains
    ]
    layers = [probe.layer for probe in chosen]
    title = f"Gain over the layer below in {annotation}, {chosen[0].unit.replace('%', 'points', 1)}"
    names = {layer_name(layer): i for i, layer in enumerate(layers)}
    base = alt.Chart(drawing.data(values)).encode(
        x=alt.X(
            "distance:N",
            sort=list(dict.fromkeys(value["distance"] for value in values)),
            title="Steps to what it refers to",
            axis=alt.Axis(labelAngle=0),
            scale=alt.Scale(padding=0.4),
        ),
        xOffset=alt.XOffset("layer:N", sort=list(names), scale=alt.Scale(paddingOuter=0.6)),
        color=drawing.colour("layer", layer_colours(layers)),
        tooltip=drawing.tips("layer", "distance", "rows", text="gain"),
    )
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=True))
    zero = alt.Chart(drawing.data([{"zero": 0.0}])).mark_rule(color=INK, opacity=0.7).encode(y="zero:Q")
    shapes = drawing.shape("layer", layer_shapes(layers), legend=False)
    marks = [
        zero,
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1).encode(y=y, shape=shapes),
    ]
    return drawing.finish(marks, 240, "Gain of each layer over the one below, by distance")


def tables(found: Findings) -> tuple[Table, ...]:
    """Scores by distance, and gains over the layer below."""
    scores = {probe: probe.distances for probe in found.probes if probe.distances}
    over = {probe: probe.gains for probe in found.probes if probe.gains}
    named = (
        ("Score by the distance that the annotation refers to", scores),
        ("Gain over the layer below, in points, by that distance", over),
    )
    return tuple(_table(caption, rows) for caption, rows in named if rows)


def _table(caption: str, rows: dict[Probe, tuple[Bin, ...]]) -> Table:
    names = list(dict.fromkeys(bin_.name for bins in rows.values() for bin_ in bins))
    columns = (Column("Annotation"), Column("Layer"), *(Column(f"{name} away", numeric=True) for name in names))
    return Table(caption, columns, tuple(_row(probe, bins, names) for probe, bins in rows.items()))


def _row(probe: Probe, bins: tuple[Bin, ...], names: list[str]) -> Row:
    known = {bin_.name: figure_text(bin_.score) for bin_ in bins}
    return Row((probe.annotation, layer_name(probe.layer), *(known.get(name, "") for name in names)))
