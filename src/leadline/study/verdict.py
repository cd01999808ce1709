"""From records to decisions: the rule. It never sees a model; no torch.

A comparison is `better` when the effect's lower bound lies above the margin, `not_worth_it` when the upper bound
lies below it, else `undecided`. A move to a smaller network is `better` when the lower bound of what it changes
lies above *minus* the margin: it costs no more than that. docs/how-it-decides.md explains it and says how often it
errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.records.evidence import Decision, Effect, Scores
from leadline.stats import paired, rule, tails
from leadline.stats.paired import Estimate, Evidence
from leadline.stats.rule import Bounds, Design

ALPHA = 0.05
LEVEL = 0.95
BLOCK = 3
MOST_PAIRS = 24
Stage = Literal["regularise", "upward", "retry", "pairs", "bold", "downward", "recurrence"]
SHARES: dict[Stage, float] = {
    "upward": 0.5,
    "regularise": 0.1,
    "retry": 0.1,
    "pairs": 0.1,
    "bold": 0.05,
    "downward": 0.05,
    "recurrence": 0.1,
}


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


def design(incumbent: int, stage: Stage, opened: int, folds: int = 1) -> Design:
    """Looks and alpha of one of `opened` comparisons that a stage opens at the `incumbent`-th incumbent.

        alpha_i = ALPHA * 2^-(incumbent + 1) * SHARES[stage] / opened

    An incumbent has at most one stage of each kind, so over all comparisons at most `ALPHA` is spent (Bonferroni):
    the chance of *any* false `better` in the study, and as much again for any false `not_worth_it`. A comparison
    gets its share when it is opened, before its first pair; what a stage that is never opened would have had stays
    unspent.

    A look after every `BLOCK` pairs, up to `MOST_PAIRS`; over re-splits, up to their number, since more seeds on the
    same splits are no new evidence.

    >>> design(0, "upward", 4)
    Design(looks=(3, 6, 9, 12, 15, 18, 21, 24), alpha=0.003125)
    >>> design(0, "upward", 4, folds=10).looks
    (3, 6, 10)
    """
    alpha = ALPHA * 0.5 ** (incumbent + 1) * SHARES[stage] / opened
    most = MOST_PAIRS if folds == 1 else min(folds, MOST_PAIRS)
    looks = [n for n in range(BLOCK, most + 1, BLOCK) if n == most or n + BLOCK <= most]
    return Design((*looks, most) if not looks or looks[-1] < most else tuple(looks), alpha)


def evidence(candidate: Sequence[Dev], against: Sequence[Dev]) -> Evidence:
    """Paired differences of scores, candidate minus against.

    On one split they are crossed with the examples; over several folds they are those of correlated re-splits.
    """
    if len({dev.fold for dev in candidate}) > 1:
        effects = np.array([a.score - b.score for a, b in zip(candidate, against, strict=True)])
        return paired.resplit(effects, candidate[0].ratio)
    sums = np.stack([a.sums - b.sums for a, b in zip(candidate, against, strict=True)])
    return paired.crossed(sums, candidate[0].weights)


def difference(candidate: Sequence[Dev], against: Sequence[Dev]) -> Effect:
    """Mean paired difference with the two-sided interval of a look that was planned."""
    return effect(tails.interval(evidence(candidate, against), LEVEL), len(candidate))


def effect(found: Estimate, pairs: int) -> Effect:
    """The record of an estimate."""
    return Effect(effect=found.effect, interval=(found.low, found.high), pairs=pairs)


def mean(devs: Sequence[Dev]) -> Scores:
    """Mean score with its two-sided interval."""
    if len({dev.fold for dev in devs}) > 1:
        seen = paired.resplit(np.array([dev.score for dev in devs]), devs[0].ratio)
    else:
        seen = paired.crossed(np.stack([dev.sums for dev in devs]), devs[0].weights)
    found = tails.interval(seen, LEVEL)
    return Scores(score=found.effect, interval=(found.low, found.high), seeds=len(devs))


def bar(margin: float, down: bool) -> float:
    """What an effect is held against: the margin, or for a move to a smaller network minus the margin."""
    return -margin if down else margin


def judge(found: Evidence, planned: Design, look: int, margin: float, down: bool = False) -> tuple[Decision, Bounds]:
    """Bounds at this look and what they decide."""
    bounds = rule.bounds(found, planned, look)
    return decide(Estimate(bounds.effect, bounds.low, bounds.high), margin, down), bounds


def decide(estimate: Estimate, margin: float, down: bool = False) -> Decision:
    """The rule.

    >>> decide(Estimate(2.0, 1.5, 2.5), margin=1.0), decide(Estimate(-0.2, -0.5, 0.1), margin=1.0, down=True)
    ('better', 'better')
    """
    held = bar(margin, down)
    if estimate.low > held:
        return "better"
    if estimate.high < held:
        return "not_worth_it"
    return "undecided"


def example_correlation(candidate: Sequence[Dev], against: Sequence[Dev]) -> float | None:
    """Correlation of both arms' mean scores over the examples: how much pairing by example took out of the noise."""
    if len({dev.fold for dev in candidate}) > 1:
        return None
    one, other = (np.stack([dev.sums for dev in arm]).mean(0) / arm[0].weights for arm in (candidate, against))
    return paired.correlation(one, other)


def seed_correlation(candidate: Sequence[Dev], against: Sequence[Dev]) -> float | None:
    """Correlation of both arms' scores over the pairs: how much sharing seed and split took out of the noise."""
    return paired.correlation(np.array([d.score for d in candidate]), np.array([d.score for d in against]))


@dataclass(frozen=True)
class Option:
    """A move that was found better, for `choose`: its lower bound, effect and operations per step."""

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
