"""What the baselines without gradient share: checks of their parts, and of what they are restored from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import Sequences
from leadline.errors import DataError, ModelError

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
