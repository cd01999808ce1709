"""What more data would bring: the gain of doubling, from scores at a quarter, a half and all of the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.stats.paired import Estimate, Floats

DRAWS = 1000
LOW, HIGH = 0.05, 0.95


def gain_of_doubling(quarter: Floats, half: Floats, whole: Floats) -> Floats:
    """(...) expected gain of twice the data.

    Scores that follow a - b n^-c (Hestness et al. 2017) gain from doubling to doubling in the constant ratio 2^-c:

        first = half - quarter,    second = whole - half,    gain = second * min(second / first, 1)

    Three points determine the three constants, so this is the exact fit. Where the second doubling brought more than
    the first, the next is taken to bring as much as the second; where it brought nothing, nothing.

    Limit: one doubling, and at most two, beyond what was measured; noise in `first` counts twice.

    >>> round(float(gain_of_doubling(np.array(60.0), np.array(64.0), np.array(66.0))), 6)
    1.0
    """
    first, second = half - quarter, whole - half
    shrinks = (first > 0) & (second < first)
    ratio = np.divide(second, first, out=np.ones_like(second, dtype=np.float64), where=shrinks)
    return np.asarray(np.maximum(second, 0.0) * np.clip(ratio, 0.0, 1.0))


def doubling(
    quarter: Floats, half: Floats, whole: Floats, weights: Floats, random: np.random.Generator, draws: int = DRAWS
) -> Estimate:
    """Gain of doubling with a bootstrap interval over seeds and clusters of examples (5th and 95th percentile).

    Args:
        quarter, half, whole: (seeds, clusters) score sums; the same seeds and the same clusters.
        weights: (clusters,) targets in each cluster.
        random: for the resampling.
        draws: of the bootstrap.

    Limit: few seeds give too narrow an interval; three are the fewest that are worth it.
    """
    sums = np.stack([quarter, half, whole])
    effect = float(gain_of_doubling(*(sums.sum(-1) / weights.sum()).mean(-1)))
    seeds, clusters = sums.shape[1:]
    found = []
    for _ in range(draws):
        rows = random.integers(seeds, size=(seeds,))
        columns = random.integers(clusters, size=(clusters,))
        found.append(gain_of_doubling(*_resampled(sums, weights, rows, columns)))
    low, high = np.quantile(found, (LOW, HIGH))
    return Estimate(effect, float(low), float(high))


def _resampled(sums: Floats, weights: Floats, seeds: NDArray[np.int64], clusters: NDArray[np.int64]) -> Floats:
    """(3,) mean scores of resampled seeds and clusters."""
    return np.asarray(sums[:, seeds].mean(1)[:, clusters].sum(-1) / weights[clusters].sum())
