"""The network's score where inputs far from a target are cut off, or stand in a random order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis import estimates
from leadline.analysis.capture import Captured
from leadline.analysis.lasting import History
from leadline.analysis.sample import Sample
from leadline.data.encode import Encoder
from leadline.data.sequences import LABELLED
from leadline.seeds import generator
from leadline.training import objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
DRAWS = 2
MOST_TARGETS = 2500
MOST_READ = 250_000
"""Targets whose score is followed, and steps that one pass over them may read: some seconds for a network of 2 x 64."""

SHARE = 0.01
"""The margin: of the way from the best constant answer to perfect, as a study has it by default."""


@dataclass(frozen=True)
class Followed:
    """Targets whose score is followed.

    Args:
        rows: (m,) sequence of each.
        steps: (m,) its step.
        targets: (m,) what is right.
        clusters: (m,) of the sequences.
    """

    rows: Ints
    steps: Ints
    targets: Tensor
    clusters: Ints


def histories(captured: Captured, sample: Sample, encoder: Encoder, seed: int) -> list[History]:
    """Scores by how many steps on either side of a target are left as they are.

    All targets of all sequences, or a random part of them where they are many; the target of a whole sequence has its
    last step as its place. Cut off means that the network reads the rest only; shuffled means that the steps beyond
    are there in another order. What is lost is paired: full minus cut off, target by target.
    """
    followed = _followed(sample, seed)
    features, lengths = captured.features, sample.lengths
    rows = torch.from_numpy(followed.rows)
    full = _scores(captured, lengths[rows], features[:, rows], followed.steps, followed.targets, encoder, sample)
    margin = _margin(followed, encoder, sample)
    found = []
    for reach in [r for r in STEPS if r < sample.sequences.lengths.max() - 1]:
        cut = _cut(captured, sample, followed, reach, encoder)
        mixed = [_mixed(captured, sample, followed, reach, encoder, seed, draw) for draw in range(DRAWS)]
        found.append(
            History(
                steps=reach,
                truncated=estimates.mean(cut, followed.clusters),
                shuffled=estimates.mean(np.mean(mixed, 0), followed.clusters),
                full=estimates.mean(full, followed.clusters),
                lost=estimates.mean(full - cut, followed.clusters),
                margin=margin,
            )
        )
    return found


def _followed(sample: Sample, seed: int) -> Followed:
    assert sample.batch.targets is not None
    lengths = sample.sequences.lengths
    if not sample.sequences.per_step:
        everyone = np.arange(len(lengths))
        return Followed(everyone, lengths - 1, sample.batch.targets, sample.clusters)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    steps = np.concatenate([np.arange(length) for length in lengths])
    most = min(MOST_TARGETS, max(len(lengths), MOST_READ // int(lengths.max())))
    if len(rows) > most:
        chosen = np.sort(generator(seed, "explain", "followed").choice(len(rows), most, replace=False))
        rows, steps = rows[chosen], steps[chosen]
    targets = sample.batch.targets[torch.from_numpy(rows), torch.from_numpy(steps)]
    return Followed(rows, steps, targets, sample.clusters[rows])


def _margin(followed: Followed, encoder: Encoder, sample: Sample) -> float:
    """`SHARE` of the way from the best constant answer, on these targets, to a perfect score."""
    targets = followed.targets.double().numpy()
    if sample.sequences.kind not in LABELLED:
        return SHARE * float(np.abs(targets - np.median(targets)).mean()) * float(encoder.target_scale)
    shares = np.unique(targets, return_counts=True)[1] / len(targets)
    if sample.sequences.kind == "next_step":
        return SHARE * float(-(shares * np.log(shares)).sum())
    return SHARE * 100.0 * (1.0 - float(shares.max()))


def _scores(
    captured: Captured,
    lengths: Tensor,
    features: Tensor,
    steps: Ints,
    targets: Tensor,
    encoder: Encoder,
    sample: Sample,
) -> Floats:
    """(m,) score of one target of each of m sequences."""
    assert captured.subject.read is not None
    with torch.no_grad():
        outputs = captured.subject.read(captured.subject.layers(features, lengths)[-1], lengths)
        if sample.sequences.per_step:
            starts = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)[:-1]])
            outputs = outputs[starts + torch.from_numpy(steps)]
        result: Floats = objective.scores(outputs, targets, encoder).double().numpy()
    return result


def _cut(captured: Captured, sample: Sample, followed: Followed, reach: int, encoder: Encoder) -> Floats:
    rows, steps = followed.rows, followed.steps
    first = np.maximum(steps - reach, 0)
    last = np.minimum(steps + reach, sample.sequences.lengths[rows] - 1)
    width = last - first + 1
    at = np.minimum(first[None] + np.arange(int(width.max()))[:, None], last[None])
    features = captured.features[torch.from_numpy(at), torch.from_numpy(rows)[None]]
    there = torch.from_numpy(np.arange(len(at))[:, None] < width[None])[..., None]
    lengths = torch.from_numpy(width.astype(np.int64))
    shorter = torch.where(there, features, torch.zeros_like(features))
    return _scores(captured, lengths, shorter, steps - first, followed.targets, encoder, sample)


def _mixed(
    captured: Captured, sample: Sample, followed: Followed, reach: int, encoder: Encoder, seed: int, draw: int
) -> Floats:
    random = generator(seed, "explain", "shuffle", reach, draw)
    lengths = sample.sequences.lengths[followed.rows]
    order = np.tile(np.arange(captured.features.shape[0])[:, None], (1, len(followed.rows)))
    for column, (step, length) in enumerate(zip(followed.steps.tolist(), lengths.tolist(), strict=True)):
        for side in (np.arange(0, max(step - reach, 0)), np.arange(min(step + reach + 1, length), length)):
            order[side, column] = random.permutation(side)
    rows = torch.from_numpy(followed.rows)
    features = captured.features[torch.from_numpy(order), rows[None]]
    return _scores(captured, sample.lengths[rows], features, followed.steps, followed.targets, encoder, sample)
