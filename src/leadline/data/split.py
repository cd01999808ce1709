"""Four parts: train, tune, dev and test, as one fold or as repeated cross-validation.

train fits weights; tune stops training and chooses learning rate, decay and dropout; dev is the evidence for
decisions; test is kept for the end. Shares by sequence:

    test 15 %; of the rest, the development data, 5 folds: dev 1/5, tune 1/10, train 7/10

Over the folds every development sequence is a dev example once. A single dev part would measure its own luck: where
examples limit, rotating it closes nine in ten comparisons that one part leaves open. Where a fifth would hold fewer
than 400 sequences, or there are fewer than 40 groups, test is 20 % and the folds are dealt twice. Parts that a file
gives are kept: with a dev part of its own there is one fold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from leadline.data.cover import class_notes, cover_classes
from leadline.data.deal import Plan, deal, plan
from leadline.data.folds import (
    CROSS_FOLDS,
    CROSS_REPEATS,
    CROSS_TEST,
    FEWEST_DEV,
    SHARES,
    Fold,
    Index,
    Split,
    in_order,
)
from leadline.data.identical import distinct
from leadline.data.sequences import Sequences
from leadline.data.targets import require_two_classes
from leadline.data.timeline import by_time, is_one_line
from leadline.errors import DataError

FEWEST_SEQUENCES = 20
FEWEST_GROUPS = 40
CROSS_TUNE = 0.10


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
    if is_one_line(sequences):
        blocks = by_time(sequences)
        return _checked(sequences, replace(blocks, notes=(*blocks.notes, *class_notes(sequences))))
    dealt = plan(sequences, seed)
    given = np.array(sequences.parts or ("",) * len(sequences), dtype=object)
    given[given == ""] = "train"
    pool = np.flatnonzero(given == "train")
    test, pool, from_file = _test_part(dealt, given, pool)
    _require_clusters(sequences, dealt, given, pool)
    folds, notes = _folds(dealt, given, pool, from_file)
    folds, moved = cover_classes(sequences, dealt, given, folds)
    by = "file" if sequences.parts is not None and from_file else dealt.by
    found = (*dealt.notes, *notes, *moved, *class_notes(sequences))
    return _checked(sequences, Split(folds, test, dealt.clusters, by, found))


def _require_enough(sequences: Sequences) -> None:
    if len(sequences) < FEWEST_SEQUENCES:
        raise DataError(
            f"there are {len(sequences)} sequences in all",
            where=sequences.source,
            expected=f"at least {FEWEST_SEQUENCES}, to train on some and to judge on others",
            next_move="Add sequences, cut long ones with --max-steps, or check --sequence.",
        )


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
    rest, test = deal(plan, pool, [1 - share, share], 0)
    return np.sort(test), np.sort(rest), from_file


def _needs_crossing(plan: Plan, dev: float, pool: Index) -> bool:
    few_groups = plan.by == "group" and len(distinct(plan.clusters[pool])) < FEWEST_GROUPS
    return dev < FEWEST_DEV or few_groups


def _folds(
    plan: Plan, given: NDArray[np.object_], pool: Index, from_file: bool
) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    dev, tune = np.flatnonzero(given == "dev"), np.flatnonzero(given == "tune")
    if len(dev):
        return _dev_given(plan, pool, tune, dev)
    kept = SHARES["train"] + SHARES["tune"] + SHARES["dev"]
    few = _needs_crossing(plan, len(pool) * SHARES["dev"] / kept, pool)
    return _rotated(plan, pool, tune, CROSS_REPEATS if few else 1, from_file)


def _dev_given(plan: Plan, pool: Index, tune: Index, dev: Index) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    if len(tune):
        return (in_order(pool, tune, dev),), ()
    train, tune = deal(plan, pool, [SHARES["train"], SHARES["tune"]], 1)
    return (in_order(train, tune, dev),), ("tune is carved from the file's train part.",)


def _rotated(
    plan: Plan, pool: Index, tune: Index, repeats: int, from_file: bool
) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    """5 folds times `repeats`; with fewer groups than folds, a fold per group."""
    count = min(CROSS_FOLDS, len(distinct(plan.clusters[pool])))
    folds = []
    for repeat in range(repeats):
        blocks = deal(plan, pool, [1.0] * count, 10 + repeat)
        for number, dev in enumerate(blocks):
            rest = np.concatenate([block for other, block in enumerate(blocks) if other != number])
            if len(tune):
                folds.append(in_order(rest, tune, dev))
                continue
            share = CROSS_TUNE / (1 - 1 / count)
            train, stop = deal(plan, np.sort(rest), [1 - share, share], 100 * (repeat + 1) + number)
            folds.append(in_order(train, stop, dev))
    source = " of the file's train part" if from_file else ""
    if repeats == 1:
        return tuple(folds), ((f"dev is {count} folds{source}.",) if from_file else ())
    note = f"Few sequences or groups: dev is {len(folds)} folds ({count} times {repeats}){source}."
    return tuple(folds), (note,)


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
    if len(distinct(plan.clusters[pool])) < wanted:
        _refuse_empty(sequences, plan.clusters, "tune" if "tune" not in given else "train")


def _refuse_empty(sequences: Sequences, clusters: Index, part: str) -> NoReturn:
    count = len(distinct(clusters))
    raise DataError(
        f"the {part} part would be empty: {len(sequences)} sequences make {count} sets that may be parted",
        where=sequences.source,
        expected="at least 4 groups, and sequences for every part",
        next_move="Leave the group column out with --exclude, give more groups, or give a split column.",
    )
