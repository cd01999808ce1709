"""The loss that no predictor avoids, where repeated inputs measure it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.identical import input_keys
from leadline.data.sequences import Sequences
from leadline.stats.floor import differing, distances, unavoidable_distance, unavoidable_error
from leadline.trials.material import Material

FEWEST_REPEATS = 200
"""Targets that repeated inputs must have: the floor of fewer is noise itself."""


def noise_floor(material: Material) -> float | None:
    """Loss that no predictor avoids, from inputs that occur more than once; None where they are too few.

    Measured on train, tune and dev together, where at least half of the targets belong to repeated inputs: the floor
    of rare repeats would say nothing about the rest. Not for next-step data, whose inputs hold their targets.
    """
    data = material.sequences.take(material.fold(0).everything)
    if data.kind == "next_step" or data.targets is None:
        return None
    width = data.lengths if data.per_step else np.ones(len(data), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(width)[:-1]])
    place = np.arange(int(width.sum())) - np.repeat(starts, width)
    keys = np.repeat(input_keys(data), width) + place.astype(np.uint64)
    _, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
    repeated = counts[codes] > 1
    if repeated.sum() < max(FEWEST_REPEATS, 0.5 * len(keys)):
        return None
    return _floor(data, codes[repeated], np.asarray(data.targets)[repeated])


def _floor(data: Sequences, codes: NDArray[np.int64], targets: NDArray[np.generic]) -> float:
    """Mean over targets of the disagreement with another target of the same input, turned into a loss."""
    order = np.argsort(codes, kind="stable")
    blocks = np.split(targets[order], np.flatnonzero(np.diff(codes[order])) + 1)
    if data.classes:
        apart = [differing(block) / (len(block) - 1) for block in blocks]
        return 100 * unavoidable_error(sum(apart) / len(targets), len(data.classes))
    apart = [distances(block) / (len(block) - 1) for block in blocks]
    return unavoidable_distance(sum(apart) / len(targets))
