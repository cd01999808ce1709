"""What would change the verdict's mind: the margins at which the same pairs would decide otherwise.

The bounds of a comparison hold for every margin at once, so they may be read against another one afterwards.
"""

from __future__ import annotations

from leadline.records.evidence import Comparison
from leadline.records.verdict import Verdict
from leadline.report import figures
from leadline.report.path_words import final_moves, taken
from leadline.report.words import capital, is_down, move_name

TITLE = "What would change its mind: the same pairs under another margin"


def turning(verdict: Verdict) -> tuple[str, ...]:
    """A sentence for the last step and for each move at the end of the path that some margin would turn."""
    last = taken(verdict)[-1:]
    rows = [*(row for row in last if row is not None), *final_moves(verdict)]
    return tuple(line for row in rows if (line := _line(verdict, row)))


def _line(verdict: Verdict, row: Comparison) -> str:
    if row.interval is None or not figures.is_finite(row.interval):
        return ""
    name = capital(move_name(row.move))
    taken_at, refused_at = _turns(verdict, row)
    if row.decision == "better":
        return f"{name} would not have been taken with a margin {taken_at[1]}." if taken_at else ""
    if row.decision == "undecided":
        yes = f"would be taken with a margin {taken_at[0]}" if taken_at else ""
        no = f"would be ruled out with a margin {refused_at[0]}" if refused_at else ""
        return f"{name} {' and '.join(part for part in (yes, no) if part)}." if yes or no else ""
    if row.decision == "not_worth_it":
        return f"{name} would be open with a margin {refused_at[1]}." if refused_at else ""
    return ""


def _turns(verdict: Verdict, row: Comparison) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Where the decisions "taken" and "ruled out" begin, and the other side of each; None where no margin does it.

    Upwards: taken with a margin below the lower bound, ruled out with one above the upper. Downwards the effect is
    held against minus the margin: taken with one above -low, ruled out with one below -high.
    """
    low, high = row.interval or (0.0, 0.0)
    down = is_down(row.move)
    sides = ("above", "below") if down else ("below", "above")

    def words(bound: float, begins: str, ends: str) -> tuple[str, str] | None:
        if bound <= 0:
            return None
        text = figures.margin_text(figures.scale(verdict), bound)
        return f"{begins} {text}", f"{ends} {text}"

    return words(-low if down else low, *sides), words(-high if down else high, *reversed(sides))
