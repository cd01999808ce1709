"""Looking several times: what each look may spend so that all together spend alpha."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv, ndtr, ndtri

from leadline.stats.paired import Evidence, Floats

SPENT = 0.8
RATIOS = (0.0, 0.01, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
SURE = 0.9
GRID = 201
REACH = 8.0
ROOT = float(np.sqrt(2 * np.pi))


def nominal(looks: tuple[int, ...], alpha: float, ratio: float = 0.0) -> tuple[float, ...]:
    """One-sided levels of the single looks at which a test that looks at all of them errs with `alpha`.

    The mean of n pairs has variance proportional to r + 1/n, where r is the variance that all pairs share (examples,
    or the overlap of re-splits) over that of one pair. Its z-statistic is then Brownian motion seen at the times
    t_n = 1 / (r + 1/n), so the boundary c_1, c_2, ... with

        P(z_1 < c_1, ..., z_{k-1} < c_{k-1}, z_k >= c_k) = SPENT * alpha / K        for each of the K looks

    follows by integrating step by step (Armitage, McPherson and Rowe 1969; spending: Lan and DeMets 1983), and
    1 - Phi(c_k) is the level of look k. What few degrees of freedom do to it is small (Jennison and Turnbull 2000):
    p-values by t at looks 3, 6, ..., 24 spend up to 1.12 times as much, measured. Only `SPENT` is spent, so that the
    upper confidence bound of the measured rate stays below alpha, too.

    Args:
        looks: numbers of pairs, ascending.
        alpha: over all looks, to one side.
        ratio: r. It is rounded down to one of `RATIOS`, which is safe: a smaller one gives smaller levels.

    Limit: the looks are fixed beforehand; after the last there is none.

    >>> [round(level, 4) for level in nominal((3, 6, 9), 0.05)]
    [0.0133, 0.018, 0.0234]
    """
    below = max(r for r in RATIOS if r <= max(ratio, 0.0))
    return _boundary(looks, alpha, below)


def ratio(evidence: Evidence) -> Floats:
    """(...) r of `nominal`, low rather than high: the spread is taken at its upper `SURE` bound."""
    freedom = max(evidence.pairs - 1, 1)
    upper = evidence.spread * freedom / (2 * gammaincinv(freedom / 2, 1 - SURE))
    known = np.divide(evidence.of_examples, upper, out=np.zeros_like(upper), where=upper > 0)
    return np.asarray(known + evidence.overlap)


def level(looks: tuple[int, ...], alpha: float, evidence: Evidence, look: int | None = None) -> Floats:
    """(...) level of the look `look` of `looks`; by default the one at `evidence.pairs`.

    Raises:
        ValueError: it is not.
    """
    place = looks.index(evidence.pairs if look is None else look)
    column = np.searchsorted(RATIOS, ratio(evidence), side="right") - 1
    table = {int(i): _boundary(looks, alpha, RATIOS[i])[place] for i in np.unique(column)}
    return np.asarray(np.vectorize(table.__getitem__, otypes=[float])(column))


@lru_cache(maxsize=4096)
def _boundary(looks: tuple[int, ...], alpha: float, shared: float) -> tuple[float, ...]:
    times = [1.0 / (shared + 1.0 / n) for n in looks]
    share = SPENT * alpha / len(looks)
    bound = float(-ndtri(share)) * times[0] ** 0.5
    levels, places, density = [share], *_start(times[0], bound)
    for before, now in pairwise(times):
        weights = density * (places[1] - places[0])
        weights[[0, -1]] /= 2
        step = (now - before) ** 0.5
        bound = _crossing(places, weights, step, share, 9 * now**0.5)
        levels.append(float(ndtr(-bound / now**0.5)))
        fresh = np.linspace(-REACH * now**0.5, bound, GRID)
        density = np.exp(-0.5 * ((fresh[:, None] - places) / step) ** 2) @ weights / (step * ROOT)
        places = fresh
    return tuple(levels)


def _start(time: float, bound: float) -> tuple[Floats, Floats]:
    places = np.linspace(-REACH * time**0.5, bound, GRID)
    return places, np.exp(-0.5 * places**2 / time) / (time**0.5 * ROOT)


def _crossing(places: Floats, weights: Floats, step: float, share: float, most: float) -> float:
    """The bound that motion which has not crossed before crosses now with chance `share`."""

    def excess(bound: float) -> float:
        return float(weights @ ndtr((places - bound) / step)) - share

    return float(brentq(excess, 0.0, most)) if excess(0.0) > 0 else 0.0
