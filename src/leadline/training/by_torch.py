"""Training a network by torch: every body, every option, every device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from leadline.data.batch import Batcher
from leadline.data.encode import Encoder
from leadline.dropout import reseed
from leadline.spec import Recipe
from leadline.training import objective


class ByTorch:
    """See `leadline.training.trainee.Trainee`.

    Args:
        network: an embedding and a body.
        encoder: what encoded the data.
        batcher: the encoded data.
        recipe: how to train.
        seed: of the dropout masks.
    """

    def __init__(self, network: nn.Module, encoder: Encoder, batcher: Batcher, recipe: Recipe, seed: int) -> None:
        self.network, self.encoder, self.batcher, self.recipe = network, encoder, batcher, recipe
        self.weights = [p for p in network.parameters() if p.requires_grad]
        self.average = [p.detach().clone() for p in self.weights]
        self.kept = [p.detach().clone() for p in self.weights]
        self.optimiser = torch.optim.AdamW(
            self.weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        reseed(network, seed)

    def train(self, done: int, batches: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Losses of the updates `done + 1`, ...; they end behind the first that is not finite."""
        self.network.train()
        losses: list[float] = []
        for update, indices in enumerate(batches, done + 1):
            losses.append(self._update(indices))
            decay = min(self.recipe.averaging, update / (update + 10))
            torch._foreach_lerp_(self.average, [w.detach() for w in self.weights], 1.0 - decay)
            if not np.isfinite(losses[-1]):
                break
        return np.array(losses)

    def scores(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """(len(indices),) score sums by sequence, by the averaged weights."""
        self._swap()
        try:
            return sequence_scores(self.network, self.encoder, self.batcher, indices)
        finally:
            self._swap()

    def finite(self) -> bool:
        """Whether the averaged weights are."""
        return all(bool(value.isfinite().all()) for value in self.average)

    def keep(self) -> None:
        """Remember the averaged weights."""
        self.kept = [value.clone() for value in self.average]

    def restore(self) -> None:
        """Put what was remembered into the network, and where the average was."""
        with torch.no_grad():
            for weight, average, value in zip(self.weights, self.average, self.kept, strict=True):
                weight.copy_(value)
                average.copy_(value)

    def _update(self, indices: NDArray[np.int64]) -> float:
        batch = self.batcher.batch(indices)
        assert batch.targets is not None
        targets = objective.flat_targets(batch.targets, batch.mask, self.encoder.kind)
        value = objective.loss(self.network(batch), targets, self.encoder.kind)
        self.optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, self.recipe.clip, foreach=True)
        self.optimiser.step()
        return float(value.detach())

    def _swap(self) -> None:
        for weight, value in zip(self.weights, self.average, strict=True):
            weight.data, value.data = value.data, weight.data


def sequence_scores(
    network: nn.Module, encoder: Encoder, batcher: Batcher, indices: NDArray[np.int64], share: float = 1.0
) -> NDArray[np.float64]:
    """(len(indices),) score sums by sequence, in the order of `indices`, from the first `share` of the steps."""
    network.eval()
    sums = np.zeros(len(indices))
    with torch.no_grad():
        for positions in batcher.chunks(indices):
            batch = batcher.batch(indices[positions], share)
            assert batch.targets is not None
            targets = objective.flat_targets(batch.targets, batch.mask, encoder.kind)
            values = objective.scores(network(batch), targets, encoder)
            sums[positions] = objective.sequence_sums(values, batch.lengths, encoder.kind).cpu().numpy()
    return sums
