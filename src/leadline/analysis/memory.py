"""How long each layer remembers: one input replaced, one layer's own state moved.

A difference is followed from where it was made; its half-life is the number of steps until half of its largest
value is left (after Hermans & Schrauwen 2013). Driven half-lives go through the whole network below; own ones stay in
the layer, whose input is held fixed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis import decay
from leadline.analysis.annotations import owners, steps_from_start
from leadline.analysis.capture import Captured, half
from leadline.analysis.gates import gate_half_life
from leadline.analysis.lasting import Memory
from leadline.analysis.measured import Direction, Side
from leadline.analysis.sample import Sample
from leadline.analysis.unroll import Nudge, states
from leadline.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FURTHEST = 64
NUDGE = 0.05
UNIT_BINS = ((0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, 32.0), (32.0, math.inf))


@dataclass(frozen=True, eq=False)
class Swap:
    """One step of each sequence, and the input that takes its place: the same for the network and its twins.

    Args:
        steps: (n,) the step.
        donors: (n,) row of the sample whose input is put there.
        furthest: largest distance that is followed.
    """

    steps: Ints
    donors: Ints
    furthest: int


def draw_swap(sample: Sample, seed: int) -> Swap:
    """A random step of each sequence, and a random step of another one with another input, where there is one."""
    random = generator(seed, "explain", "swap")
    lengths = sample.sequences.lengths
    steps = np.floor(random.random(len(lengths)) * lengths).astype(np.int64)
    rows = sample.sequences.offsets[:-1] + steps
    total = int(sample.sequences.offsets[-1])
    donors = random.integers(total, size=len(lengths))
    for _ in range(20):
        same = _same_input(sample, rows, donors)
        donors = np.where(same, random.integers(total, size=len(lengths)), donors)
    return Swap(steps, donors, int(min(FURTHEST, lengths.max() - 1)))


def _same_input(sample: Sample, first: Ints, second: Ints) -> NDArray[np.bool_]:
    data = sample.sequences
    names = (data.categories[first] == data.categories[second]).all(1)
    result: NDArray[np.bool_] = names & (data.numeric[first] == data.numeric[second]).all(1)
    return result


def replaced(captured: Captured, sample: Sample, swap: Swap) -> list[Tensor]:
    """Every layer's states where one input of each sequence is another's."""
    features = captured.features.clone()
    rows = np.arange(len(swap.steps))
    donor_sequence = owners(sample.sequences)[swap.donors]
    donor_step = steps_from_start(sample.sequences)[swap.donors]
    features[swap.steps, rows] = captured.features[donor_step, donor_sequence]
    with torch.no_grad():
        return captured.subject.layers(features, sample.lengths)


def driven(subjects: Sequence[Captured], sample: Sample, seed: int) -> list[Memory]:
    """Half-lives of an input, for every layer and side, beside the untrained twins.

    Of a layer that reads both ways, the half is followed that reads from the side in question.
    """
    swap = draw_swap(sample, seed)
    changed = [replaced(captured, sample, swap) for captured in subjects]
    spec = subjects[0].subject.spec
    found = []
    for layer in range(1, spec.num_layers + 1):
        moved = [
            (after[layer] - captured.layers[layer]).abs() for captured, after in zip(subjects, changed, strict=True)
        ]
        for way, side, sign in sides(subjects[0]):
            halves = [half(values, way, spec.hidden_size) for values in moved]
            units = [decay.aligned(values, sample.lengths, swap.steps, swap.furthest, sign) for values in halves]
            memory = _memory(units, sample.clusters, seed, layer, way, side, "driven")
            found += [memory] if memory is not None else []
    return found


def driven_half_lives(captured: Captured, sample: Sample, swap: Swap) -> dict[tuple[Side, int], float | None]:
    """The half-lives alone, by side and layer: one network, no intervals. See `driven`."""
    after, spec = replaced(captured, sample, swap), captured.subject.spec
    found = {}
    for layer in range(1, spec.num_layers + 1):
        moved = (after[layer] - captured.layers[layer]).abs()
        for way, side, sign in sides(captured):
            values = half(moved, way, spec.hidden_size)
            units = decay.aligned(values, sample.lengths, swap.steps, swap.furthest, sign)
            found[side, layer] = decay.half_life(decay.curve(np.linalg.norm(units, axis=-1)))
    return found


def sides(captured: Captured) -> tuple[tuple[Direction, Side, int], ...]:
    """(direction, side, sign of the distance from the step replaced) that are followed."""
    spec = captured.subject.spec
    if spec.bidirectional:
        return ("forward", "back", 1), ("backward", "ahead", -1)
    return (("all", "back", 1), ("all", "ahead", -1)) if spec.look_ahead else (("all", "back", 1),)


def own(subjects: Sequence[Captured], sample: Sample, seed: int) -> list[Memory]:
    """Half-lives of a small change of a layer's own state, with what the gates promise."""
    swap = draw_swap(sample, seed)
    spec = subjects[0].subject.spec
    found = []
    for layer in range(1, spec.num_layers + 1):
        for direction in range(spec.num_directions):
            way: Direction = "all" if not spec.bidirectional else ("forward", "backward")[direction]
            both = [_moved(captured, sample, swap, layer, direction, seed) for captured in subjects]
            promised = gate_half_life(subjects[0], sample, layer, direction)
            side: Side = "ahead" if direction else "back"
            memory = _memory(both, sample.clusters, seed, layer, way, side, "own")
            found += [memory.model_copy(update={"gates": promised})] if memory is not None else []
    return found


