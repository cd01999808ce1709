"""Names as small numbers, learned from the train part: the most frequent names, their endings and forms, and the label
that a name usually has.

Names are hashed (`contexts`), so a table also reads data that come with another vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.contexts import MISSING, Keys, columns_named, hashed
from leadline.baselines.saving import JSON
from leadline.data.sequences import CategoryColumn, Sequences
from leadline.seeds import generator

MOST_CODES = 254
"""Names that get a code of their own: with the code of all others as many as scikit-learn's trees tell apart."""
MOST_LABELLED = 50_000
"""Names whose usual label is known, the most frequent ones: a table of 64 labels for each takes 13 MB."""
CROSS = 5
"""Parts of the training sequences, each of which learns usual labels from the other four, as out-of-fold target
encoding does (Micci-Barreca 2001; scikit-learn's TargetEncoder): a rare name would give its own label away."""


def _shape(name: str) -> str:
    """Whether it has a digit, starts with a capital, has more capitals, has a hyphen, has a letter."""
    rest = name[1:]
    marks = (
        any(map(str.isdigit, name)),
        name[:1].isupper(),
        rest != rest.lower(),
        "-" in name,
        name.upper() != name.lower(),
    )
    return "".join("01"[mark] for mark in marks)


VIEWS: dict[str, Callable[[str], str]] = {
    "name": lambda name: name,
    "last letter": lambda name: name[-1:],
    "last 2 letters": lambda name: name[-2:],
    "last 3 letters": lambda name: name[-3:],
    "shape": _shape,
}


@dataclass(frozen=True)
class NameCodes:
    """What a column's names are turned into.

    Args:
        column: the category feature.
        view: a key of `VIEWS`: which part of the name counts.
        keys: (names,) sorted hashes.
        values: (names,) the number of each; a name that is not there gets `other`.
        other: the number of all other names.
    """

    column: str
    view: str
    keys: Keys
    values: NDArray[np.int32]
    other: int

    def of_steps(self, data: Sequences) -> NDArray[np.float64]:
        """(rows,) the number of each step."""
        (position,) = columns_named(data, (self.column,))
        found = hashes_of(data.category_columns[position], self.view)
        place = np.minimum(np.searchsorted(self.keys, found), max(len(self.keys) - 1, 0))
        values = np.full(len(found), float(self.other))
        if len(self.keys):
            values = np.where(self.keys[place] == found, self.values[place], values)
        return values[data.categories[:, position]]

    def config(self) -> JSON:
        """Everything but the arrays."""
        return {"column": self.column, "view": self.view, "other": self.other}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Keys and values."""
        return {"keys": self.keys.view(np.int64), "values": self.values}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> NameCodes:
        """What `config` and `arrays` gave."""
        keys = np.ascontiguousarray(arrays["keys"]).view(np.uint64)
        return cls(str(config["column"]), str(config["view"]), keys, arrays["values"], int(config["other"]))


@lru_cache(maxsize=32)
def hashes_of(column: CategoryColumn, view: str) -> Keys:
    """Hash of what each name of the vocabulary looks like, and last that of a missing value, which index -1 finds."""
    return np.append(hashed(map(VIEWS[view], column.vocabulary)), MISSING)


def frequent(train: Sequences, position: int, view: str, most: int = MOST_CODES) -> NameCodes:
    """The most frequent names, in the order of their hashes; all others are one more."""
    column = train.category_columns[position]
    keys, counts = np.unique(hashes_of(column, view)[train.categories[:, position]], return_counts=True)
    kept = np.sort(keys[np.argsort(-counts, kind="stable")[:most]])
    return NameCodes(column.name, view, kept, np.arange(len(kept), dtype=np.int32), len(kept))


def usual_labels(
    train: Sequences, position: int, seed: int
) -> tuple[tuple[NameCodes, NDArray[np.float64]], tuple[NameCodes, NDArray[np.float64]]]:
    """The most and the second most frequent label of each name, each with (rows,) what the training steps are told.

    A training step is told what the sequences of the other parts say (`CROSS`). A name without a label, or
    without a second one, has the number of classes.
    """
    assert train.targets is not None
    known = frequent(train, position, "name", MOST_LABELLED)
    names, labels = known.of_steps(train).astype(np.int64), train.targets
    parts = np.repeat(generator(seed, "usual labels").integers(CROSS, size=len(train)), train.lengths)
    shape = (len(known.keys) + 1, train.num_classes)
    total = _counts(names, labels, shape)
    told = np.zeros((2, len(names)))
    for part in range(CROSS):
        rows = parts == part
        told[:, rows] = _leading(total - _counts(names[rows], labels[rows], shape))[:, names[rows]]
    first, second = _leading(total)[:, :-1].astype(np.int32)
    column, classes = known.column, train.num_classes
    return (
        (NameCodes(column, "name", known.keys, first, classes), told[0]),
        (NameCodes(column, "name", known.keys, second, classes), told[1]),
    )


def _counts(names: NDArray[np.int64], labels: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.int32]:
    cells = np.bincount(names * shape[1] + labels, minlength=shape[0] * shape[1])
    return cells.astype(np.int32).reshape(shape)


def _leading(counts: NDArray[np.int32]) -> NDArray[np.int64]:
    """(2, names) the label with the highest count and the one after it; the number of labels where there is none."""
    names, found = np.arange(len(counts)), np.zeros((2, len(counts)), dtype=np.int64)
    rest = counts.copy()
    for place in range(2):
        best = rest.argmax(axis=1)
        found[place] = np.where(rest[names, best] > 0, best, counts.shape[1])
        rest[names, best] = 0
    # What other names than the known ones are told is what an unseen name will be told: nothing.
    found[:, -1] = counts.shape[1]
    return found
