"""How far the loss reaches back into the layers, and what a layer's own steps do to a gradient.

Two views. The gradient of one step's loss at every state on the way, layers above included; and, in one layer alone,
the product of its Jacobians over a lag,

    P_k = J_{t+k} ... J_{t+1},    J_t = d state_t / d state_{t-1}

whose largest singular value bounds what can pass and whose smallest says what is lost (Pascanu, Mikolov & Bengio
2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis import decay
from leadline.analysis.capture import Captured
from leadline.analysis.lasting import Reach, Reading, Spectrum
from leadline.analysis.measured import Direction, Side
from leadline.analysis.sample import Sample
from leadline.analysis.unroll import before, states
from leadline.kernels import reference
from leadline.kernels.reference import State
from leadline.seeds import generator
from leadline.stack import window
from leadline.training import objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEQUENCES = 200
JACOBIAN_SEQUENCES = 12
FURTHEST = 64
LEAST, MOST = 0.01, 100.0
SMALLEST, MOST_SIZE, MOST_LOG = 1e-300, 1e300, 600.0
Points = tuple[tuple[int, float], ...]


def reaches(subjects: Sequence[Captured], sample: Sample, seed: int) -> list[Reach]:
    """Norms of the gradient of one step's loss at every layer's states, by lag.

    Args:
        subjects: the network, then its twins, captured on `sample`; only those with a readout are looked at.
        sample: sequences with targets.
        seed: of the steps.
    """
    steps = target_steps(sample, seed)
    of_network = _norms(subjects[0], sample, steps)
    of_twin = _norms(subjects[1], sample, steps) if len(subjects) > 1 and subjects[1].subject.read else {}
    found = []
    for (layer, side), norms in of_network.items():
        left = _points(norms)
        if len(left) > 1:
            control = _points(of_twin[layer, side]) if of_twin else ()
            found.append(Reach(layer=layer, side=side, norms=left, untrained=control, reading=reading(left)))
    return found


def reading(norms: Points) -> Reading:
    """What the gradient at the last lag says: below 1 % of that at lag 0, above 100 times it, or between."""
    last = norms[-1][1]
    if last < LEAST:
        return "vanishing"
    return "exploding" if last > MOST else "healthy"


def target_steps(sample: Sample, seed: int) -> Ints:
    """(n,) the step whose loss is followed: any where each step has a target, else the last."""
    lengths = sample.sequences.lengths
    if not sample.sequences.per_step:
        return lengths - 1
    drawn = generator(seed, "explain", "loss step").random(len(lengths))
    return np.floor(drawn * lengths).astype(np.int64)


def _norms(captured: Captured, sample: Sample, steps: Ints) -> dict[tuple[int, Side], Floats]:
    """(n, K + 1) norms by lag, for each layer and side."""
    subject, lengths = captured.subject, sample.lengths
    assert subject.read is not None
    nodes: list[list[list[State]]] = []
    below = window(captured.features, subject.spec.look_ahead)
    for layer in range(subject.spec.num_layers):
        halves = []
        for direction in range(subject.spec.num_directions):
            start = below if below.requires_grad else below.clone().requires_grad_(True)
            halves.append(states(subject.recurrent, layer, direction, start, lengths))
        nodes.append(halves)
        output = torch.cat([torch.stack([state[0] for state in half]) for half in halves], -1)
        there = (torch.arange(output.shape[0])[:, None] < lengths[None])[..., None]
        below = subject.recurrent.finish(layer, below, torch.where(there, output, torch.zeros_like(output)), lengths)
    loss = _loss(subject.read(below, lengths), sample, steps)
    flat = [part for halves in nodes for half in halves for state in half for part in state]
    grads = torch.autograd.grad(loss, flat, allow_unused=True)
    return _by_lag(list(grads), captured, sample, steps)


def _loss(outputs: Tensor, sample: Sample, steps: Ints) -> Tensor:
    """Sum over sequences of the loss at the chosen step, so that each sequence has its own gradient."""
    assert sample.batch.targets is not None
    targets = objective.flat_targets(sample.batch.targets, sample.batch.mask, sample.sequences.kind)
    if sample.sequences.per_step:
        rows = torch.from_numpy(sample.sequences.offsets[:-1] + steps)
        outputs, targets = outputs[rows], targets[rows]
    return objective.loss(outputs, targets, sample.sequences.kind) * len(targets)


def _by_lag(
    grads: list[Tensor | None], captured: Captured, sample: Sample, steps: Ints
) -> dict[tuple[int, Side], Floats]:
    spec, parts = captured.subject.spec, captured.subject.recurrent.cell.states
    seq, batch = captured.features.shape[:2]
    filled = [torch.zeros(batch, spec.hidden_size) if g is None else g for g in grads]
    shape = (spec.num_layers, spec.num_directions, seq, parts, batch, spec.hidden_size)
    norms = torch.stack(filled).reshape(shape).pow(2).sum((3, 5)).sqrt()
    furthest = int(min(FURTHEST, sample.sequences.lengths.max() - 1))
    found: dict[tuple[int, Side], Floats] = {}
    for layer in range(spec.num_layers):
        found[layer + 1, "back"] = decay.aligned(norms[layer, 0], sample.lengths, steps, furthest, -1)
        if spec.bidirectional:
            first = steps if sample.sequences.per_step else np.zeros_like(steps)
            found[layer + 1, "ahead"] = decay.aligned(norms[layer, 1], sample.lengths, first, furthest, 1)
    return found


def _points(norms: Floats) -> Points:
    """Mean norm over sequences that reach a lag, over that at the lag before: see `decay.curve`."""
    left = decay.curve(norms)
    return tuple((lag, float(value)) for lag, value in enumerate(left) if np.isfinite(value))


def spectra(subjects: Sequence[Captured], sample: Sample) -> list[Spectrum]:
    """Extreme singular values of Jacobian products by lag, for every layer and direction."""
    spec = subjects[0].subject.spec
    found = []
    for layer in range(1, spec.num_layers + 1):
        for direction in range(spec.num_directions):
            way: Direction = ("forward", "backward")[direction] if spec.bidirectional else "all"
            own, *others = (singular_values(c, sample, layer, direction) for c in subjects[:2])
            found.append(Spectrum(layer=layer, direction=way, values=own, untrained=others[0] if others else ()))
    return found


def singular_values(
    captured: Captured, sample: Sample, layer: int, direction: int
) -> tuple[tuple[int, float, float], ...]:
    """(lag, largest, smallest singular value) of the Jacobian product from the first state read on.

    Geometric means over sequences. In double precision, and scaled on the way; the smallest value is taken from the
    product of the inverses, since in the product itself it drowns in the rounding of the largest.
    """
    recurrent, lengths = captured.subject.recurrent, sample.lengths
    below = captured.layers[layer - 1]
    with torch.no_grad():
        found = states(recurrent, layer - 1, direction, below, lengths)
        earlier = before(found, recurrent.zeros(below), direction)
    own = tuple(weight.detach().double() for weight in recurrent.weights(layer - 1, direction))
    size = sum(part.shape[1] for part in earlier[0])
    forth, back = (_Product.start(len(lengths), size) for _ in range(2))
    values = []
    for lag in range(1, min(FURTHEST, int(lengths.max()) - 1) + 1):
        reach = (lengths > lag).nonzero().squeeze(1)
        if len(reach) < min(3, len(lengths)):
            break
        steps = lengths[reach] - 1 - lag if direction else torch.full_like(reach, lag)
        state = tuple(torch.stack(parts)[steps, reach].double() for parts in zip(*earlier, strict=True))
        here = jacobians(captured.subject.spec.cell, below[steps, reach].double(), state, own)
        forth = forth.times(here, left=True)
        back = back.times(torch.linalg.inv_ex(here)[0], left=False)
        values.append((lag, forth.largest(), 1.0 / back.largest()))
    return tuple(values)


@dataclass(frozen=True, eq=False)
class _Product:
    """A matrix product for each sequence, kept at norm 1, with the logarithm of what was divided out."""

    matrices: Tensor
    logs: Tensor

    @classmethod
    def start(cls, count: int, size: int) -> _Product:
        return cls(torch.eye(size, dtype=torch.float64).repeat(count, 1, 1), torch.zeros(count, dtype=torch.float64))

    def times(self, factors: Tensor, left: bool) -> _Product:
        """The first sequences, as many as there are factors, multiplied by them."""
        matrices = self.matrices[: len(factors)]
        matrices = factors @ matrices if left else matrices @ factors
        size = torch.linalg.matrix_norm(matrices).nan_to_num(posinf=MOST_SIZE).clamp(SMALLEST, MOST_SIZE)
        return _Product((matrices / size[:, None, None]).nan_to_num(), self.logs[: len(factors)] + size.log())

    def largest(self) -> float:
        """Geometric mean of the largest singular value."""
        ends = torch.linalg.matrix_norm(self.matrices, 2).clamp(min=SMALLEST).log() + self.logs
        return float(ends.mean().clamp(-MOST_LOG, MOST_LOG).exp())


def jacobians(cell: str, inputs: Tensor, state: State, own: tuple[Tensor, ...]) -> Tensor:
    """(batch, n, n) derivative of the next state by the state, h and c together where there are both.

    Args:
        cell: the recurrence.
        inputs: (batch, feature).
        state: (h,) or (h, c), each (batch, hidden).
        own: weight_ih, weight_hh, bias_ih, bias_hh.
    """
    hidden = state[0].shape[1]
    there = torch.ones(len(inputs), dtype=torch.int64)

    def step(joined: Tensor) -> Tensor:
        parts = tuple(joined.split(hidden, 1))
        _, after = reference.unroll(cell, inputs[None], there, parts, own)  # type: ignore[arg-type]
        return torch.cat(after, 1).sum(0)

    joined = torch.cat(state, 1)
    full = torch.autograd.functional.jacobian(step, joined, vectorize=True)
    result: Tensor = full.transpose(0, 1)
    return result
