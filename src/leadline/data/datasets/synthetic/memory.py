"""What was seen long ago: recall, the adding problem, the copying problem."""

from __future__ import annotations

from functools import partial

import numpy as np

from leadline.data.datasets.synthetic.draws import NOTHING, named, numeric_steps, random_stream, symbols
from leadline.data.datasets.synthetic.known import (
    GATED,
    ONE_GATED_LAYER,
    SMALL,
    YES,
    KnownTask,
    Networks,
    rights,
    solved,
)
from leadline.data.sequences import Sequences
from leadline.spec import Cell


def recall(num_sequences: int, count: int = 4, num_symbols: int = 8, delay: int = 20, seed: int = 0) -> Sequences:
    """M symbols of n, `delay` empty steps, and a query "?i": which symbol was the i-th?

    The state must carry M log2(n) bits until the query comes. Accuracy 1.0; 1/n for one who forgot.

    Right: no recurrence, where M is at most 8 and the query is among the last 8 steps.

    Proof: an MLP that sees the first and the last 8 steps sees symbols and query, and a hidden unit for each pair
    of a position and a symbol holds "that position is asked and that symbol stood there", 32 units for M = 4 and n
    = 8.
    """
    stream = random_stream("recall", seed, num_sequences, count + delay + 1)
    shown = stream.integers(num_symbols, size=(num_sequences, count))
    query = stream.integers(count, size=num_sequences)
    empty = np.full((num_sequences, delay), num_symbols)
    x = np.hstack([shown, empty, num_symbols + 1 + query[:, None]])
    names = (*symbols(num_symbols), NOTHING, *(f"?{i + 1}" for i in range(count)))
    y = shown[np.arange(num_sequences), query]
    return named("recall", "classification", x, names, y, symbols(num_symbols))


def adding(num_sequences: int, length: int = 200, seed: int = 0) -> Sequences:
    """u_t uniform on [0, 1); one step in each half is marked; y is the sum of the two marked numbers.

    The adding problem of Hochreiter & Schmidhuber (1997). Right: a longer memory (a gated cell instead of
    tanh), not depth. Answering 1 always gives a mean squared error of 1/6 and a mean absolute error of 1/3;
    0 can be reached.

    Proof: the answer is the sum over steps of max(u_t + mark_t - 1, 0), which a convolution that is averaged over
    all steps holds exactly: no recurrence is needed, and order does not matter. One gated layer adds the same
    numbers up. That a tanh layer does not learn it is measured (30 steps: 0.335 as if it answered 1 always, a GRU
    0.005).
    """
    stream = random_stream("adding", seed, num_sequences, length, shortest=2)
    values = stream.random((num_sequences, length))
    half, rows = length // 2, np.arange(num_sequences)
    first = stream.integers(half, size=num_sequences)
    second = stream.integers(half, length, size=num_sequences)
    marks = np.zeros_like(values)
    marks[rows, first] = marks[rows, second] = 1.0
    x = np.stack([values, marks], axis=2)
    return numeric_steps("adding", "regression", x, ("value", "marker"), (values * marks).sum(axis=1), ())


def copy(num_sequences: int, count: int = 10, num_symbols: int = 8, delay: int = 100, seed: int = 0) -> Sequences:
    """S symbols, `delay` empty steps with a "go" as the last, S empty steps: there the symbols are repeated.

    The label is "-" before the answer. Right: a longer memory (a gated cell instead of tanh), not depth.
    Accuracy 1.0; without memory the loss is S ln(n) / (2 S + delay) nats a step and the accuracy
    (S + delay + S / n) / (2 S + delay).

    Proof: when the repetition begins, the state must hold S symbols, S log2(n) bits, and no window of fewer than
    S + delay steps sees the symbol that is due. For S = 16, n = 4, 32 bits: the units that are needed grow with S,
    since a trained unit carries about one number (Collins, Sohl-Dickstein & Sussillo 2017); measured with 2,000
    sequences, % right at 16, 32, 64 and 128 GRU units: 67.7, 71.7, 80.4, 88.0. For S = 2 over 40 steps the bits
    are few and the time is long: a GRU of 32 units learns it in 735 updates, tanh of 60 units and an LSTM of 28
    do not (both 96.6, as without memory).
    """
    stream = random_stream("copy", seed, num_sequences, delay, shortest=1)
    shown = stream.integers(num_symbols, size=(num_sequences, count))
    empty = np.full((num_sequences, delay + count), num_symbols)
    x = np.hstack([shown, empty])
    x[:, count + delay - 1] = num_symbols + 1
    y = np.hstack([empty, shown])
    digits = symbols(num_symbols)
    return named("copy", "tagging", x, (*digits, NOTHING, "go"), y, (*digits, NOTHING))


TANH = Networks(cells=frozenset({"tanh"}))
GRU: frozenset[Cell] = frozenset({"gru"})

TASKS = (
    KnownTask(
        name="recall",
        title="which of 4 symbols was the i-th: an MLP on the first and the last steps knows all of it",
        draw=partial(recall, delay=4),
        sequences=4000,
        right=rights(SMALL, "recurrence"),
        advised=(ONE_GATED_LAYER,),
        baseline=True,
        best=100.0,
        tolerance=2.5,
    ),
    KnownTask(
        name="recall_16",
        title="16 symbols of 4 that are to be repeated, 32 bits to carry: wider",
        draw=partial(copy, count=16, num_symbols=4, delay=1),
        sequences=2000,
        right=(*rights(YES, "recurrence"), *rights(YES, "width", start=Networks(layers=(1, 1), units=(8, 64)))),
        advised=(Networks(cells=GATED),),
        baseline=False,
        best=100.0,
        tolerance=25.0,
    ),
    KnownTask(
        name="adding",
        title="the sum of two marked numbers of 30: a gated cell instead of tanh, not depth",
        draw=partial(adding, length=30),
        sequences=3000,
        right=(
            *rights(YES, "cell", start=TANH),
            *solved(32, "future", "deep_or_both_ways"),
            *rights(SMALL, "recurrence"),
        ),
        advised=(ONE_GATED_LAYER,),
        baseline=True,
        best=0.0,
        tolerance=0.03,
    ),
    KnownTask(
        name="copy",
        title="2 symbols that are to be repeated after 40 steps: a gated cell instead of tanh, not depth",
        draw=partial(copy, count=2, num_symbols=4, delay=40),
        sequences=1500,
        right=(
            *rights(YES, "recurrence"),
            *rights(YES, "cell", start=TANH),
            *solved(32, "future", "deep_or_both_ways", cells=GRU),
        ),
        advised=(ONE_GATED_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
)
