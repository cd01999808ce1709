"""A symbol that comes k steps later, or came k steps ago."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from leadline.data.datasets.synthetic.draws import NOTHING, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import (
    ALL_AHEAD,
    GATED,
    LOSS,
    ONE_LAYER,
    SMALL,
    YES,
    KnownTask,
    Networks,
    Question,
    rights,
    solved,
)
from leadline.data.sequences import Sequences

Ints = NDArray[np.int64]


def shifted(num_sequences: int, length: int = 30, shift: int = 2, num_symbols: int = 4, seed: int = 0) -> Sequences:
    """y_t = x_{t+k}, x_t uniform over n symbols; "-" where t + k lies outside the sequence.

    Right for k > 0: a look-ahead of k, or both directions; the score jumps from about 1/n to 1.0 at k, and
    nothing else helps. For k < 0 a memory of -k steps: one causal layer, or a window that reaches so far.

    Proof for k > 0: x_{t+k} is independent of all steps up to t + k - 1, so one who sees fewer than k ahead is
    right in 1/n of the steps that have a symbol; one who sees k ahead, or reads both ways, sees the answer itself.
    For k < 0 the answer has been seen, and the future is independent of it.
    """
    stream = random_stream("shifted", seed, num_sequences, length)
    x = stream.integers(num_symbols, size=(num_sequences, length))
    digits = symbols(num_symbols)
    return named("shifted", "tagging", x, digits, moved(x, shift, num_symbols), (*digits, NOTHING))


def moved(x: Ints, by: int, outside: int) -> Ints:
    """x_{t+by} at t, `outside` beyond the ends."""
    steps = np.arange(x.shape[1]) + by
    inside = (steps >= 0) & (steps < x.shape[1])
    return np.where(inside, x[:, np.clip(steps, 0, x.shape[1] - 1)], outside)


def _ahead(k: int) -> KnownTask:
    """The task of seeing k steps ahead; all windows of the baselines reach 4 steps ahead."""
    sighted = Networks(ahead=(k, ALL_AHEAD), units=(8, ALL_AHEAD), cells=GATED)
    added: tuple[Question, ...] = ("width", "depth", "depth_equal_size", "cell", "readout", "dropout", "more_data")
    return KnownTask(
        name=f"look_ahead_{k}",
        title=f"the symbol that comes {k} step{'s' if k > 1 else ''} later: a look-ahead of {k}, or both directions",
        draw=partial(shifted, shift=k),
        sequences=1000,
        right=(
            *rights(YES, "future", start=Networks(ahead=(0, k - 1))),
            *rights(LOSS, "deep_or_both_ways"),
            *rights(SMALL, "recurrence"),
            *rights(SMALL, *added, start=sighted),
        ),
        advised=(Networks(layers=(1, 1), ahead=(k, ALL_AHEAD)),),
        baseline=True,
        best=100.0,
        tolerance=1.5,
    )


TASKS = (
    _ahead(1),
    _ahead(2),
    _ahead(4),
    KnownTask(
        name="echo",
        title="the symbol that came 3 steps ago: one layer one way, or a linear model of a window",
        draw=partial(shifted, shift=-3),
        sequences=1000,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(SMALL, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=True,
        best=100.0,
        tolerance=1.5,
    ),
)
