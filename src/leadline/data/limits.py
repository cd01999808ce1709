"""How much a file may become in memory, and the errors that say so."""

from __future__ import annotations

from leadline.data.options import HARMLESS_MB, MOST_CELLS, MOST_COLUMNS, MOST_MB, MOST_UNPACKED, ReadOptions
from leadline.errors import DataError

MB = 1_000_000


def most_bytes(options: ReadOptions, packed: int | None = None) -> int:
    """Largest content in bytes, of a file of `packed` bytes where it is packed.

    >>> most_bytes(ReadOptions()) == 4096 * MB, most_bytes(ReadOptions(), packed=1000) == 32 * MB
    (True, True)
    """
    if options.max_size_mb is not None:
        return options.max_size_mb * MB
    whole = MOST_MB * MB
    return whole if packed is None else min(whole, max(HARMLESS_MB * MB, MOST_UNPACKED * packed))


def refuse_size(most: int, where: str, unpacked: bool) -> DataError:
    """The error for more than `most` bytes."""
    what = "unpacks to more than" if unpacked else "is larger than"
    return DataError(
        f"the file {what} {most / MB:,.0f} MB",
        where=where,
        expected=f"at most {most / MB:,.0f} MB" + (", unpacked" if unpacked else ""),
        next_move="Check what the file holds; if it is right, allow more with --max-size-mb.",
    )


def check_columns(count: int, options: ReadOptions, where: str, what: str = "columns") -> None:
    """Raise for too many columns, or different keys."""
    most = options.max_columns or MOST_COLUMNS
    if count > most:
        raise DataError(
            f"there are {count:,} {what}",
            where=where,
            expected=f"at most {most:,}",
            next_move="Write long series in long form, a row per step; or allow more with --max-columns.",
        )


def check_cells(rows: int, columns: int, options: ReadOptions, where: str) -> None:
    """Raise for a table of too many cells, before it is made."""
    most = options.max_cells or MOST_CELLS
    if rows * columns > most:
        raise DataError(
            f"the table has {rows * columns:,} cells ({rows:,} rows of {columns:,} columns)",
            where=where,
            expected=f"at most {most:,}",
            next_move="Take a part of the rows or of the columns; or allow more with --max-cells where memory "
            "suffices (about 50 bytes a cell).",
        )


def check_characters(count: int, options: ReadOptions, where: str) -> None:
    """Raise for a text of too many characters, each of which would be a step."""
    most = options.max_cells or MOST_CELLS
    if count > most:
        raise DataError(
            f"the text has {count:,} characters, and each is a step",
            where=where,
            expected=f"at most {most:,}",
            next_move="Take a part of the text; or allow more with --max-cells where memory suffices (about 50 "
            "bytes a character).",
        )
