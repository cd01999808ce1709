"""`Material`: the data of a study with their split, as every worker holds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from leadline.data import encode
from leadline.data.batch import Batcher
from leadline.data.encode import Encoder
from leadline.data.folds import Fold, Split
from leadline.data.sequences import Sequences

TRAIN_SAMPLE = 2000
"""Sequences that a training score is measured on: its error is far below a margin, and it costs no time."""

KEPT_STEPS = 2_000_000
"""Steps that encoded folds may hold together in one process."""


@dataclass(frozen=True, eq=False)
class Material:
    """Data and split. Picklable: what is derived is made again in each process.

    Args:
        sequences: all of them, the test part included.
        split: the four parts, once or in several folds.
        causal: no arm and no baseline may see future steps.
    """

    sequences: Sequences
    split: Split
    causal: bool

    @cached_property
    def _encoded(self) -> dict[int, tuple[Encoder, Batcher]]:
        return {}

    def encoded(self, fold: int) -> tuple[Encoder, Batcher]:
        """The encoder fitted on the fold's train part, and all sequences encoded with it."""
        if fold not in self._encoded:
            while len(self._encoded) >= self._kept:
                del self._encoded[next(iter(self._encoded))]
            encoder = encode.fit(self.sequences, self.split.folds[fold].train, self.split.folds[0].everything)
            self._encoded[fold] = (encoder, Batcher(encode.apply(encoder, self.sequences)))
        return self._encoded[fold]

    @cached_property
    def _dev(self) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
        return {}

    @property
    def _kept(self) -> int:
        """Folds that stay encoded at once: all of small data, two of large, since a block's trials share one."""
        return max(2, KEPT_STEPS // max(1, int(self.sequences.offsets[-1])))

    def train(self, fold: int, fraction: float) -> NDArray[np.int64]:
        """The fold's train part, or the first `fraction` of it in an order that is always the same."""
        train = self.split.folds[fold].train
        if fraction >= 1:
            return train
        order = np.random.default_rng(fold).permutation(train)
        return np.sort(order[: max(1, round(fraction * len(order)))])

    def train_sample(self, fold: int, fraction: float) -> NDArray[np.int64]:
        """At most `TRAIN_SAMPLE` of the sequences trained on, to measure the training score."""
        train = self.train(fold, fraction)
        return train[:: max(1, -(-len(train) // TRAIN_SAMPLE))]

    def weights(self, fold: int) -> NDArray[np.float64]:
        """(clusters,) targets in each cluster of the fold's dev part."""
        return self.dev(fold)[1]

    def dev(self, fold: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Clusters of the fold's dev part, ascending, and the targets in each."""
        if fold not in self._dev:
            dev = self.split.folds[fold].dev
            self._dev[fold] = np.unique(self.split.clusters[dev]), self.by_cluster(dev, self._targets(dev))
        return self._dev[fold]

    def test_weights(self) -> NDArray[np.float64]:
        """(clusters,) targets in each cluster of the test part."""
        return self.by_cluster(self.split.test, self._targets(self.split.test))

    def by_cluster(self, indices: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums of `values` by cluster of the sequences `indices`, clusters in ascending order."""
        _, inverse = np.unique(self.split.clusters[indices], return_inverse=True)
        return np.bincount(inverse, weights=values).astype(np.float64)

    def tune_targets(self) -> int:
        """Targets of the first fold's tune part."""
        return int(self._targets(self.split.folds[0].tune).sum())

    def _targets(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.sequences.per_step:
            return self.sequences.lengths[indices].astype(np.float64)
        return np.ones(len(indices))

    def fold(self, number: int) -> Fold:
        """The parts of a fold."""
        return self.split.folds[number]
