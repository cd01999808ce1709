"""Annotations that a user gives: a file with a column each, or a mapping of names to values."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.analysis.annotations import MOST_CLASSES, Annotation
from leadline.data.columns import as_text
from leadline.data.decoding import read_text
from leadline.data.delimited import first_line
from leadline.data.files import shown
from leadline.data.formats import open_table
from leadline.data.limits import check_cells, check_columns
from leadline.data.options import ReadOptions
from leadline.data.sequences import Sequences
from leadline.errors import DataError

DISTANCE = " distance"
PLACES = ("sequence", "step")
FEW_NUMBERS = 20


def read_file(path: Path, sequences: Sequences) -> list[Annotation]:
    """One annotation for each column of a table with a header.

    There is one row per step, or one per sequence, in the order of the data. A column `sequence` or `step` is not
    an annotation. A column named "X distance" says how many steps away is what X refers to, and belongs to X.

    Args:
        path: CSV, TSV, JSON lines or Parquet.
        sequences: the data.

    Raises:
        DataError: another number of rows, or no column.
    """
    table = open_table(path, ReadOptions())
    frame = _delimited(path) if table is None else table.frame
    # Under another name: polars takes some names for patterns.
    columns = {name: frame[name].alias("value") for name in frame.columns if name not in PLACES}
    if not columns:
        raise DataError("no column beside sequence and step", where=shown(path), expected="a column per annotation")
    return from_columns(columns, sequences, shown(path))


def _delimited(path: Path) -> pl.DataFrame:
    """A CSV or TSV table with a header; rows without any value count too."""
    text = read_text(path, ReadOptions())
    first = text.split("\n", 1)[0]
    separator = "\t" if "\t" in first else ","
    columns = first.count(separator) + 1
    check_columns(columns, ReadOptions(), shown(path))
    check_cells(text.count("\n"), columns, ReadOptions(), shown(path))
    try:
        return pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(
            f"the columns cannot be told apart ({first_line(error)})",
            where=shown(path),
            expected="a header, then a row per step or per sequence, separated by commas or tabs",
            next_move="Check quotes and separators.",
        ) from error


def from_columns(columns: Mapping[str, pl.Series], sequences: Sequences, where: str) -> list[Annotation]:
    """Annotations of columns; see `read_file`."""
    found = []
    for name, column in columns.items():
        if name.endswith(DISTANCE) and name.removesuffix(DISTANCE) in columns:
            continue
        per_sequence = _per_sequence(name, len(column), sequences, where)
        values, classes = _values(column)
        away = columns.get(name + DISTANCE)
        distances = None if away is None else np.nan_to_num(_numbers(away)).astype(np.int64)
        found.append(Annotation(name, values, classes, per_sequence, "file", distances))
    return found


def from_mapping(given: Mapping[str, Any], sequences: Sequences) -> list[Annotation]:
    """Annotations by name: (rows,) or (n,) values, or one array per sequence.

    Raises:
        DataError: another number of values than steps or sequences.
    """
    columns = {name: pl.Series(name, _flat(values), strict=False) for name, values in given.items()}
    return from_columns(columns, sequences, "annotations")


def _flat(values: Any) -> list[Any]:
    items: Iterable[Any] = values.tolist() if isinstance(values, np.ndarray) else list(values)
    flat: list[Any] = []
    for item in items:
        if isinstance(item, list | tuple | np.ndarray):
            flat += list(item)
        else:
            flat.append(item)
    return [value.item() if isinstance(value, np.generic) else value for value in flat]


def _per_sequence(name: str, count: int, sequences: Sequences, where: str) -> bool:
    steps = int(sequences.offsets[-1])
    if count not in (steps, len(sequences)):
        raise DataError(
            f"annotation {name!r} has {count:,} values",
            where=where,
            expected=f"{steps:,}, one per step, or {len(sequences):,}, one per sequence",
            next_move="Give a value for every step or every sequence, in the order of the data; leave it empty where "
            "the annotation does not apply.",
        )
    return count != steps


def _values(column: pl.Series) -> tuple[NDArray[np.generic], tuple[str, ...]]:
    """Class indices with names, or numbers: text and few whole numbers are classes."""
    if column.dtype.is_numeric() and not (column.dtype.is_integer() and column.n_unique() <= FEW_NUMBERS):
        return _numbers(column), ()
    text = as_text(column).alias("value")
    counts = text.drop_nulls().value_counts(sort=True)
    names = sorted(counts[text.name].to_list()[:MOST_CLASSES], key=lambda name: (len(name), name))
    index = {name: i for i, name in enumerate(names)}
    return np.array([index.get(value, -1) for value in text.to_list()], dtype=np.int64), tuple(names)


def _numbers(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(np.float64)
