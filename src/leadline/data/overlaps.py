"""Whether sequences of dev and test share runs of steps with those of train: windows that overlap, perhaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.identical import Keys, is_among, run_keys, step_keys
from leadline.data.sequences import Sequences

MEASURED_RUN = 4
NAMED_RUN = 32
"""Fewest steps that tell: measured values seldom agree by chance, names often do."""

CHANCE = 0.01
"""Largest number of runs that may be expected to agree by chance."""

OVERLAP_SHARE = 0.05
"""Share of the sequences in dev and test from which on it is said: fewer do little to a score."""


def overlaps(sequences: Sequences, parts: NDArray[np.int64], whole: Keys) -> list[str]:
    """Runs of steps that also occur in train, in sequences that are not equal as a whole.

    Args:
        sequences: all of them.
        parts: (n,) part of each: 0 is train, 2 and 3 are dev and test.
        whole: (n,) keys of whole sequences.
    """
    steps = step_keys(sequences)
    run = _telling_run(sequences, steps)
    if run > sequences.lengths.max():
        return []
    shared, among = count_shared(sequences, steps, run, parts, whole), int((parts > 1).sum())
    if shared < max(2, OVERLAP_SHARE * among):
        return []
    return [
        f"{shared} of {among} sequences in dev and test share {run} or more successive steps with one "
        "in train: overlapping windows, perhaps. Give windows of one recording the same group (--group)."
    ]


def count_shared(sequences: Sequences, steps: Keys, run: int, parts: NDArray[np.int64], whole: Keys) -> int:
    """Sequences of dev and test that share a run of `run` steps, not all equal, with one of train."""
    owner = np.repeat(np.arange(len(sequences), dtype=np.int32), sequences.lengths)
    telling = _telling(steps, owner, run)
    keys, owner = run_keys(steps, run)[telling], owner[: len(telling)][telling]
    judged = (parts > 1) & ~is_among(whole, whole[parts == 0])
    asked = judged[owner]
    found = is_among(keys[asked], keys[(parts == 0)[owner]])
    return int(np.count_nonzero(np.bincount(owner[asked][found], minlength=len(sequences))))


def _telling_run(sequences: Sequences, steps: Keys) -> int:
    """Steps that two sequences hardly share by chance.

    If p is the chance that two steps agree, two runs of r steps agree somewhere among n with at most n**2 * p**r.
    """
    shares = np.unique(steps, return_counts=True)[1] / len(steps)
    agree = min(float((shares**2).sum()), 0.999)
    needed = int(np.ceil(np.log(CHANCE / len(steps) ** 2) / np.log(agree)))
    return max(needed, MEASURED_RUN if sequences.numeric.shape[1] else NAMED_RUN)


def _telling(steps: Keys, owner: NDArray[np.int32], run: int) -> NDArray[np.bool_]:
    """(rows - run + 1,) which runs stay in one sequence and do not repeat a single step: a pause is no overlap."""
    changes = np.cumsum(np.append(False, steps[1:] != steps[:-1]), dtype=np.int32)
    count = len(steps) - run + 1
    inside = owner[:count] == owner[run - 1 :]
    return np.asarray(inside & (changes[:count] != changes[run - 1 :]))
