"""The charts of effects: Verdict -> Vega-Lite specification, or None where there is nothing to draw."""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.records.evidence import Comparison
from leadline.records.verdict import Verdict
from leadline.report import drawing, figures, words
from leadline.report.drawing import BLUE, GREY, ORANGE, Spec, Values

POINT: dict[str, Any] = {"filled": True, "size": 85, "opacity": 1}
DECISIONS: dict[str, tuple[str, str, str]] = {
    "better": ("better", BLUE, "circle"),
    "not_worth_it": ("not worth it", GREY, "square"),
    "undecided": ("undecided", ORANGE, "diamond"),
    "not_pursued": ("not pursued", GREY, "triangle-up"),
    "failed_to_train": ("could not be trained", ORANGE, "cross"),
}


def square_depth(verdict: Verdict) -> Spec | None:
    """What depth changes while the future is hidden, and once both ways are read."""
    if verdict.square is None:
        return None
    scale = figures.scale(verdict)
    named = (("one way", verdict.square.depth_one_way), ("both ways", verdict.square.depth_both_ways))
    laid = drawing.rows(
        [
            (
                f"A deep stack instead of one layer, {way}",
                [
                    {
                        "direction": way,
                        "pairs": effect.pairs,
                        "text": figures.effect_text(scale, effect.effect, effect.interval),
                        **drawing.effect_ends(effect.effect, effect.interval),
                    }
                ],
            )
            for way, effect in named
            if effect is not None
        ]
    )
    if not laid.values:
        return None
    base = drawing.marks(laid).encode(
        color=drawing.colour("direction", {"one way": ORANGE, "both ways": BLUE}, legend=False),
        tooltip=drawing.tips("direction", "pairs", text="effect"),
    )
    shapes = drawing.shape("direction", {"one way": "square", "both ways": "circle"}, legend=False)
    layers = _effects(verdict, laid, base, shapes)
    return drawing.finish(layers, laid.height, "What depth changes, one way and both ways")


def width_and_depth(verdict: Verdict) -> Spec | None:
    """What `wider` and `deeper` bought, from the same incumbent and at equal parameters."""
    pairs = width_depth_pairs(verdict)
    if not pairs:
        return None
    laid = drawing.rows(
        [
            (f"From {words.arm_name(verdict, wider.source)}", [_move(verdict, wider), _move(verdict, deeper)])
            for wider, deeper in pairs
        ]
    )
    base = drawing.marks(laid).encode(
        color=drawing.colour("move", {"wider": ORANGE, "deeper": BLUE}),
        tooltip=drawing.tips("move", "network", "parameters", "against", "pairs", level="interval at", text="effect"),
    )
    layers = _effects(verdict, laid, base, drawing.shape("move", {"wider": "square", "deeper": "circle"}))
    return drawing.finish(layers, laid.height, "Effect of a wider and of a deeper network")


def moves(verdict: Verdict) -> Spec | None:
    """Every paired move's effect and interval against zero and the margin, by the network it starts from."""
    paired = paired_moves(verdict)
    if not paired:
        return None
    groups: list[tuple[str, Values]] = []
    for source in dict.fromkeys(move.source for move in paired):
        groups.append((f"From {words.arm_name(verdict, source)}", []))
        here = (move for move in paired if move.source == source)
        groups += [(_title(verdict, move), [_move(verdict, move)]) for move in here]
    laid = drawing.rows(groups)
    seen = [look for name, look in DECISIONS.items() if any(move.decision == name for move in paired)]
    base = drawing.marks(laid).encode(
        color=drawing.colour("decision", {name: hue for name, hue, _ in seen}),
        tooltip=drawing.tips("network", "against", "decision", "pairs", level="interval at", text="effect"),
    )
    shapes = drawing.shape("decision", {name: form for name, _, form in seen})
    down = any(words.is_down(move.move) for move in paired)
    layers = _effects(verdict, laid, base, shapes, down=down)
    return drawing.finish(layers, laid.height, "Effect of every move, with its interval")


def moves_are_stretched(verdict: Verdict) -> bool:
    """Whether the axis of `moves` is stretched around zero."""
    return drawing.is_stretched(verdict, [_move(verdict, move) for move in paired_moves(verdict)])


def paired_moves(verdict: Verdict) -> list[Comparison]:
    """The moves that were measured in pairs."""
    return [move for move in verdict.moves if move.effect is not None]


def width_depth_pairs(verdict: Verdict) -> list[tuple[Comparison, Comparison]]:
    """(`wider`, `deeper`) measured in pairs from the same incumbent, in the order of the path."""
    found = []
    for source in dict.fromkeys(move.source for move in verdict.moves):
        here = {move.move: move for move in paired_moves(verdict) if move.source == source}
        if "wider" in here and "deeper" in here:
            found.append((here["wider"], here["deeper"]))
    return found


def _effects(
    verdict: Verdict, laid: drawing.Rows, base: alt.Chart, shapes: alt.Shape, *, down: bool = False
) -> list[Any]:
    """Intervals and points over the lines of no effect and of the margin."""
    x = drawing.effect_x(verdict, laid.values)
    return [
        *drawing.effect_lines(verdict, down=down),
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q"),
        base.mark_point(**POINT).encode(x=x, shape=shapes),
        *drawing.row_names(laid),
    ]


def _title(verdict: Verdict, move: Comparison) -> str:
    return f"{words.move_name(move.move)}: {words.arm_name(verdict, move.to)}"


def _move(verdict: Verdict, move: Comparison) -> dict[str, Any]:
    arm, effect = words.find_arm(verdict, move.to), move.effect or 0.0
    return {
        "move": words.move_name(move.move),
        "decision": DECISIONS[move.decision][0],
        "network": words.arm_name(verdict, move.to),
        "against": words.arm_name(verdict, move.against),
        "parameters": arm.num_parameters if arm else None,
        "pairs": move.pairs,
        "level": "" if move.level is None else figures.level(move.level),
        "text": figures.effect_text(figures.scale(verdict), effect, move.interval),
        **drawing.effect_ends(effect, move.interval),
    }
