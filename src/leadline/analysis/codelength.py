"""Online code length: how many bits it takes to send labels to someone who has the states.

Blocks of rows are sent one after another; the receiver fits a multinomial logistic reader to all blocks so far and
pays the cross-entropy of the next. The first block costs log2(classes) per row (Voita & Titov 2020):

    bits = [n_1 log2 C - sum_b sum_{i in block b+1} log2 p_b(y_i | x_i)] / n

Fewer bits: the label is there, and easy to get. Ranks of layers by it are stable where those by accuracy are not.

Numbers are sent to `STEP` of their standard deviation. The receiver is a Bayesian linear reader, whose predictions of
one row after another multiply to the marginal likelihood, so that no block and no order is needed (Dawid 1984):

    w | s^2 ~ N(0, s^2 / r I),  s^2 ~ IG(a, b):    bits = -log2 p(y | X) / n - log2 STEP
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

Floats = NDArray[np.float64]

ENDS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)
FEWEST_IN_BLOCK = 20
PENALTY = 1e-3
ITERATIONS = 12
STEP = 0.01
PRECISION = 1e-2
SHAPE = 0.5


def bits_per_row(states: Floats, labels: NDArray[np.int64], classes: int, random: np.random.Generator) -> float:
    """Mean bits per label, rows in a random order.

    Args:
        states: (rows, k), whitened.
        labels: (rows,) class indices.
        classes: C; the code of someone who knows nothing takes log2 C bits.
        random: of the order.

    >>> draw = np.random.default_rng(0)
    >>> states = draw.normal(size=(2000, 2))
    >>> planted = (states[:, 0] > 0).astype(np.int64)
    >>> bits_per_row(states, planted, 2, draw) < 0.3
    True
    >>> 0.99 < bits_per_row(states, draw.integers(0, 2, 2000), 2, draw) < 1.05
    True
    """
    order = random.permutation(len(labels))
    wide = np.concatenate([states[order], np.ones((len(order), 1))], 1)
    hot = np.eye(classes)[labels[order]]
    ends = sorted({max(FEWEST_IN_BLOCK, round(share * len(order))) for share in ENDS if len(order)})
    ends = [end for end in ends if end <= len(order)]
    if not ends:
        return math.log2(max(classes, 1))
    total = ends[0] * math.log2(max(classes, 1))
    weights = np.zeros((wide.shape[1], classes))
    for start, end in pairwise(ends):
        weights = _fitted(wide[:start], hot[:start], weights)
        logs = log_softmax(wide[start:end] @ weights, axis=1)
        total -= float((hot[start:end] * logs).sum()) / math.log(2)
    return total / ends[-1]


def bits_of_numbers(states: Floats, numbers: Floats) -> float:
    """Mean bits per number.

    Args:
        states: (rows, k), whitened.
        numbers: (rows,); where all are the same they take no bits.

    Returns:
        About 8.7 where the states say nothing of a normal number; less where they do; not below 0.

    >>> draw = np.random.default_rng(0)
    >>> states = draw.normal(size=(2000, 2))
    >>> round(bits_of_numbers(states, draw.normal(size=2000)), 1)
    8.7
    >>> bits_of_numbers(states, states @ [1.0, 2.0] + 0.1 * draw.normal(size=2000)) < 5
    True
    """
    wide = np.concatenate([states, np.ones((len(states), 1))], 1)
    if numbers.std() == 0:
        return 0.0
    y = (numbers - numbers.mean()) / numbers.std()
    n, columns = wide.shape
    factor = np.linalg.cholesky(wide.T @ wide + PRECISION * np.eye(columns))
    told = np.linalg.solve(factor, wide.T @ y)
    before, after = SHAPE, SHAPE + n / 2
    scale = SHAPE * STEP**2
    rest = scale + max(float(y @ y - told @ told), 0.0) / 2
    nats = n / 2 * math.log(2 * math.pi) + float(np.log(np.diag(factor)).sum()) - columns / 2 * math.log(PRECISION)
    nats += after * math.log(rest) - before * math.log(scale) - math.lgamma(after) + math.lgamma(before)
    bits: float = nats / n / math.log(2) - math.log2(STEP)
    return max(bits, 0.0)


def _fitted(x: Floats, hot: Floats, start: Floats) -> Floats:
    """(k, classes) penalised maximum likelihood by L-BFGS from `start`; convex, so the start only saves time."""
    penalty = PENALTY + 1.0 / len(x)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(start.shape)
        logs = log_softmax(x @ weights, axis=1)
        held = np.concatenate([weights[:-1], np.zeros((1, start.shape[1]))])
        slope = x.T @ (np.exp(logs) - hot) / len(x) + penalty * held
        return float(-(hot * logs).sum() / len(x) + penalty * (held**2).sum() / 2), slope.ravel()

    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS, "maxcor": 8})
    result: Floats = found.x.reshape(start.shape)
    return result
