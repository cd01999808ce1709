"""The error that no predictor can avoid, from inputs that occur more than once with different targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unavoidable_error(disagreement: float, classes: int) -> float:
    """Least share of labels that any predictor gets wrong, from how often two labels of one input differ.

        E >= (K - 1) / K * (1 - sqrt(1 - K / (K - 1) * d))

    The nearest-neighbour inequality of Cover and Hart (1967): d is the error of answering with another label of the
    same input.

    Args:
        disagreement: d, share of pairs of equal inputs whose labels differ, 0 to 1.
        classes: K, at least 2.

    >>> round(unavoidable_error(0.32, 2), 9)
    0.2
    """
    share = (classes - 1) / classes
    return share * (1.0 - float(np.sqrt(max(0.0, 1.0 - disagreement / share))))


def unavoidable_distance(disagreement: float) -> float:
    """Least mean absolute error of any predictor: half the mean distance of two targets of one input.

    For any prediction p, |y - y'| <= |y - p| + |y' - p|.

    >>> unavoidable_distance(3.0)
    1.5
    """
    return disagreement / 2


def differing(labels: NDArray[np.generic]) -> float:
    """Ordered pairs of labels that differ: n^2 minus the sum of squared counts.

    >>> differing(np.array(["a", "a", "b"]))
    4.0
    """
    counts = np.unique(labels, return_counts=True)[1].astype(float)
    return float(len(labels) ** 2 - (counts**2).sum())


def distances(values: NDArray[np.generic]) -> float:
    """Sum of |x_i - x_j| over ordered pairs: 2 * sum_i (2 i - n + 1) x_(i), values in ascending order, i from 0.

    >>> distances(np.array([1.0, 4.0, 2.0]))
    12.0
    """
    ordered = np.sort(values).astype(float)
    return float(2 * ((2 * np.arange(len(ordered)) - len(ordered) + 1) @ ordered))
