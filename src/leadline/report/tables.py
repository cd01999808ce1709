"""The tables of the page."""

from __future__ import annotations

from leadline.records.verdict import Verdict
from leadline.report import figures
from leadline.report.layout import Column, Row, Table
from leadline.report.words import names

NONE = "–"


def test(verdict: Verdict) -> Table | None:
    """The advice beside what it is held against, on the test part, with paired differences."""
    scale = figures.scale(verdict)
    rows = tuple(
        Row(
            (
                names.ROLES[row.role],
                row.description,
                NONE if row.num_parameters is None else figures.count(row.num_parameters),
                figures.loss_number(scale, row.score),
                figures.loss_range(scale, row.interval),
                _against(scale, row.against_advised),
                figures.count(len(row.seed_scores)),
            ),
            "advised" if row.role == "advised" else "",
        )
        for row in verdict.test
    )
    columns = (
        Column(""),
        Column("Network", wide=True),
        Column("Parameters", True),
        Column(figures.loss_title(scale), True),
        Column("95 % interval", True),
        Column("Advised is better by", True),
        Column("Trainings", True),
    )
    return Table("Test part", columns, rows) if rows else None


test.__test__ = False  # type: ignore[attr-defined]


def arms(verdict: Verdict) -> Table | None:
    """Every arm that raced, the best first."""
    scale = figures.scale(verdict)
    scored = sorted(verdict.arms, key=lambda arm: -(arm.score if arm.score is not None else float("-inf")))
    rows = tuple(
        Row(
            (
                arm.description,
                NONE if arm.num_parameters is None else figures.count(arm.num_parameters),
                NONE if arm.score is None else figures.loss_number(scale, arm.score),
                NONE if arm.interval is None else figures.loss_range(scale, arm.interval),
                NONE if arm.train is None else figures.loss_number(scale, arm.train),
                figures.count(arm.blocks),
                f"{arm.failed} of {arm.blocks}" if arm.failed else "0",
                NONE if arm.learning_rate is None else f"{arm.learning_rate:g}",
            ),
            "advised" if arm.id == verdict.advice.arm else "",
        )
        for arm in scored
    )
    columns = (
        Column("Arm", wide=True),
        Column("Parameters", True),
        Column(figures.loss_title(scale), True),
        Column("95 %", True),
        Column("On train", True),
        Column("Blocks", True),
        Column("Failed", True),
        Column("Rate", True),
    )
    return Table("Arms of the race", columns, rows) if rows else None


def baselines(verdict: Verdict) -> Table | None:
    """Predictors without recurrence."""
    scale = figures.scale(verdict)
    rows = tuple(
        Row(
            (
                facts.description,
                figures.loss_number(scale, facts.tune),
                NONE if facts.test is None else figures.loss_number(scale, facts.test),
                "yes" if facts.causal else "no",
                "yes" if facts.raced else "no",
                figures.duration(facts.seconds),
            )
        )
        for facts in sorted(verdict.baselines, key=lambda facts: -facts.tune)
    )
    columns = (
        Column("Baseline", wide=True),
        Column("Loss on tune", True),
        Column("On test", True),
        Column("Causal"),
        Column("Raced"),
        Column("Time", True),
    )
    return Table("Baselines without recurrence", columns, rows) if rows else None


def pairs(caption: str, facts: dict[str, str]) -> Table | None:
    """A table of two columns."""
    rows = tuple(Row((name, value)) for name, value in facts.items() if value)
    return Table(caption, (Column(""), Column("", wide=True)), rows) if rows else None


def _against(scale: figures.Scale, found: tuple[float, float, float] | None) -> str:
    if found is None:
        return NONE
    return f"{figures.signed(scale, found[0])} ({figures.signed_range(scale, found[1:])})"
