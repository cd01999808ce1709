"""`Table`: named columns that know from which line of which file each row came."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from leadline.data.files import JSON_LINES, PARQUET, decode, read_bytes, suffix_of
from leadline.errors import DataError


@dataclass(frozen=True, eq=False)
class Table:
    """A data frame with its origin.

    Args:
        frame: the columns; those of CSV files are still text.
        source: the file, or where the frame came from.
        locate: from a row of `frame` to words such as "line 7" or "row 7".
        header: whether the columns were named by the file.
        notes: what was inferred so far.
        written: from a row and a column to the cell as the file has it, where `frame` holds it in another form.
    """

    frame: pl.DataFrame
    source: str
    locate: Callable[[int], str]
    header: bool = True
    notes: tuple[str, ...] = ()
    written: Callable[[int, str], str | None] | None = None

    def cell(self, row: int, column: str) -> Any:
        """The cell as it was written, for an error."""
        return self.frame[column][row] if self.written is None else self.written(row, column)

    def where(self, row: int | None = None, column: str | None = None) -> str:
        """Words for an error: "words.csv, line 7, column 'price'"."""
        parts = [self.source]
        if row is not None:
            parts.append(self.locate(row))
        if column is not None:
            parts.append(f"column '{column}'")
        return ", ".join(parts)

    def noted(self, *notes: str) -> Table:
        """The same table with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def parquet_table(path: Path) -> Table:
    """The table in a Parquet file."""
    data = read_bytes(path)
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"the Parquet file is broken ({str(error).splitlines()[0]})",
            where=str(path),
            expected="a Parquet file, because of its name",
            next_move="Write it again, or correct its name.",
        ) from error
    return checked(Table(frame, str(path), lambda row: f"row {row + 1}"))


def json_table(path: Path, encoding: str | None) -> Table:
    """The table in a file with one JSON object per line."""
    text = decode(read_bytes(path), path, encoding)
    try:
        frame = pl.read_ndjson(io.BytesIO(text.encode()), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        _name_broken_json(text, path)
        raise DataError(
            f"the JSON lines cannot be read ({str(error).splitlines()[0]})",
            where=str(path),
            expected="one JSON object per line, the same keys in all",
            next_move="Check the lines whose keys or types differ.",
        ) from error
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    return checked(Table(frame, str(path), lambda row: f"line {lines[row]}"))


def _name_broken_json(text: str, path: Path) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        try:
            value = json.loads(line) if line.strip() else {}
        except json.JSONDecodeError as error:
            raise DataError(
                f"the JSON is broken at character {error.pos + 1} ({error.msg})",
                where=f"{path}, line {number}",
                expected="one JSON object per line",
                next_move="Correct or delete this line.",
            ) from None
        if not isinstance(value, dict):
            raise DataError(
                f"the line holds a {type(value).__name__}, not an object",
                where=f"{path}, line {number}",
                expected='one JSON object per line, such as {"id": 1, "x": 0.5, "label": "a"}',
                next_move="Give every value a name.",
            )
        for key, cell in value.items():
            if isinstance(cell, list | dict):
                raise _nested(f"{path}, line {number}, column '{key}'")


def delimited_table(text: str, path: Path, separator: str, header: bool) -> Table:
    """The table in CSV or TSV text, all columns as text, checked for rows of unequal width."""
    first = next(csv.reader([text.lstrip("\n").split("\n", 1)[0]], delimiter=separator))
    names = [name.strip() for name in first] if header else [f"column_{i + 1}" for i in range(len(first))]
    _refuse_duplicates(names, path)
    names = [name or f"unnamed_{i + 1}" for i, name in enumerate(names)]
    try:
        frame = pl.read_csv(
            io.BytesIO(text.encode()),
            separator=separator,
            has_header=False,
            new_columns=names,
            infer_schema=False,
        )
    except pl.exceptions.PolarsError as error:
        _name_ragged_row(text, path, separator, len(names))
        raise DataError(
            f"the columns cannot be told apart ({str(error).splitlines()[0]})",
            where=str(path),
            expected=f"columns separated by {separator!r}, quotes in pairs",
            next_move="Check the quotes, or name the separator with --separator.",
        ) from error
    if frame[:, -1].null_count() and frame.width > 1:
        _name_ragged_row(text, path, separator, len(names))
    return _numbered(frame, text, path, separator, header)


def _numbered(frame: pl.DataFrame, text: str, path: Path, separator: str, header: bool) -> Table:
    filled = ~pl.all_horizontal(pl.exclude("__record").is_null())
    frame = frame.with_row_index("__record").slice(int(header)).filter(filled)
    records = frame["__record"]

    def locate(row: int) -> str:
        return f"line {_line_of_record(text, separator, int(records[row]))}"

    return checked(Table(frame.drop("__record"), str(path), locate, header))


def _line_of_record(text: str, separator: str, record: int) -> int:
    for number, (line, _) in enumerate(records(io.StringIO(text), separator)):
        if number == record:
            return line
    return record + 1


def records(text: TextIO, separator: str) -> Iterator[tuple[int, list[str]]]:
    """First line and cells of every record; ends early where a cell is too long for the csv module."""
    reader = csv.reader(text, delimiter=separator)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error:
        return


def _refuse_duplicates(names: list[str], path: Path) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise DataError(
            f"column '{twice[0]}' is there {names.count(twice[0])} times",
            where=f"{path}, line 1, column '{twice[0]}'",
            expected="a different name for every column",
            next_move="Rename or delete one; if the first line is data, use --no-header.",
        )


def _name_ragged_row(text: str, path: Path, separator: str, width: int) -> None:
    for line, cells in records(io.StringIO(text), separator):
        if cells and len(cells) != width:
            raise DataError(
                f"the row has {len(cells)} columns",
                where=f"{path}, line {line}, column {min(len(cells), width) + 1}",
                expected=f"{width} columns, as in line 1",
                next_move="Correct this row (a missing value is an empty cell; quote cells that hold the "
                "separator), or name the separator with --separator.",
            )


def checked(table: Table) -> Table:
    """The table, unless it has no rows or a column of lists or objects."""
    if table.frame.height == 0:
        raise DataError(
            "there are column names but no rows",
            where=table.source,
            expected="at least 20 sequences",
            next_move="Check how it was written; if the first line is data, use --no-header.",
        )
    for name, kind in table.frame.schema.items():
        if kind.is_nested():
            raise _nested(table.where(0, name))
    return table


def _nested(where: str) -> DataError:
    return DataError(
        "the values are lists or objects",
        where=where,
        expected="one number or name in each cell (many labels per step are refused)",
        next_move="Write one row per step with a column that names the sequence, or use leadline.from_arrays "
        "in Python.",
    )


def open_table(path: Path, encoding: str | None) -> Table | None:
    """The table in a file whose suffix says Parquet or JSON lines; None for other text files."""
    suffix = suffix_of(path)
    if suffix in PARQUET:
        return parquet_table(path)
    if suffix in JSON_LINES:
        return json_table(path, encoding)
    return None
