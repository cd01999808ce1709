"""What paired differences say, held against textbook intervals and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from leadline.stats import paired, tails
from leadline.stats.collapse import collapsed
from leadline.stats.paired import Estimate, Evidence


class TestCrossed:
    def test_one_pair_is_the_t_interval_over_examples(self):
        values = np.random.default_rng(0).normal(size=40)
        found = tails.interval(paired.crossed(values[None], np.ones(40)), 0.95)
        low, high = stats.t.interval(0.95, 39, values.mean(), stats.sem(values))
        assert found == pytest.approx((values.mean(), low, high), rel=1e-4)

    def test_without_example_noise_it_is_the_t_interval_over_seeds(self):
        seeds = np.array([1.0, 2.0, 4.0, 3.0])
        found = tails.interval(paired.crossed(np.repeat(seeds[:, None], 500, 1), np.ones(500)), 0.9)
        low, high = stats.t.interval(0.9, 3, seeds.mean(), stats.sem(seeds))
        assert found == pytest.approx((2.5, low, high))

    def test_the_parts_of_the_variance_are_told_apart(self):
        """5 pairs x 300 examples: seeds 0.2, examples 3, both 4; means over 2,000 draws against s^2 / C."""
        random = np.random.default_rng(1)
        sums = random.normal(0, 0.2, (2000, 5, 1)) + random.normal(0, 3, (2000, 1, 300))
        found = paired.crossed(sums + random.normal(0, 4, (2000, 5, 300)), np.ones(300))
        assert found.of_examples.mean() == pytest.approx(9 / 300, rel=0.03)
        assert found.least.mean() == pytest.approx(16 / 300, rel=0.01)
        assert found.effects.var(-1, ddof=1).mean() == pytest.approx(0.04 + 16 / 300, rel=0.05)

    @pytest.mark.parametrize("pairs", [3, 8])
    def test_it_covers_both_sources(self, pairs):
        """95 % intervals miss the truth in at most 6 % of 3,000 draws, and not in next to none."""
        random = np.random.default_rng(2)
        seeds, examples = random.normal(0, 0.1, (3000, pairs, 1)), random.normal(0, 1.5, (3000, 1, 200))
        found = paired.crossed(0.3 + seeds + examples + random.normal(0, 1, (3000, pairs, 200)), np.ones(200))
        outside = np.minimum(*(tails.exceedance(side * (found.effect - 0.3), found) for side in (1, -1))) < 0.025
        assert 0.01 < outside.mean() < 0.06

    def test_weights_make_it_a_mean_over_targets(self):
        assert float(paired.crossed(np.array([[10.0, 0.0]]), np.array([1.0, 9.0])).effect) == 1.0

    def test_identical_scores_give_a_point(self):
        assert tails.interval(paired.crossed(np.zeros((3, 5)), np.ones(5)), 0.99) == Estimate(0.0, 0.0, 0.0)

    def test_pairs_that_happen_to_agree_keep_the_noise_of_their_examples(self):
        random = np.random.default_rng(3)
        sums = random.normal(0, 1, (3, 100))
        sums -= sums.mean(1, keepdims=True)
        found = paired.crossed(sums, np.ones(100))
        assert found.effects == pytest.approx([0, 0, 0])
        assert float(found.spread) == pytest.approx(float(found.least), rel=1e-6)
        assert float(found.least) == pytest.approx(0.01, rel=0.3)

    def test_one_cluster_tells_nothing_about_examples(self):
        assert tails.interval(paired.crossed(np.ones((3, 1)), np.ones(1)), 0.9).high == float("inf")


class TestResplit:
    def test_it_is_nadeau_and_bengio(self):
        effects = np.array([0.5, 1.0, 1.5, 0.8])
        half = stats.t.ppf(0.975, 3) * ((1 / 4 + 0.2) * effects.var(ddof=1)) ** 0.5
        found = tails.interval(paired.resplit(effects, 0.2), 0.95)
        assert found == pytest.approx((0.95, 0.95 - half, 0.95 + half))

    def test_one_re_split_tells_nothing(self):
        assert tails.interval(paired.resplit(np.array([0.5]), 0.2), 0.95).high == float("inf")

    def test_it_is_exact_for_equally_correlated_differences(self):
        """rho = 2/9 as in five-fold splits: 5 % of 20,000 studies outside."""
        random = np.random.default_rng(4)
        rho = 2 / 9
        draws = rho**0.5 * random.normal(size=(20_000, 1)) + (1 - rho) ** 0.5 * random.normal(size=(20_000, 10))
        found = paired.resplit(draws, rho / (1 - rho))
        assert (tails.exceedance(found.effect, found) < 0.05).mean() == pytest.approx(0.05, abs=0.005)


class TestExceedance:
    @pytest.mark.parametrize("pairs", [2, 3, 6, 24])
    @pytest.mark.parametrize("alpha", [0.05, 0.001])
    def test_without_examples_it_is_students_t(self, pairs, alpha):
        found = evidence(pairs, spread=2.0, examples=0.0)
        distance = stats.t.isf(alpha, pairs - 1) * (2.0 / pairs) ** 0.5
        assert float(tails.exceedance(np.asarray(distance), found)) == pytest.approx(alpha, rel=1e-4)

    def test_in_between_it_is_the_sum_of_two_ts(self):
        random = np.random.default_rng(5)
        found = evidence(4, spread=1.0, examples=0.3, freedom=50)
        draws = 0.5 * random.standard_t(3, 10**6) + 0.3**0.5 * random.standard_t(50, 10**6)
        for distance in (0.5, 1.5, 3.0):
            expected = float((draws >= distance).mean())
            assert float(tails.exceedance(np.asarray(distance), found)) == pytest.approx(expected, rel=0.04)

    def test_half_width_is_its_inverse(self):
        found = evidence(5, spread=1.0, examples=0.1, freedom=300)
        half = tails.half_width(found, 0.002)
        assert float(tails.exceedance(np.asarray(half), found)) == pytest.approx(0.002, rel=1e-6)


def evidence(pairs: int, spread: float, examples: float, freedom: int = paired.ENDLESS) -> Evidence:
    effects = np.where(np.arange(pairs) % 2, 1.0, -1.0)
    effects = (effects - effects.mean()) * (spread / effects.var(ddof=1)) ** 0.5
    return Evidence(effects, np.asarray(examples), np.asarray(0.0), freedom)


def test_correlation():
    random = np.random.default_rng(6)
    one, other = random.normal(size=50), random.normal(size=50)
    assert paired.correlation(one, one + other) == pytest.approx(stats.pearsonr(one, one + other)[0])
    assert paired.correlation(one, np.ones(50)) is None
    assert paired.correlation(one[:2], other[:2]) is None


class TestCollapsed:
    def test_it_is_found_among_good_runs(self):
        runs = np.array([[70.0, 70.2, 69.8, 40.0], [70.0, 70.2, 69.8, 69.0]])
        assert collapsed(runs, 1.0).tolist() == [[False, False, False, True], [False] * 4]

    def test_better_ones_and_few_runs_are_kept(self):
        assert not collapsed(np.array([70.0, 70.1, 99.0]), 1.0).any()
        assert not collapsed(np.array([70.0, 10.0]), 1.0).any()

    @pytest.mark.parametrize("draw", ["normal", "t3"])
    def test_bad_seeds_stay_in(self, draw):
        random = np.random.default_rng(7)
        runs = random.normal(size=(20_000, 9)) if draw == "normal" else random.standard_t(3, (20_000, 9)) / 3**0.5
        assert collapsed(runs, 1.0).mean() < (1e-4 if draw == "normal" else 0.005)
