"""Intervals for a mean difference that rests on seeds and on examples. Pure functions on arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t


class Estimate(NamedTuple):
    """A mean with a two-sided confidence interval."""

    effect: float
    low: float
    high: float


def crossed(sums: NDArray[np.float64], weights: NDArray[np.float64], level: float) -> Estimate:
    """Interval for a mean over seeds and clusters of examples, which are crossed.

    With D[p, c] the sum over cluster c in pair p, w_c its targets and W = sum_c w_c:

        e_p = sum_c D[p, c] / W,      effect = mean_p e_p
        v_seeds = var(e_p) / P        v_examples = C / (C - 1) * sum_c (mean_p D[p, c] - effect * w_c)^2 / W^2
        effect +- t(level, df) * sqrt(v_seeds + v_examples)

    with Satterthwaite's (1946) degrees of freedom. The part of the noise that is neither the seed's nor the
    example's alone is in both terms, so the interval is a little wide, never narrow. With one pair the seeds'
    part cannot be estimated: then the interval is for these examples' population and *this* pair.

    Args:
        sums: (pairs, clusters) differences (or scores) summed by cluster.
        weights: (clusters,) targets in each cluster.
        level: confidence, for instance 0.95.

    >>> crossed(np.array([[1.0, 0.0, 1.0, 0.0]] * 3), np.ones(4), 0.95).effect
    0.5
    """
    pairs, clusters = sums.shape
    total = float(weights.sum())
    effects = sums.sum(1) / total
    effect = float(effects.mean())
    residuals = sums.mean(0) - effect * weights
    of_examples = clusters / max(clusters - 1, 1) * float((residuals**2).sum()) / total**2
    of_seeds = float(effects.var(ddof=1)) / pairs if pairs > 1 else 0.0
    freedom = _satterthwaite((of_seeds, pairs - 1), (of_examples, clusters - 1))
    return _around(effect, of_seeds + of_examples, freedom, level)


def resplit(effects: NDArray[np.float64], ratio: float, level: float) -> Estimate:
    """Interval for a mean over re-splits of the same data (Nadeau & Bengio 2003).

        effect +- t(level, n - 1) * sqrt((1 / n + ratio) * var(effects))

    Args:
        effects: (n,) difference (or score) on each re-split's dev part.
        ratio: dev sequences over train sequences; it pays for the overlap of the train parts.
        level: confidence.

    >>> round(resplit(np.array([1.0, 2.0, 3.0]), 0.25, 0.95).high, 2)
    5.29
    """
    count = len(effects)
    variance = float(effects.var(ddof=1)) * (1.0 / count + ratio) if count > 1 else float("inf")
    return _around(float(effects.mean()), variance, max(count - 1, 1), level)


def _satterthwaite(*parts: tuple[float, int]) -> float:
    used = [(variance, freedom) for variance, freedom in parts if variance > 0 and freedom > 0]
    if not used:
        return 1.0
    return sum(v for v, _ in used) ** 2 / sum(v**2 / f for v, f in used)


def _around(effect: float, variance: float, freedom: float, level: float) -> Estimate:
    if not np.isfinite(variance):
        return Estimate(effect, float("-inf"), float("inf"))
    half = float(t.ppf(0.5 + level / 2, freedom)) * variance**0.5
    return Estimate(effect, effect - half, effect + half)
