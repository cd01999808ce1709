"""A task as any user's file: one row per step, with the columns that reading knows without an option."""

from __future__ import annotations

import io
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline import aside
from leadline.data.sequences import Sequences
from leadline.errors import OptionError

SUFFIXES = (".csv", ".jsonl", ".ndjson", ".parquet")


def write(data: Sequences, path: Path) -> None:
    """Write the sequences in long form: `id`, `t`, `group` where there are groups, the features, the target.

    Args:
        data: sequences with targets. Where the next symbol is asked, the last target is the last step.
        path: a `.csv`, `.jsonl`, `.ndjson` or `.parquet` file.

    Raises:
        OptionError: another suffix.
        OutputError: the file cannot be written; what stood there before stands there still.
    """
    if path.suffix not in SUFFIXES:
        raise OptionError(
            f"the suffix '{path.suffix}'",
            where=str(path),
            expected="one of " + ", ".join(SUFFIXES),
            next_move="Name the file accordingly.",
        )
    frame, made = table(data), io.BytesIO()
    if path.suffix == ".csv":
        frame.write_csv(made)
    elif path.suffix == ".parquet":
        frame.write_parquet(made)
    else:
        frame.write_ndjson(made)
    aside.write_bytes(path, made.getvalue())


def table(data: Sequences) -> pl.DataFrame:
    """The sequences as a table with a row per step."""
    targets = _targets(data)
    lengths = data.lengths + (data.kind == "next_step")
    owner = np.repeat(np.arange(len(data)), lengths)
    starts = np.cumsum(lengths) - lengths
    columns = {"id": pl.Series(data.ids)[owner], "t": np.arange(len(owner)) - starts[owner]}
    if data.groups is not None:
        columns["group"] = pl.Series(np.unique(data.groups, return_inverse=True)[1][owner])
    if data.kind == "next_step":
        return pl.DataFrame(columns | _followed(data, targets))
    for place, name in enumerate(data.numeric_names):
        columns[name] = data.numeric[:, place]
    for place, column in enumerate(data.category_columns):
        columns[column.name] = pl.Series(column.vocabulary)[data.categories[:, place]]
    shown = targets if data.per_step else targets[owner]
    columns["label" if data.classes else "target"] = pl.Series(data.classes)[shown] if data.classes else shown
    return pl.DataFrame(columns)


def _targets(data: Sequences) -> NDArray[Any]:
    if data.targets is None:
        raise OptionError("sequences without targets", where=data.name, expected="a target for each")
    return data.targets


def _followed(data: Sequences, targets: NDArray[Any]) -> dict[str, pl.Series]:
    """The symbols of a next-step task, the last target after its last step."""
    column = data.category_columns[0]
    rows = np.insert(data.categories[:, 0], data.offsets[1:], targets[data.offsets[1:] - 1])
    return {column.name: pl.Series(column.vocabulary)[rows]}


def command(data: Sequences, path: Path) -> str:
    """The command that studies the file that `write` made of `data`."""
    options = ["--kind", "next_step"] if data.kind == "next_step" else []
    return shlex.join(["leadline", "advise", str(path), *options])
