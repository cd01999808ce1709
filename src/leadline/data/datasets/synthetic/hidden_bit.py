"""A hidden bit behind noise, and the exact posterior that nobody beats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.datasets.synthetic.draws import digit_names, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import ALL_AHEAD, GATED, LOSS, YES, KnownTask, Networks, rights, solved
from leadline.data.sequences import Sequences

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def hmm(num_sequences: int, length: int = 100, stay: float = 0.95, flip: float = 0.3, seed: int = 0) -> Sequences:
    """A hidden bit that stays with probability `stay`; x_t shows it, flipped with probability `flip`.

    The label is the hidden bit. Right: a look-ahead of 6-8 or both directions, one layer. The best accuracy
    of one who sees x_1..x_{t+k} is that of the exact posterior (`hmm_posterior`), far from the ends, for 0.95
    and 0.3:

        k     0      1      2      4      8      all
              .796   .818   .831   .846   .856   .858

    Proof: no predictor that sees x_1..x_{t+k} is right more often than the posterior given them. Both ways bring 6.2
    points to one who sees no future, whatever its size, depth or cell; one layer can follow the recursion of the
    posterior, whose state is one number in each direction, so nothing else brings more than the margin.
    """
    stream = random_stream("hmm", seed, num_sequences, length)
    start = stream.integers(2, size=(num_sequences, 1))
    changes = stream.random((num_sequences, length - 1)) > stay
    y: Ints = np.hstack([start, start + np.cumsum(changes, axis=1)]) % 2
    flipped = stream.random(y.shape) < flip
    x = np.where(flipped, 1 - y, y)
    return named("hmm", "tagging", x, symbols(2), y, digit_names(2))


def hmm_posterior(data: Sequences, look_ahead: int | None = None, stay: float = 0.95, flip: float = 0.3) -> Floats:
    """(rows, 2) exact p(state_t | x_1..x_{t+k}) of `hmm` by the forward-backward recursion (Rabiner 1989).

    With E the chance of the step's observation and A the transitions,
    alpha_t = E_t * (A' alpha_{t-1}), beta_t = A (E_{t+1} * beta_{t+1}) cut after k steps, p ~ alpha * beta.

    Args:
        data: what `hmm` returned.
        look_ahead: k; None for the whole sequence.
        stay: as given to `hmm`.
        flip: as given to `hmm`.
    """
    length = int(data.lengths[0])
    x = data.categories[:, 0].reshape(len(data), length)
    move = np.array([[stay, 1.0 - stay], [1.0 - stay, stay]])
    shown = np.array([[1.0 - flip, flip], [flip, 1.0 - flip]])[x]
    alpha = np.empty_like(shown)
    before = np.full((len(data), 2), 0.5)
    for t in range(length):
        now = shown[:, t] * before
        alpha[:, t] = now / now.sum(axis=1, keepdims=True)
        before = alpha[:, t] @ move
    p = alpha * (_all_ahead(shown, move) if look_ahead is None else _some_ahead(shown, move, look_ahead))
    return np.asarray(p / p.sum(axis=2, keepdims=True)).reshape(-1, 2)


def _all_ahead(shown: Floats, move: Floats) -> Floats:
    """beta over the whole rest of the sequence: one pass from the end."""
    beta = np.ones_like(shown)
    for t in range(shown.shape[1] - 2, -1, -1):
        beta[:, t] = (shown[:, t + 1] * beta[:, t + 1]) @ move.T
        beta[:, t] /= beta[:, t].sum(axis=1, keepdims=True)
    return beta


def _some_ahead(shown: Floats, move: Floats, look_ahead: int) -> Floats:
    """beta over the next `look_ahead` steps: one pass over all steps for each."""
    beta = np.ones_like(shown)
    for _ in range(min(look_ahead, shown.shape[1] - 1)):
        beta[:, :-1] = (shown[:, 1:] * beta[:, 1:]) @ move.T
        beta /= beta.sum(axis=2, keepdims=True)
    return beta


TASKS = (
    KnownTask(
        name="hmm",
        title="a hidden bit behind noise: a look-ahead of 6 to 8 or both directions, one layer",
        draw=hmm,
        sequences=600,
        right=(*rights(YES, "future", start=Networks(ahead=(0, 0))), *rights(LOSS, "deep_or_both_ways"), *solved(8)),
        advised=(Networks(layers=(1, 1), ahead=(4, ALL_AHEAD), cells=GATED),),
        baseline=True,
        best=85.5,
        tolerance=2.5,
    ),
)
