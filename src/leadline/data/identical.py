"""Which sequences have the same inputs: 64-bit keys of whole sequences and of runs of steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import Sequences

Keys = NDArray[np.uint64]


def input_keys(sequences: Sequences) -> Keys:
    """(n,) keys: equal inputs have equal keys, different ones differ but for chance (about n**2 / 2**65)."""
    steps = step_keys(sequences)
    place = np.arange(len(steps), dtype=np.uint64) - np.repeat(
        sequences.offsets[:-1].astype(np.uint64), sequences.lengths
    )
    mixed = _mix(steps + place * np.uint64(0x9E3779B97F4A7C15))
    sums = np.add.reduceat(np.append(mixed, np.uint64(0)), sequences.offsets[:-1])
    return _mix(sums ^ _mix(sequences.lengths.astype(np.uint64)))


def step_keys(sequences: Sequences) -> Keys:
    """(rows,) keys of single steps. Missing values equal each other, and 0.0 equals -0.0."""
    numeric = np.where(np.isnan(sequences.numeric), np.float32(np.nan), sequences.numeric + np.float32(0.0))
    bits = np.ascontiguousarray(numeric, dtype=np.float32).view(np.uint32)
    keys = np.zeros(int(sequences.offsets[-1]), dtype=np.uint64)
    for column in (*bits.T, *sequences.categories.view(np.uint32).T):
        keys = _mix(keys * np.uint64(0xD6E8FEB86659FD93) + column.astype(np.uint64) + np.uint64(1))
    return keys


def run_keys(sequences: Sequences, run: int) -> tuple[Keys, NDArray[np.int64]]:
    """Keys of all runs of `run` neighbouring steps, and the sequence that each lies in."""
    steps = step_keys(sequences)
    owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
    count = len(steps) - run + 1
    if count <= 0:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    keys = np.zeros(count, dtype=np.uint64)
    for shift in range(run):
        keys = _mix(keys + steps[shift : shift + count])
    inside = owner[:count] == owner[run - 1 :]
    return keys[inside], owner[:count][inside]


def _mix(keys: Keys) -> Keys:
    """Finaliser of splitmix64 (Steele, Lea and Flood, 2014): every bit depends on every other."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
