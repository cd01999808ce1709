"""From evidence to words: what each question's answer is, what to advise, and what it would cost to know more.

It never sees a model; no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leadline.plan.questions import Question, Terms
from leadline.records.answers import SETTLED, Effect, Policy, Word
from leadline.records.base import Interval
from leadline.stats.family import Levels, levels
from leadline.stats.noise import Noise
from leadline.stats.paired import Floats
from leadline.stats.race import Contrast, Known, Scores, contrast, variances


@dataclass(frozen=True, eq=False)
class Evidence:
    """The race so far.

    Args:
        names: ids of the arms, the rows of `scores`.
        scores: without runs that did not train.
        failed: (arms,) runs that did not train.
    """

    names: tuple[str, ...]
    scores: Scores
    failed: NDArray[np.int64]


def coefficients(names: Sequence[str], terms: Sequence[tuple[str, float]]) -> Floats:
    """(arms,) a contrast's coefficients."""
    places = {name: i for i, name in enumerate(names)}
    found = np.zeros(len(names))
    for name, value in terms:
        found[places[name]] += value
    return found


class Told(NamedTuple):
    """A question's word and effect after a look."""

    word: Word
    effect: Effect | None


@dataclass(frozen=True, eq=False)
class Judge:
    """Reads contrasts out of evidence at levels that were fixed when the questions were registered.

    Args:
        evidence: the race so far.
        margin: smallest effect worth its cost.
        first: blocks of the first look.
    """

    evidence: Evidence
    margin: float
    known: Known
    first: int = 2

    def ask(self, question: Question, at: Levels) -> Told:
        """The answer to a question; `not_known` before its arms have the blocks of the first look in common."""
        lower = self.contrast(question.terms)
        upper = self.contrast(question.upper) if question.upper else lower
        if min(lower.blocks, upper.blocks) < self.first:
            return Told("not_known", None)
        row = lower.lower(at.row), upper.upper(at.row)
        strict = lower.lower(at.family), upper.upper(at.family)
        centre = lower.effect if not question.upper else float(np.clip(lower.effect, 0.0, max(upper.effect, 0.0)))
        effect = Effect(effect=centre, interval=row, strict=strict, blocks=min(lower.blocks, upper.blocks))
        return Told(word(row, strict, self.margin), effect)

    def contrast(self, terms: Terms) -> Contrast:
        """The estimate of a contrast."""
        return contrast(self.evidence.scores, coefficients(self.evidence.names, terms), self.known)


def judge(evidence: Evidence, margin: float, first: int = 2) -> Judge:
    """A judge of the evidence."""
    return Judge(evidence, margin, variances(evidence.scores), first)


def word(row: Interval, strict: Interval, margin: float) -> Word:
    """The word for a range: the strict one's where that settles it, else what the row's own range leans to.

    >>> word((0.7, 1.5), (0.6, 1.6), 0.5), word((0.1, 0.4), (0.05, 0.45), 0.5), word((-0.1, 0.3), (-0.2, 0.4), 0.5)
    ('yes', 'a_little', 'no')
    >>> word((0.1, 1.1), (-0.1, 1.3), 0.5), word((-2.0, 2.0), (-3.0, 3.0), 0.5)
    ('leaning_yes', 'not_known')
    """
    found = _settled(strict, margin)
    if found is not None:
        return found
    lean: dict[Word, Word] = {
        "yes": "leaning_yes",
        "at_least_a_little": "leaning_yes",
        "a_little": "leaning_little",
        "no": "leaning_no",
        "worse": "leaning_worse",
    }
    weak = _settled(row, margin)
    return "not_known" if weak is None else lean[weak]


def _settled(interval: Interval, margin: float) -> Word | None:
    low, high = interval
    if low > margin:
        return "yes"
    if high < 0:
        return "worse"
    if high < margin:
        return "a_little" if low > 0 else "no"
    return "at_least_a_little" if low > 0 else None


