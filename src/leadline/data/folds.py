"""What a division into parts looks like: shares, a fold, a split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARES = {"train": 0.60, "tune": 0.10, "dev": 0.15, "test": 0.15}
CROSS_TEST = 0.20
CROSS_FOLDS = 5
CROSS_REPEATS = 2
FEWEST_DEV = 400

Index = NDArray[np.int64]
By = str


@dataclass(frozen=True, eq=False)
class Fold:
    """Indices of sequences, ascending."""

    train: Index
    tune: Index
    dev: Index

    @property
    def everything(self) -> Index:
        """All three together: the same for every fold."""
        return np.sort(np.concatenate([self.train, self.tune, self.dev]))


@dataclass(frozen=True, eq=False)
class Split:
    """How the data were divided.

    Args:
        folds: one, or the folds of a repeated cross-validation.
        test: indices of the test part.
        clusters: (n,) cluster of each sequence: its group with those of identical inputs, or itself.
        by: "file", "group", "class", "target", "length", "time" or "chance".
        notes: what was done, in sentences.
    """

    folds: tuple[Fold, ...]
    test: Index
    clusters: Index
    by: By
    notes: tuple[str, ...]


def in_order(train: Index, tune: Index, dev: Index) -> Fold:
    """A fold of parts that come in any order."""
    return Fold(np.sort(train), np.sort(tune), np.sort(dev))
