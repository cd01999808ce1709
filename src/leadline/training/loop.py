"""The training loop: updates, looks at the tune part, patience.

AdamW, clipped gradients, and an exponential moving average of the weights, which is what is evaluated and kept.
The average plays the part of a learning rate that decays: a run of n updates is the beginning of every longer
run with the same seed, so a shortened run says what the long one would have looked like by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from leadline.data.batch import Batcher
from leadline.records.trial import Look
from leadline.seeds import generator
from leadline.spec import Recipe
from leadline.training.trainee import Trainee

UPDATES_PER_CALL = 32


@dataclass(frozen=True, eq=False)
class Fitted:
    """How a training ended; the trainee holds the best averaged weights.

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
    trainee: Trainee,
    batcher: Batcher,
    train: NDArray[np.int64],
    tune: NDArray[np.int64],
    recipe: Recipe,
    seed: int,
) -> Fitted:
    """Train until the tune score has not improved for `patience` looks, or to the cap of updates.

    Args:
        trainee: the network at the start; at the end it holds the weights of the best look.
        batcher: the encoded data.
        train, tune: sequences.
        recipe: how to train.
        seed: of the order of the data.
    """
    looks: list[Look] = []
    diverged = False
    for look in train_looks(trainee, batcher, train, tune, recipe, seed):
        diverged = not (np.isfinite([look.train_loss, look.tune_score]).all() and trainee.finite())
        if diverged:
            break
        looks.append(look)
        if _waited(looks) == 0:
            trainee.keep()
        if _waited(looks) >= recipe.patience:
            break
    trainee.restore()
    updates = looks[-1].update if looks else 0
    waited = _waited(looks) if looks else 0
    capped = updates >= recipe.max_updates and waited < min(recipe.patience, 2)
    return Fitted(tuple(looks), updates, diverged, capped)


def train_looks(
    trainee: Trainee,
    batcher: Batcher,
    train: NDArray[np.int64],
    tune: NDArray[np.int64],
    recipe: Recipe,
    seed: int,
) -> Iterator[Look]:
    """Train, and look every `eval_every` updates, at the end, and as soon as a loss is not finite."""
    order = batcher.shuffled(train, recipe.batch_size, generator(seed, "order"))
    done = 0
    while done < recipe.max_updates:
        until = min(done + recipe.eval_every, recipe.max_updates)
        losses = np.zeros(0)
        while done < until and np.isfinite(losses).all():
            batches = list(islice(order, min(UPDATES_PER_CALL, until - done)))
            fresh = trainee.train(done, batches)
            losses = np.concatenate([losses, fresh])
            done += len(fresh)
        yield Look(update=done, train_loss=float(losses.mean()), tune_score=mean_score(trainee, batcher, tune))


def mean_score(trainee: Trainee, batcher: Batcher, indices: NDArray[np.int64]) -> float:
    """Mean score over the targets of the sequences `indices`."""
    return float(trainee.scores(indices).sum() / max(target_counts(batcher, indices).sum(), 1))


def target_counts(batcher: Batcher, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """(len(indices),) targets of each sequence."""
    if not batcher.per_step:
        return np.ones(len(indices))
    return batcher.lengths(indices).astype(np.float64)


def _waited(looks: list[Look]) -> int:
    """Looks since the best one."""
    return len(looks) - 1 - int(np.argmax([look.tune_score for look in looks]))
