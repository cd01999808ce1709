"""`Table`: named columns that know from which line of which file each row came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

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
        return self.column(column)[row] if self.written is None else self.written(row, column)

    def column(self, name: str) -> pl.Series:
        """The values of a column, under a name that polars does not take for a pattern, as it takes "^*$" and "*"."""
        return self.frame[name].alias("value")

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


def checked(table: Table) -> Table:
    """The table in plain types, unless it has no rows or a column of lists, objects or bytes."""
    if table.frame.height == 0:
        raise DataError(
            "there are column names but no rows",
            where=table.source,
            expected="at least 20 sequences",
            next_move="Check how it was written; if the first line is data, use --no-header.",
        )
    for name, kind in table.frame.schema.items():
        if kind.is_nested() or kind == pl.Object:
            raise nested(table.where(0, name))
    return replace(table, frame=_plain_frame(table))


def _plain_frame(table: Table) -> pl.DataFrame:
    columns = [_plain(table.column(name), table, name).alias(name) for name in table.frame.columns]
    return pl.DataFrame(columns)


def _plain(column: pl.Series, table: Table, name: str) -> pl.Series:
    """The column as text, numbers, truth values or times: what all layouts know."""
    kind = column.dtype
    if kind in (pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if kind == pl.Decimal or kind in (pl.Int128, pl.UInt64):
        return _small_integers(column)
    if kind == pl.Duration:
        return column.to_physical()
    return _from_bytes(column, table, name) if kind == pl.Binary else column


def _small_integers(column: pl.Series) -> pl.Series:
    """Numbers of 64 bits where they fit: beyond, what is not every digit of a name is a number."""
    whole = column.cast(pl.Int64, strict=False)
    same = whole.null_count() == column.null_count() and not column.dtype.is_decimal()
    return whole if same else column.cast(pl.Float64, strict=False)


def _from_bytes(column: pl.Series, table: Table, name: str) -> pl.Series:
    try:
        return column.cast(pl.String)
    except pl.exceptions.PolarsError:
        bad = [row for row, value in enumerate(column.to_list()) if value is not None and not _is_text(value)]
    raise DataError(
        f"the values are bytes that are no text ({len(bad)} such rows)",
        where=table.where(bad[0], name),
        expected="one number or name in each cell",
        next_move="Write the file again with text or numbers in this column, or without it.",
    )


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def nested(where: str) -> DataError:
    """The error for a cell that holds more than one value."""
    return DataError(
        "the values are lists or objects",
        where=where,
        expected="one number or name in each cell (many labels per step are refused)",
        next_move="Write one row per step with a column that names the sequence, or use leadline.from_arrays "
        "in Python.",
    )
