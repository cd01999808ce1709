"""Sequences whose label lies at their ends: the last step, the first step, or both together."""

from __future__ import annotations

import numpy as np

from leadline.data.datasets.synthetic.draws import digit_names, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import ONE_LAYER, SMALL, YES, KnownTask, rights, solved
from leadline.data.sequences import Sequences


def last_step(num_sequences: int, length: int = 20, num_symbols: int = 6, seed: int = 0) -> Sequences:
    """Symbols by chance; the label is 1 where the last one is of the first half of the alphabet.

    Right: the baseline is enough, and neither the future nor depth. Accuracy 1.0.

    Proof: the label is a function of the last step, which a linear model of it holds exactly; all other steps are
    independent of it. A network that reads forwards has just read that step when it answers.
    """
    stream = random_stream("last_step", seed, num_sequences, length)
    x = stream.integers(num_symbols, size=(num_sequences, length))
    y = (x[:, -1] < num_symbols // 2).astype(np.int64)
    return named("last_step", "classification", x, symbols(num_symbols), y, digit_names(2))


def first_step(num_sequences: int, length: int = 40, num_symbols: int = 6, seed: int = 0) -> Sequences:
    """Symbols by chance; the label is 1 where the first one is of the first half of the alphabet.

    Right: the baseline is enough, and depth is of no use. Accuracy 1.0.

    Proof: as for `last_step`. One layer that reads backwards has just read the first step when it answers, one
    that reads forwards must carry a bit over all others: both can, so theory does not say what reading both ways
    brings to a network that is trained (it learns sooner).
    """
    stream = random_stream("first_step", seed, num_sequences, length)
    x = stream.integers(num_symbols, size=(num_sequences, length))
    y = (x[:, 0] < num_symbols // 2).astype(np.int64)
    return named("first_step", "classification", x, symbols(num_symbols), y, digit_names(2))


def with_first(num_sequences: int, length: int = 30, seed: int = 0) -> Sequences:
    """Bits by chance; y_t = x_1 XOR x_t: the first step together with the present one.

    Right: recurrence, one gated layer, and no future. Accuracy 1.0.

    Proof: one layer keeps x_1 and, since its update is a nonlinear function of state and input, combines it with
    x_t; no later step tells more. A window that does not reach back to the first step sees only bits that are
    independent of it, so y_t is a toss there; either bit alone tells nothing either.
    """
    stream = random_stream("with_first", seed, num_sequences, length)
    x = stream.integers(2, size=(num_sequences, length))
    return named("with_first", "tagging", x, symbols(2), x[:, :1] ^ x, digit_names(2))


TASKS = (
    KnownTask(
        name="first_step",
        title="a class that the first of 40 steps alone decides: no recurrence and no depth",
        draw=first_step,
        sequences=2000,
        right=rights(SMALL, "recurrence"),
        advised=(ONE_LAYER,),
        baseline=True,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="with_first",
        title="the first bit XOR the present one: a bit that is kept, one layer one way",
        draw=with_first,
        sequences=1000,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(YES, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="last_step",
        title="a class that the last step alone decides: no recurrence, no future, no depth",
        draw=last_step,
        sequences=2000,
        right=(*solved(4, "future", "deep_or_both_ways"), *rights(SMALL, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=True,
        best=100.0,
        tolerance=1.5,
    ),
)
