"""From a column of a table to numbers or to indices into a vocabulary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.data.sequences import CategoryColumn
from leadline.errors import DataError

MISSING = ("", "na", "n/a", "nan", "null", "none", "?")
LARGEST = float(np.finfo(np.float32).max)
TYPO_SHARE = 0.8
LARGEST_WHOLE = 2**53
# Longer digits are names: they sort as text.
MOST_DIGITS = 18
Where = Callable[[int], str]
Form = Literal["category", "word"]


@dataclass(frozen=True, eq=False)
class Column:
    """A feature: (rows,) float32 with NaN where missing, or (rows,) int32 indices with -1 where missing."""

    name: str
    values: NDArray[Any]
    vocabulary: tuple[str, ...] | None
    missing: int

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.vocabulary is None

    def category(self, form: Form = "category") -> CategoryColumn:
        """Its description among `Sequences.category_columns`."""
        return CategoryColumn(self.name, self.vocabulary or (), form)


def to_column(series: pl.Series, name: str, where: Where, as_numeric: bool | None) -> Column:
    """The column as numbers or names.

    Args:
        series: the values, one per row; text, numbers, or truth values.
        name: the column's name.
        where: from a row to words for an error.
        as_numeric: what the user asked for; None to infer: numbers where at least 80 % of the values are
            numbers (the others are then an error rather than a sudden category).

    Raises:
        DataError: text in a numeric column, an infinite number.
    """
    numbers = None if as_numeric is False else parse_numbers(series)
    if numbers is None:
        return _names(series, name)
    values, bad = numbers
    if bad.any() and as_numeric is None and bad.sum() > (1 - TYPO_SHARE) * _present(series):
        return _names(series, name)
    if bad.any():
        refuse_text(series, bad, where)
    return _numbers(values, name, where)


def parse_numbers(series: pl.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """(rows,) numbers, NaN where missing, and where there is text instead; None for times and the like."""
    if isinstance(series.dtype, pl.Enum):
        return _parse_names(series)
    if series.dtype == pl.String:
        numbers, lost = lost_numbers(series)
        return numbers.fill_null(float("nan")).to_numpy(), lost.to_numpy()
    if series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
        numbers = series.cast(pl.Float64).fill_null(float("nan"))
        return numbers.to_numpy(), np.zeros(len(series), dtype=bool)
    return None


def lost_numbers(series: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(rows,) text as numbers, null where it is none, and where that is because it says something else."""
    text = series.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    if not numbers.null_count():
        return numbers, pl.repeat(value=False, n=len(text), dtype=pl.Boolean, eager=True)
    return numbers, numbers.is_null() & ~text.str.to_lowercase().is_in(list(MISSING)).fill_null(value=True)


def _parse_names(series: pl.Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """As `parse_numbers`, where each name is parsed once; the last place is that of a missing one."""
    numbers, lost = lost_numbers(pl.concat([_names_in(series), pl.Series([None], dtype=pl.String)]))
    codes = _physical(series)
    return numbers.fill_null(float("nan")).to_numpy()[codes], lost.to_numpy()[codes]


def _names_in(series: pl.Series) -> pl.Series:
    kind = series.dtype
    assert isinstance(kind, pl.Enum)
    return kind.categories


def _physical(series: pl.Series) -> NDArray[np.int32]:
    """(rows,) indices into the names of an enumeration, -1 where missing."""
    return series.to_physical().cast(pl.Int32).fill_null(-1).to_numpy()


def plain(series: pl.Series) -> pl.Series:
    """The values of an enumeration as text; other series as they are."""
    return series.cast(pl.String) if isinstance(series.dtype, pl.Enum) else series


def _present(series: pl.Series) -> int:
    if isinstance(series.dtype, pl.Enum):
        numbers, lost = _parse_names(series)
        return len(series) - int((np.isnan(numbers) & ~lost).sum())
    if series.dtype != pl.String:
        return len(series) - series.null_count()
    missing = series.str.strip_chars().str.to_lowercase().is_in(list(MISSING)).fill_null(value=True)
    return len(series) - int(missing.sum())


def refuse_text(series: pl.Series, bad: NDArray[np.bool_], where: Where) -> None:
    """Raise for the first row that holds text in a column of numbers."""
    row = int(np.argmax(bad))
    raise DataError(
        f"'{series[row]}' is not a number ({int(bad.sum())} such values in {len(series)} rows)",
        where=where(row),
        expected="a number with a decimal point, or an empty cell where it is missing",
        next_move="Correct the value; if the column holds names, use --categorical with its name.",
    )


def _numbers(values: NDArray[np.float64], name: str, where: Where) -> Column:
    too_large = np.abs(values) > LARGEST
    if too_large.any():
        row = int(np.argmax(too_large))
        raise DataError(
            f"the value is {values[row]:g}",
            where=where(row),
            expected="a finite number within single precision (3.4e38)",
            next_move="Replace it by a number, or by an empty cell if it is missing.",
        )
    return Column(name, values.astype(np.float32), None, int(np.isnan(values).sum()))


def as_text(series: pl.Series) -> pl.Series:
    """The values as text: whole numbers without a fraction, empty text as missing."""
    if series.dtype.is_float():
        series = series.fill_nan(None)
        # Beyond this, single precision and double skip whole numbers, and 64 bits end.
        whole = series.is_null() | ((series == series.round(0)) & (series.abs() <= LARGEST_WHOLE))
        if whole.all():
            return series.cast(pl.Int64, strict=False).cast(pl.String)
    text = series.cast(pl.String)
    return pl.select(pl.when(text != "").then(text)).to_series()


def codes_of(series: pl.Series) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """(rows,) indices into the sorted distinct values, -1 where missing; whole numbers sort as numbers."""
    if isinstance(series.dtype, pl.Enum):
        return _codes_of_names(series)
    text = as_text(series).alias("value")
    distinct = text.drop_nulls().unique().to_list()
    vocabulary = sorted(distinct, key=_order(distinct))
    index = pl.DataFrame({"value": pl.Series(vocabulary, dtype=pl.String)}).with_row_index("code")
    joined = text.to_frame().join(index, on="value", how="left", maintain_order="left")
    codes = joined["code"].cast(pl.Int32).fill_null(-1).to_numpy().astype(np.int32)
    return codes, tuple(vocabulary)


def _codes_of_names(series: pl.Series) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """As `codes_of`, where only the names that occur are sorted."""
    found = _physical(series)
    names = _names_in(series).to_list()
    counts = np.bincount(found[found >= 0], minlength=len(names)).tolist()
    present = [name for name, count in zip(names, counts, strict=True) if count and name]
    vocabulary = sorted(present, key=_order(present))
    index = {name: code for code, name in enumerate(vocabulary)}
    return np.array([*(index.get(name, -1) for name in names), -1], dtype=np.int32)[found], tuple(vocabulary)


def _order(values: list[str]) -> Callable[[str], Any]:
    digits = [value.removeprefix("-") for value in values]
    whole = all(text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS for text in digits)
    return (lambda value: (int(value), value)) if whole else (lambda value: value)


def _names(series: pl.Series, name: str) -> Column:
    codes, vocabulary = codes_of(series)
    return Column(name, codes, vocabulary, int((codes < 0).sum()))


def looks_like_times(series: pl.Series) -> bool:
    """Whether every value that is there reads as a date or a time."""
    if series.dtype.is_temporal():
        return True
    sample = plain(series.drop_nulls().head(1000))
    if sample.dtype != pl.String:
        return False
    return len(sample) > 0 and sample.str.contains(r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}|$)").all()