def _moved(captured: Captured, sample: Sample, swap: Swap, layer: int, direction: int, seed: int) -> Floats:
    recurrent, lengths = captured.subject.recurrent, sample.lengths
    below = captured.layers[layer - 1]
    with torch.no_grad():
        plain = states(recurrent, layer - 1, direction, below, lengths)
        level = torch.stack([state[0] for state in plain]).std() * NUDGE
        random = torch.Generator().manual_seed(seed)
        change = torch.randn(len(lengths), captured.subject.spec.hidden_size, generator=random) * level
        nudge = Nudge(torch.from_numpy(swap.steps), change)
        moved = states(recurrent, layer - 1, direction, below, lengths, nudge)
        difference = torch.stack(
            [
                torch.cat([(a - b).abs() for a, b in zip(after, before_, strict=True)], -1)
                for after, before_ in zip(moved, plain, strict=True)
            ]
        )
    return decay.aligned(difference, lengths, swap.steps, swap.furthest, -1 if direction else 1)


def _memory(
    units: list[Floats],
    clusters: Ints,
    seed: int,
    layer: int,
    way: Direction,
    side: Side,
    kind: Literal["driven", "own"],
) -> Memory | None:
    """From (sequences, K + 1, units) differences of the network and of each twin; None where one never moved."""
    norms = [np.linalg.norm(values, axis=-1) for values in units]
    curves = [decay.curve(values) for values in norms]
    peaks = [np.nanmax(values) for values in curves]
    if min(peaks) <= 0:
        return None
    life, others = decay.half_life(curves[0]), [decay.half_life(values) for values in curves[1:]]
    random = generator(seed, "explain", "half-life", kind, layer, way, side)
    span = decay.interval(norms[0], clusters, random)
    of_twins = [decay.interval(values, clusters, random) for values in norms[1:]]
    known = [value for value in others if value is not None]
    return Memory(
        layer=layer,
        direction=way,
        side=side,
        kind=kind,
        half_life=life,
        interval=span,
        beyond=decay.reached(curves[0]) if life is None else None,
        untrained=float(np.mean(known)) if known and len(known) == len(others) else None,
        untrained_beyond=decay.reached(curves[1]) if others and len(known) < len(others) else None,
        curve=_points(curves[0] / peaks[0]),
        untrained_curve=_points(np.mean([c / p for c, p in zip(curves[1:], peaks[1:], strict=True)], axis=0))
        if others
        else (),
        units=_histogram(decay.unit_half_lives(units[0])),
        differs=_apart(span, of_twins),
    )


def _points(left: Floats) -> tuple[tuple[int, float], ...]:
    return tuple((lag, float(value)) for lag, value in enumerate(left) if np.isfinite(value))


def _apart(one: tuple[float, float] | None, others: list[tuple[float, float] | None]) -> bool:
    """Whether an interval lies on one side of all others."""
    if one is None or not others or any(other is None for other in others):
        return False
    known = [other for other in others if other is not None]
    return all(one[0] > other[1] for other in known) or all(one[1] < other[0] for other in known)


def _histogram(lives: Floats) -> tuple[tuple[str, int], ...]:
    counted = []
    for low, high in UNIT_BINS:
        inside = (lives >= low) & ((lives < high) | np.isinf(lives) & np.isinf(high))
        counted.append((f"{low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more", int(inside.sum())))
    return tuple(counted)
