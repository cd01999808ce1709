"""What it would take: pairs until an effect of a given size shows, and the chance that it does."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

import numpy as np
from scipy.special import stdtr

from leadline.stats import looks, tails
from leadline.stats.paired import Evidence
from leadline.stats.rule import Design

MOST = 400


def further_pairs(evidence: Evidence, distance: float, design: Design, look: int | None = None) -> int | None:
    """Further pairs until a bound would pass a margin at `distance` from the effect, if effect and spread stay.

    The smallest n with exceedance(distance; n pairs) <= level of its look; beyond the last look the last look's
    level is used. Half of the time it takes more. None where `MOST` pairs are not enough: the examples (or the
    overlap of re-splits) are then what limits, and more of them are needed.

    Args:
        evidence: so far.
        distance: |effect - margin|.
        design: looks and alpha.
        look: which of `design.looks` this is, as for `rule.bounds`. Pairs that were lost by then stay lost, and no
            further ones are.
    """
    now = evidence.pairs if look is None else look
    lost = now - evidence.pairs
    shared = float(looks.ratio(evidence))
    levels = dict(zip(design.looks, looks.nominal(design.looks, design.alpha, shared), strict=True))

    def shows(n: int) -> bool:
        allowed = levels.get(n, levels[design.looks[-1]])
        return float(tails.exceedance(np.asarray(distance), at(evidence, n - lost))) <= allowed

    last = max(design.looks[-1], now)
    planned = next((n for n in design.looks if n > now and shows(n)), None)
    if planned is not None:
        return planned - now
    if evidence.overlap or not shows(MOST):
        return None
    return last + 1 + bisect_left(range(last + 1, MOST + 1), True, key=shows) - now


def further_examples(evidence: Evidence, distance: float, design: Design, look: int | None = None) -> int | None:
    """How many times the dev examples would settle it by the last look, if effect and seeds' spread stay.

    With k times the examples their variance is a k-th, and so is that of seeds times examples within the spread:

        of_examples / k,    spread - least (1 - 1 / k)

    Args:
        evidence: so far.
        distance: |effect - margin|.
        design: looks and alpha.
        look: as for `further_pairs`.

    Returns:
        The smallest whole k from 2 to `MOST` that shows it; None where seeds limit (or the overlap of re-splits).
    """
    lost = 0 if look is None else look - evidence.pairs
    last = design.looks[-1]

    def shows(times: int) -> bool:
        more = at(evidence, last - lost, times)
        return float(tails.exceedance(np.asarray(distance), more)) <= float(
            looks.level(design.looks, design.alpha, more, last)
        )

    if evidence.overlap or not shows(MOST):
        return None
    return next(times for times in range(2, MOST + 1) if shows(times))


def chance_to_close(evidence: Evidence, margin: float, design: Design, look: int | None = None) -> float:
    """Chance that a bound passes the margin by the last look, given what has been seen.

    The effect at the last look N is about normal around today's, with variance spread * (1/n - 1/N) (t-distributed,
    as the spread is estimated), and the bound's distance there is that of today's spread. A flat prior: before the
    first pairs it says nothing. `look` as for `further_pairs`.
    """
    last = design.looks[-1] - (0 if look is None else look - evidence.pairs)
    if evidence.pairs >= last:
        return 0.0
    level = looks.nominal(design.looks, design.alpha, float(looks.ratio(evidence)))[-1]
    half = tails.half_width(at(evidence, last), level)
    move = float(np.sqrt(evidence.spread * (1 / evidence.pairs - 1 / last)))
    distance = float(evidence.effect) - margin
    if move == 0:
        return float(abs(distance) > half)
    freedom = evidence.pairs - 1
    return float(stdtr(freedom, (distance - half) / move) + stdtr(freedom, (-half - distance) / move))


def at(evidence: Evidence, pairs: int, times: int = 1) -> Evidence:
    """Evidence of `pairs` pairs on `times` as many examples with the same effect and the same spread of seeds."""
    alternating = np.where(np.arange(pairs) % 2, 1.0, -1.0)
    alternating -= alternating.mean()
    spread = evidence.spread - evidence.least * (1 - 1 / times)
    scale = np.sqrt(spread / alternating.var(ddof=1))
    return replace(
        evidence,
        effects=np.asarray(evidence.effect + scale * alternating),
        of_examples=evidence.of_examples / times,
        least=evidence.least / times,
        examples_freedom=evidence.examples_freedom * times,
    )
