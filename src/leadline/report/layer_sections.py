"""The sections of the page on layers, in its order: each is one function Findings -> `Section`."""

from __future__ import annotations

from leadline.analysis.findings import Findings, Probe
from leadline.report import distance_chart
from leadline.report import layer_charts as charts
from leadline.report.drawing import Spec
from leadline.report.layer_charts import figure_text, layer_name
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
        *_chart("probes", "What is read from each layer", charts.probes(found, "% right"), note, _probe_table(found)),
        *_chart("numbers", "Numbers that are read from each layer", charts.probes(found, "% of variance"), note),
        *_chart("distances", "What each layer gains by distance", distance_chart.gains(found), DISTANCE_NOTE),
        *_chart("lags", "How well an input is read so many steps away", charts.lags(found), lag_note),
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
        *_chart("half-lives", "How long a difference lasts", charts.half_lives(found), rule, _memory_table(found)),
        *_chart(
            "back", "An earlier input is replaced: what is left of the difference", charts.decay(found, "back"), note
        ),
        *_chart(
            "ahead", "A later input is replaced: what is left of the difference", charts.decay(found, "ahead"), note
        ),
    )
    return Section("memory", "How long each layer remembers", said(found, "memory"), charts=drawn)


def combined(found: Findings) -> Section:
    """Variance shares."""
    note = (
        "Inputs are swapped one by one between two sequences. What changes with one input alone counts for it; what "
        "only two or three together explain counts for pairs and triples. A layer that adds its inputs up has neither."
    )
    drawn = _chart("shares", "What the states are made of", charts.shares(found), note, _share_table(found))
    return Section("combined", "What is combined", said(found, "combined"), charts=drawn)


def reach(found: Findings) -> Section:
    """Gradients and history."""
    note = "The gradient of the loss at one step, at every state on the way, over its size at that step."
    drawn = (
        *_chart("gradient", "How far the gradient reaches", charts.gradient(found), note, _gradient_table(found)),
        *_chart("history", "How much of the sequence the score needs", charts.history(found)),
    )
    return Section(
        "reach", "How far it reaches", said(found, "reach"), charts=drawn, tables=_some(_spectrum_table(found))
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
    return Section("alike", "Alike or not", charts=drawn, tables=_some(_shape_table(found)))


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


def _probe_table(found: Findings) -> Table | None:
    rows = tuple(_probe_row(p) for p in found.probes if p.origin != "lag")
    if not rows:
        return None
    titles = ("Annotation", "Layer", "Unit", "Score", "Random labels", "Untrained", "Gain", "Bits", "Bits, untrained")
    columns = tuple(Column(title, numeric=i >= 3) for i, title in enumerate(titles))
    return Table("Probes", columns, rows)


def _probe_row(probe: Probe) -> Row:
    place = layer_name(probe.layer) if probe.direction == "all" else f"{layer_name(probe.layer)}, {probe.direction}"
    return Row(
        (
            probe.annotation,
            place,
            probe.unit,
            figure_text(probe.score),
            "" if probe.control is None else figure_text(probe.control),
            "" if probe.untrained is None else f"{probe.untrained:.1f}",
            "" if probe.gain is None else figure_text(probe.gain),
            "" if probe.bits is None else f"{probe.bits:.2f}",
            "" if probe.untrained_bits is None else f"{probe.untrained_bits:.2f}",
        )
    )


def _memory_table(found: Findings) -> Table | None:
    rows = []
    for one in found.memory:
        life = f"more than {one.beyond}" if one.half_life is None else f"{one.half_life:.2f}"
        ends = (
            "" if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}".replace("inf", "longer")
        )
        twin = f"more than {one.untrained_beyond}" if one.untrained is None else f"{one.untrained:.2f}"
        gate = "" if one.gates is None else f"{one.gates:.2f}"
        spread = ", ".join(f"{count} at {name}" for name, count in one.units if count)
        kind = "input replaced" if one.kind == "driven" else "own state moved"
        rows.append(Row((layer_name(one.layer), one.direction, one.side, kind, life, ends, twin, gate, spread)))
    if not rows:
        return None
    titles = ("Layer", "Units", "Side", "What", "Half-life", "95 %", "Untrained", "Gates promise", "Units by half-life")
    columns = tuple(Column(title, numeric=4 <= i <= 7, wide=i == 8) for i, title in enumerate(titles))
    return Table("Half-lives in steps", columns, tuple(rows))


def _share_table(found: Findings) -> Table | None:
    rows = tuple(
        Row(
            (
                f"layer {s.layer}{', untrained' if s.untrained else ''}",
                *(figure_text(getattr(s, field)) for field, _, _ in charts.PARTS),
            )
        )
        for s in found.shares
    )
    columns = (Column("Layer"), *(Column(name, numeric=True) for _, name, _ in charts.PARTS))
    return Table("Per cent of the state's variance", columns, rows) if rows else None


def _gradient_table(found: Findings) -> Table | None:
    lags = sorted({lag for reach in found.gradients for lag, _ in reach.norms})
    shown = [lag for lag in lags if lag in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)]
    rows = []
    for one in found.gradients:
        for which, norms in (("trained", dict(one.norms)), ("untrained", dict(one.untrained))):
            figures = (f"{norms[lag]:.2g}" if lag in norms else "" for lag in shown)
            if norms:
                rows.append(
                    Row((layer_name(one.layer), one.side, which, *figures, one.reading if which == "trained" else ""))
                )
    columns = (
        Column("Layer"),
        Column("Side"),
        Column("Network"),
        *(Column(f"{lag}", numeric=True) for lag in shown),
        Column(""),
    )
    return Table("Share of the gradient left, by steps from the loss", columns, tuple(rows)) if rows else None


def _spectrum_table(found: Findings) -> Table | None:
    lags = [lag for lag in (1, 2, 4, 8, 16, 32, 64) if any(lag == v[0] for s in found.spectra for v in s.values)]
    rows = []
    for one in found.spectra:
        for which, values in (("trained", one.values), ("untrained", one.untrained)):
            known = {lag: f"{high:.2g}, {low:.2g}" for lag, high, low in values}
            if known:
                name = layer_name(one.layer) if one.direction == "all" else f"{layer_name(one.layer)}, {one.direction}"
                rows.append(Row((name, which, *(known.get(lag, "") for lag in lags))))
    columns = (
        Column("Layer"),
        Column("Network"),
        *(Column("1 step" if lag == 1 else f"{lag} steps", numeric=True) for lag in lags),
    )
    caption = "Largest and smallest singular value of the product of a layer's Jacobians, by lag"
    return Table(caption, columns, tuple(rows)) if rows and lags else None


def _shape_table(found: Findings) -> Table | None:
    rows = tuple(
        Row(
            (
                layer_name(s.layer) if s.direction == "all" else f"{layer_name(s.layer)}, {s.direction}",
                f"{s.dimension:.1f} of {s.units}",
                f"{s.untrained_dimension:.1f}",
                f"{s.dead}",
                ", ".join(f"{name} {share:.0f} %" for name, share in s.saturated.items()),
                ", ".join(f"{name} {share:.0f} %" for name, share in s.untrained_saturated.items()),
            )
        )
        for s in found.shapes
    )
    titles = ("Layer", "Effective dimension", "Untrained", "Dead units", "Gates near 0 or 1", "Untrained")
    columns = tuple(Column(title, numeric=1 <= i <= 3) for i, title in enumerate(titles))
    caption = "How the units are used; a gate is near 0 or 1 below .1 or above .9"
    return Table(caption, columns, rows) if rows else None
