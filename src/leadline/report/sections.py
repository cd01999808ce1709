"""The sections of the page, in its order: each is one function Verdict -> `Section`."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings
from leadline.records.verdict import Verdict
from leadline.report import (
    charts,
    contrast_sections,
    effect_charts,
    explain,
    layer_sections,
    path_words,
    rebuild,
    rule_words,
    screening_words,
    streaming_words,
    tables,
    turning_words,
    words,
)
from leadline.report.drawing import Spec
from leadline.report.layout import Chart, Listed, Section, Table


def build(verdict: Verdict, findings: Findings | None = None, steps: Sequence[Contrast] = ()) -> tuple[Section, ...]:
    """All sections that have something to show."""
    every = (
        test(verdict),
        path(verdict),
        *(contrast_sections.step(found, number) for number, found in enumerate(steps, start=1)),
        settled(verdict),
        square(verdict),
        streaming(verdict),
        width_and_depth(verdict),
        bias_and_variance(verdict),
        moves(verdict),
        Section("layers", "") if findings is None else layer_sections.in_short(findings),
        arms(verdict),
        baselines(verdict),
        decided(verdict),
        notes(verdict),
        code(verdict),
        provenance(verdict),
    )
    return tuple(section for section in every if not section.is_empty)


def test(verdict: Verdict) -> Section:
    """The advice on the test part."""
    chart = _chart("test", explain.test_title(verdict), charts.test(verdict))
    table = _some(tables.test(verdict))
    return Section("test", "What it reaches, and what it costs", words.cost(verdict), charts=chart, tables=table)


test.__test__ = False  # type: ignore[attr-defined]


def path(verdict: Verdict) -> Section:
    """The way to the advice."""
    chart = _chart("path", explain.path_title(verdict), charts.path(verdict))
    return Section("path", "The path", lists=_lists(Listed("", path_words.path(verdict), ordered=True)), charts=chart)


def settled(verdict: Verdict) -> Section:
    """What is ruled out at the end of the path, and what is open."""
    lists = _lists(
        Listed(explain.ruled_out_title(verdict), path_words.ruled_out(verdict)),
        Listed(explain.FAILED, path_words.could_not_train(verdict)),
        Listed(explain.OPEN, path_words.still_open(verdict)),
        Listed(screening_words.TITLE, screening_words.screening(verdict)),
        Listed(turning_words.TITLE, turning_words.turning(verdict)),
    )
    sentence = "This holds at the network where the path ends; from another network a move may pay."
    return Section("settled", "Ruled out, and still open", (sentence,) if lists else (), lists)


def square(verdict: Verdict) -> Section:
    """Depth and direction, apart and together."""
    corners = _chart("square", "The four corners", charts.square(verdict), tables.square(verdict))
    effects = _chart(
        "square-depth",
        explain.square_title(verdict),
        effect_charts.square_depth(verdict),
        note=explain.lines(verdict),
    )
    lists = _lists(Listed("", explain.square_effects(verdict)))
    title = "Depth and direction together"
    return Section("square", title, explain.square(verdict), lists, charts=(*effects, *corners))


def streaming(verdict: Verdict) -> Section:
    """What sight of the future buys."""
    ahead = _chart(
        "look-ahead",
        explain.look_ahead_title(verdict),
        charts.look_ahead(verdict),
        tables.look_ahead(verdict),
    )
    read = _chart("reading", explain.reading_title(verdict), charts.reading(verdict), tables.reading(verdict))
    lists = _lists(Listed("", streaming_words.streaming(verdict)))
    return Section("streaming", "If you must stream", lists=lists, charts=(*ahead, *read))


def width_and_depth(verdict: Verdict) -> Section:
    """The same parameters spent on width and on depth."""
    chart = _chart(
        "width-depth",
        explain.width_depth_title(verdict),
        effect_charts.width_and_depth(verdict),
        note=explain.lines(verdict),
    )
    return Section("width-depth", "Width against depth", explain.width_and_depth(verdict), charts=chart)


def bias_and_variance(verdict: Verdict) -> Section:
    """Training, tune and dev loss, and how a low training loss goes with "deeper"."""
    chart = _chart("bias", explain.bias_title(verdict), charts.bias_and_variance(verdict), tables.diagnosis(verdict))
    said = _lists(Listed("At each network on the path", explain.diagnoses(verdict)))
    return Section("bias", "Bias and variance", explain.low_training_loss(verdict), said, chart)


def moves(verdict: Verdict) -> Section:
    """Every move with its decision."""
    chart = _chart(
        "moves", explain.moves_title(verdict), effect_charts.moves(verdict), note=explain.moves_note(verdict)
    )
    return Section("moves", "Every move that was considered", charts=chart, tables=_some(tables.moves(verdict)))


def arms(verdict: Verdict) -> Section:
    """Every network."""
    return Section("arms", "The networks", tables=_some(tables.arms(verdict)))


def baselines(verdict: Verdict) -> Section:
    """Predictors without recurrence."""
    return Section("baselines", "Baselines without recurrence", tables=_some(tables.baselines(verdict)))


def decided(verdict: Verdict) -> Section:
    """The rule and its numbers."""
    table = tables.pairs("The numbers behind the rule", rule_words.rule_facts(verdict))
    return Section("decided", "How it was decided", rule_words.rule(verdict), tables=_some(table))


def notes(verdict: Verdict) -> Section:
    """What was found in the data and done about it."""
    lists = _lists(Listed("Warnings", verdict.warnings), Listed("Notes on the data", verdict.data.notes))
    return Section("notes", "Notes and warnings", lists=lists)


def code(verdict: Verdict) -> Section:
    """The advised network in plain torch."""
    spec = rebuild.advised_spec(verdict)
    if spec is None:
        return Section("code", "")
    return Section("code", "The network in plain torch.nn", explain.code(verdict, spec), code=rebuild.code(spec))


def provenance(verdict: Verdict) -> Section:
    """What is needed to run it again."""
    table = tables.pairs("What made this page", explain.run_facts(verdict))
    sentences = ("The command that made it:",) if verdict.command else ()
    return Section("provenance", "Versions, seed and command", sentences, tables=_some(table), code=verdict.command)


def _chart(key: str, title: str, spec: Spec | None, numbers: Table | None = None, note: str = "") -> tuple[Chart, ...]:
    return () if spec is None else (Chart(key, title, spec, numbers, note),)


def _some(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)


def _lists(*lists: Listed) -> tuple[Listed, ...]:
    return tuple(listed for listed in lists if listed.lines)
