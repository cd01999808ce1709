"""`Sequences`: n sequences of unequal length with their targets, as flat arrays.

Step `t` of sequence `i` is row `offsets[i] + t` of `numeric` and `categories`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leadline.records.trial import Kind

PER_STEP: frozenset[Kind] = frozenset({"tagging", "step_regression", "next_step"})
LABELLED: frozenset[Kind] = frozenset({"classification", "tagging", "next_step"})


@dataclass(frozen=True)
class CategoryColumn:
    """A feature whose values are names.

    Args:
        name: the column's name.
        vocabulary: the names; a step holds an index into it, -1 where the value is missing.
        form: "word" when the names are words of a text, whose characters then count too.
    """

    name: str
    vocabulary: tuple[str, ...]
    form: Literal["category", "word"] = "category"


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences with their targets.

    Args:
        kind: what is predicted; one target per step for tagging, step_regression and next_step, else one
            per sequence.
        offsets: (n + 1,) first row of each sequence, then the number of rows.
        numeric: (rows, numeric features) float32, NaN where missing.
        categories: (rows, category features) int32 indices into the vocabularies, -1 where missing.
        numeric_names: names of the numeric features.
        category_columns: the category features.
        targets: int64 class indices, or float32 numbers; (rows,) or (n,); None when only predicting.
        target_name: the target's name.
        classes: names of the classes; empty for numbers.
        ids: name of each sequence.
        groups: (n,) int64, sequences that must stay in the same part; None when there are none.
        parts: "train", "tune", "dev", "test" or "" for each sequence, from the file; None when not given.
        name: title of the data.
        source: path, or where they came from.
        notes: what was inferred or repaired, in sentences.
    """

    kind: Kind
    offsets: NDArray[np.int64]
    numeric: NDArray[np.float32]
    categories: NDArray[np.int32]
    numeric_names: tuple[str, ...]
    category_columns: tuple[CategoryColumn, ...]
    targets: NDArray[Any] | None
    target_name: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    groups: NDArray[np.int64] | None = None
    parts: tuple[str, ...] | None = None
    name: str = "sequences"
    source: str = "memory"
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) steps per sequence."""
        return np.diff(self.offsets)

    @property
    def per_step(self) -> bool:
        """Whether there is one target per step."""
        return self.kind in PER_STEP

    @property
    def num_classes(self) -> int:
        """Number of classes; 0 for numbers."""
        return len(self.classes)

    def rows(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row numbers of all steps of the sequences `indices`, in that order."""
        starts, lengths = self.offsets[indices], self.lengths[indices]
        ends = np.cumsum(lengths)
        shifts = np.repeat(starts - (ends - lengths), lengths)
        numbers: NDArray[np.int64] = np.arange(int(lengths.sum()), dtype=np.int64) + shifts
        return numbers

    def take(self, indices: NDArray[np.int64]) -> Sequences:
        """The sequences `indices`, in that order."""
        rows = self.rows(indices)
        targets = self.targets
        if targets is not None:
            targets = targets[rows] if self.per_step else targets[indices]
        chosen = indices.tolist()
        return replace(
            self,
            offsets=np.concatenate([[0], np.cumsum(self.lengths[indices])]).astype(np.int64),
            numeric=self.numeric[rows],
            categories=self.categories[rows],
            targets=targets,
            ids=tuple(self.ids[i] for i in chosen),
            groups=None if self.groups is None else self.groups[indices],
            parts=None if self.parts is None else tuple(self.parts[i] for i in chosen),
        )

    def with_notes(self, notes: Iterable[str]) -> Sequences:
        """The same sequences with more notes."""
        return replace(self, notes=(*self.notes, *notes))

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with any value, name or part."""
        digest = hashlib.blake2b(digest_size=8)
        names = (
            self.kind,
            self.numeric_names,
            self.category_columns,
            self.target_name,
            self.classes,
            self.parts,
            self.ids,
        )
        digest.update(repr(names).encode())
        arrays = (self.offsets, self.numeric, self.categories, self.targets, self.groups)
        for array in arrays:
            digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()
