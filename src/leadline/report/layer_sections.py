"""The sections of the page on layers, in its order: each is one function Findings -> `Section`."""

from __future__ import annotations

from leadline.analysis.findings import Findings
from leadline.report import distance_chart, layer_tables, memory_charts, probe_charts
from leadline.report import layer_charts as charts
from leadline.report.drawing import Spec
from leadline.report.layout import Chart, Column, Row, Section, Table

DISTANCE_NOTE = "By how far away lies the step that the annotation refers to; above the line the layer adds something."
MORE = "More, with all controls, stands in layers.html beside this page."


def build(found: Findings) -> tuple[Section, ...]:
    """All sections that have something to show."""
    every = (
        leaf_through(found),
        readable(found),
        remembered(found),
        combined(found),
        reach(found),
        breaks(found),
        alike(found),
        units(found),
        notes(found),
    )
    return tuple(section for section in every if not section.is_empty)


def in_short(found: Findings) -> Section:
    """One section of the verdict's page: every sentence, and the three drawings that say most."""
    parts = (readable(found), remembered(found), combined(found))
    drawn = tuple(chart for part in parts for chart in part.charts[:1])
    sentences = tuple(sentence.text for sentence in found.sentences)
    return Section("layers", "What each layer has learned", (*sentences, MORE), charts=drawn)


def said(found: Findings, *about: str) -> tuple[str, ...]:
    """The sentences of a section."""
    return tuple(sentence.text for sentence in found.sentences if sentence.about in about)


def readable(found: Findings) -> Section:
    """Probes."""
    note = (
        f"A linear reader of {found.looked.components} principal components of the states, scored on sequences that it "
        "was not fitted on, with 95 % intervals. The upright tick is the same reader on untrained networks, the cross "
        "on random labels. A trained layer tells something only where its point lies right of both."
    )
    lag_note = "Solid: trained. Dashed: untrained. Dotted: the best constant answer."
    drawn = (
        *_chart(
            "probes",
            "What is read from each layer",
            probe_charts.probes(found, "% right"),
            note,
            layer_tables.probes(found),
        ),
        *_chart("numbers", "Numbers that are read from each layer", probe_charts.probes(found, "% of variance"), note),
        *_chart("distances", "What each layer gains by distance", distance_chart.gains(found), DISTANCE_NOTE),
        *_chart("lags", "How well an input is read so many steps away", probe_charts.lags(found), lag_note),
    )
    tables = distance_chart.tables(found)
    return Section("readable", "What is readable where", said(found, "readable"), charts=drawn, tables=tables)


def remembered(found: Findings) -> Section:
    """Half-lives."""
    note = "Solid: trained. Dashed: untrained. Dotted: half."
    rule = (
        "Until half of the largest difference is left, with 95 % intervals; the upright tick is the untrained network."
    )
    drawn = (
        *_chart(
            "half-lives",
            "How long a difference lasts",
            memory_charts.half_lives(found),
            rule,
            layer_tables.memory(found),
        ),
        *_chart(
            "back",
            "An earlier input is replaced: what is left of the difference",
            memory_charts.decay(found, "back"),
            note,
        ),
        *_chart(
            "ahead",
            "A later input is replaced: what is left of the difference",
            memory_charts.decay(found, "ahead"),
            note,
        ),
    )
    return Section("memory", "How long each layer remembers", said(found, "memory"), charts=drawn)


def combined(found: Findings) -> Section:
    """Variance shares."""
    note = (
        "Inputs are swapped one by one between two sequences. What changes with one input alone counts for it; what "
        "only two or three together explain counts for pairs and triples. A layer that adds its inputs up has neither."
    )
    drawn = _chart("shares", "What the states are made of", charts.shares(found), note, layer_tables.shares(found))
    return Section("combined", "What is combined", said(found, "combined"), charts=drawn)


def reach(found: Findings) -> Section:
    """Gradients and history."""
    note = "The gradient of the loss at one step, at every state on the way, over its size at that step."
    drawn = (
        *_chart("gradient", "How far the gradient reaches", charts.gradient(found), note, layer_tables.gradient(found)),
        *_chart("history", "How much of the sequence the score needs", charts.history(found)),
    )
    return Section(
        "reach", "How far it reaches", said(found, "reach"), charts=drawn, tables=_some(layer_tables.spectra(found))
    )


def breaks(found: Findings) -> Section:
    """Ablation and kinds of error."""
    note = (
        "Two questions. Used: the layer's states come from another sequence. Adds something: the layer is replaced by "
        "a linear map of what it reads, fitted to its states on other sequences."
    )
    kinds = "A linear readout of each layer, fitted on other sequences: per cent wrong by kind of target."
    drawn = (
        *_chart("ablation", "What breaks without a layer", charts.ablation(found), note),
        *_chart("errors", "Errors that the top layer removes", charts.errors(found), kinds),
    )
    return Section("breaks", "What breaks without it", said(found, "breaks", "errors"), charts=drawn)


def leaf_through(found: Findings) -> Section:
    """The reader."""
    if found.reader is None or not found.reader.sequences:
        return Section("reader", "")
    sentence = (
        f"{len(found.reader.sequences)} sequences with every state. Choose one; touch a step to see what it depends on "
        "and where its input goes; touch a unit to see where else it fires. Arrow keys move over steps and units."
    )
    return Section("reader", "Read along", (sentence,), reader=found.reader.model_dump_json())


def alike(found: Findings) -> Section:
    """Similarity and shape."""
    note = "Debiased linear CKA: 1 where the states are the same up to rotation and scale, 0 where they are unrelated."
    drawn = _chart("similarity", "How alike the layers are", charts.similarity(found), note)
    return Section("alike", "Alike or not", charts=drawn, tables=_some(layer_tables.shapes(found)))


def units(found: Findings) -> Section:
    """The gallery."""
    rows = tuple(
        Row(
            (
                f"{unit.layer}",
                f"{unit.unit}" if unit.direction == "all" else f"{unit.unit}, {unit.direction}",
                unit.annotation,
                f"{unit.share:.0f}",
                f"{unit.chance:.0f}",
                f"{unit.untrained:.0f}",
                "   ".join(f"{before}[{here}]{after}" for before, here, after, _ in unit.examples[:5]),
            )
        )
        for unit in found.units
    )
    if not rows:
        return Section("units", "Single units")
    titles = ("Layer", "Unit", "Goes with", "% shared", "By chance", "Untrained", "Where it moves most")
    columns = tuple(Column(title, numeric=3 <= i <= 5, wide=i == 6) for i, title in enumerate(titles))
    caption = (
        "Units that go with an annotation more than any unit does with the labels of other sequences, and more than "
        "any untrained unit does: per cent of the unit's variance."
    )
    return Section("units", "Single units", tables=(Table(caption, columns, rows),))


def notes(found: Findings) -> Section:
    """What was looked at, and with what."""
    looked = found.looked
    lines = (
        f"{looked.network} on {looked.data}: {looked.sequences:,} sequences, {looked.steps:,} steps; "
        f"{looked.twins} untrained networks of the same spec beside it; seed {looked.seed}.",
        *found.notes,
        "A property can be readable and unused: read probe, controls and ablation together.",
        ", ".join(f"{name} {version}" for name, version in found.versions.items()),
    )
    return Section("notes", "How it was measured", tuple(line for line in lines if line))


def _chart(key: str, title: str, spec: Spec | None, note: str = "", table: Table | None = None) -> tuple[Chart, ...]:
    return () if spec is None else (Chart(key, title, spec, table, note),)


def _some(*tables: Table | None) -> tuple[Table, ...]:
    return tuple(table for table in tables if table is not None)
