"""`Contrast`: what differs between two networks of a study, over pairs that share seed and data. No torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leadline.analysis.measured import Against, Document, Finding, Measured, Side

SCHEMA = "leadline.contrast/2"
STEPS_SCHEMA = "leadline.steps/1"


class Example(Finding):
    """A target that one network has right and the other has not, in at least two of three pairs.

    Args:
        before, here, after: the step with what stands around it; for one target per sequence all of it in `here`.
        target: the right answer.
        first, second: the answers of the two; over several seeds the most frequent one.
    """

    before: str
    here: str
    after: str
    target: str
    first: str
    second: str


class Kind(Finding):
    """Errors of one kind in both networks.

    Args:
        grouping: "position", "class", "rarity" or the name of an annotation.
        group: which of them.
        targets: targets in the group.
        first, second: per cent wrong.
        removed: first minus second.
        sure: what `removed` says where at most 5 % of all kinds named may be false (Benjamini & Hochberg 1995).
    """

    grouping: str
    group: str
    targets: int
    first: float
    second: float
    removed: Measured
    sure: Against = "open"


class Held(Finding):
    """How well the same thing is read from the layers of both, on the same number of principal components.

    Args:
        annotation: what was asked for.
        unit: "% right", or "% of variance" for a number.
        rows: steps or sequences that have it.
        first, second: scores by layer, layer 1 first.
        gain: the second's top layer minus the first's.
        sure: what `gain` says where at most 5 % of all annotations named may be false.
    """

    annotation: str
    unit: str
    rows: int
    first: tuple[Measured, ...]
    second: tuple[Measured, ...]
    gain: Measured
    sure: Against = "open"


class Lasting(Finding):
    """Half-lives of an input in the layers of both, in steps; None where a network never came down to half.

    Args:
        side: "back" for what earlier inputs left, "ahead" for what later ones did.
        first, second: by layer, layer 1 first; the interval is over seeds.
        gain: the second's top layer minus the first's.
    """

    side: Side
    first: tuple[Measured | None, ...]
    second: tuple[Measured | None, ...]
    gain: Measured | None = None


class Contrast(Document):
    """Two networks side by side.

    Args:
        first, second: their names.
        move: the step of the study that leads from one to the other; empty where it is none.
        seeds: of the pairs that were looked at.
        trained_again: how many networks were trained again, because the run did not keep them.
        reproduced: whether those give the dev scores that the ledger holds.
        targets: dev targets that were looked at.
        gain: score of the second minus that of the first, mean of the pairs.
        removed, added: per cent of targets that only the second, only the first has right.
        exchanged: per cent that two trainings of the first exchange, one way, where only the seed differs; None for
            one pair.
        kinds: errors by kind; those first where most errors more, or fewer, went than by the average.
        fixed, broken: examples of what the second got right, and of what it lost.
        held: probes side by side.
        lasting: half-lives side by side.
        sentences: the same in words.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    first: str
    second: str
    move: str = ""
    seeds: tuple[int, ...]
    trained_again: int = 0
    reproduced: bool = True
    targets: int
    score_unit: str
    gain: Measured
    removed: Measured | None = None
    added: Measured | None = None
    exchanged: float | None = None
    kinds: tuple[Kind, ...] = ()
    fixed: tuple[Example, ...] = ()
    broken: tuple[Example, ...] = ()
    held: tuple[Held, ...] = ()
    lasting: tuple[Lasting, ...] = ()
    sentences: tuple[str, ...] = ()


class Steps(Document):
    """What the steps of a path brought: `steps.json`.

    Args:
        fingerprint: of the data.
        steps: one for each step that was looked into, in the order of the path.
    """

    schema_: Annotated[str, Field(alias="schema")] = STEPS_SCHEMA
    fingerprint: str
    steps: tuple[Contrast, ...]
