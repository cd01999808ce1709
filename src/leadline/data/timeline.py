"""Parts of sequences that are one line of time: contiguous blocks."""

from __future__ import annotations

import numpy as np

from leadline.data.folds import CROSS_FOLDS, CROSS_REPEATS, CROSS_TEST, FEWEST_DEV, SHARES, Fold, Index, Split, in_order
from leadline.data.sequences import Sequences

PER_TENTH = 3
"""Stretches of time that count as one example, in each tenth of the development data: 30 in all. Windows of one text
or series are like their neighbours; counted one by one they made false claims 4 to 75 times as often as allowed.
Thirty long stretches are nearly independent, and enough to know a variance by."""


def is_one_line(sequences: Sequences) -> bool:
    """Whether all sequences without a part of their own are one group."""
    free = [part in ("", "train") for part in sequences.parts or ("",) * len(sequences)]
    return sequences.groups is not None and len(np.unique(sequences.groups[free])) == 1


def by_time(sequences: Sequences) -> Split:
    """Contiguous blocks in the order of the sequences, the test part last; a given part is kept.

    Clusters are stretches of time, not single sequences.
    """
    given = np.array(sequences.parts or ("",) * len(sequences), dtype=object)
    test = np.flatnonzero(given == "test")
    pool = np.flatnonzero((given == "") | (given == "train"))
    kept_dev, kept_tune = np.flatnonzero(given == "dev"), np.flatnonzero(given == "tune")
    by = "file" if sequences.parts is not None and len(pool) < len(sequences) else "time"
    few = not len(kept_dev) and len(pool) * SHARES["dev"] < FEWEST_DEV
    if not len(test):
        share = CROSS_TEST if few else SHARES["test"]
        pool, test = _blocks(pool, [1 - share, share])
    if len(kept_dev):
        train, tune = _blocks(pool, [SHARES["train"], 0.0 if len(kept_tune) else SHARES["tune"]])
        folds: tuple[Fold, ...] = (in_order(train, np.concatenate([tune, kept_tune]), kept_dev),)
        note = "The sequences are one line of time: parts are contiguous blocks, the test part last."
    else:
        folds, note = _rotated(pool, kept_tune, CROSS_REPEATS if few else 1)
    return Split(folds, test, _stretches(len(sequences), [pool, test, kept_dev, kept_tune]), by, (note,))


def _stretches(count: int, parts: list[Index]) -> Index:
    """(count,) number of the stretch of time of each sequence; no stretch is in two parts."""
    found = np.zeros(count, dtype=np.int64)
    first = 0
    for part in parts:
        tenths = [np.array_split(tenth, PER_TENTH) for tenth in np.array_split(part, 2 * CROSS_FOLDS)]
        for stretch in (one for tenth in tenths for one in tenth if len(one)):
            found[stretch] = first
            first += 1
    return found


def _blocks(pool: Index, shares: list[float]) -> list[Index]:
    edges = np.round(np.cumsum(shares)[:-1] / sum(shares) * len(pool)).astype(int)
    return [block.astype(np.int64) for block in np.split(pool, edges)]


def _rotated(pool: Index, kept_tune: Index, repeats: int) -> tuple[tuple[Fold, ...], str]:
    """Each tenth of the time is dev once, with a neighbour; the next tenth is tune. The second time the pairs of
    tenths are others.
    """
    tenths = np.array_split(pool, 2 * CROSS_FOLDS)
    folds = []
    for repeat in range(repeats):
        for number in range(CROSS_FOLDS):
            first = 2 * number + repeat
            dev = np.concatenate([tenths[(first + i) % len(tenths)] for i in range(2)])
            tune = kept_tune if len(kept_tune) else tenths[(first + 2) % len(tenths)]
            train = np.setdiff1d(pool, np.concatenate([dev, tune]))
            folds.append(in_order(train, tune, dev))
    said = f"dev is {len(folds)} folds of contiguous blocks, the test part is the last block"
    note = f"The sequences are one line of time: {said}."
    return tuple(folds), note
