"""What paired differences of scores say: their mean, and the two sources of its error. Pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ENDLESS = 10**9


class Estimate(NamedTuple):
    """A mean with the bounds of its interval."""

    effect: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Evidence:
    """Paired differences, reduced to what a decision needs. Leading axes, if any, are independent studies.

    Args:
        effects: (..., pairs) mean difference in each pair.
        of_examples: (...) variance of the mean that the choice of examples causes; more pairs do not lessen it.
        least: (...) variance of one pair that is known whatever the seeds do: that of seeds times examples.
        examples_freedom: degrees of freedom of `of_examples`.
        overlap: correlated part of the variance over that of one pair, for re-splits; 0 on one split.
    """

    effects: Floats
    of_examples: Floats
    least: Floats
    examples_freedom: int = ENDLESS
    overlap: float = 0.0

    @property
    def pairs(self) -> int:
        """Number of pairs."""
        return int(self.effects.shape[-1])

    @property
    def effect(self) -> Floats:
        """(...) mean difference."""
        return np.asarray(self.effects.mean(-1))

    @property
    def spread(self) -> Floats:
        """(...) variance of one pair: the sample's, and no less than what is known."""
        if self.pairs < 2:
            return np.asarray(self.least)
        return np.asarray(np.maximum(self.effects.var(-1, ddof=1), self.least))

    @property
    def of_seeds(self) -> Floats:
        """(...) variance of the mean that the choice of seeds causes."""
        return np.asarray(self.spread * (1.0 / self.pairs + self.overlap))


def crossed(sums: Floats, weights: Floats) -> Evidence:
    """Evidence from seeds and clusters of examples, which are crossed.

    With D[p, c] the sum over cluster c in pair p, w_c its targets, W = sum_c w_c and P pairs:

        e_p = sum_c D[p, c] / W                        effect of a pair
        r[p, c] = D[p, c] - e_p w_c                    residual, r[., c] its mean over pairs
        both = C/(C-1) sum_c r[., c]^2 / W^2           examples, and a P-th of seeds times examples
        least = C/(C-1) sum_pc (r[p, c] - r[., c])^2 / ((P - 1) W^2)
        of_examples = max(0, both - least / P)

    The mean's variance is s_seeds^2 / P + s_examples^2 / C + s_both^2 / (P C) (two-way random effects, Searle,
    Casella and McCulloch 1992). The variance of e_p over pairs estimates the first and the last term together, so
    the last is taken out of the second. `least` estimates s_both^2 / C from many differences: a few pairs that
    happen to agree cannot show less noise than that.

    With one pair nothing can be told apart: `of_examples` then holds both, for *this* pair.

    Args:
        sums: (..., pairs, clusters) differences (or scores) summed by cluster.
        weights: (clusters,) targets in each cluster.

    Limit: one cluster gives no variance; then it is infinite.

    >>> found = crossed(np.array([[1.0, 0.0, 1.0, 0.0]] * 3), np.ones(4))
    >>> float(found.effect), round(float(found.of_examples), 3)
    (0.5, 0.083)
    """
    pairs, clusters = sums.shape[-2:]
    total = float(weights.sum())
    effects = sums.sum(-1) / total
    if clusters < 2:
        return Evidence(effects, np.full(effects.shape[:-1], np.inf), np.zeros(effects.shape[:-1]), 1)
    scale = clusters / (clusters - 1) / total**2
    residuals = sums - effects[..., None] * weights
    shared = residuals.mean(-2)
    both = scale * (shared**2).sum(-1)
    least = np.zeros_like(both)
    if pairs > 1:
        least = scale * ((residuals - shared[..., None, :]) ** 2).sum((-2, -1)) / (pairs - 1)
    return Evidence(effects, np.maximum(both - least / pairs, 0.0), least, clusters - 1)


def resplit(effects: Floats, ratio: float) -> Evidence:
    """Evidence from re-splits of the same data, which are correlated (Nadeau and Bengio 2003).

        variance of the mean = (1 / n + ratio) * var(effects),     ratio = n_dev / n_train

    This is the variance of a mean of equally correlated differences, rho = n_dev / (n_dev + n_train), with the
    variance estimated within: v = (1 - rho) / n + rho over 1 - rho.

    Args:
        effects: (..., n) difference (or score) on each re-split's dev part.
        ratio: dev sequences over train sequences; it pays for the overlap of the train parts.

    >>> round(float(resplit(np.array([1.0, 2.0, 3.0]), 0.25).of_seeds), 3)
    0.583
    """
    none = np.zeros(effects.shape[:-1])
    return Evidence(effects, none, none, overlap=ratio)


def correlation(one: Floats, other: Floats) -> float | None:
    """Pearson's correlation of two equally long rows; None where a row is constant or shorter than 3.

    >>> correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    1.0
    """
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return round(float(np.corrcoef(one, other)[0, 1]), 9)
