"""Clusters dealt to parts in given shares, stratum by stratum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.data.clusters import clusters_of, name_keys
from leadline.data.folds import By, Index
from leadline.data.identical import distinct
from leadline.data.sequences import Sequences
from leadline.seeds import child

QUANTILES = 10
LARGE_SHARE = 0.01
LARGEST_SHARE = 1 / 3


@dataclass(frozen=True, eq=False)
class Plan:
    """What dividing needs to know: per sequence a cluster, per cluster a weight, a stratum and an order."""

    clusters: Index
    sizes: Index
    strata: Index
    keys: NDArray[np.uint64]
    by: By
    notes: tuple[str, ...]


def plan(sequences: Sequences, seed: int) -> Plan:
    """Clusters, sizes, strata and keys of the sequences."""
    clusters, notes = clusters_of(sequences)
    sizes = np.bincount(clusters)
    by, labels = _strata(sequences)
    strata = np.full(len(sizes), len(sequences) + int(labels.max()), dtype=np.int64)
    np.minimum.at(strata, clusters, labels)
    if sizes.max() > LARGEST_SHARE * len(sequences):
        share = 100 * sizes.max() / len(sequences)
        sizes = np.ones_like(sizes)
        notes += (f"One group holds {share:.0f} % of the sequences: the shares of the parts count groups instead.",)
    return Plan(clusters, sizes, strata, name_keys(sequences, clusters, child(seed, "split")), by, notes)


def _strata(sequences: Sequences) -> tuple[By, Index]:
    """(n,) the stratum of each sequence; groups are dealt out without strata."""
    count = len(sequences)
    if sequences.groups is not None:
        return "group", np.zeros(count, dtype=np.int64)
    if sequences.kind == "classification" and sequences.targets is not None:
        return "class", sequences.targets.astype(np.int64)
    if sequences.kind == "regression" and sequences.targets is not None:
        return "target", _quantiles(sequences.targets)
    if len(np.unique(sequences.lengths)) > 1:
        return "length", _quantiles(sequences.lengths)
    return "chance", np.zeros(count, dtype=np.int64)


def _quantiles(values: NDArray[np.generic]) -> Index:
    edges = np.unique(np.quantile(values.astype(np.float64), np.linspace(0, 1, QUANTILES + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def deal(plan: Plan, members: Index, shares: list[float], name: int) -> list[Index]:
    """Deal the clusters of the sequences `members` to parts in these shares, stratum by stratum.

    The first cluster of a stratum goes to the part with the largest share (train has every class), each other
    one to the part that is furthest behind in the stratum and in all together; large clusters first, then in
    random order. No part stays empty while clusters are left.
    """
    chosen = distinct(plan.clusters[members])
    keys = _shuffled(plan.keys[chosen], name)
    large = np.where(plan.sizes[chosen] > LARGE_SHARE * len(members), -plan.sizes[chosen], 0)
    order = np.lexsort((keys, large, plan.strata[chosen]))
    rows = chosen[order]
    part_of = np.full(len(plan.sizes), -1, dtype=np.int64)
    part_of[rows] = _greedy(plan.sizes[rows].tolist(), plan.strata[rows].tolist(), shares)
    return [members[part_of[plan.clusters[members]] == part] for part in range(len(shares))]


def _greedy(sizes: list[int], strata: list[int], shares: list[float]) -> list[int]:
    """The part of each cluster, in this order. Whole numbers, so that ties are ties."""
    scale = 1_000_000
    wanted = [round(scale * share / sum(shares)) for share in shares]
    every = list(range(len(shares)))
    total, inside, stratum = [0] * len(shares), [0] * len(shares), -1
    result, seen, here = [], 0, 0
    for place, size in enumerate(sizes):
        if strata[place] != stratum:
            stratum, inside, here = strata[place], [0] * len(shares), 0
        seen, here = seen + size, here + size
        empty = [part for part in every if not total[part]]
        chosen, lead = -1, (0, 0)
        for part in empty if 0 < len(sizes) - place <= len(empty) else every:
            local, overall = wanted[part] * here - scale * inside[part], wanted[part] * seen - scale * total[part]
            behind = (local, overall) if here == size else (local + overall, local)
            if chosen < 0 or behind > lead:
                chosen, lead = part, behind
        inside[chosen] += size
        total[chosen] += size
        result.append(chosen)
    return result


def _shuffled(keys: NDArray[np.uint64], name: int) -> NDArray[np.uint64]:
    """Another random order for another name."""
    mixed = (keys ^ np.uint64(child(name, "deal"))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(29))
