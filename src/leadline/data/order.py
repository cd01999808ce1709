"""In which order the rows of a long table are steps of sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.data.assemble import group_codes
from leadline.data.columns import as_text, codes_of, parse_numbers
from leadline.data.table import Table
from leadline.errors import DataError

Keys = NDArray[np.float64] | NDArray[np.int64]
ODD_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Order:
    """Rows of the table in the order of steps, and where each sequence starts."""

    rows: NDArray[np.int64]
    offsets: NDArray[np.int64]
    ids: tuple[str, ...]
    notes: tuple[str, ...]


def order_rows(table: Table, sequence: str | None, time: str | None) -> Order:
    """Rows sorted by sequence (in the order of first appearance), then by time.

    Raises:
        DataError: a row without sequence or time, or a step number that occurs twice in a sequence.
    """
    frame = table.frame
    if sequence and table.column(sequence).null_count():
        _refuse_missing(table, sequence, int(table.column(sequence).is_null().arg_max() or 0))
    codes = group_codes(table.column(sequence)) if sequence else np.zeros(frame.height, dtype=np.int64)
    notes: list[str] = []
    if time:
        keys, numbers = _time_keys(table, time)
        rows = np.lexsort((keys, codes))
        notes += _ties(table, rows, codes[rows], keys[rows], time, numbers)
    else:
        rows = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[rows], prepend=-1))
    ids = as_text(table.column(sequence))[rows[starts]].to_list() if sequence else ["all"]
    notes += _moved_notes(rows, codes, sequence, time)
    return Order(rows, np.append(starts, frame.height).astype(np.int64), tuple(map(str, ids)), tuple(notes))


def _refuse_missing(table: Table, column: str, row: int) -> None:
    raise DataError(
        "the value is missing",
        where=table.where(row, column),
        expected="a name in every row, to know which sequence the step belongs to",
        next_move="Fill it in, or delete the row.",
    )


def _moved_notes(
    rows: NDArray[np.int64], codes: NDArray[np.int64], sequence: str | None, time: str | None
) -> list[str]:
    notes = []
    if np.count_nonzero(np.diff(codes)) >= codes.max() + 1:
        notes.append(f"The rows of some sequences were not together: they are joined by '{sequence}'.")
    back = (np.diff(rows) < 0) & (np.diff(codes[rows]) == 0)
    if back.any():
        moved = len(np.unique(codes[rows[1:]][back]))
        notes.append(f"The rows of {moved} sequences were out of order: sorted by '{time}'.")
    return notes


def _time_keys(table: Table, time: str) -> tuple[Keys, bool]:
    """(rows,) sortable times, and whether they are numbers."""
    series = table.column(time)
    if series.dtype.is_temporal():
        return _complete(table, time, series.to_physical()), False
    parsed = parse_numbers(series)
    if parsed is not None and not parsed[1].any():
        return _complete(table, time, pl.Series(parsed[0]).fill_nan(None)), True
    if parsed is not None and parsed[1].mean() < ODD_SHARE:
        numbers = pl.Series(np.where(parsed[1], np.nan, parsed[0])).fill_nan(None)
        return _complete(table, time, numbers), True
    return _complete(table, time, _to_datetime(series).cast(pl.Int64)), False


def _to_datetime(series: pl.Series) -> pl.Series:
    text = series.cast(pl.String).str.strip_chars().str.replace("T", " ", literal=True).str.strip_suffix("Z")
    forms = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d")
    tries = [pl.lit(text).str.to_datetime(form, strict=False, time_unit="us") for form in forms]
    return pl.select(pl.coalesce(tries)).to_series()


def _complete(table: Table, time: str, keys: pl.Series) -> Keys:
    if keys.null_count():
        row = int(keys.is_null().arg_max() or 0)
        raise DataError(
            f"'{table.cell(row, time)}' is no time",
            where=table.where(row, time),
            expected="a number, or a date such as 2024-05-31 or 2024-05-31 12:00:00",
            next_move="Correct the value, or name another column with --time.",
        )
    return keys.to_numpy()


def _ties(
    table: Table, rows: NDArray[np.int64], codes: NDArray[np.int64], keys: Keys, time: str, numbers: bool
) -> list[str]:
    """Events may share a clock time, and then keep their order; a step number is there once."""
    twice = (np.diff(codes) == 0) & (np.diff(keys) == 0)
    if not twice.any():
        return []
    if not numbers:
        return [f"{int(twice.sum())} rows share their '{time}' with the row before: they stay in order."]
    first = int(np.argmax(twice))
    one, two = int(rows[first]), int(rows[first + 1])
    raise DataError(
        f"time {table.cell(two, time)} is also in {table.locate(one)} ({int(twice.sum())} such rows)",
        where=table.where(two, time),
        expected="each time once in a sequence",
        next_move="Delete the repeated rows, or --exclude this column to keep the order of the rows.",
    )


def changes_within(codes: NDArray[np.int32], order: Order) -> NDArray[np.int64]:
    """Positions of the steps whose value differs from the first of their sequence."""
    steps = codes[order.rows]
    first = np.repeat(steps[order.offsets[:-1]], np.diff(order.offsets))
    return np.flatnonzero(steps != first)


def refuse_change(table: Table, column: str, order: Order) -> None:
    """Raise where a column that describes sequences changes within one."""
    changes = changes_within(codes_of(table.column(column))[0], order)
    if len(changes):
        refuse_not_constant(table, column, order, int(changes[0]), f"one {column} per sequence", "Correct the row.")


def refuse_not_constant(table: Table, column: str, order: Order, step: int, expected: str, next_move: str) -> NoReturn:
    """Raise for the step at which a value differs from the first of its sequence."""
    sequence = int(np.searchsorted(order.offsets, step, side="right")) - 1
    row, first = int(order.rows[step]), int(order.rows[order.offsets[sequence]])
    here, there = table.column(column)[row], table.column(column)[first]
    raise DataError(
        f"sequence '{order.ids[sequence]}' has '{here}' here and '{there}' in {table.locate(first)}",
        where=table.where(row, column),
        expected=expected,
        next_move=next_move,
    )
