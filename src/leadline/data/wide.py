"""Wide form: one row per sequence, its steps side by side."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.data.assemble import Origin, assemble, group_codes, refuse_kind, refuse_no_features, require_kind
from leadline.data.columns import Column, as_text, parse_numbers, to_column
from leadline.data.options import ChannelOrder, ReadOptions
from leadline.data.parts import to_parts
from leadline.data.roles import Roles, find_roles
from leadline.data.sequences import Sequences
from leadline.data.table import Table
from leadline.data.targets import MOST_WHOLE_NUMBERS, to_targets
from leadline.errors import DataError

# No row has more steps than a number of so many digits can count.
MOST_DIGITS = 9


@dataclass(frozen=True)
class Grid:
    """Which column holds which channel at which step: `columns[channel][step]`."""

    channels: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    note: str

    @property
    def steps(self) -> int:
        """Steps of the longest sequence."""
        return len(self.columns[0])


def wide_sequences(table: Table, name: str, options: ReadOptions, needs_target: bool) -> Sequences:
    """The sequences of a table with one row per sequence.

    Empty cells at the end of a row end its sequence; empty cells in between are missing values.

    Args:
        table: the rows.
        name: title of the data.
        options: what overrules the inferences.
        needs_target: False when the sequences are only to be predicted.

    Raises:
        DataError: see `leadline.data.read.read`.
    """
    refuse_kind(options.kind, ("classification", "regression"), table.source, "a row per sequence")
    roles = _with_target_column(table, find_roles(table, options, needs_target), options, needs_target)
    grid = _find_grid(table, roles, options)
    columns, more = _stacked(table, grid, options)
    lengths = _lengths(columns, table.frame.height, grid.steps)
    _refuse_empty(table, lengths)
    columns, offsets = _trimmed(columns, lengths, grid.steps)
    notes = (*table.notes, *roles.notes, grid.note, *more, *_length_notes(lengths, grid.steps))
    origin = _members(
        table, roles, Origin(name, table.source, _ids(table, roles), roles.target or "target", notes=notes)
    )
    if roles.target is None or (not needs_target and table.column(roles.target).null_count()):
        return assemble(columns, offsets, require_kind(options.kind), origin)
    target = roles.target
    values = to_targets(
        table.column(target), target, lambda row: table.where(row, target), options.kind, per_step=False
    )
    return assemble(columns, offsets, values, origin)


def _with_target_column(table: Table, roles: Roles, options: ReadOptions, needs_target: bool) -> Roles:
    """The roles with a target inferred from its place, where no name tells it."""
    if roles.target is not None or options.target is not None:
        return roles
    if not needs_target and (table.header or _fills_grid(roles, options)):
        return roles
    if not needs_target and options.channels in (None, 1):
        raise DataError(
            "it cannot be told whether the last column is the target or a step",
            where=table.source,
            expected="--target with the column's name, or --target none",
            next_move=f"Use --target {table.frame.columns[-1]} or --target none.",
        )
    place, why = _place_of_target(table, roles)
    note = f"Column '{place}' is taken as the target ({why}; --target overrules)."
    features = tuple(name for name in roles.features if name != place)
    return replace(roles, target=place, features=features, notes=(*roles.notes, note))


def _fills_grid(roles: Roles, options: ReadOptions) -> bool:
    channels = options.channels or 1
    return channels > 1 and len(roles.features) % channels == 0


def _place_of_target(table: Table, roles: Roles) -> tuple[str, str]:
    if len(roles.features) < 2:
        refuse_no_features(table.source)
    first, last = roles.features[0], roles.features[-1]
    if _label_like(table.column(last)):
        return last, "the last one"
    if _label_like(table.column(first)):
        return first, "the first one; the last one holds no labels"
    return last, "the last one"


def _label_like(series: pl.Series) -> bool:
    parsed = parse_numbers(series)
    if parsed is None or parsed[1].all():
        return True
    numbers = parsed[0][~np.isnan(parsed[0])]
    whole = bool((numbers == np.round(numbers)).all())
    return whole and len(np.unique(numbers)) <= MOST_WHOLE_NUMBERS


def _find_grid(table: Table, roles: Roles, options: ReadOptions) -> Grid:
    names = roles.features
    named = _grid_by_names(names) if table.header and options.channels is None else None
    if named is not None:
        return named
    channels = options.channels or 1
    if not names:
        refuse_no_features(table.source)
    if len(names) % channels:
        raise DataError(
            f"{len(names)} columns of values do not make whole steps of {channels}",
            where=table.source,
            expected=f"a multiple of {channels} columns beside the target and the columns with a role",
            next_move="Correct --channels, or leave columns out with --exclude.",
        )
    steps = len(names) // channels
    by_channel = _by_channel(names, channels, options.channel_order)
    order = "in blocks (x0, x1, y0, y1)" if options.channel_order == "blocks" else "step by step (x0, y0, x1, y1)"
    how = f"{channels} values per step, {order}" if channels > 1 else "one value per step"
    note = f"{len(names)} columns are {steps} steps: {how} (--channels overrules)."
    return Grid(_channel_names(channels), by_channel, note)


def _channel_names(channels: int) -> tuple[str, ...]:
    return ("value",) if channels == 1 else tuple(f"channel_{i + 1}" for i in range(channels))


def _by_channel(names: Sequence[str], channels: int, order: ChannelOrder | None) -> tuple[tuple[str, ...], ...]:
    if order == "blocks":
        steps = len(names) // channels
        return tuple(tuple(names[i * steps : (i + 1) * steps]) for i in range(channels))
    return tuple(tuple(names[i::channels]) for i in range(channels))


def _grid_by_names(names: Sequence[str]) -> Grid | None:
    """The grid that numbered names such as x0, y0, x1, y1 spell, if they spell one."""
    cells: dict[str, dict[int, str]] = {}
    for name in names:
        stem, number = _numbered(name)
        if not stem or number is None:
            return None
        cells.setdefault(stem, {})[number] = name
    steps = [sorted(by_step) for by_step in cells.values()]
    if len(steps) < 2 or any(other != steps[0] for other in steps) or len(cells) * len(steps[0]) != len(names):
        return None
    columns = tuple(tuple(by_step[step] for step in steps[0]) for by_step in cells.values())
    stems = ", ".join(cells)
    note = f"{len(names)} columns are {len(steps[0])} steps of {len(cells)} values ({stems}), by their names."
    return Grid(tuple(cells), columns, note)


def _numbered(name: str) -> tuple[str, int | None]:
    """The letters and the number of a name such as x_12.

    >>> _numbered("x_12"), _numbered("x")
    (('x', 12), ('x', None))
    """
    letters = name.rstrip(string.digits)
    digits = name[len(letters) :]
    number = int(digits) if 0 < len(digits) <= MOST_DIGITS else None
    return letters.removesuffix("_"), number


def _stacked(table: Table, grid: Grid, options: ReadOptions) -> tuple[list[Column], list[str]]:
    """Each channel as one column of (rows * steps,) values, a sequence after the other."""
    columns = []
    for channel, names in zip(grid.channels, grid.columns, strict=True):
        series = _interleave(table, names)
        wanted = _wanted(names, channel, options)
        columns.append(to_column(series, channel, CellWhere(table, tuple(names)), wanted))
    named = [f"{c.name} ({len(c.vocabulary or ())} values)" for c in columns if not c.numeric]
    return columns, [f"Steps that hold names: {', '.join(named)}."] if named else []


def _interleave(table: Table, names: Sequence[str]) -> pl.Series:
    chosen = [table.column(name) for name in names]
    if len({series.dtype for series in chosen}) > 1:
        chosen = [series.cast(pl.String) for series in chosen]
    rows, count = table.frame.height, len(names)
    place = np.arange(rows * count)
    stacked = pl.concat(chosen)
    return stacked[(place % count) * rows + place // count]


def _wanted(names: Sequence[str], channel: str, options: ReadOptions) -> bool | None:
    if channel in options.numeric or set(names) & set(options.numeric):
        return True
    return False if channel in options.categorical or set(names) & set(options.categorical) else None


@dataclass(frozen=True, eq=False)
class CellWhere:
    """From a place in a stacked channel to words for an error."""

    table: Table
    names: tuple[str, ...]

    def __call__(self, place: int) -> str:
        return self.table.where(place // len(self.names), self.names[place % len(self.names)])


def _lengths(columns: Sequence[Column], rows: int, steps: int) -> NDArray[np.int64]:
    present = np.zeros((rows, steps), dtype=bool)
    for column in columns:
        there = ~np.isnan(column.values) if column.numeric else column.values >= 0
        present |= there.reshape(rows, steps)
    last = steps - np.argmax(present[:, ::-1], axis=1)
    return np.where(present.any(axis=1), last, 0).astype(np.int64)


def _refuse_empty(table: Table, lengths: NDArray[np.int64]) -> None:
    empty = lengths == 0
    if empty.any():
        raise DataError(
            f"the sequence is empty ({int(empty.sum())} such rows)",
            where=table.where(int(np.argmax(empty))),
            expected="at least one step",
            next_move="Delete the row.",
        )


def _trimmed(
    columns: Sequence[Column], lengths: NDArray[np.int64], steps: int
) -> tuple[list[Column], NDArray[np.int64]]:
    kept = (np.arange(steps)[None, :] < lengths[:, None]).ravel()
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    trimmed = []
    for column in columns:
        values = column.values[kept]
        missing = np.isnan(values).sum() if column.numeric else (values < 0).sum()
        trimmed.append(Column(column.name, values, column.vocabulary, int(missing)))
    return trimmed, offsets


def _length_notes(lengths: NDArray[np.int64], steps: int) -> list[str]:
    short = int((lengths < steps).sum())
    return [f"{short} rows end in empty cells: their sequences are shorter than {steps} steps."] if short else []


def _ids(table: Table, roles: Roles) -> tuple[str, ...]:
    if roles.sequence is None:
        return tuple(str(i + 1) for i in range(table.frame.height))
    names = as_text(table.column(roles.sequence))
    return tuple(name if name is not None else str(i + 1) for i, name in enumerate(names.to_list()))


def _members(table: Table, roles: Roles, origin: Origin) -> Origin:
    groups = group_codes(table.column(roles.group)) if roles.group else None
    if not roles.split:
        return replace(origin, groups=groups)
    parts, notes = to_parts(as_text(table.column(roles.split)).to_list(), lambda row: table.where(row, roles.split))
    return replace(origin, groups=groups, parts=parts, notes=(*origin.notes, *notes))
