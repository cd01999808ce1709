"""Columns of a large table, block by block, each kept in the smallest form that loses nothing."""

from __future__ import annotations

import polars as pl

from leadline.data.columns import LARGEST, lost_numbers

OFTEN = 0.5
"""Largest share of different texts in the first block for which a column is kept as indices into them."""


class NotNumbers(Exception):  # noqa: N818 - a signal, not an error
    """A column that began with numbers holds something else."""

    def __init__(self, name: str) -> None:
        self.name = name


class Numbers:
    """A column of numbers; float32 as features are, float64 as times are."""

    def __init__(self, name: str, kind: type[pl.Float32 | pl.Float64]) -> None:
        self.name, self.kind = name, kind
        self.parts: list[pl.Series] = []

    def add(self, text: pl.Series) -> None:
        numbers, lost = lost_numbers(text)
        largest = numbers.abs().fill_nan(None).max()
        if lost.any() or (isinstance(largest, float) and largest > LARGEST):
            raise NotNumbers(self.name)
        self.parts.append(numbers.cast(self.kind))

    def series(self) -> pl.Series:
        return pl.concat(self.parts)


class Names:
    """A column of names as indices into those that occurred; as text, where most of them differ."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.parts: list[pl.Series] = []
        self.few: bool | None = None

    def add(self, text: pl.Series) -> None:
        found = text.drop_nulls().unique()
        if self.few is None:
            self.few = len(found) <= OFTEN * len(text)
        self.parts.append(self._coded(text, found) if self.few else text)

    def _coded(self, text: pl.Series, found: pl.Series) -> pl.Series:
        codes = [self.codes.setdefault(name, len(self.codes)) for name in found.to_list()]
        index = pl.DataFrame({"name": found, "code": pl.Series(codes, dtype=pl.UInt32)})
        return text.alias("name").to_frame().join(index, on="name", how="left", maintain_order="left")["code"]

    def series(self) -> pl.Series:
        whole = pl.concat(self.parts)
        if not self.few:
            return whole
        names = list(self.codes)
        return pl.Series(names, dtype=pl.Enum(names)).gather(whole)


class Nothing:
    """A column that nobody asks for: only its rows are counted."""

    def __init__(self) -> None:
        self.rows = 0

    def add(self, text: pl.Series) -> None:
        self.rows += len(text)

    def series(self) -> pl.Series:
        return pl.repeat(None, self.rows, dtype=pl.Null, eager=True)
