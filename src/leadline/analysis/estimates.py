"""Means with intervals over clusters of examples, and over seeds where there are any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.analysis.measured import Against, Measured
from leadline.stats import tails
from leadline.stats.paired import Evidence, crossed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEVEL = 0.95


def sums(values: Floats, clusters: Ints) -> Floats:
    """(..., clusters) sums of (..., rows) values by cluster."""
    count = int(clusters.max()) + 1 if len(clusters) else 0
    flat = values.reshape(-1, values.shape[-1])
    found = np.stack([np.bincount(clusters, weights=row, minlength=count) for row in flat])
    result: Floats = found.reshape(*values.shape[:-1], count).astype(np.float64)
    return result


def mean(values: Floats, clusters: Ints, level: float = LEVEL, one_more: bool = False) -> Measured:
    """The mean of values, rows of one cluster not being independent.

    Args:
        values: (rows,), or (seeds, rows) where the mean is also over seeds.
        clusters: (rows,) cluster of each row, from 0.
        level: confidence of the interval.
        one_more: what is held against the seeds' mean is itself one draw, as a network is one among those that its
            seed could have given; then the interval holds where one more of the seeds would lie:

                variance of seeds = spread * (1 / seeds + 1)
    """
    evidence = _evidence(values, clusters, one_more)
    if evidence is None:
        return Measured(value=float(values.mean()))
    found = tails.interval(evidence, level)
    return Measured(value=found.effect, interval=(found.low, found.high))


def chance(values: Floats, clusters: Ints) -> float:
    """Two-sided p-value of the mean of values being zero; see `mean`. 1 where nothing is known."""
    evidence = _evidence(values, clusters)
    return 1.0 if evidence is None else min(1.0, 2.0 * float(tails.exceedance(np.abs(evidence.effect), evidence)))


def _evidence(values: Floats, clusters: Ints, one_more: bool = False) -> Evidence | None:
    """Seeds crossed with clusters; None for fewer than two clusters."""
    rows = np.atleast_2d(values)
    totals, weights = sums(rows, clusters), sums(np.ones(rows.shape[1]), clusters)
    present = weights > 0
    if present.sum() < 2:
        return None
    found = crossed(totals[:, present], weights[present])
    return replace(found, overlap=1.0) if one_more else found


def is_above(measured: Measured | None, bound: float = 0.0) -> bool:
    """Whether the whole interval lies above `bound`."""
    return measured is not None and measured.interval is not None and measured.interval[0] > bound


def is_below(measured: Measured | None, bound: float = 0.0) -> bool:
    """Whether the whole interval lies below `bound`."""
    return measured is not None and measured.interval is not None and measured.interval[1] < bound


def against(measured: Measured | None) -> Against:
    """What a difference says: its interval lies above zero, below it, or holds it."""
    if is_above(measured):
        return "more"
    return "less" if is_below(measured) else "open"


def resamples(clusters: Ints, count: int, random: np.random.Generator) -> Floats:
    """(count, rows) how often each row is drawn where whole clusters are drawn with replacement (Efron 1979)."""
    number = int(clusters.max()) + 1
    drawn = random.multinomial(number, np.full(number, 1.0 / number), size=count)
    result: Floats = drawn[:, clusters].astype(np.float64)
    return result
