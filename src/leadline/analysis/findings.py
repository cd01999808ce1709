"""`Findings`: what was measured in the layers of one network; `findings.json` is this record. No torch here.

Layers count from 1, the lowest; layer 0 is what layer 1 reads. Every figure that could be owed to the data or to
chance stands beside its control: the untrained twin, random labels, or a permutation.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leadline.analysis.lasting import History, Memory, Reach, Spectrum
from leadline.analysis.leafing import Reader
from leadline.analysis.measured import Against, Direction, Document, Finding, Measured
from leadline.records.trial import Kind

SCHEMA = "leadline.findings/2"


class Looked(Finding):
    """What was looked at.

    Args:
        network: the network in words.
        data: title of the data.
        kind: kind of target.
        cell: the recurrence.
        num_layers, hidden_size, bidirectional: of the stack.
        sequences, steps: size of the sample.
        components: principal components that every probe reads.
        twins: untrained networks beside it.
        seed: of the sample, the twins and the controls.
        score_unit: unit of the network's score.
        score: the network's own score on the sample; None where only its layers are known.
        fingerprint: of the data.
    """

    network: str
    data: str
    kind: Kind
    cell: str
    num_layers: int
    hidden_size: int
    bidirectional: bool
    sequences: int
    steps: int
    components: int
    twins: int
    seed: int
    score_unit: str
    score: Measured | None = None
    fingerprint: str = ""


class Bin(Finding):
    """A score in a part of the steps: a distance, a position, a class."""

    name: str
    score: Measured
    rows: int


class Probe(Finding):
    """What a small linear reader gets out of a layer.

    Args:
        annotation: what it was asked for.
        origin: "derived" for any data, "data set", "file", or "lag" for an input so many steps away.
        layer, direction: what it reads; layer 0 is the network's input.
        unit: "% right", or "% of variance" for a number.
        rows: steps or sequences that have the annotation.
        score: on sequences that the reader was not fitted on.
        constant: score of the best constant answer.
        control: mean score of the same reader on random labels, one for each type of input.
        selectivity: score minus control.
        untrained: mean score of the same reader on the untrained twins.
        gain: score minus untrained.
        over_below: score minus that of the layer below, the same directions.
        bits: online code length per row, in bits, of numbers to a hundredth of their standard deviation; None where it
            was not taken.
        untrained_bits: the same for the first twin.
        lag: for an input so many steps away: negative is earlier.
        distances: score by distance, where the annotation refers to another step.
        gains: `over_below` by distance.
        positions: score by third of the sequence.
        supported: selectivity and gain lie above zero at the level that all probes together need.
        against_untrained: what `gain` says at that level.
        against_below: what `over_below` says at that level.
    """

    annotation: str
    origin: str
    layer: int
    direction: Direction
    unit: str
    rows: int
    score: Measured
    constant: float
    control: Measured | None = None
    selectivity: Measured | None = None
    untrained: float | None = None
    gain: Measured | None = None
    over_below: Measured | None = None
    bits: float | None = None
    untrained_bits: float | None = None
    lag: int | None = None
    distances: tuple[Bin, ...] = ()
    gains: tuple[Bin, ...] = ()
    positions: tuple[Bin, ...] = ()
    supported: bool = False
    against_untrained: Against = "open"
    against_below: Against = "open"


class Share(Finding):
    """Parts of a layer's state variance, in per cent of it, that add up to 100.

    Args:
        layer: the layer.
        untrained: whether this is the untrained twin.
        current: the current input alone.
        others: each other input of the window alone, added up.
        beyond: everything outside of the window, as one.
        pairs, triples, more: what only two, three, or more inputs together explain.
        window: steps before and after the current one that are taken apart.
    """

    layer: int
    untrained: bool
    current: Measured
    others: Measured
    beyond: Measured
    pairs: Measured
    triples: Measured
    more: Measured
    window: tuple[int, int]


class Ablation(Finding):
    """What breaks without a layer; `used` and `adds` in the unit of the score, the exits in per cent right, or in
    per cent of the target's variance where it is a number.

    Args:
        layer: the layer.
        used: score lost where its states are those of another sequence.
        adds: score lost where the layer is replaced by a linear map of what it reads, fitted to its states.
        exit_score: score of a linear readout fitted to this layer's states.
        exit_gain: the same minus that of the layer below.
    """

    layer: int
    used: Measured | None
    adds: Measured | None
    exit_score: Measured | None
    exit_gain: Measured | None


class ErrorKind(Finding):
    """Errors that a readout of this layer makes no more, and the layer below still did, by kind.

    Args:
        layer: the layer.
        grouping: "position", "class", "rarity" or the name of an annotation.
        group: which of them.
        rows: targets in the group.
        below, here: per cent wrong.
        removed: below minus here.
    """

    layer: int
    grouping: str
    group: str
    rows: int
    below: float
    here: float
    removed: Measured


class Similarity(Finding):
    """Debiased linear CKA of two sets of states: 1 for alike up to rotation and scale, about 0 for unrelated.

    Args:
        first, second: what is held against each other.
        cka: the estimate.
        interval: 95 %, over sequences; None for too few of them.
    """

    first: str
    second: str
    cka: float
    interval: tuple[float, float] | None = None


class Shape(Finding):
    """How a layer uses its units.

    Args:
        layer, direction: the layer.
        dimension: participation ratio of the states' covariance.
        untrained_dimension: mean of the twins.
        units: how many there are.
        dead: units that hardly move.
        saturated: name of a gate to the per cent of its values below .1 or above .9.
        untrained_saturated: the same for the first twin.
    """

    layer: int
    direction: Direction
    dimension: float
    untrained_dimension: float
    units: int
    dead: int
    saturated: dict[str, float] = Field(default_factory=dict)
    untrained_saturated: dict[str, float] = Field(default_factory=dict)


class Unit(Finding):
    """A unit that carries an annotation.

    Args:
        layer, direction, unit: which; units count from 0 within their direction.
        annotation: what its state goes with.
        share: per cent of its variance between the annotation's classes, or shared with the number.
        chance: the largest share that any unit of this layer has with labels of other sequences, mean of
            permutations.
        untrained: the largest share of any unit of the twins' same layer.
        examples: what drives it most: (text before, step, text after, state).
    """

    layer: int
    direction: Direction
    unit: int
    annotation: str
    share: float
    chance: float
    untrained: float
    examples: tuple[tuple[str, str, str, float], ...] = ()


class Sentence(Finding):
    """A finding in words, with the section that it belongs to."""

    about: str
    text: str


class Findings(Document):
    """Everything."""

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    looked: Looked
    sentences: tuple[Sentence, ...] = ()
    probes: tuple[Probe, ...] = ()
    shares: tuple[Share, ...] = ()
    memory: tuple[Memory, ...] = ()
    gradients: tuple[Reach, ...] = ()
    spectra: tuple[Spectrum, ...] = ()
    history: tuple[History, ...] = ()
    ablation: tuple[Ablation, ...] = ()
    errors: tuple[ErrorKind, ...] = ()
    similarity: tuple[Similarity, ...] = ()
    shapes: tuple[Shape, ...] = ()
    units: tuple[Unit, ...] = ()
    reader: Reader | None = None
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
