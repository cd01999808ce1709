"""What a study that was cut had only screened, in sentences that do not make it evidence."""

from __future__ import annotations

from leadline.records.evidence import Screened
from leadline.records.verdict import Verdict
from leadline.report import figures
from leadline.report.words import arm_name, capital, move_name

TITLE = "By screening alone, which is no evidence"
MOST = 6


def screening(verdict: Verdict) -> tuple[str, ...]:
    """The moves that had been screened when the study was cut, the longest trainings first; empty where none had."""
    rows = verdict.screening
    if not rows:
        return ()
    more = (f"And {figures.plural(len(rows) - MOST, 'move')} that promised less.",) if len(rows) > MOST else ()
    seeds = "one seed" if verdict.data.folds == 1 else "one seed on each of two splits"
    basis = (
        f"Each is {seeds}, the best of equal draws, on shortened trainings, scored on data that chose the draw. The "
        "same study with more time goes on from here and compares the most promising in pairs."
    )
    return (*(_row(verdict, row) for row in rows[:MOST]), *more, basis)


def _row(verdict: Verdict, row: Screened) -> str:
    scale = figures.scale(verdict)
    return (
        f"{capital(move_name(row.move))} ({arm_name(verdict, row.to)}): {figures.loss_text(scale, row.score)} after "
        f"{figures.plural(row.updates, 'update')}, where {arm_name(verdict, row.source)} has "
        f"{figures.loss_number(scale, row.against_score)}."
    )
