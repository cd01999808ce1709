"""The network's score where inputs far from a target are cut off, or stand in a random order."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis import estimates
from leadline.analysis.capture import Captured
from leadline.analysis.gradients import target_steps
from leadline.analysis.lasting import History
from leadline.analysis.sample import Sample
from leadline.data.encode import Encoder
from leadline.seeds import generator
from leadline.training import objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
DRAWS = 2


def histories(captured: Captured, sample: Sample, encoder: Encoder, seed: int) -> list[History]:
    """Scores by how many steps on either side of a target are left as they are.

    One target of each sequence: a random step, or the one of the sequence, whose place is its last step. Cut off
    means that the network reads the rest only; shuffled means that the steps beyond are there in another order.
    """
    lengths = sample.sequences.lengths
    steps = target_steps(sample, seed)
    wanted = _targets(sample, steps)
    full = _scores(captured, sample.lengths, captured.features, steps, wanted, encoder, sample.sequences.per_step)
    found = []
    for reach in [r for r in STEPS if r < lengths.max() - 1]:
        cut = _cut(captured, sample, steps, reach, wanted, encoder)
        mixed = [_mixed(captured, sample, steps, reach, wanted, encoder, seed, draw) for draw in range(DRAWS)]
        found.append(
            History(
                steps=reach,
                truncated=estimates.mean(cut, sample.clusters),
                shuffled=estimates.mean(np.mean(mixed, 0), sample.clusters),
                full=estimates.mean(full, sample.clusters),
            )
        )
    return found


def _targets(sample: Sample, steps: Ints) -> Tensor:
    assert sample.batch.targets is not None
    if not sample.sequences.per_step:
        return sample.batch.targets
    return sample.batch.targets[torch.arange(len(steps)), torch.from_numpy(steps)]


def _scores(
    captured: Captured,
    lengths: Tensor,
    features: Tensor,
    steps: Ints,
    targets: Tensor,
    encoder: Encoder,
    per_step: bool,
) -> Floats:
    """(n,) score of one target of each sequence."""
    assert captured.subject.read is not None
    with torch.no_grad():
        outputs = captured.subject.read(captured.subject.layers(features, lengths)[-1], lengths)
        if per_step:
            starts = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)[:-1]])
            outputs = outputs[starts + torch.from_numpy(steps)]
        result: Floats = objective.scores(outputs, targets, encoder).double().numpy()
    return result


def _cut(captured: Captured, sample: Sample, steps: Ints, reach: int, targets: Tensor, encoder: Encoder) -> Floats:
    first = np.maximum(steps - reach, 0)
    last = np.minimum(steps + reach, sample.sequences.lengths - 1)
    width = last - first + 1
    at = np.minimum(first[None] + np.arange(int(width.max()))[:, None], last[None])
    features = captured.features[torch.from_numpy(at), torch.arange(len(steps))[None]]
    there = torch.from_numpy(np.arange(len(at))[:, None] < width[None])[..., None]
    lengths = torch.from_numpy(width.astype(np.int64))
    shorter = torch.where(there, features, torch.zeros_like(features))
    return _scores(captured, lengths, shorter, steps - first, targets, encoder, sample.sequences.per_step)


def _mixed(
    captured: Captured,
    sample: Sample,
    steps: Ints,
    reach: int,
    targets: Tensor,
    encoder: Encoder,
    seed: int,
    draw: int,
) -> Floats:
    random = generator(seed, "explain", "shuffle", reach, draw)
    order = np.tile(np.arange(captured.features.shape[0])[:, None], (1, len(steps)))
    for row, (step, length) in enumerate(zip(steps.tolist(), sample.sequences.lengths.tolist(), strict=True)):
        for side in (np.arange(0, max(step - reach, 0)), np.arange(min(step + reach + 1, length), length)):
            order[side, row] = random.permutation(side)
    features = captured.features[torch.from_numpy(order), torch.arange(len(steps))[None]]
    return _scores(captured, sample.lengths, features, steps, targets, encoder, sample.sequences.per_step)
