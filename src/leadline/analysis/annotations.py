"""`Annotation`: something true of a step or a sequence, that a layer may hold; and those that any data have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import LABELLED, Sequences
from leadline.errors import DataError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_CLASSES = 60
MOST_COLUMNS = 3
LONGEST_COUNT = 12
TYPES_FROM_ONE_STEP = 200
QUANTILES = 4
FEW_NUMBERS = 8


@dataclass(frozen=True, eq=False)
class Annotation:
    """Labels or numbers for steps or sequences.

    Args:
        name: what it is.
        values: (rows,) or (n,): class indices, -1 where it does not apply; or numbers, NaN where not.
        classes: names; empty for numbers.
        per_sequence: one value for each sequence.
        origin: "derived", "data set", "file" or "lag".
        distances: (rows,) steps to the place that the annotation refers to, 0 where it refers to none; or None.
        lag: for the input so many steps away: negative is earlier.
    """

    name: str
    values: NDArray[np.generic]
    classes: tuple[str, ...] = ()
    per_sequence: bool = False
    origin: str = "derived"
    distances: Ints | None = None
    lag: int | None = None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where it applies."""
        values = self.values.astype(np.float64)
        return values >= 0 if self.classes else np.isfinite(values)


def require_fitting(annotation: Annotation, sequences: Sequences) -> None:
    """Refuse an annotation of another length than the data.

    Raises:
        DataError: says how many values came and how many there should be.
    """
    wanted = len(sequences) if annotation.per_sequence else int(sequences.offsets[-1])
    if len(annotation.values) != wanted:
        what = "sequences" if annotation.per_sequence else "steps"
        raise DataError(
            f"annotation {annotation.name!r} has {len(annotation.values):,} values",
            expected=f"one for each of the {wanted:,} {what}",
            next_move="Give one value per step or per sequence, in the order of the data.",
        )


def derived(sequences: Sequences) -> list[Annotation]:
    """What can be asked of any data: inputs around a step, position, time since a change, running mean, target."""
    found = [*_inputs(sequences), *_positions(sequences), *_changes(sequences), *_running_means(sequences)]
    target = of_target(sequences)
    return [*found, *([target] if target is not None else [])]


def of_target(sequences: Sequences) -> Annotation | None:
    """The target as an annotation."""
    if sequences.targets is None:
        return None
    classes = sequences.classes if sequences.kind in LABELLED else ()
    if len(classes) > MOST_CLASSES:
        return replace(
            _frequent("target", sequences.targets.astype(np.int64), classes), per_sequence=not sequences.per_step
        )
    return Annotation("target", sequences.targets, classes, per_sequence=not sequences.per_step)


def lagged(sequences: Sequences, furthest: int) -> Iterator[Annotation]:
    """The first feature of the step so many steps away, for 1, 2, ... `furthest` on either side."""
    lags = [lag for lag in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32) if lag <= furthest]
    values, classes, name = _first_feature(sequences)
    for lag in [*(-lag for lag in reversed(lags)), 0, *lags]:
        yield Annotation(f"{name} {_where(lag)}", _moved(sequences, values, lag), classes, origin="lag", lag=lag)


def types(sequences: Sequences) -> Ints:
    """(rows,) the type of each step, to which control labels are tied (Hewitt & Liang 2019).

    The type is the current input; where there are fewer than 200 of them, it is the current input with both
    neighbours, since labels of 26 letters can simply be learned. Numbers count by quartile.
    """
    keys = np.zeros(int(sequences.offsets[-1]), dtype=np.int64)
    for column in range(sequences.categories.shape[1]):
        keys = _joined(keys, sequences.categories[:, column].astype(np.int64) + 1)
    for column in range(min(sequences.numeric.shape[1], MOST_COLUMNS)):
        keys = _joined(keys, _quantised(sequences.numeric[:, column]))
    if keys.max(initial=0) + 1 >= TYPES_FROM_ONE_STEP:
        return keys
    earlier, later = (_moved(sequences, keys, lag) for lag in (-1, 1))
    return _joined(_joined(keys, earlier.astype(np.int64) + 1), later.astype(np.int64) + 1)


def controls(annotation: Annotation, keys: Ints, seeds: int, random: np.random.Generator) -> NDArray[np.generic]:
    """(seeds, known rows) a random answer for each type, drawn from the annotation's own answers.

    Args:
        annotation: whose answers are drawn.
        keys: (known rows,) type of each.
        seeds: labellings.
        random: source.
    """
    answers = annotation.values[annotation.known]
    distinct, inverse = np.unique(keys, return_inverse=True)
    return np.stack([random.choice(answers, size=len(distinct))[inverse] for _ in range(seeds)])


def steps_from_start(sequences: Sequences) -> Ints:
    """(rows,) steps before each one."""
    starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
    return np.arange(int(sequences.offsets[-1]), dtype=np.int64) - starts


