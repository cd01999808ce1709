"""A network on its way: what the training loop asks of whatever does the arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leadline.data.batch import Batcher
from leadline.data.encode import Encoder
from leadline.network import Network
from leadline.spec import Recipe
from leadline.training import compiled
from leadline.training.by_torch import ByTorch


class Trainee(Protocol):
    """Weights, their moving average, and the best average so far."""

    def train(self, done: int, batches: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Losses of the updates `done + 1`, ...; they end behind the first that is not finite."""
        ...

    def scores(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """(len(indices),) score sums by sequence, by the averaged weights."""
        ...

    def finite(self) -> bool:
        """Whether the averaged weights are."""
        ...

    def keep(self) -> None:
        """Remember the averaged weights."""
        ...

    def restore(self) -> None:
        """Put what was remembered into the network, and where the average was."""
        ...


def trainee(network: Network, encoder: Encoder, batcher: Batcher, recipe: Recipe, seed: int) -> Trainee:
    """Compiled code where it can train this network here, else torch.

    Args:
        network: what to train; it holds the result after `restore`.
        encoder: what encoded the data.
        batcher: the encoded data.
        recipe: how to train.
        seed: of the dropout masks.
    """
    if compiled.refusal(network, batcher):
        return ByTorch(network, encoder, batcher, recipe, seed)
    return compiled.Compiled(network, encoder, batcher, recipe, seed)
