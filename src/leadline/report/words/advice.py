"""The first lines: what the data are, what to use, how good it is, and how sure that is."""

from __future__ import annotations

from leadline.records.verdict import TestRow, Verdict
from leadline.report import figures
from leadline.report.words import names


def about(verdict: Verdict) -> str:
    """The data and the effort, in one line."""
    data, budget = verdict.data, verdict.budget
    classes = f" ({figures.count(len(data.classes))})" if data.classes else ""
    effort = (
        f"{figures.duration(budget.seconds)}, {figures.plural(budget.trials, 'training')}, "
        f"{figures.plural(budget.jobs, 'core')}"
    )
    target = f"next step{classes}" if data.kind == "next_step" else f"{data.target}{classes} {names.KINDS[data.kind]}"
    return f"{data.name}: {figures.plural(data.num_sequences, 'sequence')}, {target}. {effort}."


def use(verdict: Verdict) -> str:
    """What to use."""
    advice = verdict.advice
    if not advice.arm:
        return "nothing yet: no network was trained to the end"
    if advice.num_parameters is None:
        return f"{advice.description} (no recurrent network)"
    return f"{advice.description}, {names.parameters(advice.num_parameters)} parameters"


def reached(verdict: Verdict) -> str:
    """Its score on the test part; "" before the test part was read."""
    row = _row(verdict, "advised")
    if row is None:
        return ""
    scale = figures.scale(verdict)
    return f"{figures.with_unit(scale, figures.loss_number(scale, row.score))} on test ({_range(verdict, row)})"


def sure(verdict: Verdict) -> str:
    """How far the advice may be from the best, and how sure that is."""
    advice = verdict.advice
    if not advice.arm:
        return ""
    if advice.by_map:
        return f"By the map alone, {figures.plural(advice.tried, 'network')} trained short: no evidence yet."
    race = f"of the {figures.count(advice.raced)} arms that raced"
    if advice.at_most is None:
        return f"The best so far {race}; how far others may be ahead is not known yet."
    size = figures.effect_size(figures.scale(verdict), advice.at_most)
    if advice.within_margin:
        return f"Within {size} of the best {race}, 95 % sure."
    return f"The best {race} may be up to {size} better, 95 % sure."


def beside(verdict: Verdict) -> str:
    """What it is held against on test."""
    scale = figures.scale(verdict)
    short = {
        "start": "Default network",
        "yours": "Yours",
        "best_streaming": "Best that sees no future",
        "best_baseline": "Best without recurrence",
    }
    parts = [
        f"{short[row.role]}: {figures.short_loss(scale, row.score)}"
        for row in verdict.test
        if row.role != "advised" and row.arm != verdict.advice.arm
    ]
    return f"{'. '.join(parts)}." if parts else ""


def noise(verdict: Verdict) -> str:
    """Whether what is left is noise: no network can remove that."""
    row = _row(verdict, "advised")
    scale = figures.scale(verdict)
    if verdict.floor is None or row is None or figures.loss(scale, row.score) - verdict.floor > verdict.margin:
        return ""
    least = figures.with_unit(scale, figures.number(scale, verdict.floor))
    return f"Equal inputs have different targets here: no predictor gets below {least}. What is left is noise."


def stopped(verdict: Verdict) -> str:
    """Why the study ended, where the sheet is not settled."""
    return {
        "settled": "",
        "spent": "All blocks are used; what is open now would need more data.",
        "budget": "The budget ended before every row was settled.",
        "interrupted": "Interrupted before every row was settled.",
    }[verdict.stop_reason]


def go_on(verdict: Verdict) -> str:
    """How to know more."""
    return (
        "Same command with a larger --budget goes on from here."
        if verdict.stop_reason in ("budget", "interrupted")
        else ""
    )


def _row(verdict: Verdict, role: str) -> TestRow | None:
    return next((row for row in verdict.test if row.role == role), None)


def _range(verdict: Verdict, row: TestRow) -> str:
    return figures.loss_range(figures.scale(verdict), row.interval)