def is_final(told: Told, policy: Policy) -> bool:
    """Whether more blocks are not worth it: the word is settled, or it is known that something helps and half of the
    looks have not told how much."""
    if told.word == "at_least_a_little":
        assert told.effect is not None
        return told.effect.blocks >= policy.looks[len(policy.looks) // 2]
    return told.word in SETTLED


def levels_of(names: Sequence[str], asked: Sequence[Question], policy: Policy, share: float) -> Levels:
    """The levels for a round's questions, as one family."""
    contrasts = np.array([coefficients(names, terms) for question in asked for terms in question.contrasts])
    return levels(contrasts, policy.looks, policy.alpha * share, 1 - policy.row_level)


def advice_level(count: int, policy: Policy) -> float:
    """The tail, one side, at which the distance of one arm to all `count - 1` others is covered at all looks.

    Multiple comparisons with the best (Hsu 1984): whichever arm is truly best, its contrast to the advised one is among
    these, so bounding all of them bounds the distance to the best.
    """
    if count < 3:
        return policy.alpha / (2 * len(policy.looks))
    contrasts = np.hstack([-np.ones((count - 1, 1)), np.eye(count - 1)])
    return levels(contrasts, policy.looks, 2 * policy.alpha, 2 * policy.alpha).family


class Standing(NamedTuple):
    """What may be advised now.

    Args:
        arm, best: ids of the advised arm and of the one with the best mean.
        behind: of their means.
        at_most: upper bound of the distance to the best of all eligible arms.
        contenders: ids of arms that may be better than the advised one by more than the margin.
    """

    arm: str
    best: str
    behind: float
    at_most: float
    contenders: tuple[str, ...]


def standing(judged: Judge, eligible: Sequence[str], costs: dict[str, int], policy: Policy) -> Standing | None:
    """The cheapest eligible arm that is near the best one, and how far it may be behind.

    Near is an arm whose distance to the best mean is at most half a margin, or that is known to be within the margin.
    With a mean a whole margin behind, the chance that the truth is beyond the margin would be one half, and no number
    of blocks would settle it. Means are compared over the blocks that each arm shares with the best one; arms before
    their first look are left out.
    """
    scored = [name for name in eligible if _blocks(judged.evidence, name) >= judged.first]
    if not scored:
        return None
    best = _best(judged, scored)
    gaps = {name: judged.contrast(_minus(best, name)) if name != best else None for name in scored}
    tail = advice_level(len(scored), policy)
    near = [name for name, gap in gaps.items() if gap is None or _is_near(gap, judged.margin, tail)]
    arm = min(near, key=lambda name: (costs[name], 0.0 if (gap := gaps[name]) is None else gap.effect))
    bounds = {name: _upper(judged.contrast(_minus(name, arm)), tail) for name in scored if name != arm}
    behind = 0.0 if arm == best else max(0.0, judged.contrast(_minus(best, arm)).effect)
    at_most = max([0.0, *bounds.values()])
    return Standing(arm, best, behind, at_most, tuple(n for n, bound in bounds.items() if bound > judged.margin))


def _is_near(gap: Contrast, margin: float, tail: float) -> bool:
    return gap.effect <= margin / 2 or _upper(gap, tail) <= margin


def _best(judged: Judge, names: Sequence[str]) -> str:
    """The arm that no other is ahead of, over the blocks that the two share."""
    best = names[0]
    for name in names[1:]:
        gap = judged.contrast(_minus(name, best))
        if gap.blocks >= 1 and gap.effect > 0:
            best = name
    return best


def _minus(one: str, other: str) -> Terms:
    return ((one, 1.0), (other, -1.0))


def _upper(found: Contrast, tail: float) -> float:
    return found.upper(tail) if found.blocks >= 2 else float("inf")


def _blocks(evidence: Evidence, name: str) -> int:
    return int(np.isfinite(evidence.scores.means[evidence.names.index(name)]).sum())


def blocks_to_settle(judged: Judge, question: Question, at: Levels, policy: Policy) -> int | None:
    """The next look at which the question would be settled if its effect stayed as it is; None where no look would do.

    Errors shrink with the root of the blocks; what examples put into them no longer does once every fold was dev, so
    this is the fewest that it may take.
    """
    found = [judged.contrast(terms) for terms in question.contrasts]
    now = min(one.blocks for one in found)
    if now < 2:
        return policy.looks[0]
    for look in policy.looks:
        if look > now and _would_settle(found, now / look, at.family, judged.margin):
            return look
    return None


def _would_settle(found: list[Contrast], share: float, tail: float, margin: float) -> bool:
    shrunk = [one._replace(error=one.error * share**0.5, freedom=one.freedom / share) for one in (found[0], found[-1])]
    interval = shrunk[0].lower(tail), shrunk[1].upper(tail)
    return _settled(interval, margin) is not None


def interval_of_mean(evidence: Evidence, known: Noise, place: int, level: float) -> Interval | None:
    """Interval of an arm's mean score, training noise alone: how hard the examples are is common to all arms."""
    row: Floats = evidence.scores.means[place]
    count = int(np.isfinite(row).sum())
    if count < 2:
        return None
    one = Contrast(
        float(np.nanmean(row)), float((known.variance[place] / count) ** 0.5), float(known.freedom[place]), count
    )
    half = one.half_width((1 - level) / 2)
    return one.effect - half, one.effect + half
