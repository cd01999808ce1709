"""Which sequences have the same inputs: 64-bit keys of whole sequences and of runs of steps.

Everything here takes time in proportion to the number of steps, whatever the length of a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.data.sequences import Sequences

Keys = NDArray[np.uint64]

BLOCK = 1 << 17
"""Steps that are worked on at a time: the five arrays of 64 bits that mixing needs fit into a processor's cache."""

STEP = np.uint64(0xD6E8FEB86659FD93)
PLACE = np.uint64(0x9E3779B97F4A7C15)
"""Odd constants with about as many ones as zeros: multiplying by them loses nothing and spreads low bits upwards."""


def input_keys(sequences: Sequences) -> Keys:
    """(n,) keys: equal inputs have equal keys, different ones differ but for chance (about n**2 / 2**65)."""
    rows = int(sequences.offsets[-1])
    mixed = np.zeros(rows + 1, dtype=np.uint64)
    starts, lengths = sequences.offsets[:-1], sequences.lengths
    first = np.repeat(starts, lengths)
    for part in _blocks(rows):
        place = (np.arange(part.start, part.stop) - first[part]).astype(np.uint64)
        mixed[part] = _mix(_keys_of(sequences, part) + place * PLACE)
    sums = np.add.reduceat(mixed, starts)
    return _mix(sums ^ _mix(lengths.astype(np.uint64)))


def step_keys(sequences: Sequences) -> Keys:
    """(rows,) keys of single steps. Missing values equal each other, and 0.0 equals -0.0."""
    keys = np.empty(int(sequences.offsets[-1]), dtype=np.uint64)
    for part in _blocks(len(keys)):
        keys[part] = _keys_of(sequences, part)
    return keys


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))


def _keys_of(sequences: Sequences, part: slice) -> Keys:
    found = sequences.numeric[part]
    numeric = np.where(np.isnan(found), np.float32(np.nan), found + np.float32(0.0))
    bits = np.ascontiguousarray(numeric, dtype=np.float32).view(np.uint32)
    keys = np.zeros(part.stop - part.start, dtype=np.uint64)
    for column in (*bits.T, *sequences.categories[part].view(np.uint32).T):
        keys = _mix(keys * STEP + column.astype(np.uint64) + np.uint64(1))
    return keys


def run_keys(steps: Keys, run: int) -> Keys:
    """(rows - run + 1,) keys of all runs of `run` neighbouring steps, also of those that reach into another sequence.

    The key of a run is made of those of two shorter ones that cover it, and theirs likewise: as many passes as `run`
    has binary digits.

    Args:
        steps: (rows,) keys of single steps.
        run: steps in a run, 1 or more.
    """
    if len(steps) < run:
        return np.zeros(0, dtype=np.uint64)
    keys, width = steps, 1
    while width < run:
        more = min(width, run - width)
        keys, width = _pairs(keys, more), width + more
    return keys


def _pairs(keys: Keys, apart: int) -> Keys:
    """The key of each entry and of that `apart` places on, their order told apart."""
    pairs = np.empty(len(keys) - apart, dtype=np.uint64)
    for part in _blocks(len(pairs)):
        pairs[part] = _mix(keys[part] * STEP + keys[apart:][part])
    return pairs


def is_among(keys: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    """(len(keys),) whether each key is one of the others."""
    return pl.Series(keys).is_in(pl.Series(others).implode()).to_numpy()


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The sorted distinct values. `np.unique` hashes them, which for millions takes ten times as long as sorting."""
    ordered = np.sort(values)
    first: NDArray[np.bool_] = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    return np.asarray(ordered[first])


def _mix(keys: Keys) -> Keys:
    """Finaliser of splitmix64 (Steele, Lea and Flood, 2014): every bit depends on every other."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
