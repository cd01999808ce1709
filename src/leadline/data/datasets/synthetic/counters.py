"""Sums that are kept up step by step: parity, a clock, the depth of brackets, a majority."""

from __future__ import annotations

from functools import partial

import numpy as np

from leadline.data.datasets.synthetic.draws import digit_names, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import ONE_LAYER, SMALL, YES, KnownTask, rights, solved
from leadline.data.sequences import Sequences


def parity(num_sequences: int, length: int = 20, modulus: int = 2, seed: int = 0) -> Sequences:
    """y_t = (x_1 + ... + x_t) mod m with x_t uniform over 0..m-1: parity for m = 2.

    Right: a nonlinear cell (tanh, GRU, LSTM) does it in one layer; a recurrence with non-negative linear
    gates never does, at any depth, so there the cell must change and not the depth. Train at 20 steps and
    score at 80: a network that has learned the rule stays at 1.0, one that has not falls to 1/m.

    Proof: y_t = (y_{t-1} + x_t) mod m, a finite table that one layer holds. For a predictor without recurrence
    that sees x_{t-k}..x_{t+k'} alone, y_t is uniform whatever it sees as soon as t > k, since x_1 is uniform and
    unseen: it is right in 1/m of those steps.
    """
    stream = random_stream("parity", seed, num_sequences, length)
    x = stream.integers(modulus, size=(num_sequences, length))
    y = np.cumsum(x, axis=1) % modulus
    return named("parity", "tagging", x, symbols(modulus), y, digit_names(modulus))


def clock(num_sequences: int, length: int = 40, modulus: int = 3, pulse: float = 0.06, seed: int = 0) -> Sequences:
    """y_t = steps since the last pulse, mod m; a pulse comes with probability p, and at step 0.

    A rhythm that starts anew at every pulse. Right: one gated layer. Accuracy 1.0.

    Proof: y_t = 0 at a pulse, else (y_{t-1} + 1) mod m: a finite table. Without recurrence a window of w steps
    that holds no pulse and not the beginning tells nothing but that the last pulse is older; how old is geometric,
    so every phase has nearly the same chance. That is so in (1 - p)^w of the later steps, 40 % for w = 15.
    """
    stream = random_stream("clock", seed, num_sequences, length)
    x = (stream.random((num_sequences, length)) < pulse).astype(np.int64)
    x[:, 0] = 1
    steps = np.arange(length)[None, :]
    last = np.maximum.accumulate(np.where(x == 1, steps, 0), axis=1)
    return named("clock", "tagging", x, ("silence", "pulse"), (steps - last) % modulus, digit_names(modulus))


def brackets(num_sequences: int, length: int = 40, deepest: int = 5, seed: int = 0) -> Sequences:
    """Random brackets "(" and ")"; the label is how many are open after the step, 0 to D.

    Either comes with probability 1/2, but "(" always where none is open and ")" where D are.

    Right: one gated layer. Accuracy 1.0.

    Proof: y_t = y_{t-1} + 1 or - 1, a finite table. The depth before a window shifts all depths in it, so what a
    window of w steps leaves open is decided by whether its walk spans all of 0..D; the best accuracy of one that
    sees 15 steps and not where the sequence begins is 79.6 % (`brackets_in_window`), with D = 5.
    """
    stream = random_stream("brackets", seed, num_sequences, length)
    opens = stream.random((num_sequences, length)) < 0.5
    y = np.empty((num_sequences, length), dtype=np.int64)
    depth = np.zeros(num_sequences, dtype=np.int64)
    for t in range(length):
        opens[:, t] = np.where(depth == 0, True, np.where(depth == deepest, False, opens[:, t]))
        depth = depth + np.where(opens[:, t], 1, -1)
        y[:, t] = depth
    return named("brackets", "tagging", 1 - opens.astype(np.int64), ("(", ")"), y, digit_names(deepest + 1))


def brackets_in_window(steps: int, deepest: int = 5) -> float:
    """Best accuracy on `brackets` of one who sees the last `steps` steps, far from the beginning, by enumeration.

    p(window, depth) is summed over the depths before the window, which are 1/(2D) at the ends and 1/D between: the
    stationary chances of the walk.
    """
    before = np.full(deepest + 1, 1.0 / deepest)
    before[[0, -1]] /= 2.0
    joint = before[None, :]
    for _ in range(steps):
        chance_open = np.full(deepest + 1, 0.5)
        chance_open[0], chance_open[-1] = 1.0, 0.0
        up = np.zeros_like(joint)
        down = np.zeros_like(joint)
        up[:, 1:] = (joint * chance_open)[:, :-1]
        down[:, :-1] = (joint * (1.0 - chance_open))[:, 1:]
        joint = np.concatenate([up, down])
    return float(joint.max(axis=1).sum())


def majority(num_sequences: int, length: int = 15, seed: int = 0) -> Sequences:
    """Votes of "yes" and "no", an odd number; the label is what most of them are.

    Right: the baseline is enough, and direction cannot matter. Accuracy 1.0.

    Proof: the label is the sign of the mean of the votes, linear in what a bag of steps knows. The sum does not
    change when a sequence is reversed, and neither does the chance of the sequence: one who reads from the end has
    the same task as one who reads from the beginning, so direction alone brings nothing.
    """
    stream = random_stream("majority", seed, num_sequences, length)
    x = stream.integers(2, size=(num_sequences, length + 1 - length % 2))
    y = (x.mean(axis=1) > 0.5).astype(np.int64)
    return named("majority", "classification", x, ("no", "yes"), y, ("no", "yes"))


TASKS = (
    KnownTask(
        name="parity",
        title="the running sum of bits mod 2: one nonlinear layer",
        draw=parity,
        sequences=1500,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(YES, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="sum_mod_3",
        title="the running sum mod 3: one nonlinear layer",
        draw=partial(parity, modulus=3),
        sequences=1500,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(YES, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="clock",
        title="steps since the last pulse mod 3, a rhythm: one layer",
        draw=clock,
        sequences=1000,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(YES, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="brackets",
        title="how many brackets are open: one layer counts",
        draw=brackets,
        sequences=1000,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(YES, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="majority",
        title="what most of 15 votes are: a bag of steps is enough, and direction cannot matter",
        draw=majority,
        sequences=3000,
        right=(*solved(8, "future", "deep_or_both_ways"), *rights(SMALL, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=True,
        best=100.0,
        tolerance=2.5,
    ),
)
