"""Parts of sequences that are one line of time: contiguous blocks."""

from __future__ import annotations

import numpy as np

from leadline.data.folds import CROSS_FOLDS, CROSS_REPEATS, CROSS_TEST, FEWEST_DEV, SHARES, Fold, Index, Split, in_order
from leadline.data.sequences import Sequences


def is_one_line(sequences: Sequences) -> bool:
    """Whether all sequences without a part of their own are one group."""
    free = [part in ("", "train") for part in sequences.parts or ("",) * len(sequences)]
    return sequences.groups is not None and len(np.unique(sequences.groups[free])) == 1


def by_time(sequences: Sequences) -> Split:
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
        folds = (in_order(train, np.concatenate([tune, kept_tune]), np.concatenate([dev, kept_dev])),)
        note = "The sequences are one line of time: parts are contiguous blocks, the test part last."
    return Split(folds, test, clusters, by, (note,))


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
            folds.append(in_order(train, tune, dev))
    note = (
        "The sequences are one line of time, and few: dev is 10 folds of contiguous blocks (5 times 2), "
        "the test part is the last block."
    )
    return tuple(folds), note
