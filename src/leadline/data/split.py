"""Four parts: train, tune, dev and test, as one fold or as repeated cross-validation.

train fits weights; tune stops training and chooses the learning rate; dev is the evidence for decisions; test
is touched once. Shares by sequence:

    one fold           train 60 %   tune 10 %   dev 15 %   test 15 %
    cross-validation   test 20 %; of the rest, 5 folds times 2 repeats: dev 1/5, tune 1/10, train 7/10

Cross-validation is used when dev would hold fewer than 400 sequences, or there are fewer than 40 groups: then
one dev part would measure its own luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from leadline.data.clusters import clusters_of, name_keys
from leadline.data.sequences import Sequences
from leadline.data.targets import require_two_classes
from leadline.errors import DataError
from leadline.seeds import child

FEWEST_SEQUENCES = 20
FEWEST_DEV = 400
FEWEST_GROUPS = 40
FEWEST_PER_CLASS = 3
SHARES = {"train": 0.60, "tune": 0.10, "dev": 0.15, "test": 0.15}
CROSS_TEST = 0.20
CROSS_FOLDS = 5
CROSS_REPEATS = 2
CROSS_TUNE = 0.10
QUANTILES = 10
LARGE_SHARE = 0.01
LARGEST_SHARE = 1 / 3

Index = NDArray[np.int64]
By = str


@dataclass(frozen=True, eq=False)
class Fold:
    """Indices of sequences, ascending."""

    train: Index
    tune: Index
    dev: Index

    @property
    def everything(self) -> Index:
        """All three together: the same for every fold."""
        return np.sort(np.concatenate([self.train, self.tune, self.dev]))


@dataclass(frozen=True, eq=False)
class Split:
    """How the data were divided.

    Args:
        folds: one, or the folds of a repeated cross-validation.
        test: indices of the test part.
        clusters: (n,) cluster of each sequence: its group with those of identical inputs, or itself.
        by: "file", "group", "class", "target", "length", "time" or "chance".
        notes: what was done, in sentences.
    """

    folds: tuple[Fold, ...]
    test: Index
    clusters: Index
    by: By
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """What dividing needs to know: per sequence a cluster, per cluster a weight, a stratum and an order."""

    clusters: Index
    sizes: Index
    strata: Index
    keys: NDArray[np.uint64]
    by: By
    notes: tuple[str, ...]


def split(sequences: Sequences, seed: int) -> Split:
    """Divide the sequences into parts.

    The file's own parts are kept, and missing ones are carved from its train part. Otherwise groups stay
    together; without groups the parts are stratified by class, by target, or by length. If all sequences are
    one group (windows of one text or of one series, in the order of time), parts are contiguous blocks.

    Args:
        sequences: at least 20, with targets.
        seed: another seed gives other parts. The result depends on the seed and on the names of the
            sequences, not on the order of rows.

    Raises:
        DataError: fewer than 20 sequences, one class only, or a part that would be empty.

    >>> from leadline.data.arrays import from_arrays
    >>> words = from_arrays([f"word{i}" for i in range(100)], [i % 2 for i in range(100)])
    >>> parts = split(words, seed=0)
    >>> len(parts.folds), len(parts.test), parts.by
    (10, 20, 'class')
    """
    _require_enough(sequences)
    require_two_classes(sequences)
    if sequences.groups is not None and _one_line_of_time(sequences):
        return _by_time(sequences)
    plan = _plan(sequences, seed)
    given = np.array(sequences.parts or ("",) * len(sequences), dtype=object)
    given[given == ""] = "train"
    pool = np.flatnonzero(given == "train")
    test, pool, from_file = _test_part(plan, given, pool)
    _require_clusters(sequences, plan, given, pool)
    folds, notes = _folds(plan, given, pool, from_file)
    folds, moved = _cover_classes(sequences, plan, given, folds)
    by = "file" if sequences.parts is not None and from_file else plan.by
    found = (*plan.notes, *notes, *moved, *_class_notes(sequences))
    return _checked(sequences, Split(folds, test, plan.clusters, by, found))


def _require_enough(sequences: Sequences) -> None:
    if len(sequences) < FEWEST_SEQUENCES:
        raise DataError(
            f"there are {len(sequences)} sequences in all",
            where=sequences.source,
            expected=f"at least {FEWEST_SEQUENCES}, to train on some and to judge on others",
            next_move="Add sequences, cut long ones with --max-steps, or check --sequence.",
        )


def _one_line_of_time(sequences: Sequences) -> bool:
    free = [part in ("", "train") for part in sequences.parts or ("",) * len(sequences)]
    return sequences.groups is not None and len(np.unique(sequences.groups[free])) == 1


def _plan(sequences: Sequences, seed: int) -> Plan:
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


def _deal(plan: Plan, members: Index, shares: list[float], name: int) -> list[Index]:
    """Deal the clusters of the sequences `members` to parts in these shares, stratum by stratum.

    The first cluster of a stratum goes to the part with the largest share (train has every class), each other
    one to the part that is furthest behind in the stratum and in all together; large clusters first, then in
    random order. No part stays empty while clusters are left.
    """
    chosen = np.unique(plan.clusters[members])
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


def _test_part(plan: Plan, given: NDArray[np.object_], pool: Index) -> tuple[Index, Index, bool]:
    """The test part, what is left to divide, and whether the file gave any part but train."""
    test = np.flatnonzero(given == "test")
    if len(test):
        return test, pool, True
    from_file = bool((given != "train").any())
    if "dev" in given:
        share = SHARES["test"] / (1 - SHARES["dev"])
    else:
        share = CROSS_TEST if _needs_crossing(plan, len(pool) * SHARES["dev"], pool) else SHARES["test"]
    rest, test = _deal(plan, pool, [1 - share, share], 0)
    return np.sort(test), np.sort(rest), from_file


def _needs_crossing(plan: Plan, dev: float, pool: Index) -> bool:
    few_groups = plan.by == "group" and len(np.unique(plan.clusters[pool])) < FEWEST_GROUPS
    return dev < FEWEST_DEV or few_groups


def _folds(
    plan: Plan, given: NDArray[np.object_], pool: Index, from_file: bool
) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    dev, tune = np.flatnonzero(given == "dev"), np.flatnonzero(given == "tune")
    if len(dev):
        return _dev_given(plan, pool, tune, dev)
    kept = SHARES["train"] + SHARES["tune"] + SHARES["dev"]
    if _needs_crossing(plan, len(pool) * SHARES["dev"] / kept, pool):
        return _crossed(plan, pool, tune, from_file)
    if len(tune):
        train, dev = _deal(plan, pool, [SHARES["train"], SHARES["dev"]], 1)
        return (_fold(train, tune, dev),), ("dev is carved from the file's train part.",)
    train, tune, dev = _deal(plan, pool, [SHARES["train"], SHARES["tune"], SHARES["dev"]], 1)
    note = ("tune and dev are carved from the file's train part.",) if from_file else ()
    return (_fold(train, tune, dev),), note


def _dev_given(plan: Plan, pool: Index, tune: Index, dev: Index) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    if len(tune):
        return (_fold(pool, tune, dev),), ()
    train, tune = _deal(plan, pool, [SHARES["train"], SHARES["tune"]], 1)
    return (_fold(train, tune, dev),), ("tune is carved from the file's train part.",)


def _crossed(plan: Plan, pool: Index, tune: Index, from_file: bool) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    """5 folds times 2 repeats; with fewer groups than folds, a fold per group."""
    count = min(CROSS_FOLDS, len(np.unique(plan.clusters[pool])))
    folds = []
    for repeat in range(CROSS_REPEATS):
        blocks = _deal(plan, pool, [1.0] * count, 10 + repeat)
        for number, dev in enumerate(blocks):
            rest = np.concatenate([block for other, block in enumerate(blocks) if other != number])
            if len(tune):
                folds.append(_fold(rest, tune, dev))
                continue
            share = CROSS_TUNE / (1 - 1 / count)
            train, stop = _deal(plan, np.sort(rest), [1 - share, share], 100 * (repeat + 1) + number)
            folds.append(_fold(train, stop, dev))
    source = " of the file's train part" if from_file else ""
    note = f"Few sequences or groups: dev is {len(folds)} folds ({count} times {CROSS_REPEATS}){source}."
    return tuple(folds), (note,)


def _fold(train: Index, tune: Index, dev: Index) -> Fold:
    return Fold(np.sort(train), np.sort(tune), np.sort(dev))


def _by_time(sequences: Sequences) -> Split:
    """Contiguous blocks in the order of the sequences; a given test part is kept."""
    given = np.array(sequences.parts or ("",) * len(sequences), dtype=object)
    test = np.flatnonzero(given == "test")
    pool = np.flatnonzero((given == "") | (given == "train"))
    kept_dev, kept_tune = np.flatnonzero(given == "dev"), np.flatnonzero(given == "tune")
    clusters = np.arange(len(sequences), dtype=np.int64)
    by = "file" if sequences.parts is not None and len(pool) < len(sequences) else "time"
    crossing = not len(kept_dev) and len(pool) * SHARES["dev"] < FEWEST_DEV
    if not len(test):
        share = CROSS_TEST if crossing else SHARES["test"]
        pool, test = _blocks(pool, [1 - share, share])
    if crossing:
        folds, note = _crossed_blocks(pool, kept_tune)
    else:
        tune_share = 0.0 if len(kept_tune) else SHARES["tune"]
        dev_share = 0.0 if len(kept_dev) else SHARES["dev"]
        train, tune, dev = _blocks(pool, [SHARES["train"], tune_share, dev_share])
        folds = (_fold(train, np.concatenate([tune, kept_tune]), np.concatenate([dev, kept_dev])),)
        note = "The sequences are one line of time: parts are contiguous blocks, the test part last."
    return _checked(sequences, Split(folds, test, clusters, by, (note, *_class_notes(sequences))))


def _blocks(pool: Index, shares: list[float]) -> list[Index]:
    edges = np.round(np.cumsum(shares)[:-1] / sum(shares) * len(pool)).astype(int)
    return [block.astype(np.int64) for block in np.split(pool, edges)]


def _crossed_blocks(pool: Index, kept_tune: Index) -> tuple[tuple[Fold, ...], str]:
    """Each tenth of the time but one is dev once with its neighbour; the next tenth is tune."""
    folds = []
    for repeat in range(CROSS_REPEATS):
        tenths = np.array_split(np.roll(pool, -repeat * (len(pool) // (2 * CROSS_FOLDS))), 2 * CROSS_FOLDS)
        for number in range(CROSS_FOLDS):
            dev = np.concatenate(tenths[2 * number : 2 * number + 2])
            beside = (2 * number + 2) % (2 * CROSS_FOLDS)
            tune = kept_tune if len(kept_tune) else tenths[beside]
            train = np.setdiff1d(pool, np.concatenate([dev, tune]))
            folds.append(_fold(train, tune, dev))
    note = (
        "The sequences are one line of time, and few: dev is 10 folds of contiguous blocks (5 times 2), "
        "the test part is the last block."
    )
    return tuple(folds), note


def _cover_classes(
    sequences: Sequences, plan: Plan, given: NDArray[np.object_], folds: tuple[Fold, ...]
) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    """Every class that a fold holds is in its train part: clusters move there from tune, else from dev.

    Parts that the file gave stay as they are, and no part is emptied.
    """
    if sequences.kind != "classification" or sequences.targets is None:
        return folds, ()
    movable = ("tune" not in given, "dev" not in given)
    covered = [_cover(sequences.targets, plan.clusters, fold, movable) for fold in folds]
    moved = sum(count for _, count in covered)
    notes = (f"{moved} sequences moved to train, so that every class is in it.",) if moved else ()
    return tuple(fold for fold, _ in covered), notes


def _cover(targets: NDArray[np.generic], clusters: Index, fold: Fold, movable: tuple[bool, bool]) -> tuple[Fold, int]:
    train, others = fold.train, [fold.tune, fold.dev]
    for place in np.flatnonzero(movable).tolist():
        for label in np.setdiff1d(targets[others[place]], targets[train]):
            holders = others[place][targets[others[place]] == label]
            moving = np.isin(clusters[others[place]], clusters[holders[:1]])
            if moving.all():
                continue
            train = np.concatenate([train, others[place][moving]])
            others[place] = others[place][~moving]
    return _fold(train, others[0], others[1]), len(train) - len(fold.train)


def _class_notes(sequences: Sequences) -> tuple[str, ...]:
    if sequences.kind != "classification" or sequences.targets is None:
        return ()
    counts = np.bincount(sequences.targets.astype(np.int64), minlength=sequences.num_classes)
    rare = [f"{sequences.classes[i]} ({counts[i]})" for i in np.flatnonzero(counts < FEWEST_PER_CLASS)]
    if not rare:
        return ()
    listed = ", ".join(rare[:8]) + (f" and {len(rare) - 8} more" if len(rare) > 8 else "")
    return (f"Classes with fewer than {FEWEST_PER_CLASS} sequences cannot be judged: {listed}.",)


def _checked(sequences: Sequences, result: Split) -> Split:
    """The split, unless a part is empty."""
    parts = [("test", result.test)]
    for fold in result.folds:
        parts += [("train", fold.train), ("tune", fold.tune), ("dev", fold.dev)]
    for name, part in parts:
        if len(part) == 0:
            _refuse_empty(sequences, result.clusters, name)
    return result


def _require_clusters(sequences: Sequences, plan: Plan, given: NDArray[np.object_], pool: Index) -> None:
    """Raise when train and the parts to be carved from it cannot each have a cluster."""
    wanted = 1 + ("tune" not in given) + ("dev" not in given)
    if len(np.unique(plan.clusters[pool])) < wanted:
        _refuse_empty(sequences, plan.clusters, "tune" if "tune" not in given else "train")


def _refuse_empty(sequences: Sequences, clusters: Index, part: str) -> NoReturn:
    count = len(np.unique(clusters))
    raise DataError(
        f"the {part} part would be empty: {len(sequences)} sequences make {count} sets that may be parted",
        where=sequences.source,
        expected="at least 4 groups, and sequences for every part",
        next_move="Leave the group column out with --exclude, give more groups, or give a split column.",
    )
