"""Some sequences with every state and with what each step depends on, small enough to travel in a page."""

from __future__ import annotations

import base64

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis import sample as sampling
from leadline.analysis.capture import Captured, capture
from leadline.analysis.leafing import Reader, Stored
from leadline.analysis.sample import Sample
from leadline.analysis.units import step_text
from leadline.data.sequences import LABELLED, Sequences
from leadline.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEQUENCES = 50
MOST_CELLS = 1_500_000
DRAWS = 3
FULL = 127


def reader(captured: Captured, sample: Sample, seed: int) -> Reader:
    """At most 50 sequences of the sample, spread over its lengths, within 1.5 million cells.

    States are stored in steps of 1/127 of the layer's largest one. What step i of a layer owes to the input of step j
    is the size of its change where that input is replaced by a random one, mean over three, as a share of the largest
    such change of the same step i.
    """
    chosen = _chosen(captured, sample)
    few = sampling.part(sample, chosen)
    own = capture(captured.subject, few)
    changes = _changes(own, few, captured, sample, seed)
    scales = [max(float(values.abs().max()), 1e-12) for values in own.layers[1:]]
    return Reader(
        layers=captured.subject.spec.num_layers,
        units=captured.subject.spec.hidden_size,
        directions=captured.subject.spec.num_directions,
        sequences=tuple(
            Stored(
                name=few.sequences.ids[i],
                steps=tuple(step_text(few.sequences, row) for row in _range(few.sequences, i)),
                targets=_targets(few.sequences, i),
                states=tuple(
                    _packed(values[:length, i].double().numpy() / scale * FULL, np.int8)
                    for values, scale in zip(own.layers[1:], scales, strict=True)
                ),
                depends=tuple(_packed(_shares(layer[i]) * 2 * FULL, np.uint8) for layer in changes),
            )
            for i, length in enumerate(few.sequences.lengths.tolist())
        ),
    )


def _chosen(captured: Captured, sample: Sample) -> Ints:
    """As many as fit, longest left out first."""
    spec, lengths = captured.subject.spec, sample.sequences.lengths
    spread = sample.first(SEQUENCES)
    cells = spec.num_layers * (lengths[spread] * spec.state_width + lengths[spread] ** 2)
    fits = np.cumsum(cells[::-1])[::-1] <= MOST_CELLS
    return spread[fits] if fits.any() else spread[-1:]


def _changes(own: Captured, few: Sample, captured: Captured, sample: Sample, seed: int) -> list[list[Floats]]:
    """[layer][sequence] (T, T) size of the change at the row's step where the input at the column's changes."""
    random = generator(seed, "explain", "reader")
    found: list[list[Floats]] = [[] for _ in range(own.subject.spec.num_layers)]
    donors = captured.features[sample.batch.mask.T]
    for i, length in enumerate(few.sequences.lengths.tolist()):
        plain = own.features[:length, i : i + 1].expand(-1, length * DRAWS, -1).clone()
        steps = torch.arange(length).repeat(DRAWS)
        plain[steps, torch.arange(length * DRAWS)] = donors[random.integers(len(donors), size=length * DRAWS)]
        with torch.no_grad():
            moved = own.subject.layers(plain, torch.full((length * DRAWS,), length))[1:]
        for layer, values in enumerate(moved):
            size = (values - own.layers[layer + 1][:length, i : i + 1]).norm(dim=-1)
            found[layer].append(_mean(size, length))
    return found


def _mean(size: Tensor, length: int) -> Floats:
    result: Floats = size.reshape(length, DRAWS, length).mean(1).double().numpy()
    return result


def _shares(changes: Floats) -> Floats:
    """Each row over its largest entry."""
    largest = changes.max(1, keepdims=True)
    result: Floats = np.divide(changes, largest, out=np.zeros_like(changes), where=largest > 0)
    return result


def _packed(values: Floats, kind: type[np.int8] | type[np.uint8]) -> str:
    """Base 64 of the values in row order."""
    return base64.b64encode(np.round(values).astype(kind).tobytes()).decode("ascii")


def _range(sequences: Sequences, sequence: int) -> range:
    return range(int(sequences.offsets[sequence]), int(sequences.offsets[sequence + 1]))


def _targets(sequences: Sequences, sequence: int) -> tuple[str, ...]:
    if sequences.targets is None:
        return ()
    rows = list(_range(sequences, sequence)) if sequences.per_step else [sequence]
    values = sequences.targets[rows].tolist()
    return tuple(sequences.classes[v] if sequences.kind in LABELLED else f"{v:.3g}" for v in values)
