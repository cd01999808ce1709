"""Tables in JSON lines: one flat object per line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, NoReturn

import polars as pl

from leadline.data.decoding import read_text
from leadline.data.delimited import first_line
from leadline.data.files import shown
from leadline.data.limits import check_cells, check_columns
from leadline.data.options import ReadOptions
from leadline.data.table import Table, checked, nested
from leadline.errors import DataError

# The keys of so many lines are taken for all keys of the file, until counting shows that there are more.
SAMPLE = 1000
# Each key is counted in the whole text: beyond so many, reading each line is faster.
MOST_COUNTED = 50
# A table of which nearly all cells are empty takes far more memory than its file; below this it does no harm.
MOST_CELLS_A_VALUE = 100
HARMLESS_CELLS = 2_000_000
# More digits than any number of 128 bits has; Python refuses whole numbers from 4,300 on.
MOST_DIGITS = 40


def json_table(path: Path, options: ReadOptions) -> Table:
    """The table in a file with one JSON object per line.

    Raises:
        DataError: with the line: broken JSON, a line that is no object, a value that is a list or an object; too
            many different keys or cells.
    """
    text, source = read_text(path, options), shown(path)
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    keys = _plain_keys(text, len(lines), source)
    if keys is None:
        keys = _checked_keys(text, source, options)
    check_columns(len(keys), options, source, "different keys")
    check_cells(len(lines), len(keys), options, source)
    frame = _read(text, source, options)
    return checked(Table(frame, source, lambda row: f"line {lines[min(row, len(lines) - 1)]}"))


def _read(text: str, source: str, options: ReadOptions) -> pl.DataFrame:
    try:
        return pl.read_ndjson(io.BytesIO(text.encode()), infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        _checked_keys(text, source, options)
        raise DataError(
            f"the JSON lines cannot be read ({first_line(error)})",
            where=source,
            expected="one JSON object per line, the same keys in all",
            next_move="Check the lines whose keys or types differ.",
        ) from error


def _plain_keys(text: str, lines: int, source: str) -> set[str] | None:
    """All keys of a file whose objects are surely flat; None where only reading each line can tell.

    Counting signs is eight times as fast as reading. It tells enough where no text holds a colon, a bracket or an
    escape, and where the first lines have all keys.
    """
    opened = text.count("\n{") + text.startswith("{")
    if "[" in text or "\\" in text or not lines == opened == text.count("{"):
        return None
    keys: set[str] = set()
    for number, line in enumerate(text.split("\n", SAMPLE)[:SAMPLE], 1):
        if line.strip():
            keys.update(_object(line, f"{source}, line {number}"))
    if len(keys) > MOST_COUNTED:
        return None
    signs = sum(text.count(f'"{key}":') + text.count(f'"{key}" :') for key in keys)
    return keys if signs == text.count(":") else None


def _checked_keys(text: str, source: str, options: ReadOptions) -> set[str]:
    keys: set[str] = set()
    lines = values = 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            known, found = len(keys), _object(line, f"{source}, line {number}")
            keys.update(found)
            lines, values = lines + 1, values + len(found)
            if len(keys) > known:
                check_columns(len(keys), options, f"{source}, line {number}", "different keys so far")
    _refuse_sparse(lines, len(keys), values, source, options)
    return keys


def _refuse_sparse(lines: int, keys: int, values: int, source: str, options: ReadOptions) -> None:
    if options.max_cells is None and lines * keys > max(HARMLESS_CELLS, MOST_CELLS_A_VALUE * values):
        raise DataError(
            f"the {lines:,} lines hold {values:,} values under {keys:,} different keys",
            where=source,
            expected=f"keys that recur: at most {MOST_CELLS_A_VALUE} cells (lines times keys) for each value",
            next_move="Give what is the same thing the same key in each line; or allow so many cells with --max-cells.",
        )


def _object(line: str, where: str) -> dict[str, Any]:
    """The object in a line, which is flat and has values that a column can hold."""
    try:
        value = json.loads(line, parse_constant=_refuse_constant, parse_int=_whole)
    except json.JSONDecodeError as error:
        raise _broken(f"the JSON is broken at character {error.pos + 1} ({error.msg})", where) from None
    except RecursionError:
        raise nested(where) from None
    except ValueError as error:
        raise _broken(str(error), where) from None
    if not isinstance(value, dict):
        raise DataError(
            f"the line holds a {type(value).__name__}, not an object",
            where=where,
            expected='one JSON object per line, such as {"id": 1, "x": 0.5, "label": "a"}',
            next_move="Give every value a name.",
        )
    for key, cell in value.items():
        if isinstance(cell, list | dict):
            raise nested(f"{where}, column '{key}'")
        if _is_half(key) or (isinstance(cell, str) and _is_half(cell)):
            raise _broken("the text holds half of a character (a surrogate without its other half)", where)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON: a missing value is null")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a whole number of {len(digits):,} digits is too large")
    return int(digits)


def _is_half(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _broken(problem: str, where: str) -> DataError:
    return DataError(
        problem, where=where, expected="one JSON object per line", next_move="Correct or delete this line."
    )
