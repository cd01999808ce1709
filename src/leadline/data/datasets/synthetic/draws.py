"""From drawn numbers to the `Sequences` of a generated task.

Names of categories never look like numbers, and columns have the names that reading knows: a task that is written to
a file and read without options is the same task.
"""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import CategoryColumn, Sequences
from leadline.errors import OptionError
from leadline.records.trial import Kind
from leadline.seeds import generator

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NOTHING = "-"
"""An empty step, or the label of a step at which nothing is asked."""


def random_stream(task: str, seed: int, num_sequences: int, length: int, shortest: int = 1) -> np.random.Generator:
    """The random stream of a task, after a look at the sizes."""
    if num_sequences < 1 or length < shortest:
        raise OptionError(
            f"{num_sequences} sequences of {length} steps",
            where=task,
            expected=f"at least 1 sequence of at least {shortest} steps",
            next_move="Ask for more.",
        )
    return generator(seed, "tasks", task)


def digit_names(size: int) -> tuple[str, ...]:
    """ "0", "1", ... as names of classes."""
    return tuple(str(index) for index in range(size))


def symbols(size: int) -> tuple[str, ...]:
    """Names of inputs, in the order of the alphabet: "a", "b", ..., or "s000", "s001", ... where letters end.

    >>> symbols(3), symbols(200)[-1]
    (('a', 'b', 'c'), 's199')
    """
    letters = string.ascii_lowercase
    return tuple(letters[:size]) if size <= len(letters) else tuple(f"s{index:03d}" for index in range(size))


def named(task: str, kind: Kind, x: Ints, names: tuple[str, ...], y: Ints, classes: tuple[str, ...]) -> Sequences:
    """Sequences of one category feature, "symbol", from (sequences, steps) indices."""
    num_sequences, length = x.shape
    column = CategoryColumn("symbol", names)
    categories = x.reshape(-1, 1).astype(np.int32)
    numeric = np.zeros((num_sequences * length, 0), dtype=np.float32)
    return _assembled(task, kind, length, numeric, (), categories, (column,), y, classes)


def numeric_steps(
    task: str,
    kind: Kind,
    x: NDArray[np.number],
    names: tuple[str, ...],
    y: Ints | Floats,
    classes: tuple[str, ...],
) -> Sequences:
    """Sequences of numeric features from (sequences, steps, features) numbers."""
    num_sequences, length, width = x.shape
    numeric = x.reshape(-1, width).astype(np.float32)
    categories = np.zeros((num_sequences * length, 0), dtype=np.int32)
    return _assembled(task, kind, length, numeric, names, categories, (), y, classes)


def _assembled(
    task: str,
    kind: Kind,
    length: int,
    numeric: NDArray[np.float32],
    numeric_names: tuple[str, ...],
    categories: NDArray[np.int32],
    columns: tuple[CategoryColumn, ...],
    y: Ints | Floats,
    classes: tuple[str, ...],
) -> Sequences:
    num_sequences = len(numeric) // length
    return Sequences(
        kind=kind,
        offsets=np.arange(num_sequences + 1, dtype=np.int64) * length,
        numeric=numeric,
        categories=categories,
        numeric_names=numeric_names,
        category_columns=columns,
        targets=y.ravel().astype(np.int64 if classes else np.float32),
        target_name="label" if classes else "target",
        classes=classes,
        ids=digit_names(num_sequences),
        name=task.replace("_", " "),
        source=f"generated: {task}",
    )
