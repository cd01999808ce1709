"""Looks, skew, the rule and power: each against an oracle."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from calibration import fixed_pairs
from leadline.stats import looks, paired, power, rule, skew, tails
from leadline.stats.rule import Design

EVERY_THREE = tuple(range(3, 25, 3))


class TestLooks:
    @pytest.mark.parametrize("shared", [0.0, 0.12, 2.0])
    def test_all_looks_together_spend_alpha(self, shared):
        """200,000 sequences of means with known variance."""
        random = np.random.default_rng(0)
        pairs = random.normal(size=(200_000, 24)) + shared**0.5 * random.normal(size=(200_000, 1))
        means = pairs.cumsum(1)[:, np.array(EVERY_THREE) - 1] / np.array(EVERY_THREE)
        z = means / np.sqrt(shared + 1 / np.array(EVERY_THREE))
        levels = looks.nominal(EVERY_THREE, 0.05, shared)
        crossed = (stats.norm.sf(z) <= np.array(levels)).any(1).mean()
        assert crossed == pytest.approx(0.05 * looks.SPENT, rel=0.04)

    def test_one_look_spends_it_all(self):
        assert looks.nominal((6,), 0.05) == pytest.approx((0.05 * looks.SPENT,))

    def test_what_pairs_share_makes_looks_cheap(self):
        alone, shared = (looks.nominal(EVERY_THREE, 0.01, r)[-1] for r in (0.0, 4.0))
        assert alone < 0.5 * shared
        assert looks.nominal(EVERY_THREE, 0.01, 3.9) == looks.nominal(EVERY_THREE, 0.01, 2.0)

    def test_a_look_that_was_not_planned_is_refused(self):
        with pytest.raises(ValueError, match="not in tuple"):
            looks.level(EVERY_THREE, 0.05, paired.resplit(np.arange(4.0), 0.0))


class TestSkew:
    def test_skewness_is_the_usual_one(self):
        draws = np.random.default_rng(1).exponential(size=(5, 12))
        assert skew.skewness(draws) == pytest.approx(stats.skew(draws, axis=-1, bias=False))
        assert skew.skewness(np.ones((2, 6))).tolist() == [0, 0]

    def test_leaning_is_seen_in_time(self):
        random = np.random.default_rng(2)
        normal, tailed = random.normal(size=(5000, 12)), -random.exponential(size=(5000, 12))
        assert (skew.leans(normal) < 0).mean() == pytest.approx(0.2, abs=0.03)
        assert (skew.leans(tailed) < 0).mean() > 0.75
        assert (skew.leans(tailed) == -skew.leans(-tailed)).all()

    @pytest.mark.parametrize("chance", [0.05, 0.2, 0.5])
    def test_the_bet_is_fair_or_worse(self, chance):
        """Two points with mean 0, the lower at the floor: the expectation over all 2^6 outcomes is 1."""
        low, high = -skew.WORST, skew.WORST * chance / (1 - chance)
        expected = sum(
            np.prod([chance if bad else 1 - chance for bad in outcome])
            * float(skew.wealth(np.where(outcome, low, high), 0.0, 1.0))
            for outcome in product([True, False], repeat=6)
        )
        assert expected == pytest.approx(1.0)

    def test_equal_differences_off_the_bar_decide_at_once(self):
        assert float(skew.wealth(np.full(3, 0.5), 0.0, 0.0)) > 1e6
        assert float(skew.wealth(np.full(3, -0.5), 0.0, 0.0)) < 1


class TestRule:
    @settings(max_examples=60, deadline=None)
    @given(seed=st.integers(0, 10**6), look=st.sampled_from((3, 6, 12)), effect=st.floats(-4, 4))
    def test_bounds_and_claims_are_the_same_rule(self, seed, look, effect):
        random = np.random.default_rng(seed)
        sums = effect + random.gumbel(size=(look, 1)) + random.normal(size=(look, 60))
        found, design = paired.crossed(sums, np.ones(60)), Design((3, 6, 12), 0.02)
        bounds, claims = rule.bounds(found, design), rule.claims(found, 0.5, design)
        assert (bounds.low > 0.5) == bool(claims.better)
        assert (bounds.high < 0.5) == bool(claims.not_worth_it)
        assert bounds.low <= bounds.effect <= bounds.high

    def test_a_tail_moves_the_bound_on_its_side_only(self):
        effects = np.array([1.0, 1.1, 0.9, 1.05, 0.95, -1.2])
        found, design = paired.resplit(effects, 0.0), Design((3, 6), 0.05)
        half = tails.half_width(found, float(looks.level((3, 6), 0.05, found)))
        bounds = rule.bounds(found, design)
        assert bounds.robust
        assert bounds.low < bounds.effect - half - 0.1
        assert bounds.high == pytest.approx(bounds.effect + half)

    def test_pairs_lost_to_collapse_keep_their_look(self):
        found = paired.resplit(np.array([1.0, 1.2, 0.8, 0.9, 1.1]), 0.0)
        assert rule.bounds(found, Design((3, 6), 0.05), look=6).low < 1
        with pytest.raises(ValueError, match="not in tuple"):
            rule.bounds(found, Design((3, 6), 0.05))


class TestPower:
    @pytest.mark.parametrize("effect", [0.5, 1.0, 2.0])
    def test_fixed_pairs_have_the_power(self, effect):
        n = fixed_pairs(effect, 0.01)
        random = np.random.default_rng(3)
        p = [
            stats.ttest_1samp(random.normal(effect, 1, (20_000, k)), 0, axis=1, alternative="greater").pvalue
            for k in (n, n - 1)
        ]
        reached = [(one <= 0.01).mean() for one in p]
        assert reached[0] > 0.79
        assert reached[1] < 0.81

    def test_further_pairs_are_just_enough(self):
        found = paired.resplit(np.array([0.4, 1.3, -0.2, 0.9, 0.5, 0.7]), 0.0)
        design = Design(EVERY_THREE, 0.01)
        more = power.further_pairs(found, 0.6, design)
        assert more is not None
        assert more > 0
        assert bound_passes(found, more, design)
        assert not bound_passes(found, more - 3, design)

    def test_examples_that_limit_are_told(self):
        found = paired.Evidence(np.array([0.4, 0.5, 0.6]), np.asarray(1.0), np.asarray(0.0))
        assert power.further_pairs(found, 0.5, Design(EVERY_THREE, 0.01)) is None
        assert power.chance_to_close(found, 0.0, Design(EVERY_THREE, 0.01)) < 0.01

    def test_as_many_more_examples_as_it_says_are_just_enough(self):
        """Seeds by examples noise shrinks with the examples, seeds' own noise does not."""
        found = paired.Evidence(np.array([0.4, 0.5, 0.6]), np.asarray(0.2), np.asarray(0.05), 400)
        design = Design((3, 6, 9, 12, 15, 18, 21, 24), 0.01)
        times = power.further_examples(found, 0.5, design)
        assert times is not None
        assert times > 1
        passed = []
        for k in (times - 1, times):
            spread = 0.05 - 0.05 * (1 - 1 / k)
            effects = 0.5 + np.resize([spread**0.5, -(spread**0.5)], 24) * (23 / 24) ** 0.5
            more = paired.Evidence(effects, np.asarray(0.2 / k), np.asarray(0.05 / k), 400 * k)
            level = looks.level(design.looks, design.alpha, more)
            passed.append(bool(tails.exceedance(np.asarray(0.5), more) <= level))
        assert passed == [False, True]
        assert power.further_examples(found, 0.001, design) is None
        assert power.further_examples(paired.resplit(found.effects, 0.3), 0.5, design) is None

    def test_examples_are_counted_from_the_pairs_that_are_left(self):
        """At the last look of 24 as many as are lost by now are missing; the answer is the smallest there is."""
        random = np.random.default_rng(5)
        design = Design(EVERY_THREE, 0.004)
        answers = []
        for _ in range(200):
            least, of_examples, own = random.uniform(0.01, 0.5), random.uniform(0.0, 0.2), random.uniform(0.0, 0.2)
            effects = random.normal(0.5, (least + own) ** 0.5, 5)
            found = paired.Evidence(effects, np.asarray(of_examples), np.asarray(min(least, effects.var(ddof=1))), 400)
            distance, lost = random.uniform(0.1, 0.6), 1
            times = power.further_examples(found, distance, design, look=6)
            shown = [k for k in range(2, 61) if self.shows(found, distance, design, 24 - lost, k)]
            answers.append(times)
            assert times is None or times > 60 or times == shown[0]
            assert times is not None or not shown
        assert {2, None} < set(answers)

    @staticmethod
    def shows(found, distance, design, pairs, times):
        spread = found.spread - found.least * (1 - 1 / times)
        base = np.resize([1.0, -1.0], pairs) - np.resize([1.0, -1.0], pairs).mean()
        effects = found.effect + base * (spread / base.var(ddof=1)) ** 0.5
        more = paired.Evidence(effects, found.of_examples / times, found.least / times, 400 * times)
        return tails.exceedance(np.asarray(distance), more) <= looks.level(design.looks, design.alpha, more, 24)

    def test_pairs_that_were_lost_count_as_looked_at_and_not_as_evidence(self):
        """Five of six pairs are left: the look after nine brings three more, eight in all."""
        five = paired.resplit(np.array([0.9, 1.3, -0.2, 0.9, 0.6]), 0.0)
        design = Design((3, 6, 9, 12, 15, 18, 21, 24), 0.05)
        more = power.further_pairs(five, 0.6, design, look=6)
        assert more in (3, 6, 9, 12, 15, 18)
        levels = dict(zip(design.looks, looks.nominal(design.looks, design.alpha), strict=True))
        needed = {n: float(tails.exceedance(np.asarray(0.6), power.at(five, n - 1))) for n in design.looks[2:]}
        assert 6 + more == min(n for n in needed if needed[n] <= levels[n])
        half = tails.half_width(power.at(five, 8), looks.nominal((3, 6, 9), 0.05)[-1])
        move = float(np.sqrt(five.spread * (1 / 5 - 1 / 8)))
        told = power.chance_to_close(five, 0.0, Design((3, 6, 9), 0.05), look=6)
        distance = float(five.effect)
        assert told == pytest.approx(
            stats.t.sf((half - distance) / move, 4) + stats.t.cdf((-half - distance) / move, 4)
        )

    def test_the_chance_to_close_is_met(self):
        """Studies of the same first six pairs, carried on with normal pairs of unknown mean."""
        random = np.random.default_rng(4)
        first = np.array([0.9, 1.4, 0.1, 1.2, 0.2, 1.0])
        design = Design((6, 24), 0.01)
        found = paired.resplit(first, 0.0)
        told = power.chance_to_close(found, 0.0, design)
        spread = first.std(ddof=1) / (random.chisquare(5, 20_000) / 5) ** 0.5
        centre = first.mean() + random.normal(size=20_000) * spread / 6**0.5
        later = centre[:, None] + spread[:, None] * random.normal(size=(20_000, 18))
        whole = paired.resplit(np.hstack([np.broadcast_to(first, (20_000, 6)), later]), 0.0)
        level = looks.nominal((6, 24), 0.01)[-1]
        closed = (tails.exceedance(np.abs(whole.effect), whole) <= level).mean()
        assert 0.3 < told < 0.99
        assert told == pytest.approx(closed, abs=0.08)


def bound_passes(found: paired.Evidence, more: int, design: Design) -> bool:
    grown = power.at(found, found.pairs + more)
    level = looks.nominal(design.looks, design.alpha)
    allowed = dict(zip(design.looks, level, strict=True)).get(grown.pairs, level[-1])
    return float(tails.exceedance(np.asarray(0.6), grown)) <= allowed
