"""The drawings of two networks side by side: each is one function Contrast -> Vega-Lite, or None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from leadline.analysis.contrast import Contrast, Held, Kind
from leadline.analysis.measured import Measured
from leadline.report import drawing
from leadline.report.drawing import BAR, BLUE, INK, ORANGE, Spec, Values
from leadline.report.layer_look import figure_text, layer_name, layer_shapes

BEFORE, AFTER = "before", "after"
COLOURS = {BEFORE: ORANGE, AFTER: BLUE}
_POINT: dict[str, Any] = {"filled": True, "size": 90, "opacity": 1}


def chosen_kinds(found: Contrast, most: int) -> list[Kind]:
    """The kinds that differ with certainty, in the order of the record."""
    sure = [kind for kind in found.kinds if kind.sure != "open"]
    return (sure or list(found.kinds))[:most]


def kinds(found: Contrast, most: int) -> Spec | None:
    """Per cent wrong by kind, before and after."""
    chosen = chosen_kinds(found, most)
    if not chosen:
        return None
    groups: list[tuple[str, Values]] = []
    for grouping in dict.fromkeys(kind.grouping for kind in chosen):
        groups.append((grouping[:1].upper() + grouping[1:], []))
        groups += [(kind.group, [_kind(kind)]) for kind in chosen if kind.grouping == grouping]
    laid = drawing.rows(groups)
    base = drawing.marks(laid).encode(
        tooltip=drawing.tips("group", before="% wrong before", after="% wrong after", text="removed", targets="targets")
    )
    title = "% wrong, mean of the pairs"
    layers = [
        base.mark_rule(strokeWidth=2, color=BAR).encode(
            x=alt.X("before:Q", title=title, scale=alt.Scale(zero=True)), x2="after:Q"
        ),
        *(_side(base, which, title) for which in (BEFORE, AFTER)),
        base.mark_text(align="left", dx=12, fontSize=11.5, color=INK).encode(x="largest:Q", text="change:N"),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "Errors by kind, before and after")


def _side(base: alt.Chart, which: str, title: str) -> Any:
    return (
        base.transform_calculate(which=f"'{which}'")
        .mark_point(**_POINT)
        .encode(
            x=alt.X(f"{which}:Q", title=title),
            color=drawing.colour("which", COLOURS),
            shape=drawing.shape("which", {BEFORE: "square", AFTER: "circle"}, legend=False),
        )
    )


def _kind(kind: Kind) -> dict[str, Any]:
    return {
        "group": kind.group,
        "before": kind.first,
        "after": kind.second,
        "largest": max(kind.first, kind.second),
        "text": figure_text(kind.removed),
        "change": _change(kind.removed),
        "targets": f"{kind.targets:,}",
    }


def _change(removed: Measured) -> str:
    """How many points fewer, with the interval.

    >>> _change(Measured(value=-2.0, interval=(-3.0, -1.0)))
    '+2.0 (+1.0 to +3.0)'
    """
    if removed.interval is None:
        return f"{-removed.value:+.1f}"
    low, high = removed.interval
    ends = sorted((-low, -high), key=abs)
    return f"{-removed.value:+.1f} ({ends[0]:+.1f} to {ends[1]:+.1f})"


def chosen_held(found: Contrast, most: int) -> list[Held]:
    """The annotations that differ most, of the unit that most of them have."""
    units = [held.unit for held in found.held]
    unit = max(dict.fromkeys(units), key=units.count, default="")
    return [held for held in found.held if held.unit == unit][:most]


def held(found: Contrast, most: int) -> Spec | None:
    """Probe scores by layer: one line for the network before, one for the network after."""
    chosen = chosen_held(found, most)
    if not chosen:
        return None
    laid = drawing.rows([(_named(one), [_line(one, BEFORE), _line(one, AFTER)]) for one in chosen])
    points = drawing.Rows(
        laid.names, [{**point, "y": row["y"]} for row in laid.values for point in row["points"]], laid.height
    )
    title = f"{chosen[0].unit}, read from each layer"
    scale = alt.Scale(zero=False, nice=True, padding=14)
    base = drawing.marks(points).encode(
        color=drawing.colour("which", COLOURS), tooltip=drawing.tips("annotation", "which", "layer", text=title)
    )
    shapes = layer_shapes(range(1, max(max(len(one.first), len(one.second)) for one in chosen) + 1))
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=title, scale=scale), x2="high:Q"),
        base.mark_point(**_POINT).encode(
            x=alt.X("value:Q", title=title, scale=scale), shape=drawing.shape("layer", shapes)
        ),
        *drawing.row_names(laid),
    ]
    return drawing.finish(layers, laid.height, "What is read from the layers, before and after")


def _named(one: Held) -> str:
    return one.annotation[:1].upper() + one.annotation[1:]


def _line(one: Held, which: str) -> dict[str, Any]:
    scores: Sequence[Measured] = one.first if which == BEFORE else one.second
    return {
        "points": [
            {
                "annotation": one.annotation,
                "which": which,
                "layer": layer_name(layer),
                "value": score.value,
                "low": score.interval[0] if score.interval else None,
                "high": score.interval[1] if score.interval else None,
                "text": figure_text(score),
            }
            for layer, score in enumerate(scores, start=1)
        ]
    }
