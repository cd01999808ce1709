"""The training loop: a generator of `Look` records.

AdamW, clipped gradients, and an exponential moving average of the weights, which is what is evaluated and kept.
The average plays the part of a learning rate that decays: a run of n updates is the beginning of every longer
run with the same seed, so a shortened run says what the long one would have looked like by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leadline.data.batch import Batcher
from leadline.data.encode import Encoder
from leadline.dropout import reseed
from leadline.records import Look
from leadline.seeds import generator
from leadline.spec import Recipe
from leadline.training import objective

EVALUATION_BATCH = 256


@dataclass(frozen=True, eq=False)
class Fitted:
    """How a training ended; the network holds the best averaged weights.

    Args:
        looks: the tune curve.
        updates: updates made.
        diverged: the loss stopped being finite.
        still_improving: the best look was among the last `patience` when the cap came.
    """

    looks: tuple[Look, ...]
    updates: int
    diverged: bool
    still_improving: bool


def fit(
    network: nn.Module,
    encoder: Encoder,
    batcher: Batcher,
    train: NDArray[np.int64],
    tune: NDArray[np.int64],
    recipe: Recipe,
    seed: int,
) -> Fitted:
    """Train until the tune score has not improved for `patience` looks, or to the cap of updates."""
    looks: list[Look] = []
    best, best_state, diverged = -np.inf, _copy(network), False
    reseed(network, seed)
    for look, average in train_looks(network, encoder, batcher, train, tune, recipe, seed):
        diverged = not (np.isfinite([look.train_loss, look.tune_score]).all() and _finite(average))
        if diverged:
            break
        looks.append(look)
        if look.tune_score > best:
            best, best_state = look.tune_score, [value.clone() for value in average]
        if len(looks) - 1 - _best_at(looks) >= recipe.patience:
            break
    _load(network, best_state)
    updates = looks[-1].update if looks else 0
    waited = len(looks) - 1 - _best_at(looks) if looks else 0
    capped = updates >= recipe.max_updates and waited < min(recipe.patience, 2)
    return Fitted(tuple(looks), updates, diverged, capped)


def train_looks(
    network: nn.Module,
    encoder: Encoder,
    batcher: Batcher,
    train: NDArray[np.int64],
    tune: NDArray[np.int64],
    recipe: Recipe,
    seed: int,
) -> Iterator[tuple[Look, list[Tensor]]]:
    """Train, and yield a look with the averaged weights every `eval_every` updates and at the end."""
    weights = [p for p in network.parameters() if p.requires_grad]
    average = [p.detach().clone() for p in weights]
    optimiser = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    order = batcher.shuffled(train, recipe.batch_size, generator(seed, "order"))
    total, since = 0.0, 0
    network.train()
    for update in range(1, recipe.max_updates + 1):
        total += _update(network, encoder, batcher, next(order), optimiser, weights, recipe)
        since += 1
        _average(average, weights, min(recipe.averaging, update / (update + 10)))
        if update % recipe.eval_every == 0 or update == recipe.max_updates or not np.isfinite(total):
            with averaged(weights, average):
                score = mean_score(network, encoder, batcher, tune)
            yield Look(update=update, train_loss=total / since, tune_score=score), average
            total, since = 0.0, 0
            network.train()


def _update(
    network: nn.Module,
    encoder: Encoder,
    batcher: Batcher,
    indices: NDArray[np.int64],
    optimiser: torch.optim.Optimizer,
    weights: Sequence[Tensor],
    recipe: Recipe,
) -> float:
    batch = batcher.batch(indices)
    assert batch.targets is not None
    targets = objective.flat_targets(batch.targets, batch.mask, encoder.kind)
    value = objective.loss(network(batch), targets, encoder.kind)
    optimiser.zero_grad(set_to_none=True)
    value.backward()
    torch.nn.utils.clip_grad_norm_(weights, recipe.clip, foreach=True)
    optimiser.step()
    return float(value.detach())


def sequence_scores(
    network: nn.Module, encoder: Encoder, batcher: Batcher, indices: NDArray[np.int64], share: float = 1.0
) -> NDArray[np.float64]:
    """(len(indices),) score sums by sequence, in the order of `indices`, from the first `share` of the steps."""
    network.eval()
    sums = np.zeros(len(indices))
    with torch.no_grad():
        for positions, batch in batcher.ordered(indices, EVALUATION_BATCH, share):
            assert batch.targets is not None
            targets = objective.flat_targets(batch.targets, batch.mask, encoder.kind)
            values = objective.scores(network(batch), targets, encoder)
            sums[positions] = objective.sequence_sums(values, batch.lengths, encoder.kind).cpu().numpy()
    return sums


def mean_score(network: nn.Module, encoder: Encoder, batcher: Batcher, indices: NDArray[np.int64]) -> float:
    """Mean score over the targets of the sequences `indices`."""
    weights = target_counts(batcher, indices)
    return float(sequence_scores(network, encoder, batcher, indices).sum() / max(weights.sum(), 1))


def target_counts(batcher: Batcher, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """(len(indices),) targets of each sequence."""
    if not batcher.per_step:
        return np.ones(len(indices))
    return batcher.lengths(indices).astype(np.float64)


class averaged:  # noqa: N801 - reads as a verb in `with averaged(weights, average):`
    """While open, the averaged values stand in the network's weights."""

    def __init__(self, weights: Sequence[Tensor], average: list[Tensor]) -> None:
        self.weights, self.average = weights, average

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *_: object) -> None:
        self._swap()

    def _swap(self) -> None:
        for weight, value in zip(self.weights, self.average, strict=True):
            weight.data, value.data = value.data, weight.data


def _average(average: list[Tensor], weights: Sequence[Tensor], decay: float) -> None:
    torch._foreach_lerp_(average, [w.detach() for w in weights], 1.0 - decay)


def _copy(network: nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in network.parameters() if p.requires_grad]


def _load(network: nn.Module, values: list[Tensor]) -> None:
    with torch.no_grad():
        for weight, value in zip((p for p in network.parameters() if p.requires_grad), values, strict=True):
            weight.copy_(value)


def _finite(values: list[Tensor]) -> bool:
    return all(bool(value.isfinite().all()) for value in values)


def _best_at(looks: list[Look]) -> int:
    return int(np.argmax([look.tune_score for look in looks]))
