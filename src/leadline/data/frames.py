"""From any data frame to `Sequences`."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl
from narwhals.typing import IntoDataFrame

from leadline.data.options import ReadOptions
from leadline.data.read import from_table
from leadline.data.sequences import Sequences
from leadline.data.table import Table, checked
from leadline.data.targets import require_two_classes
from leadline.errors import DataError

DEFAULTS = ReadOptions()
SOURCE = "data frame"


def read_frame(frame: IntoDataFrame, options: ReadOptions = DEFAULTS, *, needs_target: bool = True) -> Sequences:
    """The sequences in a data frame of pandas, Polars, PyArrow or whatever else narwhals knows.

    The forms and the recognised column names are those of files; rows are counted from 0 in errors.

    Args:
        frame: an eager data frame in long form, wide form, or with a text and a label per row.
        options: what overrules the inferences.
        needs_target: False when the sequences are only to be predicted.

    Raises:
        DataError: no data frame, or one that cannot be used; see `leadline.data.read.read`.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"id": [1, 1, 2], "x": [0.5, 0.6, 0.7], "label": ["a", "a", "b"]})
    >>> sequences = read_frame(frame)
    >>> sequences.kind, sequences.ids, sequences.lengths.tolist()
    ('classification', ('1', '2'), [2, 1])
    """
    table = checked(Table(_to_polars(frame), SOURCE, lambda row: f"row {row}"))
    sequences, _ = from_table(table, options.name or SOURCE, options, needs_target)
    return require_two_classes(sequences) if needs_target else sequences


def _to_polars(frame: IntoDataFrame) -> pl.DataFrame:
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    try:
        native = nw.from_native(frame, eager_only=True)
    except TypeError:
        raise DataError(
            f"a {type(frame).__name__} is no data frame",
            where=SOURCE,
            expected="an eager data frame of pandas, Polars or PyArrow",
            next_move="Collect it first, or use leadline.from_arrays for lists and arrays.",
        ) from None
    except nw.exceptions.DuplicateError as error:
        raise DataError(
            f"a column name is there twice ({error})",
            where=SOURCE,
            expected="a different name for every column",
            next_move="Rename or drop one.",
        ) from None
    if isinstance(frame, pl.DataFrame):
        return frame
    return pl.DataFrame([_series(str(name), native[name].to_list()) for name in native.columns])


def _series(name: str, values: list[Any]) -> pl.Series:
    """The values as one type: numbers, times, or else text; not-a-number among text is missing."""
    present = [value for value in values if value is not None and value == value]
    if any(isinstance(value, list | tuple | dict) for value in present):
        return pl.Series(name, [[0]] * len(values))
    if all(isinstance(value, bool | int | float) for value in present):
        return pl.Series(name, values, dtype=pl.Float64 if _fractions(present) else pl.Int64, strict=False)
    if all(isinstance(value, datetime.date | datetime.datetime) for value in present):
        return pl.Series(name, [value if value == value else None for value in values], strict=False)
    text = [str(value) if value is not None and value == value else None for value in values]
    return pl.Series(name, text, dtype=pl.String)


def _fractions(values: Sequence[Any]) -> bool:
    return any(isinstance(value, float) for value in values)
