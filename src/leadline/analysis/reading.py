"""What is readable where: probes of every layer and direction, each beside its controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.analysis import estimates
from leadline.analysis.annotations import Annotation, controls, owners, steps_from_start, types
from leadline.analysis.capture import Captured, Place, places, sequence_rows, step_rows
from leadline.analysis.codelength import bits_of_numbers, bits_per_row
from leadline.analysis.findings import Bin, Probe
from leadline.analysis.measured import Direction
from leadline.analysis.probes import FEWEST_ROWS, Answers, constant_score, folds_of, row_scores, whitened
from leadline.analysis.sample import Sample
from leadline.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMPONENTS = 64
CONTROL_SEEDS = 3
CODE_ROWS = 2000
FEWEST_IN_BIN = 60
DISTANCES = ((1, 1), (2, 2), (3, 4), (5, 7), (8, 10_000))
THIRDS = ("first third", "middle third", "last third")


@dataclass(frozen=True, eq=False)
class Views:
    """Whitened states of network and twins, by place: one row per step, and one per sequence."""

    sample: Sample
    places: tuple[Place, ...]
    components: int
    steps: tuple[dict[Place, Floats], ...]
    wholes: tuple[dict[Place, Floats], ...]


@dataclass(frozen=True, eq=False)
class Asked:
    """An annotation with the rows that have it.

    Args:
        annotation: the annotation.
        rows: where it applies.
        clusters, folds: (rows,) of those.
        answers: the true labelling, one seed.
        random: random labels for each type of input.
    """

    annotation: Annotation
    rows: Ints
    clusters: Ints
    folds: Ints
    answers: Answers
    random: Answers


def views(subjects: Sequence[Captured], sample: Sample, components: int = COMPONENTS) -> Views:
    """States as probes read them.

    Args:
        subjects: the network first, then its twins.
        sample: the sequences.
        components: principal components at most; fewer where a direction has fewer units, so that every layer and
            direction offers the same number. What layer 1 reads may have fewer features than that.
    """
    spec = subjects[0].subject.spec
    kept = min(components, spec.hidden_size)
    where = tuple(places(subjects[0].subject))
    steps = tuple({p: whitened(step_rows(c, sample, p), kept) for p in where} for c in subjects)
    wholes = tuple({p: whitened(sequence_rows(c, sample, p), kept) for p in where} for c in subjects)
    return Views(sample, where, kept, steps, wholes)


def ask(annotation: Annotation, sample: Sample, seed: int) -> Asked | None:
    """The annotation ready to be probed; None where fewer than 40 rows have it or all have the same value."""
    sequences = sample.sequences
    rows = np.flatnonzero(annotation.known)
    values = annotation.values[rows]
    if len(rows) < FEWEST_ROWS or len(np.unique(values)) < 2:
        return None
    clusters = sample.clusters if annotation.per_sequence else sample.clusters[owners(sequences)]
    random = generator(seed, "explain", "probe", annotation.name)
    folds = folds_of(sample.clusters, generator(seed, "explain", "folds"))
    folds = folds if annotation.per_sequence else folds[owners(sequences)]
    keys = rows if annotation.per_sequence else types(sequences)[rows]
    wrong = controls(annotation, keys, CONTROL_SEEDS, random)
    classes = len(annotation.classes)
    return Asked(annotation, rows, clusters[rows], folds[rows], Answers(values[None], classes), Answers(wrong, classes))


def probe(
    asked: Asked, seen: Views, seed: int, tests: int, directions: Sequence[Direction] = ("all", "forward", "backward")
) -> list[Probe]:
    """Probes of one annotation in every place.

    Args:
        asked: the annotation.
        seen: the states.
        seed: of the code's order.
        tests: how many comparisons share the allowed error of 5 %.
        directions: which halves of a layer are read.
    """
    found: list[Probe] = []
    scores: dict[Place, Floats] = {}
    for place in (place for place in seen.places if place.direction in directions):
        states = seen.wholes if asked.annotation.per_sequence else seen.steps
        own, twins = states[0][place][asked.rows], [twin[place][asked.rows] for twin in states[1:]]
        score, control = _read(asked, own)
        scores[place] = score
        below = scores.get(place._replace(layer=place.layer - 1))
        level = 1 - 0.05 / max(tests, 1)
        found.append(_probe(asked, place, own, twins, score, control, below, seen, seed, level))
    return found


def _read(asked: Asked, states: Floats) -> tuple[Floats, Floats | None]:
    """(rows,) scores, and (seeds, rows) of random labels: one matrix is factored for both. A lag has no control."""
    if asked.annotation.origin == "lag":
        return row_scores(states, asked.answers, asked.folds)[0], None
    labels = Answers(np.concatenate([asked.answers.values, asked.random.values]), asked.answers.classes)
    found = row_scores(states, labels, asked.folds)
    return found[0], found[1:]


def _probe(
    asked: Asked,
    place: Place,
    own: Floats,
    twins: list[Floats],
    score: Floats,
    control: Floats | None,
    below: Floats | None,
    seen: Views,
    seed: int,
    level: float,
) -> Probe:
    fresh = np.stack([row_scores(twin, asked.answers, asked.folds)[0] for twin in twins]) if twins else None
    clusters = asked.clusters
    selective = None if control is None else score - control
    gained = None if fresh is None else score - fresh
    over = None if below is None or place.layer < 1 else score - below
    versus_twin = None if gained is None else estimates.mean(gained, clusters, level, one_more=True)
    versus_below = None if over is None else estimates.mean(over, clusters, level)
    separated = selective is None or estimates.is_above(estimates.mean(selective, clusters, level))
    in_full = place.direction == "all" and control is not None
    return Probe(
        annotation=asked.annotation.name,
        origin=asked.annotation.origin,
        layer=place.layer,
        direction=place.direction,
        unit="% right" if asked.answers.classes else "% of variance",
        rows=len(asked.rows),
        score=estimates.mean(score, clusters),
        constant=constant_score(asked.answers),
        control=None if control is None else estimates.mean(control, clusters),
        selectivity=None if selective is None else estimates.mean(selective, clusters),
        untrained=None if fresh is None else float(fresh.mean()),
        gain=None if gained is None else estimates.mean(gained, clusters, one_more=True),
        over_below=None if over is None else estimates.mean(over, clusters),
        bits=_bits(own, asked, seed) if in_full else None,
        untrained_bits=_bits(twins[0], asked, seed) if in_full and twins else None,
        lag=asked.annotation.lag,
        distances=by_distance(asked, score) if place.direction == "all" else (),
        gains=by_distance(asked, over) if place.direction == "all" and over is not None else (),
        positions=_by_position(asked, score, seen.sample) if in_full else (),
        supported=place.layer > 0 and separated and estimates.is_above(versus_twin),
        against_untrained=estimates.against(versus_twin),
        against_below=estimates.against(versus_below),
    )


def _bits(states: Floats, asked: Asked, seed: int) -> float:
    """The same rows in the same order for every place."""
    random = generator(seed, "explain", "code", asked.annotation.name)
    chosen = random.permutation(len(states))[:CODE_ROWS]
    values = asked.answers.values[0][chosen]
    if not asked.answers.classes:
        return bits_of_numbers(states[chosen], values.astype(np.float64))
    return bits_per_row(states[chosen], values.astype(np.int64), asked.answers.classes, random)


def by_distance(asked: Asked, values: Floats) -> tuple[Bin, ...]:
    """Means of values, (rows,) or (seeds, rows), by how far away lies what the annotation refers to."""
    if asked.annotation.distances is None:
        return ()
    distance = np.abs(asked.annotation.distances[asked.rows])
    named = [
        (str(low) if low == high else f"{low} or more" if high >= DISTANCES[-1][1] else f"{low} to {high}", low, high)
        for low, high in DISTANCES
    ]
    return tuple(
        bin_
        for name, low, high in named
        if (bin_ := _bin(name, (distance >= low) & (distance <= high), values, asked.clusters)) is not None
    )


def _by_position(asked: Asked, score: Floats, sample: Sample) -> tuple[Bin, ...]:
    if asked.annotation.per_sequence:
        return ()
    sequences = sample.sequences
    length = np.repeat(sequences.lengths, sequences.lengths)
    third = np.minimum(3 * steps_from_start(sequences) // np.maximum(length, 1), 2)[asked.rows]
    found = (_bin(name, third == number, score, asked.clusters) for number, name in enumerate(THIRDS))
    return tuple(bin_ for bin_ in found if bin_ is not None)


def _bin(name: str, rows: NDArray[np.bool_], values: Floats, clusters: Ints) -> Bin | None:
    if rows.sum() < FEWEST_IN_BIN:
        return None
    return Bin(name=name, score=estimates.mean(values[..., rows], clusters[rows]), rows=int(rows.sum()))
