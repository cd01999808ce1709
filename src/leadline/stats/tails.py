"""How far the mean may lie from the truth when two variances are estimated: the Behrens-Fisher distribution."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln, ndtr

from leadline.stats.paired import Estimate, Evidence, Floats

NODES = 65
FEW_NODES = 13
PLENTY = 1000
TINY = 1e-300


def exceedance(distance: Floats, evidence: Evidence) -> Floats:
    """Chance that the error of the mean is at least `distance`, to one side.

        P(a T + b U >= distance),   a^2 = of_seeds, b^2 = of_examples, T and U Student's t, independent

    which is the integral of 1 - Phi(distance / sqrt(a^2 / v + b^2 / w)) over v, w ~ chi^2 / freedom. As a test this
    is Behrens' (1929) and Fisher's (1935): exact where one part is zero, and never above its level in between
    (Robinson 1976, by computation). Welch's approximation is not used: with 2 degrees of freedom and a level of
    0.001 it errs by a factor.

    Assumes normal errors of both kinds, independent of each other. With one pair the seeds' part is unknown and
    left out: the answer is then about this pair.

    Args:
        distance: (...) in the unit of the effects.
        evidence: from `crossed` or `resplit`.

    Returns:
        (...) probabilities; 1 where nothing is known, and 0 or 1 where both variances are zero.
    """
    seeds = evidence.of_seeds if evidence.pairs > 1 else np.zeros_like(evidence.of_examples)
    if evidence.pairs == 1 and evidence.overlap:
        return np.ones_like(np.asarray(distance, dtype=np.float64))
    v, at_v = _nodes(max(evidence.pairs - 1, 1), NODES)
    w, at_w = _nodes(evidence.examples_freedom, FEW_NODES)
    found = np.zeros(np.broadcast_shapes(np.shape(distance), np.shape(seeds)))
    far = np.asarray(distance, dtype=np.float64)[..., None]
    certain = np.where(far == 0, 0.0, np.copysign(np.inf, far))
    for one, share in zip(w, at_w, strict=True):
        root = np.sqrt(seeds[..., None] / v + evidence.of_examples[..., None] / one)
        ratio = np.divide(far, root, out=certain + np.zeros_like(root), where=root > 0)
        found = found + share * (ndtr(-ratio) @ at_v)
    return np.asarray(found)


def half_width(evidence: Evidence, alpha: float) -> float:
    """The distance whose `exceedance` is `alpha`, for one comparison; infinite where nothing is known."""
    scale = float(np.sqrt(evidence.of_seeds + evidence.of_examples))
    if not np.isfinite(scale) or (evidence.pairs == 1 and evidence.overlap):
        return float("inf")
    if scale == 0:
        return 0.0

    def excess(distance: float) -> float:
        return float(np.log(exceedance(np.asarray(distance), evidence) + TINY) - np.log(alpha))

    high = 4.0 * scale
    while excess(high) > 0:
        high *= 4.0
    return float(brentq(excess, 0.0, high, xtol=1e-9 * scale))


def interval(evidence: Evidence, level: float) -> Estimate:
    """The two-sided interval of one look that was planned, for instance at level 0.95.

    >>> from leadline.stats.paired import resplit
    >>> round(interval(resplit(np.array([1.0, 2.0, 3.0]), 0.25), 0.95).high, 2)
    5.29
    """
    half = half_width(evidence, (1 - level) / 2)
    effect = float(evidence.effect)
    return Estimate(effect, effect - half, effect + half)


@lru_cache(maxsize=256)
def _nodes(freedom: int, count: int) -> tuple[Floats, Floats]:
    """Values of chi^2 / freedom, even in the logarithm, with their probabilities (trapezoid rule)."""
    if freedom > PLENTY:
        return np.ones(1), np.ones(1)
    low = max(-60.0 / freedom, -34.0)
    high = np.log1p(12.0 * np.sqrt(2.0 / freedom) + 60.0 / freedom)
    x = np.linspace(low, high, count)
    half = freedom / 2
    chances = np.exp(half * np.log(half) - gammaln(half) + half * (x - np.exp(x)))
    return np.exp(x), chances / chances.sum()
