"""Single units that carry an annotation, with the inputs that drive them most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.analysis.annotations import Annotation, owners, steps_from_start
from leadline.analysis.capture import Captured, Place, places, step_rows
from leadline.analysis.findings import Unit
from leadline.analysis.sample import Sample
from leadline.data.sequences import Sequences
from leadline.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PERMUTATIONS = 20
EXAMPLES = 8
CONTEXT = 8
LARGEST = 24
LEAST_SHARE = 10.0
MOST_ROWS = 4000


def gallery(subjects: Sequence[Captured], sample: Sample, annotations: Sequence[Annotation], seed: int) -> list[Unit]:
    """For each layer and annotation the unit that goes with it most, where it does so more than in any control.

    The control is the largest share that *any* unit of the layer has with labels of other sequences (whole sequences
    are exchanged, so that what a sequence has in common stays together), and the largest of any untrained unit. A
    unit is shown if it lies above all permutations and above the twins, and explains at least a tenth.
    """
    found = []
    where = [p for p in places(subjects[0].subject) if p.layer and _single(subjects[0], p)]
    for place in where:
        states = [step_rows(captured, sample, place) for captured in subjects]
        for annotation in annotations:
            if annotation.per_sequence or annotation.known.sum() < 2 * PERMUTATIONS:
                continue
            unit = _best(states, annotation, sample, place, seed)
            if unit is not None:
                found.append(unit)
    found.sort(key=lambda unit: -(unit.share - max(unit.chance, unit.untrained)))
    first = {(unit.layer, unit.direction, unit.unit): unit for unit in reversed(found)}
    return [unit for unit in found if first[unit.layer, unit.direction, unit.unit] is unit][:LARGEST]


def _single(captured: Captured, place: Place) -> bool:
    return (place.direction == "all") != captured.subject.spec.bidirectional


def _best(states: list[Floats], annotation: Annotation, sample: Sample, place: Place, seed: int) -> Unit | None:
    rows = np.flatnonzero(annotation.known)
    shares = explained(states[0][rows], annotation.values[rows], len(annotation.classes))
    unit = int(shares.argmax())
    if shares[unit] < LEAST_SHARE:
        return None
    twins = [explained(t[rows], annotation.values[rows], len(annotation.classes)).max() for t in states[1:]]
    untrained = float(max(twins, default=0.0))
    if shares[unit] <= untrained:
        return None
    random = generator(seed, "explain", "units", annotation.name, place.layer, place.direction)
    chance = [_permuted(states[0], annotation, sample.sequences, random) for _ in range(PERMUTATIONS)]
    if shares[unit] <= max(chance):
        return None
    return Unit(
        layer=place.layer,
        direction=place.direction,
        unit=unit,
        annotation=annotation.name,
        share=float(shares[unit]),
        chance=float(np.mean(chance)),
        untrained=untrained,
        examples=examples(states[0][:, unit], sample.sequences),
    )


def explained(states: Floats, values: NDArray[np.generic], classes: int) -> Floats:
    """(units,) per cent of each unit's variance between classes, or the squared correlation with a number.

    >>> explained(np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 0, 1, 1]), 2).tolist()
    [100.0]
    """
    centred = states - states.mean(0)
    total = np.maximum((centred**2).sum(0), 1e-300)
    if not classes:
        numbers = values.astype(np.float64) - float(values.astype(np.float64).mean())
        size = max(float((numbers**2).sum()), 1e-300)
        result: Floats = 100.0 * (numbers @ centred) ** 2 / (size * total)
        return result
    hot = (values.astype(np.int64)[:, None] == np.arange(classes)).astype(np.float64)
    counts = np.maximum(hot.sum(0), 1.0)
    between: Floats = 100.0 * ((hot.T @ centred) ** 2 / counts[:, None]).sum(0) / total
    return between


def _permuted(states: Floats, annotation: Annotation, sequences: Sequences, random: np.random.Generator) -> float:
    """The largest share of any unit where each sequence has the labels of another, step by step."""
    other = random.permutation(len(sequences))[owners(sequences)]
    step = steps_from_start(sequences)
    inside = step < sequences.lengths[other]
    rows = np.where(inside, sequences.offsets[:-1][other] + step, 0)
    there = np.flatnonzero(inside & annotation.known[rows])
    if len(there) < 2:
        return 0.0
    there = there[:: -(-len(there) // MOST_ROWS)]
    return float(explained(states[there], annotation.values[rows[there]], len(annotation.classes)).max())


def examples(states: Floats, sequences: Sequences) -> tuple[tuple[str, str, str, float], ...]:
    """The steps at which a unit is furthest from its mean, on the side where it gets furthest, one per sequence."""
    whose, step = owners(sequences), steps_from_start(sequences)
    found: list[tuple[str, str, str, float]] = []
    seen: set[int] = set()
    moved = states - states.mean()
    side = np.sign(moved[np.abs(moved).argmax()]) if len(moved) else 1.0
    for row in np.argsort(-side * moved, kind="stable").tolist():
        if int(whose[row]) in seen:
            continue
        seen.add(int(whose[row]))
        before, here, after = context(sequences, int(whose[row]), int(step[row]))
        found.append((before, here, after, float(states[row])))
        if len(found) == EXAMPLES:
            break
    return tuple(found)


def context(sequences: Sequences, sequence: int, step: int) -> tuple[str, str, str]:
    """A step as text, with up to eight steps on either side."""
    first = int(sequences.offsets[sequence])
    last = int(sequences.offsets[sequence + 1])
    row = first + step
    texts = {r: step_text(sequences, r) for r in range(max(first, row - CONTEXT), min(last, row + CONTEXT + 1))}
    joint = "" if all(len(text) <= 1 for text in texts.values()) else " "
    before = joint.join(text for r, text in texts.items() if r < row)
    after = joint.join(text for r, text in texts.items() if r > row)
    return before, texts[row], after


def step_text(sequences: Sequences, row: int) -> str:
    """A step as a reader knows it: its names, or its numbers."""
    names = [
        column.vocabulary[code] if (code := int(sequences.categories[row, i])) >= 0 else "?"
        for i, column in enumerate(sequences.category_columns)
    ]
    numbers = [f"{value:.3g}" for value in sequences.numeric[row, :3].tolist()]
    return "/".join([*names, *numbers])
