"""What only the past and the future together tell."""

from __future__ import annotations

from functools import partial
from itertools import chain, product

import numpy as np
from numpy.typing import NDArray

from leadline.data.datasets.synthetic.draws import digit_names, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import (
    ALL_AHEAD,
    GATED,
    SMALL,
    YES,
    KnownTask,
    Networks,
    Question,
    Right,
    rights,
)
from leadline.data.datasets.synthetic.moved import moved
from leadline.data.sequences import Sequences

BOTH_WAYS = (ALL_AHEAD, ALL_AHEAD)


def xor_both(num_sequences: int, length: int = 30, distance: int = 3, seed: int = 0) -> Sequences:
    """y_t = x_{t-k} XOR x_{t+k}, bits; outside the sequence x is 0.

    Right: both directions *and* deeper (or a nonlinear readout); equally right, one layer with a look-ahead
    of k. Where both bits are inside, a sum of something seen from the left and something seen from the
    right, such as one layer both ways under a linear readout, cannot beat ln 2, and the past alone says
    nothing: so neither move helps alone. The 2 k steps near the ends need one bit only: a loss of (1 - 2 k
    / T) ln 2 without the pair. Accuracy 1.0.

    Proof: logits that are the sum of a function of the past and one of the future are right in at most 3 of the 4
    cases (`best_of_sums`), and lose ln 2 at the least. One layer both ways under a linear readout is such a network; a
    second layer or a hidden layer of the readout makes the logits any function of both. A window of k steps ahead,
    or of k on both sides in a predictor without recurrence, sees all there is. What sees no future is left with a
    toss.
    """
    stream = random_stream("xor_both", seed, num_sequences, length)
    x = stream.integers(2, size=(num_sequences, length))
    y = moved(x, -distance, 0) ^ moved(x, distance, 0)
    return named("xor_both", "tagging", x, symbols(2), y, digit_names(2))


def best_of_sums(table: NDArray[np.int64]) -> float:
    """Largest share of cells of a 0/1 table over (a, b) that f(a) + g(b) > 0 gets right, by enumeration.

    Only the order of f and g matters: row a is 1 where g(b) > -f(a), so for each order of the columns every row
    chooses from where on it is 1.

    >>> best_of_sums(np.array([[0, 1], [1, 0]]))
    0.75
    """
    rows, columns = table.shape
    best = 0.0
    for values in product(range(columns), repeat=columns):
        above = np.array(values)[None, :] >= np.arange(columns + 1)[:, None]
        agreed = (table[:, None, :] == above[None, :, :]).sum(axis=2).max(axis=1).sum()
        best = max(best, float(agreed) / (rows * columns))
    return best


def match(num_sequences: int, length: int = 30, distance: int = 2, num_symbols: int = 3, seed: int = 0) -> Sequences:
    """y_t = 1 where x_{t-k} = x_{t+k}, x_t uniform over n symbols; 0 outside the sequence.

    Right: as for `xor_both`. Accuracy 1.0.

    Proof: as for `xor_both`; here the n x n table of the label is the identity. A sum f(a) + g(b) that is
    thresholded marks nested sets of columns in its rows, and the nested sets that agree best with the identity hold
    one cell of it: (n (n - 1) + 1) / n^2 of the cells are right, 7 of 9 for n = 3 (`best_of_sums`).
    """
    stream = random_stream("match", seed, num_sequences, length)
    x = stream.integers(num_symbols, size=(num_sequences, length))
    y = (moved(x, -distance, -1) == moved(x, distance, -2)).astype(np.int64)
    return named("match", "tagging", x, symbols(num_symbols), y, digit_names(2))


def both_ends_right(k: int) -> tuple[Right, ...]:
    """The right words where what is k steps behind and what is k steps ahead tell the label only together.

    The proof stands with `xor_both`.
    """
    additive = Networks(layers=(1, 1), ahead=BOTH_WAYS, readouts=frozenset({"linear"}))
    blind = ({"layers": (2, ALL_AHEAD)}, {"readouts": frozenset({"mlp"})})
    combining = [Networks(ahead=BOTH_WAYS, cells=GATED, units=(16, ALL_AHEAD), **some) for some in blind]
    window = Networks(ahead=(k, ALL_AHEAD - 1), cells=GATED, units=(16, ALL_AHEAD))
    added: tuple[Question, ...] = ("width", "cell", "dropout", "more_data")
    joined: tuple[Question, ...] = ("depth", "depth_equal_size", "readout")
    return (
        *rights(SMALL, "recurrence"),
        *chain.from_iterable(rights(YES, "future", start=Networks(ahead=(0, 0), **some)) for some in blind),
        *rights(YES, *joined, start=additive),
        *chain.from_iterable(rights(SMALL, *joined, *added, start=start) for start in (*combining, window)),
    )


def both_ends_advised(k: int) -> tuple[Networks, ...]:
    """One layer with a window of k or more, or both ways with a second layer or with an MLP readout."""
    return (
        Networks(layers=(1, 1), ahead=(k, ALL_AHEAD - 1)),
        Networks(layers=(2, ALL_AHEAD), ahead=BOTH_WAYS),
        Networks(ahead=BOTH_WAYS, readouts=frozenset({"mlp"})),
    )


TASKS = (
    KnownTask(
        name="xor_both",
        title="a bit 2 steps ago XOR one 2 steps later: both directions and a second layer or an MLP, or a window of 2",
        draw=partial(xor_both, distance=2),
        sequences=1500,
        right=both_ends_right(2),
        advised=both_ends_advised(2),
        baseline=True,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="match",
        title="whether the symbols 2 steps ago and 2 steps later are equal: as for xor_both",
        draw=match,
        sequences=1500,
        right=both_ends_right(2),
        advised=both_ends_advised(2),
        baseline=True,
        best=100.0,
        tolerance=1.5,
    ),
)
