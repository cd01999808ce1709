"""One level for all contrasts and all looks of a race: from the joint null distribution, by simulation."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from leadline.stats.noise import noise
from leadline.stats.paired import Floats

DRAWS = 4000
"""Simulated races. The 5 % quantile of the smallest tail then has a relative error of about 7 %, which moves a critical
value of 3.3 by 0.02."""

SEED = 20261128
"""The same level for the same design, on every machine."""


class Levels(NamedTuple):
    """Tail probabilities, one side each, at which an interval is drawn.

    Args:
        family: all contrasts are inside at all looks, with the confidence of the study.
        row: each single contrast is inside at all looks.
    """

    family: float
    row: float


def levels(contrasts: Floats, looks: tuple[int, ...], alpha: float, row_alpha: float) -> Levels:
    """The tails at which intervals by Student's t cover everything at once.

    Under the null every |effect| / error is large by chance alone. Its tail probability by Student's t with its
    degrees of freedom puts contrasts and looks on one scale (the min-p of Westfall & Young 1993; Dunnett 1955 for one
    look), and the alpha-quantile of the smallest tail over all contrasts and looks is the level: it pays for exactly
    the dependence that shared arms and growing samples leave, where Bonferroni pays for none.

    Simulated with normal training noise, equal for all arms, and no share of the examples: examples, which the looks
    have in common, make looks more alike, and the level is then on the safe side.

    Args:
        contrasts: (contrasts, arms).
        looks: numbers of blocks, ascending.
        alpha: chance that any interval of the family misses, two-sided.
        row_alpha: the same for a single contrast over its looks; the worst contrast sets it.
    """
    return _levels(contrasts.shape, contrasts.tobytes(), looks, alpha, row_alpha)


@lru_cache(maxsize=64)
def _levels(shape: tuple[int, int], data: bytes, looks: tuple[int, ...], alpha: float, row_alpha: float) -> Levels:
    contrasts = np.frombuffer(data).reshape(shape)
    tails = smallest_tails(contrasts, looks, DRAWS, np.random.default_rng(SEED))
    return Levels(float(np.quantile(tails.min(-1), alpha)) / 2, float(np.quantile(tails, row_alpha, axis=0).min()) / 2)


def smallest_tails(contrasts: Floats, looks: tuple[int, ...], draws: int, random: np.random.Generator) -> Floats:
    """(draws, contrasts) smallest two-sided tail over the looks, where nothing differs."""
    scores = random.standard_normal((draws, contrasts.shape[1], looks[-1]))
    found = np.ones((draws, len(contrasts)))
    for look in looks:
        known = noise(scores[..., :look])
        effects = scores[..., :look].mean(-1) @ contrasts.T
        variance = known.variance @ (contrasts.T**2) / look
        spread = (known.variance**2 / known.freedom) @ (contrasts.T**4) / look**2
        tail = 2 * stdtr(variance**2 / spread, -np.abs(effects) / np.sqrt(variance))
        found = np.minimum(found, tail)
    return found
