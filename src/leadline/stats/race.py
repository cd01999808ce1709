"""Contrasts between the arms of a race: effect, standard error and degrees of freedom. Pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from leadline.stats.noise import Noise, noise
from leadline.stats.paired import Floats


@dataclass(frozen=True, eq=False)
class Scores:
    """What a race has measured so far.

    Args:
        means: (arms, blocks) mean dev score, NaN where an arm was not trained in a block or did not train.
        gram: (arms * blocks, arms * blocks) inner products of the cluster residuals

                rho[ab, c] = (D[ab, c] - y_ab w_c) / ((1 - h_c) W_b),     h_c = w_c / W_b

            with D the score sums, w the targets of cluster c, and W_b those of the whole dev part of block b (0 where
            c is not in it). Division by 1 - h is the jackknife's: a large cluster draws the mean to itself.
        clusters: effective number, (sum w)^2 / sum w^2 over the development data.
        least: smallest variance that the choice of examples leaves on a difference of two arms; see `least_variance`.
        unseen: how much of the score each cluster stands for, reach / clusters; see `Contrast.upper`.
    """

    means: Floats
    gram: Floats
    clusters: float
    least: float
    unseen: float = 0.0


class Contrast(NamedTuple):
    """A contrast's estimate.

    Args:
        effect: sum over arms of coefficient times mean score.
        error: standard error of it.
        freedom: degrees of freedom of the error (Satterthwaite 1946).
        blocks: blocks that it rests on.
        unseen: see `upper`.
    """

    effect: float
    error: float
    freedom: float
    blocks: int
    unseen: float = 0.0

    def half_width(self, tail: float) -> float:
        """Half of the interval that leaves out `tail` on each side."""
        if self.blocks < 2:
            return float("inf")
        return -float(stdtrit(self.freedom, tail)) * self.error

    def lower(self, tail: float) -> float:
        """The bound below which the truth lies with chance `tail`."""
        return self.effect - self.half_width(tail)

    def upper(self, tail: float) -> float:
        """The bound above which the truth lies with chance `tail`.

        No less than the estimate and reach * ln(1 / tail) / clusters: n examples cannot exclude what one in n / ln(1
        / tail) of the world's would show, since with chance `tail` none of that kind is among them. Without it,
        "below the margin" was said of 14 % of the comparisons in which a kind that the dev part lacked made the
        difference.
        """
        return self.effect + max(self.half_width(tail), -self.unseen * float(np.log(tail)))


class Known(NamedTuple):
    """What the noise of a race's arms is known to be: it is the same for all contrasts.

    Args:
        noise: of one block's score, examples included.
        training: (arms,) the part of its variance that is not the examples', and not below 0.
    """

    noise: Noise
    training: Floats


def variances(scores: Scores) -> Known:
    """The noise of each arm, and what of it is training."""
    found = noise(scores.means)
    return Known(found, np.maximum(found.variance - shared(scores), 0.0))


def contrast(scores: Scores, coefficients: Floats, known: Known | None = None) -> Contrast:
    """Estimate `coefficients . mean`, over the blocks in which all of its arms trained.

        effect   = mean over blocks of sum_a L_a y_ab
        variance = sum_a L_a^2 u_a^2 / B  +  sum_c psi_c^2,     psi_c = mean over blocks of sum_a L_a rho[ab, c]

    The first part is training: u_a^2 is the arm's moderated variance (`noise`) less what examples put into it, and not
    below 0. The second is the choice of examples, and of examples times training: every cluster counts once, however
    many blocks it was a dev example in, so it holds for one fixed dev part, for rotating ones, and in between.

    Args:
        scores: of the race.
        coefficients: (arms,), with sum 0.
        known: of `variances`, where it is at hand.
    """
    used = np.flatnonzero(coefficients)
    blocks = np.flatnonzero(np.isfinite(scores.means[used]).all(0))
    count = len(blocks)
    if count < 2:
        effect = float("nan") if not count else float(coefficients[used] @ scores.means[used][:, blocks].mean(-1))
        return Contrast(effect, float("inf"), 1.0, count)
    found, training = variances(scores) if known is None else known
    weights = coefficients[used]
    of_training = weights**2 * training[used] / count
    examples = max(_examples(scores, used, weights, blocks), scores.least * float((weights**2).sum()) / 2)
    total = float(of_training.sum()) + examples
    spread = (weights**2 * found.variance[used] / count) ** 2 / found.freedom[used]
    freedom = total**2 / (float(spread.sum()) + examples**2 / max(scores.clusters - 1, 1))
    effect = float(weights @ scores.means[used][:, blocks].mean(-1))
    return Contrast(effect, float(np.sqrt(total)), freedom, count, scores.unseen * float(np.abs(weights).sum()) / 2)


def shared(scores: Scores) -> Floats:
    """(arms,) variance between blocks that examples alone put into the residuals of `noise`.

    Half the mean squared distance of the cluster residuals of two blocks, relative to the mean over arms: all of it
    where two blocks have other dev examples, and only examples times training where they have the same.
    """
    arms, blocks = scores.means.shape
    gram = scores.gram.reshape(arms, blocks, arms, blocks)
    known = np.isfinite(scores.means)
    share = known / np.maximum(known.sum(0), 1)
    found = np.zeros(arms)
    for arm in range(arms):
        own = np.flatnonzero(known[arm])
        if len(own) < 2:
            continue
        lead = -share.copy()
        lead[arm] += 1.0
        inner = np.einsum("ib,ibjd,jd->bd", lead[:, own], gram[:, own][:, :, :, own], lead[:, own])
        single = np.diag(inner)
        found[arm] = single.mean() - (inner.sum() - single.sum()) / (len(own) * (len(own) - 1))
    return found


def _examples(scores: Scores, used: NDArray[np.int64], weights: Floats, blocks: NDArray[np.int64]) -> float:
    arms, width = scores.means.shape
    lead = np.zeros((arms, width))
    lead[np.ix_(used, blocks)] = weights[:, None] / len(blocks)
    flat = lead.ravel()
    return float(flat @ scores.gram @ flat)


def least_variance(reach: float, examples: int, folds: int) -> float:
    """Variance of a difference that ties cannot hide: one changed example in each fold.

        (reach / examples)^2 * folds

    Args:
        reach: largest difference of scores on one example; 100 for accuracy in per cent.
        examples: in all dev parts together.
        folds: that they are divided into.

    >>> least_variance(10.0, 2000, 4)
    0.0001
    """
    return (reach / examples) ** 2 * folds
