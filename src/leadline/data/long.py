"""Long form: one row per step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from leadline.data.assemble import Origin, assemble, group_codes, require_kind
from leadline.data.columns import Column, as_text, codes_of, looks_like_times, to_column
from leadline.data.next_values import next_values, refuse_forecasting
from leadline.data.options import ReadOptions
from leadline.data.order import Order, changes_within, order_rows, refuse_change, refuse_not_constant
from leadline.data.parts import to_parts
from leadline.data.roles import Roles, find_roles
from leadline.data.sequences import PER_STEP, Sequences
from leadline.data.table import Table
from leadline.data.targets import Targets, to_targets
from leadline.errors import DataError
from leadline.records.trial import Kind

MOSTLY_CONSTANT = 0.9


def long_sequences(table: Table, name: str, options: ReadOptions, needs_target: bool) -> Sequences:
    """The sequences of a table with one row per step.

    Args:
        table: the rows.
        name: title of the data.
        options: what overrules the inferences.
        needs_target: False when the sequences are only to be predicted.

    Raises:
        DataError: see `leadline.data.read.read`.
    """
    roles = find_roles(table, options, needs_target)
    times = None if roles.time else _find_times(table, roles)
    time = roles.time or times
    order = order_rows(table, roles.sequence, time)
    notes = [*table.notes, *roles.notes, *_time_notes(roles, times), *order.notes]
    features = [feature for feature in roles.features if feature != times]
    columns, more = _features(table, features, options, order)
    groups, parts, also = _members(table, roles, order)
    origin = Origin(name, table.source, order.ids, roles.target or "target", groups, parts, (*notes, *more, *also))
    return _with_targets(table, roles, options, order, columns, origin, needs_target)


def _find_times(table: Table, roles: Roles) -> str | None:
    """The only feature that holds dates, if there is one."""
    found = [name for name in roles.features if looks_like_times(table.column(name))]
    return found[0] if len(found) == 1 else None


def _time_notes(roles: Roles, times: str | None) -> list[str]:
    notes = []
    if times:
        notes.append(f"Column '{times}' holds times and orders the steps (--time overrules).")
    if not times and not roles.time:
        notes.append("No column orders the steps: they are taken in the order of the rows (--time overrules).")
    if roles.sequence is None:
        notes.append("No column names the sequence: all rows are one sequence (--sequence overrules).")
    return notes


def _features(table: Table, names: Sequence[str], options: ReadOptions, order: Order) -> tuple[list[Column], list[str]]:
    columns, notes = [], []
    for name in names:
        series = table.column(name)
        if series.dtype.is_temporal():
            notes.append(f"Column '{name}' holds times: left out as a feature.")
            continue
        if name.startswith("unnamed_") and table.header:
            notes.append(f"Column {name.removeprefix('unnamed_')} has no name (an index, perhaps): left out.")
            continue
        wanted = True if name in options.numeric else False if name in options.categorical else None
        column = to_column(series, name, lambda row, name=name: table.where(row, name), wanted)  # type: ignore[misc]
        columns.append(Column(name, column.values[order.rows], column.vocabulary, column.missing))
    return columns, [*notes, *_kinds_of_features(columns)]


def _kinds_of_features(columns: list[Column]) -> list[str]:
    numbers = [c.name for c in columns if c.numeric]
    names = [f"{c.name} ({len(c.vocabulary or ())} values)" for c in columns if not c.numeric]
    notes = []
    if numbers:
        notes.append(f"Features that are numbers: {_listed(numbers)} (--categorical overrules).")
    if names:
        notes.append(f"Features that are names: {_listed(names)} (--numeric overrules).")
    for column in columns:
        count = len(column.vocabulary or ())
        if count > 100 and count > len(column.values) / 2:
            notes.append(
                f"Column '{column.name}' has {count} different names in {len(column.values)} rows: "
                "an identifier, perhaps; --exclude leaves it out."
            )
    return notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _members(
    table: Table, roles: Roles, order: Order
) -> tuple[NDArray[np.int64] | None, tuple[str, ...] | None, tuple[str, ...]]:
    first = order.rows[order.offsets[:-1]]
    groups = None
    if roles.group:
        refuse_change(table, roles.group, order)
        groups = group_codes(table.column(roles.group)[first])
    if not roles.split:
        return groups, None, ()
    refuse_change(table, roles.split, order)
    names = as_text(table.column(roles.split))[first].to_list()
    parts, notes = to_parts(names, lambda i: table.where(int(first[i]), roles.split))
    return groups, parts, notes


def _with_targets(
    table: Table,
    roles: Roles,
    options: ReadOptions,
    order: Order,
    columns: Sequence[Column],
    origin: Origin,
    needs_target: bool,
) -> Sequences:
    asks_next = options.kind == "next_step" or (roles.target is not None and roles.target in roles.features)
    if asks_next:
        return next_values(table, roles, options, order, columns, origin, needs_target)
    if roles.target is None:
        if needs_target:
            _refuse_no_target(table, roles, columns)
        return assemble(columns, order.offsets, require_kind(options.kind), origin)
    if not needs_target and table.column(roles.target).null_count():
        return assemble(columns, order.offsets, require_kind(options.kind), origin)
    targets = _targets(table, roles.target, roles.sequence, options.kind, order)
    return assemble(columns, order.offsets, targets, origin)


def _targets(table: Table, target: str, sequence: str | None, kind: Kind | None, order: Order) -> Targets:
    series = table.column(target)
    per_step = _is_per_step(table, target, sequence, kind, order)
    chosen = order.rows if per_step else order.rows[order.offsets[:-1]]
    return to_targets(series[chosen], target, lambda i: table.where(int(chosen[i]), target), kind, per_step)


def _is_per_step(table: Table, target: str, sequence: str | None, kind: Kind | None, order: Order) -> bool:
    """Whether the target changes within sequences; a few changes among many constants are an error."""
    changes = changes_within(codes_of(table.column(target))[0], order)
    if kind in PER_STEP or sequence is None:
        return True
    if not len(changes):
        return False
    changed = len(np.unique(np.searchsorted(order.offsets, changes, side="right")))
    several = int((np.diff(order.offsets) > 1).sum())
    if kind is None and changed > (1 - MOSTLY_CONSTANT) * several:
        return True
    others = "" if kind else f" (it is the same in {several - changed} of {several} sequences)"
    move = "Correct the row, or use --kind tagging or step_regression if every step has a target of its own."
    return refuse_not_constant(table, target, order, int(changes[0]), f"one target per sequence{others}", move)


def _refuse_no_target(table: Table, roles: Roles, columns: Sequence[Column]) -> NoReturn:
    if roles.time and len(columns) == 1 and columns[0].numeric:
        refuse_forecasting(table, columns[0].name, ReadOptions())
    raise DataError(
        "no column is the target",
        where=table.source,
        expected="a column named target, label or y",
        next_move="Name it with --target (columns: " + _listed(table.frame.columns) + "); for the next value of a "
        "column of names use --kind next_step.",
    )
