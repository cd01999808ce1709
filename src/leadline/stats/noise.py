"""Training noise of each arm of a race: how far one training of it lies from the next, pooled over the arms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import fdtri, polygamma

from leadline.stats.paired import Floats

MOST_PRIOR = 20.0
"""Degrees of freedom that the other arms may lend to one. With more, an arm of thrice the usual deviation is believed
to be usual for a whole race (simulated: coverage 89 % instead of 95)."""

LOUD = 0.8
"""An arm whose variance exceeds this quantile of F against that of all arms stands for itself: nothing is lent to it.
A false alarm costs width, a miss costs validity, so the bar is low; the levels of `family` are simulated with it."""

SWEEPS = 25
"""Rounds of centring rows and columns. Without gaps one is exact; with a tenth missing ten are, to 1e-9."""


class Noise(NamedTuple):
    """Variance of one training of each arm, and what it is known from.

    Args:
        variance: (..., arms) of one block's score, examples included.
        freedom: (..., arms) degrees of freedom.
    """

    variance: Floats
    freedom: Floats


def residuals(scores: Floats) -> Floats:
    """What is left of (..., arms, blocks) scores without the mean of each arm and of each block; NaN stays NaN.

        e_ab = y_ab - mean_b y_ab - mean_a y_ab + mean y

    A block's mean carries how hard its fold is, which all arms share.

    >>> residuals(np.array([[1.0, 2.0], [2.0, 3.0]])).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    known = np.isfinite(scores)
    rest = np.where(known, scores, 0.0)
    rows = np.maximum(known.sum(-1, keepdims=True), 1)
    columns = np.maximum(known.sum(-2, keepdims=True), 1)
    for _ in range(1 if known.all() else SWEEPS):
        rest = np.where(known, rest - rest.sum(-1, keepdims=True) / rows, 0.0)
        rest = np.where(known, rest - rest.sum(-2, keepdims=True) / columns, 0.0)
    return np.where(known, rest, np.nan)


def noise(scores: Floats) -> Noise:
    """Moderated variance of each arm's scores over the blocks.

    An arm's own variance has few degrees of freedom; together the arms of a race have many. Residuals of rows and
    columns give each arm's variance without bias (Grubbs 1948),

        s_a^2 = A / (A - 2) * (q_a - sum_a q_a / (A (A - 1))),     q_a = sum_b e_ab^2 / (B - 1)

    and it is drawn towards the mean of all with d_0 degrees of freedom (Smyth 2004),

        v_a = (d_0 s_0^2 + d_a s_a^2) / (d_0 + d_a),     freedom d_0 + d_a

    where d_0 follows from how far the variances scatter beyond what their own few degrees explain: equal arms lend each
    other up to `MOST_PRIOR`, unlike arms little.

    Args:
        scores: (..., arms, blocks), NaN where an arm was not trained. At least 3 arms and 2 blocks.
    """
    rest = residuals(scores)
    known = np.isfinite(scores)
    arms = scores.shape[-2]
    own = np.maximum(known.sum(-1) - 1.0, 1.0)
    squares = np.nansum(rest**2, -1) / own
    pooled = squares.sum(-1, keepdims=True) / (arms - 1)
    alone = np.maximum((squares - pooled / arms) * arms / (arms - 2), 0.0)
    lent = prior(alone, own)
    centre = (own * alone).sum(-1, keepdims=True) / own.sum(-1, keepdims=True)
    lent = np.where(alone > fdtri(own, own.sum(-1, keepdims=True), LOUD) * centre, 0.0, lent)
    freedom = own * (1 - 1 / arms) + lent
    return Noise((lent * centre + (freedom - lent) * alone) / freedom, freedom)


def prior(variances: Floats, freedom: Floats) -> Floats:
    """(..., 1) degrees of freedom that equal arms lend each other, from the scatter of log variances.

        var(log s^2) = psi'(d / 2) + psi'(d_0 / 2)

    (Smyth 2004), solved for d_0; all of `MOST_PRIOR` where the scatter is no more than psi'(d / 2).
    """
    safe = np.maximum(variances, 1e-3 * variances.mean(-1, keepdims=True) + 1e-300)
    scatter = np.log(safe).var(-1, ddof=1, keepdims=True) - polygamma(1, freedom / 2).mean(-1, keepdims=True)
    return np.where(scatter > 0, np.minimum(MOST_PRIOR, 2 * _inverse_trigamma(np.maximum(scatter, 1e-9))), MOST_PRIOR)


def _inverse_trigamma(value: Floats) -> Floats:
    """x with psi'(x) = value, by Newton's steps from x = 1/2 + 1/value (Smyth 2004, appendix)."""
    x = 0.5 + 1.0 / value
    for _ in range(8):
        tri = polygamma(1, x)
        x = x + tri * (1 - tri / value) / polygamma(2, x)
    return np.asarray(x)
