"""Tables in delimited text: CSV, TSV and their kind."""

from __future__ import annotations

import csv
import io
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

import polars as pl

from leadline.data.limits import check_cells, check_columns
from leadline.data.options import ReadOptions
from leadline.data.table import Table, checked
from leadline.errors import DataError

# The csv module counts fields in a C long, which has 32 bits on Windows.
LONGEST_CELL = min(sys.maxsize, 2**31 - 1)
_LIMIT = threading.RLock()


@contextmanager
def long_cells() -> Iterator[None]:
    """Cells of any length: the csv module's limit of 131,072 characters is one for the whole process."""
    with _LIMIT:
        before = csv.field_size_limit(LONGEST_CELL)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def cells_of(lines: Iterable[str], separator: str) -> list[list[str]]:
    """The cells of each record."""
    with long_cells():
        return list(csv.reader(lines, delimiter=separator))


def delimited_table(text: str, source: str, separator: str, header: bool, options: ReadOptions) -> Table:
    """The table in CSV or TSV text, all columns as text, checked for rows of unequal width.

    Args:
        text: the whole file, with at least one line that is not blank.
        source: its path, for errors.
        separator: one character.
        header: whether the first line names the columns.
        options: the limits.

    Raises:
        DataError: too many columns or cells, a name twice, rows of unequal width, quotes that are not in pairs.
    """
    first, names = _first_record(text, source, separator, header, options)
    check_cells(text.count("\n") + 1, len(names), options, source)
    frame = _read(text, first, source, separator, len(names))
    if frame[:, -1].null_count() and frame.width > 1:
        _name_ragged_row(text, source, separator, len(names))
    # Names are given last: polars takes some of them for patterns ("^*$", "*").
    records = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
    filled = ~frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
    filled = filled & (records >= int(header))
    frame, records = frame.filter(filled), records.filter(filled)
    frame.columns = names

    def locate(row: int) -> str:
        return f"line {_line_of_record(text, first, separator, int(records[row]))}"

    return checked(Table(frame, source, locate, header))


def _first_record(text: str, source: str, separator: str, header: bool, options: ReadOptions) -> tuple[int, list[str]]:
    """Where the first line that is not blank starts, and the names of the columns."""
    first = text.rfind("\n", 0, len(text) - len(text.lstrip())) + 1
    _, cells = next(records(io.StringIO(text[first:]), separator))
    check_columns(len(cells), options, source)
    named = [cell.strip() for cell in cells] if header else [""] * len(cells)
    stem = "unnamed" if header else "column"
    names = [name or f"{stem}_{i + 1}" for i, name in enumerate(named)]
    _refuse_duplicates(names, source)
    return first, names


def _read(text: str, first: int, source: str, separator: str, width: int) -> pl.DataFrame:
    """The cells as text; the columns are called 0, 1, 2 and so on."""
    try:
        frame = pl.read_csv(
            io.BytesIO(text[first:].encode()),
            separator=separator,
            has_header=False,
            new_columns=[str(i) for i in range(width)],
            infer_schema=False,
        )
        if frame.width != width:
            raise pl.exceptions.ShapeError(f"{frame.width} columns, where the first line has {width}")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        _name_ragged_row(text, source, separator, width)
        raise DataError(
            f"the columns cannot be told apart ({first_line(error)})",
            where=source,
            expected=f"columns separated by {separator!r}, quotes in pairs",
            next_move="Check the quotes, or name the separator with --separator.",
        ) from error
    return frame


def first_line(error: BaseException) -> str:
    """What an error of a library says, without its advice."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _line_of_record(text: str, first: int, separator: str, record: int) -> int:
    before = text.count("\n", 0, first)
    for number, (line, _) in enumerate(records(io.StringIO(text[first:]), separator)):
        if number == record:
            return before + line
    return before + record + 1


def records(text: TextIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    """First line and cells of every record."""
    with long_cells():
        reader = csv.reader(text, delimiter=separator)
        line = 1
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1


def _refuse_duplicates(names: list[str], source: str) -> None:
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(
            f"column '{name}' is there {count} times",
            where=f"{source}, line 1, column '{name}'",
            expected="a different name for every column",
            next_move="Rename or delete one; if the first line is data, use --no-header.",
        )


def _name_ragged_row(text: str, source: str, separator: str, width: int) -> None:
    for line, cells in records(io.StringIO(text), separator):
        if cells and len(cells) != width:
            raise DataError(
                f"the row has {len(cells)} columns",
                where=f"{source}, line {line}, column {min(len(cells), width) + 1}",
                expected=f"{width} columns, as in line 1",
                next_move="Correct this row (a missing value is an empty cell; quote cells that hold the "
                "separator), or name the separator with --separator.",
            )
