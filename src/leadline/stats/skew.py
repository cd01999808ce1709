"""Differences that lean to one side: seen by their skewness, answered by a bet that needs no normal errors."""

from __future__ import annotations

import numpy as np

from leadline.stats.paired import Floats

CLEAR = 0.8
WORST = 6.0
STAKES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)


def skewness(effects: Floats) -> Floats:
    """(...) adjusted skewness G1 (Joanes and Gill 1998); 0 for fewer than 3 pairs, or where all are equal.

        G1 = n^2 / ((n - 1)(n - 2)) * mean((e - mean)^3) / s^3

    >>> round(float(skewness(np.array([0.0, 0.0, 0.0, 1.0]))), 6)
    2.0
    """
    n = effects.shape[-1]
    if n < 3:
        return np.zeros(effects.shape[:-1])
    centred = effects - effects.mean(-1, keepdims=True)
    spread = effects.std(-1, ddof=1)
    cubes = (centred**3).mean(-1)
    safe = np.where(spread > 0, spread, 1.0)
    return np.asarray(np.where(spread > 0, n * n / ((n - 1) * (n - 2)) * cubes / safe**3, 0.0))


def leans(effects: Floats) -> Floats:
    """(...) -1 where a long tail is to the left, 1 where to the right, else 0.

    A tail is seen where |G1| exceeds `CLEAR` standard errors under normality, sqrt(6 n (n-1) / ((n-2)(n+1)(n+3))).
    That flags one normal sample in five on either side: a miss costs validity, a false alarm only pairs.

    >>> float(leans(np.array([0.0, 0.1, -0.1, 0.05, -4.0, 0.02])))
    -1.0
    """
    n = effects.shape[-1]
    if n < 3:
        return np.zeros(effects.shape[:-1])
    error = np.sqrt(6.0 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)))
    found = skewness(effects)
    return np.asarray(np.where(np.abs(found) > CLEAR * error, np.sign(found), 0.0))


def wealth(effects: Floats, bar: Floats | float, spread: Floats | float) -> Floats:
    """(...) what bets on "the mean lies above `bar`" have won: an e-value against "at or below".

        y_i = max((e_i - bar) / (WORST * spread), -1),     wealth = mean over stakes l of prod_i (1 + l y_i)

    A bet on a bounded mean (Waudby-Smith and Ramdas 2023): if no difference lies more than `WORST` spreads below the
    bar, then under the hypothesis the wealth is expected not to grow, and exceeds 1/alpha at any time with a chance
    of at most alpha (Ville 1939). No shape is assumed, only that floor; the floor is set from the sample's standard
    deviation, which makes the guarantee approximate (docs/how-it-decides.md has what it reaches).

    Args:
        effects: (..., n).
        bar: (...) the hypothesis.
        spread: (...) standard deviation of one difference.

    >>> float(wealth(np.full(6, 3.0), 0.0, 0.1)) > 100
    True
    """
    unit = WORST * np.asarray(spread)[..., None]
    steps = effects - np.asarray(bar)[..., None]
    bets = np.divide(steps, unit, out=np.sign(steps) * 1e6, where=unit > 0)
    stakes = np.array(STAKES)
    return np.asarray(np.prod(1.0 + np.maximum(bets, -1.0)[..., None, :] * stakes[:, None], -1).mean(-1))
