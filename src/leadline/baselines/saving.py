"""What the baselines without gradient share: checks of their parts, and of what they are restored from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import Sequences
from leadline.errors import DataError, ModelError
from leadline.seeds import generator

JSON = str | int | float | bool | None | list["JSON"] | dict[str, "JSON"]


def check_parts(name: str, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
    """Refuse data without targets and empty parts.

    Raises:
        DataError: there is nothing to learn from, or nothing to choose on.
    """
    empty = next((part for part, rows in (("train", train), ("tune", tune)) if not len(rows)), None)
    if data.targets is None or empty:
        raise DataError(
            "no targets" if data.targets is None else f"the {empty} part is empty",
            where=data.source,
            expected=f"targets, and sequences in both parts, for the baseline {name!r}",
            next_move="Give a target column and at least one sequence to each part.",
        )


def names_in(table: str, found: Mapping[str, Any], expected: Iterable[str]) -> None:
    """Refuse a saved baseline that lacks an entry.

    Raises:
        ModelError: an entry is missing.
    """
    missing = [name for name in expected if name not in found]
    if missing:
        raise ModelError(
            f"the saved baseline {table!r} lacks {', '.join(missing)}",
            expected="what `config` and `arrays` gave",
            next_move="Save it again.",
        )


def texts(values: Iterable[Any]) -> tuple[str, ...]:
    """A tuple of strings out of a JSON list."""
    return tuple(str(value) for value in values)


MOST_STEPS = 1_000_000
"""Training steps that n-grams are counted on, a fixed random part of more: about five seconds for nine lengths."""
BLOCK = 8192
"""Rows that are answered at once: enough for NumPy, and 2 MB of probabilities with 32 classes."""
UNSEEN = 1e-4
"""Probability that a model leaves for all classes alike, so that one which training lacked is not impossible."""


def within(data: Sequences, part: NDArray[np.int64], steps: int, name: str) -> NDArray[np.int64]:
    """The sequences of a part, or so many of them, in a fixed random order, as have `steps` steps; one at least."""
    if int(data.lengths[part].sum()) <= steps:
        return part
    order = generator(0, name, "part").permutation(part)
    many = int(np.searchsorted(np.cumsum(data.lengths[order]), steps, side="right"))
    return np.sort(order[: max(1, many)])


def blocks_of(rows: int) -> Iterator[slice]:
    """Consecutive slices of `BLOCK` rows."""
    return (slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK))


def joined(blocks: Iterable[NDArray[np.float64]], like: tuple[int, ...]) -> NDArray[np.float64]:
    """The blocks as one array, which has the shape `like` where there are none."""
    found = list(blocks)
    return np.concatenate(found) if found else np.zeros(like)


def over_all_classes(p: NDArray[np.float64], known: NDArray[np.int64], num_classes: int) -> NDArray[np.float64]:
    """(rows, classes) from (rows, known): `UNSEEN` is spread over all classes, the rest is p.

    Args:
        p: probabilities of the classes that training saw.
        known: which those are.
        num_classes: all of them.
    """
    found = np.full((len(p), num_classes), UNSEEN / num_classes)
    found[:, known] += (1.0 - UNSEEN) * p
    return found


def softmax(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Along each row."""
    powers = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
