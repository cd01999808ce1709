"""From lists and arrays to `Sequences`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from leadline.data.assemble import Origin, assemble, next_steps, require_kind
from leadline.data.columns import Column, Form, codes_of, to_column
from leadline.data.lines import word_column
from leadline.data.options import ReadOptions
from leadline.data.parts import to_parts
from leadline.data.sequences import PER_STEP, Sequences
from leadline.data.targets import Targets, to_targets
from leadline.data.text import char_codes
from leadline.data.windows import limit_steps
from leadline.errors import DataError
from leadline.records.trial import Kind

Values = Sequence[Any] | NDArray[Any]


def from_arrays(
    inputs: Values,
    targets: Values | None = None,
    *,
    lengths: ArrayLike | None = None,
    groups: Values | None = None,
    parts: Sequence[str] | None = None,
    ids: Sequence[Any] | None = None,
    kind: Kind | None = None,
    form: Form | None = None,
    max_steps: int | None = None,
    name: str = "arrays",
) -> Sequences:
    """Sequences from memory.

    Args:
        inputs: a (batch, seq, feature) array; or one item per sequence: a (T_i, feature) or (T_i,) array, a
            string (a step is a character), or a list of strings (a step is one of them). Floating-point
            arrays hold numbers, NaN where missing; whole-number arrays hold categories.
        targets: one per sequence, or one array of length T_i per sequence; a (batch, seq) array beside a
            three-dimensional one. None when only predicting, or for `kind="next_step"`.
        lengths: (batch,) steps per sequence of a three-dimensional array; all of them by default.
        groups: (batch,) names or numbers of what must stay in one part.
        parts: "train", "tune", "dev", "test" or "" for each sequence.
        ids: names of the sequences; their numbers from 0 by default.
        kind: overrules what the targets suggest: labels for strings, truth values and up to 50 different
            whole numbers; numbers otherwise.
        form: whether the strings of a list are each a "category" or a "word", whose letters then count too;
            by default words where at least half of the different strings are two or more letters.
        max_steps: as in `leadline.data.options.ReadOptions`.
        name: title of the data.

    Returns:
        The sequences in the given order.

    Raises:
        DataError: shapes that do not fit, an empty sequence, infinite values, missing targets.

    >>> import numpy as np
    >>> three = from_arrays(np.zeros((3, 5, 2)), ["a", "b", "a"], lengths=[5, 4, 5])
    >>> three.kind, three.lengths.tolist(), three.numeric.shape
    ('classification', [5, 4, 5], (14, 2))
    """
    ReadOptions(kind=kind, max_steps=max_steps)
    items = _items(inputs, lengths)
    columns, offsets, form, notes = _columns(items, form)
    count = len(items)
    for what, values in (("groups", groups), ("parts", parts), ("ids", ids)):
        _require_length(values, count, what)
    part_names, more = (None, ()) if parts is None else to_parts(list(parts), lambda i: f"{name}, sequence {i}")
    origin = Origin(
        name,
        "memory",
        tuple(str(key) for key in (range(count) if ids is None else ids)),
        "target",
        None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64),
        part_names,
        (*notes, *more),
    )
    sequences = _with_targets(columns, offsets, targets, kind, origin, form)
    return limit_steps(sequences, max_steps)


def _items(inputs: Values, lengths: ArrayLike | None) -> list[Any]:
    """One item per sequence, padding removed."""
    if isinstance(inputs, np.ndarray) and inputs.ndim == 3:
        steps = np.full(len(inputs), inputs.shape[1]) if lengths is None else np.asarray(lengths)
        _check_lengths(steps, inputs)
        return [row[: int(step)] for row, step in zip(inputs, steps, strict=True)]
    if lengths is not None:
        raise _problem("lengths are given for a list", "lengths beside a three-dimensional array", "Leave them out.")
    if isinstance(inputs, str) or len(inputs) == 0:
        raise _problem("there is no list of sequences", "one item per sequence", "Put the sequences into a list.")
    return list(inputs)


def _check_lengths(lengths: NDArray[Any], inputs: NDArray[Any]) -> None:
    if lengths.shape != (len(inputs),) or lengths.dtype.kind not in "iu":
        raise _problem(
            f"lengths has shape {lengths.shape} and type {lengths.dtype}",
            f"{len(inputs)} whole numbers",
            "Give one length per sequence.",
        )
    wrong = (lengths < 1) | (lengths > inputs.shape[1])
    if wrong.any():
        row = int(np.argmax(wrong))
        raise _problem(
            f"the length is {lengths[row]}",
            f"1 to {inputs.shape[1]}, the second axis of the array",
            "Correct it, or leave the sequence out.",
            f"sequence {row}",
        )


def _problem(problem: str, expected: str, next_move: str, where: str = "") -> DataError:
    place = f"from_arrays, {where}" if where else "from_arrays"
    return DataError(problem, where=place, expected=expected, next_move=next_move)


def _require_length(values: Values | None, count: int, what: str) -> None:
    if values is not None and len(values) != count:
        raise _problem(f"{what} has {len(values)} entries", f"{count}, one per sequence", "Give one per sequence.")


def _columns(items: list[Any], form: Form | None) -> tuple[list[Column], NDArray[np.int64], Form, tuple[str, ...]]:
    if all(isinstance(item, str) for item in items):
        codes, vocabulary = char_codes("".join(items))
        offsets = _offsets([len(item) for item in items])
        return [Column("character", codes, vocabulary, 0)], offsets, "category", ("A step is a character.",)
    if all(isinstance(item, list | tuple) and all(isinstance(token, str) for token in item) for item in items):
        _offsets([len(item) for item in items])
        column, offsets = word_column(items, "token")
        form = form or _form_of(column.vocabulary or ())
        return [column], offsets, form, (f"A step is a token, seen as a {form} (form overrules).",)
    columns, offsets, notes = _array_columns(items)
    return columns, offsets, "category", notes


def _form_of(vocabulary: Sequence[str]) -> Form:
    words = sum(len(name) > 1 and name.isalpha() for name in vocabulary)
    return "word" if words >= len(vocabulary) / 2 else "category"


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    for row, length in enumerate(lengths):
        if length == 0:
            raise _problem("the sequence is empty", "at least one step", "Leave it out.", f"sequence {row}")
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _array_columns(items: list[Any]) -> tuple[list[Column], NDArray[np.int64], tuple[str, ...]]:
    arrays = [_as_steps(item, row) for row, item in enumerate(items)]
    offsets = _offsets([len(array) for array in arrays])
    width = arrays[0].shape[1]
    for row, array in enumerate(arrays):
        if array.shape[1] != width:
            raise _problem(
                f"the sequence has {array.shape[1]} features",
                f"{width}, as the first sequence has",
                "Give every sequence the same features.",
                f"sequence {row}",
            )
    stacked = np.concatenate(arrays)
    if stacked.dtype.kind in "iu":
        note = "Whole-number arrays hold categories; convert them to floating point if they are numbers."
        named = [codes_of(pl.Series(stacked[:, place])) for place in range(width)]
        columns = [Column(f"feature_{i}", codes, names, 0) for i, (codes, names) in enumerate(named)]
        return columns, offsets, (note,)
    where = _step_where(offsets)
    series = [pl.Series(np.ascontiguousarray(stacked[:, place], dtype=np.float64)) for place in range(width)]
    names = [f"feature_{place}" for place in range(width)]
    columns = [
        to_column(values, key, lambda step, key=key: f"{where(step)}, {key}", as_numeric=True)  # type: ignore[misc]
        for key, values in zip(names, series, strict=True)
    ]
    return columns, offsets, ()


def _as_steps(item: Any, row: int) -> NDArray[Any]:
    """(T, feature) array of one sequence."""
    try:
        array = np.asarray(item)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind == "b":
        array = array.astype(np.float32)
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
        raise _problem(
            f"the sequence is a {type(item).__name__} of type {array.dtype} with {array.ndim} axes",
            "a (steps,) or (steps, features) array of numbers, a string, or a list of strings",
            "Convert it.",
            f"sequence {row}",
        )
    return array[:, None] if array.ndim == 1 else array


def _step_where(offsets: NDArray[np.int64]) -> Any:
    def where(step: int) -> str:
        sequence = int(np.searchsorted(offsets, step, side="right")) - 1
        return f"from_arrays, sequence {sequence}, step {step - int(offsets[sequence])}"

    return where


def _with_targets(
    columns: list[Column],
    offsets: NDArray[np.int64],
    targets: Values | None,
    kind: Kind | None,
    origin: Origin,
    form: Form,
) -> Sequences:
    if targets is not None:
        return assemble(columns, offsets, _targets(targets, offsets, kind), origin, form)
    if kind != "next_step":
        return assemble(columns, offsets, require_kind(kind), origin, form)
    if len(columns) != 1 or columns[0].numeric:
        raise _problem(
            "the next step of several features or of numbers is asked for",
            "strings, lists of strings, or one-dimensional whole-number arrays",
            "Forecasting is not there yet: give the values to predict as targets, kind='step_regression'.",
        )
    return next_steps(columns, offsets, columns[0], origin, form)


def _targets(targets: Values, offsets: NDArray[np.int64], kind: Kind | None) -> Targets:
    count = len(offsets) - 1
    _require_length(targets, count, "targets")
    lengths = np.diff(offsets)
    per_step = _is_per_step(targets, lengths, kind)
    if not per_step:
        return to_targets(
            _series(list(targets)),
            "target",
            lambda i: f"from_arrays, targets, sequence {i}",
            kind,
            per_step=False,
        )
    flat: list[Any] = []
    for row, (item, length) in enumerate(zip(targets, lengths.tolist(), strict=True)):
        flat.extend(_step_targets(item, length, row, isinstance(targets, np.ndarray)))
    return to_targets(_series(flat), "target", _step_where(offsets), kind, per_step=True)


def _is_per_step(targets: Values, lengths: NDArray[np.int64], kind: Kind | None) -> bool:
    nested = [not isinstance(item, str) and np.ndim(item) > 0 for item in targets]
    if any(nested) != all(nested):
        row = nested.index(not nested[0])
        raise _problem(
            "the target is of another form than the first",
            "all per sequence, or all per step",
            "Correct it.",
            f"sequence {row}",
        )
    if kind is not None and (kind in PER_STEP) != nested[0]:
        raise _problem(
            f"the targets are {'per step' if nested[0] else 'per sequence'}, the kind is '{kind}'",
            "one target per step for tagging and step_regression, one per sequence for the others",
            "Correct kind, or give the other targets.",
        )
    return nested[0]


def _step_targets(item: Any, length: int, row: int, padded: bool) -> list[Any]:
    array = np.asarray(item)
    if array.ndim > 1:
        raise _problem(
            f"the targets have {array.ndim} axes: many labels per step",
            "one target per step",
            "Predict each label alone.",
            f"sequence {row}",
        )
    if padded and len(array) > length:
        array = array[:length]
    if len(array) != length:
        raise _problem(
            f"there are {len(array)} targets for {length} steps",
            "one target per step",
            "Correct it.",
            f"sequence {row}",
        )
    return list(array.tolist())


def _series(values: list[Any]) -> pl.Series:
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if any(isinstance(value, str) for value in plain):
        return pl.Series([None if value is None else str(value) for value in plain], dtype=pl.String)
    if any(isinstance(value, float) for value in plain):
        return pl.Series(plain, dtype=pl.Float64, strict=False)
    return pl.Series(plain, strict=False)
