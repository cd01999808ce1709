"""Long form, next-step: the target of a step is the next value of a column of names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from leadline.data.assemble import Origin, assemble, next_steps
from leadline.data.columns import Column, parse_numbers, to_column
from leadline.data.options import ReadOptions
from leadline.data.order import Order
from leadline.data.roles import Roles
from leadline.data.sequences import Sequences
from leadline.data.table import Table
from leadline.data.targets import MOST_CLASSES
from leadline.errors import DataError


def next_values(
    table: Table,
    roles: Roles,
    options: ReadOptions,
    order: Order,
    columns: Sequence[Column],
    origin: Origin,
    needs_target: bool,
) -> Sequences:
    name = roles.target or _only_name(table, columns)
    if options.kind not in (None, "next_step"):
        raise DataError(
            f"the target '{name}' is also a feature",
            where=table.where(None, name),
            expected="a target that is no feature, or --kind next_step",
            next_move="Take it out of --features.",
        )
    refuse_forecasting(table, name, options)
    column = to_column(table.column(name), name, lambda row: table.where(row, name), as_numeric=False)
    if column.missing:
        row = int(np.argmax(column.values < 0))
        raise DataError(
            f"the value is missing here ({column.missing} such rows)",
            where=table.where(row, name),
            expected="a value at every step, because it is the target of the step before",
            next_move="Fill it in, or delete the row.",
        )
    target = Column(name, column.values[order.rows], column.vocabulary, 0)
    inputs = [target, *(c for c in columns if c.name != name)]
    notes = (
        *origin.notes,
        f"Target: the next value of '{name}' ({len(target.vocabulary or ())} values), seen as a name.",
    )
    origin = Origin(origin.name, origin.source, origin.ids, name, origin.groups, origin.parts, notes)
    if needs_target:
        return next_steps(inputs, order.offsets, target, origin)
    return assemble(inputs, order.offsets, "next_step", origin)


def _only_name(table: Table, columns: Sequence[Column]) -> str:
    names = [column.name for column in columns if not column.numeric]
    if len(names) != 1:
        raise DataError(
            f"{len(names)} columns hold names",
            where=table.source,
            expected="one column whose next value is to be predicted",
            next_move="Name it with --target.",
        )
    return names[0]


def refuse_forecasting(table: Table, name: str, options: ReadOptions) -> None:
    parsed = parse_numbers(table.column(name))
    if parsed is None or parsed[1].any() or name in options.categorical:
        return
    numbers = parsed[0][~np.isnan(parsed[0])]
    if (numbers == np.round(numbers)).all() and len(np.unique(numbers)) <= MOST_CLASSES and options.kind:
        return
    raise DataError(
        "this asks for the next value of a numeric series: forecasting is not there yet",
        where=table.where(None, name),
        expected="names, or whole numbers that stand for names",
        next_move="Add a column that holds the value to predict at each step (the series shifted by the "
        "horizon) and use --kind step_regression; if the numbers stand for names, use --kind next_step "
        "--categorical.",
    )
