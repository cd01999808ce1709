"""The decision rule on arrays: bounds that hold at every look, from seeds and examples, with an answer to skew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from leadline.stats import looks, skew, tails
from leadline.stats.paired import Evidence, Floats

FAR = 60.0


@dataclass(frozen=True)
class Design:
    """What is fixed before the first pair of a comparison.

    Args:
        looks: numbers of pairs at which it is looked at, ascending.
        alpha: allowed chance of a false `better`, and the same again of a false `not_worth_it`, over all looks.
    """

    looks: tuple[int, ...]
    alpha: float


class Claims(NamedTuple):
    """(...) whether the lower bound lies above the margin, and whether the upper bound lies below it."""

    better: NDArray[np.bool_]
    not_worth_it: NDArray[np.bool_]


class Bounds(NamedTuple):
    """The same for one comparison, as numbers; `robust` where a bound is the bet's."""

    effect: float
    low: float
    high: float
    robust: bool


def claims(evidence: Evidence, margin: float, design: Design, look: int | None = None) -> Claims:
    """Which claims stand at this look; `bounds` in a form that works on many studies at once.

    Args:
        evidence: of any number of studies.
        margin: smallest effect that is worth its cost.
        design: looks and alpha.
        look: as for `bounds`.
    """
    distance = evidence.effect - margin
    level = looks.level(design.looks, design.alpha, evidence, look)
    lean, spread = skew.leans(evidence.effects), np.sqrt(evidence.spread)
    up = tails.exceedance(distance, evidence) <= level
    down = tails.exceedance(-distance, evidence) <= level
    enough = 1.0 / design.alpha
    up &= (lean >= 0) | (skew.wealth(evidence.effects, margin, spread) >= enough)
    down &= (lean <= 0) | (skew.wealth(-evidence.effects, -margin, spread) >= enough)
    return Claims(up, down)


def bounds(evidence: Evidence, design: Design, look: int | None = None) -> Bounds:
    """Lower and upper bound of the effect, each valid at all looks together with chance 1 - alpha.

    effect -+ q, where q is the Behrens-Fisher distance (`tails`) at this look's level (`looks`): a repeated
    confidence interval (Jennison and Turnbull 1989). On a side to which the differences lean, the bound is also no
    nearer than the bar at which a bet (`skew.wealth`) has won 1/alpha.

    Args:
        evidence: of one comparison.
        design: looks and alpha.
        look: which of `design.looks` this is; by default the one at `evidence.pairs`. They differ where pairs were
            lost to collapsed runs.

    >>> from leadline.stats.paired import resplit
    >>> found = bounds(resplit(np.array([1.0, 1.3, 0.7]), 0.0), Design((3, 6), 0.05))
    >>> round(found.low, 2), round(found.high, 2)
    (0.16, 1.84)
    """
    effect = float(evidence.effect)
    level = looks.level(design.looks, design.alpha, evidence, look)
    half = tails.half_width(evidence, float(level))
    usual, lean = (effect - half, effect + half), float(skew.leans(evidence.effects))
    spread = float(np.sqrt(evidence.spread))
    low = min(usual[0], _won(evidence.effects, spread, design.alpha)) if lean < 0 else usual[0]
    high = max(usual[1], -_won(-evidence.effects, spread, design.alpha)) if lean > 0 else usual[1]
    return Bounds(effect, low, high, (low, high) != usual)


def _won(effects: Floats, spread: float, alpha: float) -> float:
    """The highest bar above which the bets have won 1/alpha."""
    centre = float(effects.mean())

    def excess(bar: float) -> float:
        return float(np.log(skew.wealth(effects, bar, spread))) + float(np.log(alpha))

    far = centre - FAR * spread
    while excess(far) < 0:
        far -= FAR * spread
    return float(brentq(excess, far, centre)) if excess(centre) < 0 else centre
