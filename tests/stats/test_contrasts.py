"""Contrasts of a race: against textbook tests, against the plain double loop, and against the truth in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from leadline.stats import family, race
from leadline.stats.noise import MOST_PRIOR, noise, residuals
from leadline.stats.race import Contrast, Scores, contrast

ARMS = 8
LOOKS = (4, 6, 8, 12)


def gathered(sums: np.ndarray, weights: np.ndarray, dev: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (arms, blocks) and Gram matrix, by the definition, one arm and one block at a time."""
    arms, blocks, clusters = sums.shape
    means = np.empty((arms, blocks))
    rho = np.zeros((arms, blocks, clusters))
    for a in range(arms):
        for b in range(blocks):
            held = np.where(dev[b], weights, 0.0)
            total = held.sum()
            means[a, b] = (sums[a, b] * dev[b]).sum() / total
            for c in np.flatnonzero(dev[b]):
                rho[a, b, c] = (sums[a, b, c] - means[a, b] * weights[c]) / ((1 - weights[c] / total) * total)
    flat = rho.reshape(arms * blocks, clusters)
    return means, flat @ flat.T


def rotating(blocks: int, clusters: int) -> np.ndarray:
    return np.array([np.arange(clusters) % 5 == block % 5 for block in range(blocks)])


def study(
    random: np.random.Generator, blocks: int, *, training=0.4, liking=2.0, example=3.0, clusters=200, fixed=False
):
    """Scores of arms that are all alike but for noise."""
    dev = np.ones((blocks, clusters), dtype=bool) if fixed else rotating(blocks, clusters)
    hard = random.normal(0, 20, clusters)
    likes = random.normal(0, liking, (ARMS, 1, clusters))
    own = random.normal(0, example, (ARMS, blocks, clusters)) + random.normal(0, training, (ARMS, blocks, 1))
    return gathered(hard + likes + own, np.ones(clusters), dev)


def pair(one: int = 1, other: int = 0) -> np.ndarray:
    found = np.zeros(ARMS)
    found[one], found[other] = 1.0, -1.0
    return found


class TestNoise:
    def test_residuals_are_those_of_least_squares_also_with_gaps(self):
        random = np.random.default_rng(0)
        scores = random.normal(size=(5, 7))
        scores[1, 2] = scores[3, 6] = np.nan
        rows, columns = np.nonzero(np.isfinite(scores))
        design = np.zeros((len(rows), 12))
        design[np.arange(len(rows)), rows] = 1
        design[np.arange(len(rows)), 5 + columns] = 1
        values = scores[rows, columns]
        rest = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
        assert residuals(scores)[rows, columns] == pytest.approx(rest, abs=1e-6)

    def test_the_variance_of_equal_arms_is_a_little_above_the_truth(self):
        """Quiet arms are drawn up to the mean, loud ones are not drawn down: on the safe side, by a tenth."""
        scores = np.random.default_rng(1).normal(0, 2.0, (4000, ARMS, 6))
        assert 4.0 < noise(scores).variance.mean() < 4.6

    def test_a_loud_arm_stands_for_itself(self):
        scores = np.random.default_rng(2).normal(0, 1.0, (2000, ARMS, 12))
        scores[:, 3] *= 4
        found = noise(scores)
        assert np.median(found.variance[:, 3]) == pytest.approx(16, rel=0.2)
        assert np.median(found.freedom[:, 3]) < 12
        assert np.median(found.variance[:, 0]) < 4

    def test_equal_arms_lend_each_other_at_most_the_cap(self):
        found = noise(np.random.default_rng(3).normal(size=(500, ARMS, 6)))
        assert found.freedom.max() <= 5 + MOST_PRIOR


