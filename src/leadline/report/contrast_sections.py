"""Two networks side by side as sections of a page: each is one function Contrast -> `Section`."""

from __future__ import annotations

from leadline.analysis.contrast import Contrast, Example, Lasting
from leadline.analysis.contrast_words import kind_name
from leadline.analysis.measured import Measured
from leadline.report import contrast_charts as charts
from leadline.report import figures
from leadline.report.drawing import Spec
from leadline.report.layer_look import figure_text
from leadline.report.layout import Chart, Column, Listed, Row, Section, Table

BROUGHT = {
    "deeper": "the added layer",
    "wider": "more units",
    "both_directions": "the second direction",
    "look_ahead": "sight of the next steps",
    "regularise": "regularisation",
    "readout": "the other readout",
    "other_cell": "the other cell",
}
FEW_KINDS, FEW_HELD, FEW_EXAMPLES = 8, 6, 4
MANY = 40
QUOTE = "The effect to quote is that of the sheet, which rests on more trainings."
KINDS_NOTE = (
    "Per cent wrong before and after, mean of the pairs. Beside it the change in points with its 95 % interval over "
    "seeds and examples."
)
SURE_NOTE = "Shown are kinds that differ with certainty: of all of them at most 5 % are expected to be false."
HELD_NOTE = (
    "A linear reader of the same number of principal components of every layer, scored on sequences that it was not "
    "fitted on, with 95 % intervals over seeds and sequences."
)


def step(found: Contrast, number: int) -> Section:
    """What one change brings: a section of the verdict's page."""
    return Section(
        f"brought-{number}",
        title(found),
        (f"From {found.first} to {found.second}. {found.sentences[0]}", *found.sentences[1:], QUOTE),
        _examples(found, FEW_EXAMPLES),
        charts=(*_kinds(found, FEW_KINDS, f"kinds-{number}"), *_held(found, FEW_HELD, f"held-{number}")),
    )


def title(found: Contrast) -> str:
    """What the step changed, as a title.

    >>> made = Contrast(first="a", second="b", move="deeper+wider", seeds=(1,), targets=9, score_unit="",
    ...     gain=Measured(value=1))
    >>> title(made)
    'What the added layer and more units brought'
    """
    if not found.move:
        return f"{found.first} and {found.second}"
    parts = [BROUGHT.get(part, part.replace("_", " ")) for part in found.move.split("+")]
    return f"What {' and '.join(parts)} brought"


def build(found: Contrast) -> tuple[Section, ...]:
    """All sections of a page of its own that have something to show."""
    said = Section("said", "In words", found.sentences[1:], _examples(found, MANY))
    kinds = Section("kinds", "Errors by kind", charts=_kinds(found, 2 * FEW_KINDS, "kinds"))
    held = Section("held", "What the layers hold", charts=_held(found, 2 * FEW_HELD, "held"))
    lasting = Section("lasting", "How long they remember", tables=_some(_life_table(found)))
    every = (said, kinds, held, lasting, notes(found))
    return tuple(section for section in every if not section.is_empty)


def notes(found: Contrast) -> Section:
    """What was looked at."""
    again = found.trained_again
    lines = (
        f"{figures.plural(len(found.seeds), 'pair')} of networks that share seed, split and order of data, on "
        f"{found.targets:,} targets of the dev part.",
        f"{figures.plural(again, 'network')} trained again from the ledger's recipe and seed." if again else "",
        "" if found.reproduced else "The networks trained again do not give the ledger's dev scores.",
        "Whether the step pays is the verdict's to say, which holds more pairs and a margin; this page says in what.",
        "A layer that holds more is not shown to be the cause of fewer errors.",
    )
    return Section("notes", "How it was measured", tuple(line for line in lines if line))


def _kinds(found: Contrast, most: int, key: str) -> tuple[Chart, ...]:
    sure = any(kind.sure != "open" for kind in found.kinds)
    note = f"{KINDS_NOTE} {SURE_NOTE}" if sure else KINDS_NOTE
    return _chart(key, "Errors by kind, before and after", charts.kinds(found, most), note, _kind_table(found))


def _held(found: Contrast, most: int, key: str) -> tuple[Chart, ...]:
    return _chart(
        key, "What is read from the layers, before and after", charts.held(found, most), HELD_NOTE, _held_table(found)
    )


def _chart(key: str, name: str, spec: Spec | None, note: str, table: Table | None) -> tuple[Chart, ...]:
    return () if spec is None else (Chart(key, name, spec, table, note),)


def _some(table: Table | None) -> tuple[Table, ...]:
    return () if table is None else (table,)


def _examples(found: Contrast, most: int) -> tuple[Listed, ...]:
    named = (("For example become right", found.fixed), ("For example become wrong", found.broken))
    return tuple(Listed(name, tuple(example(one) for one in some[:most])) for name, some in named if some)


def example(one: Example) -> str:
    """A target in its place, with the answers of both."""
    return f"{one.before}[{one.here}]{one.after}: {one.target}; answered {one.first} before, {one.second} after"


def _kind_table(found: Contrast) -> Table:
    rows = tuple(
        Row(
            (
                kind_name(kind),
                f"{kind.targets:,}",
                f"{kind.first:.1f}",
                f"{kind.second:.1f}",
                figure_text(kind.removed),
                {"more": "removed", "less": "added", "open": "open"}[kind.sure],
            )
        )
        for kind in found.kinds[:MANY]
    )
    titles = ("Kind", "Targets", "% wrong before", "% wrong after", "Points removed", "With certainty")
    return Table("Errors by kind", tuple(Column(t, numeric=1 <= i <= 4) for i, t in enumerate(titles)), rows)


def _held_table(found: Contrast) -> Table:
    before, after = _layers(found)
    rows = tuple(
        Row(
            (
                held.annotation,
                held.unit,
                *(figure_text(score) for score in held.first),
                *(figure_text(score) for score in held.second),
                figure_text(held.gain),
                held.sure,
            )
        )
        for held in found.held[:MANY]
    )
    columns = (
        Column("Annotation"),
        Column("Unit"),
        *(Column(f"Before, layer {i + 1}", numeric=True) for i in range(before)),
        *(Column(f"After, layer {i + 1}", numeric=True) for i in range(after)),
        Column("Top layers, difference", numeric=True),
        Column("With certainty"),
    )
    return Table("Probe scores by layer", columns, rows)


def _layers(found: Contrast) -> tuple[int, int]:
    return len(found.held[0].first) if found.held else 0, len(found.held[0].second) if found.held else 0


def _life_table(found: Contrast) -> Table | None:
    rows = tuple(row for lasting in found.lasting for row in _life_rows(lasting, found))
    columns = (Column("Input replaced"), Column("Network", wide=True), Column("Layer"), Column("Half-life", True))
    return Table("Half-lives in steps, 95 % intervals over seeds", columns, rows) if rows else None


def _life_rows(lasting: Lasting, found: Contrast) -> list[Row]:
    which = "earlier" if lasting.side == "back" else "later"
    return [
        Row((which, f"{when}, {name}", f"{layer}", _life(life)))
        for when, name, lives in (("before", found.first, lasting.first), ("after", found.second, lasting.second))
        for layer, life in enumerate(lives, start=1)
    ]


def _life(life: Measured | None) -> str:
    return "longer than could be seen" if life is None else figure_text(life, 2)
