"""Columns, offsets and targets put together as `Sequences`: the last step of every layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.data.columns import Column, Form
from leadline.data.sequences import Sequences
from leadline.data.targets import Targets
from leadline.errors import DataError, OptionError
from leadline.records.trial import Kind


@dataclass(frozen=True, eq=False)
class Origin:
    """What the layouts say about sequences beside their values."""

    name: str
    source: str
    ids: tuple[str, ...]
    target_name: str
    groups: NDArray[np.int64] | None = None
    parts: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def assemble(
    columns: Sequence[Column],
    offsets: NDArray[np.int64],
    targets: Targets | Kind,
    origin: Origin,
    form: Form = "category",
) -> Sequences:
    """The sequences; columns without a single value are left out, missing values are counted aloud.

    Raises:
        DataError: no feature is left.
    """
    kept = [column for column in columns if column.missing < len(column.values)]
    notes = [f"Column '{c.name}' has no value at all: left out." for c in columns if c not in kept]
    notes += [_missing_note(column) for column in kept if column.missing]
    if not kept:
        refuse_no_features(origin.source)
    numeric = [column for column in kept if column.numeric]
    named = [column for column in kept if not column.numeric]
    known = targets if isinstance(targets, Targets) else Targets(targets, np.zeros(0), ())
    return Sequences(
        kind=known.kind,
        offsets=offsets.astype(np.int64),
        numeric=_stack(numeric, int(offsets[-1]), np.float32),
        categories=_stack(named, int(offsets[-1]), np.int32),
        numeric_names=tuple(column.name for column in numeric),
        category_columns=tuple(column.category(form) for column in named),
        targets=known.values if isinstance(targets, Targets) else None,
        target_name=origin.target_name,
        classes=known.classes,
        ids=origin.ids,
        groups=origin.groups,
        parts=origin.parts,
        name=origin.name,
        source=origin.source,
        notes=(*origin.notes, *notes, *known.notes),
    )


def _missing_note(column: Column) -> str:
    share = f"{column.missing} of {len(column.values)} values are missing"
    if column.numeric:
        return f"Column '{column.name}': {share}; they are imputed, and an indicator says where."
    return f"Column '{column.name}': {share}; missing is a category of its own."


def refuse_no_features(source: str) -> NoReturn:
    """Raise because every column has a role, is left out or is empty."""
    raise DataError(
        "no column is left to predict from",
        where=source,
        expected="at least one feature beside the target",
        next_move="Check --features, --exclude, --separator and the columns that have a role.",
    )


def _stack(columns: Sequence[Column], rows: int, dtype: Any) -> NDArray[Any]:
    if not columns:
        return np.zeros((rows, 0), dtype=dtype)
    return np.ascontiguousarray(np.stack([column.values for column in columns], axis=1), dtype=dtype)


def next_steps(
    columns: Sequence[Column],
    offsets: NDArray[np.int64],
    target: Column,
    origin: Origin,
    form: Form = "category",
) -> Sequences:
    """Inputs up to the last step but one, targets from the second on: n tokens give n - 1 steps.

    Raises:
        DataError: no sequence has two steps.
    """
    lengths = np.diff(offsets)
    kept = lengths > 1
    if not kept.any():
        raise DataError(
            "no sequence has a second step",
            where=origin.source,
            expected="sequences of at least two steps, so that there is a next one",
            next_move="Check which column names the sequence (--sequence).",
        )
    last = np.zeros(int(offsets[-1]), dtype=bool)
    last[offsets[1:] - 1] = True
    first = np.roll(last, 1)
    notes = origin.notes
    if not kept.all():
        notes += (f"{int((~kept).sum())} sequences of one step have no next one: left out.",)
    shorter = [Column(c.name, c.values[~last], c.vocabulary, _count_missing(c.values[~last])) for c in columns]
    chosen = np.flatnonzero(kept)
    return assemble(
        shorter,
        np.concatenate([[0], np.cumsum(lengths[kept] - 1)]),
        Targets("next_step", target.values[~first].astype(np.int64), target.vocabulary or ()),
        Origin(
            origin.name,
            origin.source,
            tuple(origin.ids[i] for i in chosen),
            origin.target_name,
            None if origin.groups is None else origin.groups[kept],
            None if origin.parts is None else tuple(origin.parts[i] for i in chosen),
            notes,
        ),
        form,
    )


def _count_missing(values: NDArray[Any]) -> int:
    return int(np.isnan(values).sum()) if values.dtype.kind == "f" else int((values < 0).sum())


def require_kind(kind: Kind | None) -> Kind:
    """The kind, which cannot be inferred where there is no target."""
    if kind is None:
        raise OptionError(
            "without a target the kind cannot be inferred",
            expected="kind to be given",
            next_move="Pass the kind that the model was trained for.",
        )
    return kind


def refuse_kind(kind: Kind | None, allowed: Sequence[Kind], source: str, shape: str) -> None:
    """Raise when `kind` does not fit the layout."""
    if kind is not None and kind not in allowed:
        raise DataError(
            f"kind '{kind}' does not fit {shape}",
            where=source,
            expected=" or ".join(allowed),
            next_move="Leave --kind out, or write the data in long form: one row per step.",
        )


def group_codes(series: pl.Series) -> NDArray[np.int64]:
    """Indices by first appearance; a missing name is a value of its own."""
    series = series.to_physical() if isinstance(series.dtype, pl.Enum) else series
    distinct = series.unique(maintain_order=True)
    index = pl.DataFrame({"value": distinct}).with_row_index("code")
    joined = (
        series.alias("value").to_frame().join(index, on="value", how="left", maintain_order="left", nulls_equal=True)
    )
    return joined["code"].cast(pl.Int64).to_numpy().astype(np.int64)