class TestContrast:
    def test_on_one_dev_part_without_example_noise_it_is_about_the_two_sample_t(self):
        random = np.random.default_rng(4)
        means, gram = study(random, 12, training=1.0, liking=0.0, example=0.0, fixed=True)
        found = contrast(Scores(means, gram, 200.0, 0.0), pair())
        assert found.effect == pytest.approx(means[1].mean() - means[0].mean())
        assert found.error == pytest.approx((2 * 1.0 / 12) ** 0.5, rel=0.4)

    @pytest.mark.parametrize("fixed", [True, False])
    @pytest.mark.parametrize("blocks", [4, 10])
    def test_the_error_is_the_spread_of_the_effect(self, fixed, blocks):
        """Mean variance over 300 studies against the variance of their effects: not below it, and with as few as 20
        clusters in a fold at most half above.
        """
        random = np.random.default_rng(5)
        found = [
            contrast(Scores(*study(random, blocks, clusters=100, fixed=fixed), 100.0, 0.0), pair()) for _ in range(300)
        ]
        spread = np.var([one.effect for one in found], ddof=1)
        assert 0.9 < np.mean([one.error**2 for one in found]) / spread < 1.55

    def test_an_arm_that_is_missing_in_a_block_leaves_it_out(self):
        means, gram = study(np.random.default_rng(6), 6)
        means[1, 3] = np.nan
        found = contrast(Scores(means, gram, 200.0, 0.0), pair())
        kept = [0, 1, 2, 4, 5]
        assert found.blocks == 5
        assert found.effect == pytest.approx((means[1] - means[0])[kept].mean())

    def test_one_block_says_nothing(self):
        means, gram = study(np.random.default_rng(7), 1)
        assert contrast(Scores(means, gram, 200.0, 0.0), pair()).half_width(0.025) == float("inf")

    def test_ties_have_a_width(self):
        means = np.full((ARMS, 5), 80.0)
        least = race.least_variance(100.0, 400, 5)
        found = contrast(Scores(means, np.zeros((ARMS * 5, ARMS * 5)), 400.0, least, 100 / 400), pair())
        assert found.effect == 0.0
        assert found.half_width(0.025) >= 1.96 * 100 / 400 * 5**0.5
        assert found.upper(0.025) >= 100 / 400 * np.log(40)

    def test_what_no_example_showed_may_still_be_there(self):
        """One in 200 of the world is right in one arm only; dev parts of 100 clusters mostly lack it."""
        random = np.random.default_rng(8)
        missed = 0
        for _ in range(400):
            rare = random.random(100) < 0.005
            means, gram = gathered(
                np.stack([np.full((5, 100), 80.0)] * 7 + [80.0 + 20.0 * np.tile(rare, (5, 1))]),
                np.ones(100),
                rotating(5, 100),
            )
            found = contrast(Scores(means, gram, 100.0, race.least_variance(20.0, 100, 5), 20 / 100), pair(7))
            missed += found.upper(0.025) < 0.1
        assert missed / 400 < 0.04

    def test_a_large_cluster_counts_as_what_it_is(self):
        """30 clusters of very unequal size: the 95 % interval misses in at most 9 % of 400 studies."""
        random = np.random.default_rng(9)
        weights = np.r_[np.full(25, 1.0), np.full(5, 12.0)]
        missed = 0
        for _ in range(400):
            dev = rotating(5, 30)
            likes = random.normal(0, 3.0, (ARMS, 1, 30))
            sums = (likes + random.normal(0, 1.0, (ARMS, 5, 30))) * weights
            means, gram = gathered(sums, weights, dev)
            clusters = weights.sum() ** 2 / (weights**2).sum()
            found = contrast(Scores(means, gram, clusters, 0.0), pair())
            missed += abs(found.effect) > found.half_width(0.025)
        assert missed / 400 < 0.09


class TestLevels:
    def test_one_contrast_and_one_look_is_nearly_student(self):
        """Its variance is a little too large on purpose, so that the tail may be a little larger than 2.5 %."""
        assert 0.024 < family.levels(pair()[None], (6,), 0.05, 0.05).family < 0.034

    def test_more_contrasts_and_more_looks_cost_more(self):
        many = np.array([pair(i) for i in range(1, ARMS)])
        one_look = family.levels(many, (6,), 0.05, 0.05)
        looks = family.levels(many, LOOKS, 0.05, 0.05)
        assert looks.family < one_look.family < 0.025
        assert looks.row > looks.family
        dunnett = stats.norm.sf(2.65)  # two-sided, seven against one, many degrees of freedom (Dunnett 1955)
        assert one_look.family == pytest.approx(dunnett, rel=0.35)
        assert looks.family > 0.05 / 2 / len(many) / len(LOOKS)  # less than Bonferroni

    @pytest.mark.parametrize("kind", ["seeds", "examples", "loud"])
    def test_all_ranges_hold_at_all_looks(self, kind):
        """In 150 studies: the share that has any range outside its truth is at most 9 % where 5 are allowed."""
        random = np.random.default_rng(10)
        many = np.array([*(pair(i) for i in range(1, ARMS)), pair(2, 1), pair(4, 3)])
        at = family.levels(many, LOOKS, 0.05, 0.05)
        noises = {"seeds": (0.5, 0.2, 0.2), "examples": (0.05, 3.0, 3.0), "loud": (0.5, 0.2, 0.2)}[kind]
        wrong = sum(_misses(random, many, at.family, noises, kind == "loud") for _ in range(150))
        assert wrong / 150 <= 0.09


def _misses(random: np.random.Generator, many: np.ndarray, tail: float, noises: tuple[float, ...], loud: bool) -> bool:
    training, liking, example = noises
    means, gram = study(random, LOOKS[-1], training=training, liking=liking, example=example, clusters=100)
    if loud:
        means[3] += random.normal(0, 1.5, LOOKS[-1])
    for look in LOOKS:
        keep = (np.arange(ARMS)[:, None] * LOOKS[-1] + np.arange(look)).ravel()
        scores = Scores(means[:, :look], gram[np.ix_(keep, keep)], 100.0, 0.0)
        known = race.variances(scores)
        for coefficients in many:
            found = contrast(scores, coefficients, known)
            if abs(found.effect) > found.half_width(tail):
                return True
    return False


def test_bounds_are_read_off_the_contrast():
    found = Contrast(1.0, 0.5, 10.0, 6, 0.2)
    assert found.lower(0.025) == pytest.approx(1 - 0.5 * stats.t.isf(0.025, 10))
    assert found.upper(0.025) == pytest.approx(1 + max(0.5 * stats.t.isf(0.025, 10), 0.2 * np.log(40)))
