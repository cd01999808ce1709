"""The folded parts of the page, in its order: each is one function Verdict -> `Section`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings
from leadline.records.verdict import Verdict
from leadline.report import charts, contrast_sections, layer_sections, rebuild, tables
from leadline.report.drawing import Spec
from leadline.report.layout import Chart, Listed, Section, Table
from leadline.report.words import rule


def build(verdict: Verdict, findings: Findings | None = None, steps: Sequence[Contrast] = ()) -> tuple[Section, ...]:
    """All parts that have something to show."""
    every = (
        *(contrast_sections.step(found, number) for number, found in enumerate(steps, start=1)),
        Section("layers", "") if findings is None else layer_sections.in_short(findings),
        streaming(verdict),
        study_map(verdict),
        arms(verdict),
        test(verdict),
        baselines(verdict),
        decided(verdict),
        notes(verdict),
        code(verdict),
        provenance(verdict),
    )
    return tuple(replace(section, folded=True) for section in every if not section.is_empty)


def test(verdict: Verdict) -> Section:
    """The advice on the test part."""
    return Section("test", "On the test part", tables=_some(tables.test(verdict)))


test.__test__ = False  # type: ignore[attr-defined]


def study_map(verdict: Verdict) -> Section:
    """The map."""
    said = ("Networks trained short, to choose where the race is held. An order of networks, and no evidence.",)
    chart = _chart("map", "Score against size, depth and sight", charts.study_map(verdict))
    return Section("map", "The map: size, depth and sight", said if chart else (), charts=chart)


def streaming(verdict: Verdict) -> Section:
    """What sight of the future buys."""
    ahead = _chart("look-ahead", "Loss by how many next steps are seen", charts.look_ahead(verdict))
    read = _chart("reading", "Loss by how much of the sequence was read", charts.reading(verdict))
    return Section("streaming", "If you must stream", charts=(*ahead, *read))


def arms(verdict: Verdict) -> Section:
    """Every arm of the race."""
    return Section("arms", "All arms of the race", tables=_some(tables.arms(verdict)))


def baselines(verdict: Verdict) -> Section:
    """Predictors without recurrence."""
    return Section("baselines", "Baselines without recurrence", tables=_some(tables.baselines(verdict)))


def decided(verdict: Verdict) -> Section:
    """The rule, the words, and a glossary."""
    lists = (Listed("The words of this sheet", rule.words(verdict)), Listed("Glossary", rule.glossary()))
    return Section("decided", "How it was decided, and what the words mean", rule.rule(verdict), lists)


def notes(verdict: Verdict) -> Section:
    """What was found in the data and done about it."""
    lists = (Listed("Warnings", verdict.warnings), Listed("Notes on the data", verdict.data.notes))
    return Section("notes", "Notes and warnings", lists=tuple(listed for listed in lists if listed.lines))


def code(verdict: Verdict) -> Section:
    """The advised network in plain torch."""
    spec = verdict.advice.spec
    if spec is None:
        return Section("code", "")
    said = ("The same layers in plain torch. It reads encoded features; `leadline predict` reads data as they are.",)
    return Section("code", "The network in plain torch.nn", said, code=rebuild.code(spec))


def provenance(verdict: Verdict) -> Section:
    """What is needed to run it again."""
    table = tables.pairs("What made this page", rule.run_facts(verdict))
    sentences = ("The command that made it:",) if verdict.command else ()
    return Section("provenance", "Versions, seed and command", sentences, tables=_some(table), code=verdict.command)


def _chart(key: str, title: str, spec: Spec | None) -> tuple[Chart, ...]:
    return () if spec is None else (Chart(key, title, spec),)


def _some(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)
