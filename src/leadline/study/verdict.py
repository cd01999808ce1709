"""From records to decisions: the rule. It never sees a model; no torch.

A comparison is `better` when the interval's lower bound lies above the margin, `not_worth_it` when the upper
bound lies below it, else `undecided`. A move to a smaller network is `better` when the lower bound of what it
changes lies above *minus* the margin: it costs no more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.records import Decision
from leadline.stats import paired
from leadline.stats.paired import Estimate

ALPHA = 0.05
LOOKS = (3, 6)
COMPARISONS = 14


@dataclass(frozen=True)
class Dev:
    """Score sums of one arm's pair trial on its dev part.

    Args:
        fold: the re-split.
        sums: (clusters,) score sums.
        weights: (clusters,) targets.
        ratio: dev sequences over train sequences of the fold.
    """

    fold: int
    sums: NDArray[np.float64]
    weights: NDArray[np.float64]
    ratio: float

    @property
    def score(self) -> float:
        """Mean score."""
        return float(self.sums.sum() / self.weights.sum())


def level(stage: int, alpha: float = ALPHA) -> float:
    """Confidence of one look at one comparison opened at the `stage`-th incumbent.

        1 - alpha * 2^-(stage + 1) / (COMPARISONS * number of looks)

    Summed over all looks, `COMPARISONS` comparisons at each incumbent and all incumbents at most `alpha` is spent
    (Bonferroni).

    At one incumbent there are at most recurrence 1, regularise 1, upward 4, pairs of moves 3 and downward 5.

    >>> round(level(0), 4)
    0.9991
    """
    return 1.0 - alpha * 0.5 ** (stage + 1) / (COMPARISONS * len(LOOKS))


def difference(candidate: Sequence[Dev], against: Sequence[Dev], confidence: float) -> Estimate:
    """Mean paired difference of scores, candidate minus against.

    On one split the interval covers seeds and examples; over several folds it is the corrected one for re-splits.
    """
    if len({dev.fold for dev in candidate}) > 1:
        effects = np.array([a.score - b.score for a, b in zip(candidate, against, strict=True)])
        return paired.resplit(effects, candidate[0].ratio, confidence)
    sums = np.stack([a.sums - b.sums for a, b in zip(candidate, against, strict=True)])
    return paired.crossed(sums, candidate[0].weights, confidence)


def mean(devs: Sequence[Dev], confidence: float = 0.95) -> Estimate:
    """Mean score with its interval."""
    if len({dev.fold for dev in devs}) > 1:
        return paired.resplit(np.array([dev.score for dev in devs]), devs[0].ratio, confidence)
    return paired.crossed(np.stack([dev.sums for dev in devs]), devs[0].weights, confidence)


def decide(estimate: Estimate, margin: float, down: bool = False) -> Decision:
    """The rule.

    >>> decide(Estimate(2.0, 1.5, 2.5), margin=1.0), decide(Estimate(-0.2, -0.5, 0.1), margin=1.0, down=True)
    ('better', 'better')
    """
    bar = -margin if down else margin
    if estimate.low > bar:
        return "better"
    if estimate.high < bar:
        return "not_worth_it"
    return "undecided"


@dataclass(frozen=True)
class Option:
    """A move that was found better, for `choose`: its lower bound, effect and operations per step."""

    name: str
    move: str
    low: float
    effect: float
    operations: int


PRECEDENCE = ("look_ahead", "both_directions", "wider", "deeper")


def choose(options: Sequence[Option], incumbent_operations: int, margin: float) -> Option:
    """Among moves that are better: the largest lower bound per cost; ties within the margin go to the cheaper.

    Cost is the candidate's operations per step over the incumbent's, at least 1. Two effects tie when they differ
    by less than the margin; then moves that spend nothing more go first, look-ahead before both directions, wider
    before deeper, else the cheaper.
    """
    best = max(options, key=lambda o: o.low / max(1.0, o.operations / incumbent_operations))
    tied = [o for o in options if abs(o.effect - best.effect) < margin or o is best]
    return min(tied, key=lambda o: (_rank(o.move), o.operations))


def cheapest(options: Sequence[Option]) -> Option:
    """Among smaller networks that cost no more than the margin: the fewest operations."""
    return min(options, key=lambda o: o.operations)


def _rank(move: str) -> int:
    first = move.split("+")[0]
    return PRECEDENCE.index(first) if first in PRECEDENCE else -1
