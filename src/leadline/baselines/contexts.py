"""Contexts of a step as 64-bit numbers: the names of the steps around it, hashed.

Names are hashed, not their indices, so a table learned from one vocabulary reads data that came with another;
a name that was never seen hashes to contexts that were never seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import CategoryColumn, Sequences
from leadline.errors import ModelError

Keys = NDArray[np.uint64]

OUTSIDE = np.uint64(0x9E3779B97F4A7C15)
MISSING = np.uint64(0xD1B54A32D192ED03)


@dataclass(frozen=True)
class Context:
    """What a step is looked up by.

    Args:
        left: how many steps before it count.
        right: how many steps after it count.
        suffix: only the last `suffix` characters of each name; 0 for the whole name.
    """

    left: int
    right: int
    suffix: int = 0


def columns_named(data: Sequences, names: Sequence[str]) -> tuple[int, ...]:
    """Positions of the category features called `names`.

    Raises:
        ModelError: the data have no such category feature.
    """
    known = [column.name for column in data.category_columns]
    missing = [name for name in names if name not in known]
    if missing:
        raise ModelError(
            f"no category feature {missing[0]!r}",
            where=data.source,
            expected=f"the features that the baseline was fitted on: {', '.join(names)}",
            next_move=f"The data have: {', '.join(known) or 'none'}.",
        )
    return tuple(known.index(name) for name in names)


def tokens(data: Sequences, columns: Iterable[int], suffix: int = 0) -> Keys:
    """(rows,) one number per step for its names in `columns`."""
    found = np.zeros(len(data.categories), dtype=np.uint64)
    for position in columns:
        hashes = _vocabulary_hashes(data.category_columns[position], suffix)
        found = mixed(found, hashes[data.categories[:, position]])
    return found


@lru_cache(maxsize=32)
def _vocabulary_hashes(column: CategoryColumn, suffix: int) -> Keys:
    """Hash of every name of the vocabulary, and last that of a missing value, which index -1 finds."""
    return np.append(hashed(name[-suffix:] if suffix else name for name in column.vocabulary), MISSING)


def hashed(texts: Iterable[str]) -> Keys:
    """(texts,) a hash of each."""
    digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def mixed(state: Keys, value: Keys) -> Keys:
    """A hash of (state, value): the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    mix = (state ^ (value + OUTSIDE)) * np.uint64(0xBF58476D1CE4E5B9)
    mix = (mix ^ (mix >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
    return mix ^ (mix >> np.uint64(32))


def shifted(values: Keys, data: Sequences, by: int) -> Keys:
    """(rows,) the value `by` steps later in the same sequence, `OUTSIDE` beyond its ends."""
    lengths = data.lengths
    position = np.arange(len(values), dtype=np.int64) - np.repeat(data.offsets[:-1], lengths)
    inside = (position + by >= 0) & (position + by < np.repeat(lengths, lengths))
    return np.where(inside, np.roll(values, -by), OUTSIDE)


def keys(data: Sequences, columns: Iterable[int], context: Context) -> Keys:
    """(rows,) the context of every step."""
    steps = tokens(data, columns, context.suffix)
    found = np.zeros(len(steps), dtype=np.uint64)
    for by in range(-context.left, context.right + 1):
        found = mixed(found, shifted(steps, data, by) if by else steps)
    return found
