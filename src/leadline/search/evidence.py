"""From finished trials to the arrays that `stats.race` reads. No training here, and no decision."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leadline.records.trial import TrialResult
from leadline.search.decide import Evidence
from leadline.search.state import State
from leadline.stats.collapse import collapsed
from leadline.stats.paired import Floats
from leadline.stats.race import Scores, least_variance

MOST_BINS = 2000
"""Clusters are pooled at random into so many at most: inner products over 100,000 clusters gain nothing over 2,000."""


def gather(state: State, blocks: int) -> Evidence:
    """The scores of all arms in the first `blocks` blocks."""
    arms = list(state.arms.values())
    results = [[state.results.get(state.trial(arm, block)) for block in range(blocks)] for arm in arms]
    means = np.array([[np.nan if r is None else r.dev for r in row] for row in results]).reshape(len(arms), blocks)
    lost = _lost(means, results, state.margin)
    bins, count = _bins(state)
    rho = np.zeros((len(arms), blocks, count))
    for block in range(blocks):
        places, weights = state.material.dev(block % state.num_folds)
        for i, row in enumerate(results):
            result = row[block]
            if result is not None and not lost[i, block]:
                rho[i, block] = _residuals(np.array(result.dev_clusters), weights, bins[places], count)
    flat = rho.reshape(len(arms) * blocks, count)
    held = _held(state)
    effective = float(held.sum() ** 2 / (held**2).sum())
    whole = max(reach(state), state.margin)
    scores = Scores(np.where(lost, np.nan, means), flat @ flat.T, effective, _least(state, whole), whole / len(held))
    return Evidence(tuple(arm.id for arm in arms), scores, lost.sum(-1))


def reach(state: State) -> float:
    """Largest difference of scores on one target that is counted on: 100 points of accuracy; elsewhere from the trivial
    baseline's mean to perfect, since losses have no bound."""
    metric = state.plan.metric
    return metric.perfect if metric.name == "accuracy" else metric.perfect - state.trivial


def _least(state: State, whole: float) -> float:
    fold = state.material.fold(0)
    rotating = state.num_folds > 1
    examples = len(fold.everything) if rotating else len(fold.dev)
    return least_variance(whole, examples, len(fold.everything) // len(fold.dev) if rotating else 1)


def _lost(means: Floats, results: Sequence[Sequence[TrialResult | None]], margin: float) -> NDArray[np.bool_]:
    """Runs that broke off, and those far below the others of their arm, but for what a whole block shares."""
    broken = np.array([[r is not None and r.status == "diverged" for r in row] for row in results])
    broken = broken.reshape(means.shape)
    known = np.where(broken, np.nan, means)
    found = np.zeros(means.shape, dtype=np.bool_)
    if known.shape[1] < 3 or margin <= 0:
        return broken
    rest = known - _median(known, 1)
    rest = rest - _median(rest, 0)
    for i, row in enumerate(rest):
        seen = np.flatnonzero(np.isfinite(row))
        found[i, seen] = collapsed(row[seen], margin)
    return broken | found


def _median(values: Floats, axis: int) -> Floats:
    """Median of what is known along an axis; 0 where nothing is."""
    known = np.isfinite(values).any(axis, keepdims=True)
    filled = np.where(known, values, 0.0)
    return np.asarray(np.nanmedian(filled, axis=axis, keepdims=True))


def _residuals(sums: Floats, weights: Floats, bins: NDArray[np.int64], count: int) -> Floats:
    """(bins,) the residuals of `stats.race.Scores`, clusters pooled into bins first."""
    total = weights.sum()
    pooled = np.bincount(bins, weights=sums, minlength=count)
    held = np.bincount(bins, weights=weights, minlength=count)
    share = held / total
    mean = sums.sum() / total
    return np.where(held > 0, (pooled - mean * held) / ((1 - np.minimum(share, 0.9)) * total), 0.0)


def _bins(state: State) -> tuple[NDArray[np.int64], int]:
    """(all clusters,) the bin of each: its own where they are few."""
    clusters = int(state.material.split.clusters.max()) + 1
    if clusters <= MOST_BINS:
        return np.arange(clusters), clusters
    order = np.random.default_rng(state.plan.seed).permutation(clusters)
    return order % MOST_BINS, MOST_BINS


def _held(state: State) -> Floats:
    """Targets in each cluster that is in any dev part: few large groups count as few, by (sum w)^2 / sum w^2."""
    held: dict[int, float] = {}
    for fold in range(state.num_folds):
        places, weights = state.material.dev(fold)
        held |= dict(zip(places.tolist(), weights.tolist(), strict=True))
    return np.array(list(held.values()))
