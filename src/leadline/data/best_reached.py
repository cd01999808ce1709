"""The best that can be reached on generated tasks with chance in them, exactly: what `data.tasks` promises."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import Sequences

Floats = NDArray[np.float64]


def noise_floor(noise: float, num_classes: int) -> float:
    """Best loss of `noisy_function` in nats: H(p) + p ln(K - 1).

    >>> round(noise_floor(0.2, 4), 3)
    0.72
    """
    entropy = -noise * np.log(noise) - (1.0 - noise) * np.log(1.0 - noise)
    return float(entropy + noise * np.log(num_classes - 1))


def stationary(table: Floats) -> Floats:
    """pi with pi P = pi, sum pi = 1."""
    size = len(table)
    equations = np.vstack([table.T - np.eye(size), np.ones(size)])
    found = np.maximum(np.linalg.lstsq(equations, np.eye(size + 1)[-1], rcond=None)[0], 0.0)
    return np.asarray(found / found.sum())


def entropy_rate(table: Floats) -> float:
    """Entropy of the next symbol given the present one, in nats: -sum_i pi_i sum_j P_ij ln P_ij."""
    logs = np.log(np.where(table > 0.0, table, 1.0))
    return float(-stationary(table) @ (table * logs).sum(axis=1))


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
