"""Verdict -> `Facts`: everything that the page shows, worded and formatted; a template only lays it out."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings
from leadline.records.verdict import Verdict
from leadline.report import explain, figures, path_words, sections, words
from leadline.report.layout import Facts, Figure


def build(verdict: Verdict, findings: Findings | None = None, steps: Sequence[Contrast] = ()) -> Facts:
    """The page's facts.

    Args:
        verdict: the record.
        findings: what the layers of the advised network hold, where they were looked into.
        steps: what the steps of the path brought, where they were looked into.
    """
    said = (*path_words.reason(verdict), words.test_sentence(verdict), path_words.against_baseline(verdict))
    return Facts(
        title=f"Leadline: {verdict.data.name}",
        about=explain.about(verdict),
        headline=words.headline(verdict),
        lead=tuple(sentence for sentence in said if sentence),
        figures=_figures(verdict),
        sections=sections.build(verdict, findings, steps),
    )


def _figures(verdict: Verdict) -> tuple[Figure, ...]:
    advice, scale = verdict.recommendation, figures.scale(verdict)
    found = []
    advised = next((row for row in verdict.test if row.role == "advised"), None)
    if advised is not None:
        value, label = figures.loss_number(scale, advised.score), f"{scale.loss_unit}, test part"
        if label.startswith("% "):
            value, label = f"{value} %", label.removeprefix("% ")
        found.append(Figure(value, label, figures.loss_range(scale, advised.interval)))
    if advice.num_parameters is not None:
        state = "" if advice.state_size is None else f"{figures.count(advice.state_size)} numbers of state"
        found.append(Figure(figures.count(advice.num_parameters), "parameters", state))
    if advice.microseconds_per_step is not None:
        time = figures.step_time(advice.microseconds_per_step)
        value = time.replace(" microseconds", " µs").replace(" milliseconds", " ms")
        found.append(Figure(value, "per step, measured", "one sequence at a time"))
    budget = verdict.budget
    found.append(Figure(figures.duration(budget.seconds), f"spent on {figures.plural(budget.trials, 'trial')}"))
    return tuple(found)