def owners(sequences: Sequences) -> Ints:
    """(rows,) the sequence of each step."""
    return np.repeat(np.arange(len(sequences), dtype=np.int64), sequences.lengths)


def _inputs(sequences: Sequences) -> Iterator[Annotation]:
    for column, category in list(enumerate(sequences.category_columns))[:MOST_COLUMNS]:
        values = sequences.categories[:, column].astype(np.int64)
        for lag, which in ((-1, "previous"), (0, "current"), (1, "next")):
            moved = _moved(sequences, values, lag).astype(np.int64)
            yield _frequent(f"{which} {category.name}", moved, category.vocabulary)
    for column, name in list(enumerate(sequences.numeric_names))[:MOST_COLUMNS]:
        numbers = sequences.numeric[:, column].astype(np.float64)
        for lag, which in ((-1, "previous"), (0, "current"), (1, "next")):
            yield Annotation(f"{which} {name}", _moved(sequences, numbers, lag))


def _positions(sequences: Sequences) -> Iterator[Annotation]:
    before = steps_from_start(sequences)
    after = np.repeat(sequences.lengths, sequences.lengths) - 1 - before
    for name, count in (("steps since the start", before), ("steps to the end", after)):
        yield Annotation(name, np.minimum(count, LONGEST_COUNT).astype(np.float64))


def _changes(sequences: Sequences) -> Iterator[Annotation]:
    """Steps since the first feature took another value; only where it stays the same for a while."""
    values, classes, name = _first_feature(sequences)
    if not classes or not len(values):
        return
    same = np.concatenate([[False], values[1:] == values[:-1]])
    same[sequences.offsets[:-1][sequences.lengths > 0]] = False
    if same.mean() < 0.2:
        return
    rows = np.arange(len(values))
    last = np.maximum.accumulate(np.where(same, 0, rows))
    yield Annotation(f"steps since {name} changed", np.minimum(rows - last, LONGEST_COUNT).astype(np.float64))


def _running_means(sequences: Sequences) -> Iterator[Annotation]:
    starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
    for column, name in list(enumerate(sequences.numeric_names))[:MOST_COLUMNS]:
        values = sequences.numeric[:, column].astype(np.float64)
        total, count = (
            np.concatenate([[0.0], np.cumsum(part)]) for part in (np.nan_to_num(values), np.isfinite(values))
        )
        known = count[1:] - count[starts]
        mean = np.where(known > 0, (total[1:] - total[starts]) / np.maximum(known, 1), np.nan)
        yield Annotation(f"running mean of {name}", mean)


def _first_feature(sequences: Sequences) -> tuple[NDArray[np.generic], tuple[str, ...], str]:
    if sequences.category_columns:
        column = sequences.category_columns[0]
        found = _frequent(column.name, sequences.categories[:, 0].astype(np.int64), column.vocabulary)
        return found.values, found.classes, column.name
    return sequences.numeric[:, 0].astype(np.float64), (), sequences.numeric_names[0]


def _where(lag: int) -> str:
    if not lag:
        return "here"
    steps = "1 step" if abs(lag) == 1 else f"{abs(lag)} steps"
    return f"{steps} {'back' if lag < 0 else 'ahead'}"


def _moved(sequences: Sequences, values: NDArray[np.generic], lag: int) -> NDArray[np.generic]:
    """The value `lag` steps away; -1 or NaN beyond the ends."""
    rows = np.arange(len(values)) + lag
    inside = (rows >= 0) & (rows < len(values))
    rows = np.clip(rows, 0, max(len(values) - 1, 0))
    whose = owners(sequences)
    inside &= whose[rows] == whose
    outside = -1 if np.issubdtype(values.dtype, np.integer) else np.nan
    return np.where(inside, values[rows], outside)


def _frequent(name: str, values: Ints, names: tuple[str, ...]) -> Annotation:
    """At most `MOST_CLASSES` classes: the most frequent ones; the steps of the others are left out."""
    counts = np.bincount(values[values >= 0].astype(np.int64), minlength=len(names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])
    table = np.full(len(names) + 1, -1, dtype=np.int64)
    table[kept] = np.arange(len(kept))
    return Annotation(name, table[values], tuple(names[i] for i in kept.tolist()))


def _joined(first: Ints, second: Ints) -> Ints:
    """One number for each pair that occurs."""
    _, inverse = np.unique(first * (int(second.max(initial=0)) + 1) + second, return_inverse=True)
    return np.asarray(inverse, dtype=np.int64)


def _quantised(values: NDArray[np.float32]) -> Ints:
    """0 for a missing number, else 1 + its quartile, or its rank where there are few different numbers."""
    there = np.isfinite(values)
    distinct = np.unique(values[there])
    shares = np.arange(1, QUANTILES) / QUANTILES
    edges = distinct[1:] if len(distinct) <= FEW_NUMBERS else np.quantile(values[there], shares)
    return np.where(there, np.searchsorted(edges, values, side="right") + 1, 0).astype(np.int64)
