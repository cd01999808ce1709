"""Words from ranges, and advice from means."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.records.answers import Effect, Policy
from leadline.search import decide
from leadline.search.decide import Evidence, Told, word
from leadline.stats.race import Scores

M = 1.0
NOTHING = (float("-inf"), float("inf"))


@pytest.mark.parametrize(
    ("strict", "expected"),
    [
        ((1.1, 2.0), "yes"),
        ((0.1, 0.9), "a_little"),
        ((0.1, 1.5), "at_least_a_little"),
        ((-0.1, 0.9), "no"),
        ((-2.0, -0.1), "worse"),
        ((-0.1, 1.5), "not_known"),
    ],
)
def test_the_words(strict, expected):
    assert word(NOTHING, strict, M) == expected


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((1.1, 2.0), "leaning_yes"),
        ((0.1, 1.5), "leaning_yes"),
        ((0.1, 0.9), "leaning_little"),
        ((-0.1, 0.9), "leaning_no"),
        ((-2.0, -0.1), "leaning_worse"),
        ((-0.1, 1.5), "not_known"),
    ],
)
def test_what_a_row_leans_to(row, expected):
    assert word(row, NOTHING, M) == expected


def test_that_something_helps_is_final_only_after_half_of_the_looks():
    policy = Policy()

    def told(blocks: int) -> Told:
        return Told("at_least_a_little", Effect(effect=1.0, interval=(0.5, 1.5), strict=(0.1, 1.9), blocks=blocks))

    assert not decide.is_final(told(4), policy)
    assert decide.is_final(told(12), policy)
    assert decide.is_final(Told("no", None), policy)
    assert not decide.is_final(Told("leaning_no", None), policy)


def judged(means: list[list[float]]) -> decide.Judge:
    scores = np.array(means)
    arms, blocks = scores.shape
    gram = np.zeros((arms * blocks, arms * blocks))
    evidence = Evidence(tuple("abcdefgh"[:arms]), Scores(scores, gram, 1e4, 1e-6), np.zeros(arms, dtype=np.int64))
    return decide.judge(evidence, M)


def test_the_cheapest_near_the_best_is_advised():
    jitter = np.random.default_rng(0).normal(0, 0.05, (4, 8))
    judge = judged((np.array([[90.0], [89.6], [80.0], [89.9]]) + jitter).tolist())
    found = decide.standing(judge, ["a", "b", "c", "d"], {"a": 30, "b": 10, "c": 1, "d": 20}, Policy())
    assert found is not None
    assert (found.arm, found.best) == ("b", "a")
    assert found.behind == pytest.approx(0.4, abs=0.1)
    assert found.behind < found.at_most < 1.0
    assert found.contenders == ()


@pytest.mark.parametrize(("noise", "advised"), [(0.4, "d"), (0.01, "b")])
def test_between_half_a_margin_and_a_margin_an_arm_is_near_if_that_is_known(noise, advised):
    jitter = np.random.default_rng(2).normal(0, noise, (4, 8))
    jitter -= jitter.mean(1, keepdims=True)
    judge = judged((np.array([[90.0], [89.2], [80.0], [89.8]]) + jitter).tolist())
    found = decide.standing(judge, ["a", "b", "c", "d"], {"a": 30, "b": 10, "c": 1, "d": 20}, Policy())
    assert found is not None
    assert found.arm == advised


def test_an_arm_that_may_be_far_ahead_is_a_contender():
    jitter = np.random.default_rng(1).normal(0, 1.5, (4, 4))
    judge = judged((np.array([[90.0], [89.8], [80.0], [89.9]]) + jitter).tolist())
    found = decide.standing(judge, ["a", "b", "c", "d"], {"a": 30, "b": 10, "c": 1, "d": 20}, Policy())
    assert found is not None
    assert found.at_most > M
    assert found.contenders


def test_before_two_blocks_nothing_stands():
    judge = judged([[1.0], [2.0], [3.0]])
    assert decide.standing(judge, ["a", "b", "c"], dict.fromkeys("abc", 1), Policy()) is None
