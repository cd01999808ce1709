"""What would change the verdict's mind: the margins at which the same pairs would decide otherwise.

The bounds of a comparison hold for every margin at once, so they may be read against another one afterwards.
"""

from __future__ import annotations

from typing import Literal

from leadline.records.evidence import Comparison
from leadline.records.verdict import Verdict
from leadline.report import figures
from leadline.report.path_words import final_moves, named, taken
from leadline.report.words import find_arm, is_down

TITLE = "What would change its mind: the same pairs under another margin"

Bound = Literal["better", "refused"]


def turning(verdict: Verdict) -> tuple[str, ...]:
    """A sentence for the last step and for each move at the end of the path that some margin would turn."""
    step = next((row for row in taken(verdict)[-1:] if row is not None), None)
    rows = [*([step] if step else []), *(row for row in final_moves(verdict) if row is not step)]
    return tuple(line for row in rows if (line := _line(verdict, row, row is step)))


def _line(verdict: Verdict, row: Comparison, step: bool) -> str:
    if row.interval is None or not figures.is_finite(row.interval):
        return ""
    if row.decision == "better":
        parts = [_leaves(verdict, row, "better", "would not have been taken" if step else "would no longer be better")]
    elif row.decision == "not_worth_it":
        parts = [_leaves(verdict, row, "refused", "would be open"), *_gains(verdict, row)]
    elif row.decision == "undecided":
        parts = [*_gains(verdict, row), *_rules_out(verdict, row)]
    else:
        parts = []
    said = " and ".join(part for part in parts if part)
    return f"{named(verdict, row)} {said}." if said else ""


def _gains(verdict: Verdict, row: Comparison) -> list[str]:
    """Where it would be better. A retry has to win twice, and its row holds one of the two comparisons."""
    return [] if row.against != row.source else [_enters(verdict, row, "better", "would be better")]


def _rules_out(verdict: Verdict, row: Comparison) -> list[str]:
    """Where it would be refused: nowhere, while it was still improving when training was cut."""
    arm = find_arm(verdict, row.to)
    improving = arm is not None and arm.still_improving
    return [] if improving else [_enters(verdict, row, "refused", "would be ruled out")]


def _enters(verdict: Verdict, row: Comparison, what: Bound, said: str) -> str:
    """With which margins a comparison that is not `what` would be."""
    turn, above = _turn(row, what)
    outside = verdict.margin <= turn if above else verdict.margin >= turn
    return _with_margin(verdict, said, turn, above) if turn > 0 and outside else ""


def _leaves(verdict: Verdict, row: Comparison, what: Bound, said: str) -> str:
    """With which margins a comparison that is `what` would not be."""
    turn, above = _turn(row, what)
    inside = verdict.margin > turn if above else verdict.margin < turn
    return _with_margin(verdict, said, turn, not above) if turn > 0 and inside else ""


def _turn(row: Comparison, what: Bound) -> tuple[float, bool]:
    """The margin at which a comparison becomes `what`, and whether it is so above that margin or below it.

    Upwards: better with a margin below the lower bound, refused with one above the upper. Downwards the effect is
    held against minus the margin: better with one above -low, refused with one below -high.
    """
    assert row.interval is not None
    low, high = row.interval
    if is_down(row.move):
        return (-low, True) if what == "better" else (-high, False)
    return (low, False) if what == "better" else (high, True)


def _with_margin(verdict: Verdict, said: str, turn: float, above: bool) -> str:
    return f"{said} with a margin {'above' if above else 'below'} {figures.margin_text(figures.scale(verdict), turn)}"
