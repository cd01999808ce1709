"""Whatever holds sequences, as `Sequences`, and how a model's own data were read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from leadline.aside import shown
from leadline.data.arrays import from_arrays
from leadline.data.datasets.letters import letters
from leadline.data.frames import read_frame
from leadline.data.options import ReadOptions
from leadline.data.read import read_settled
from leadline.data.sequences import Sequences
from leadline.errors import ModelError, OptionError
from leadline.records.stored import read_record
from leadline.study.advise import READING

LETTERS = ReadOptions(layout="words", tokens="char", kind="tagging")


def load_data(
    data: Any = None,
    targets: Any = None,
    *,
    read_options: ReadOptions | None = None,
    test: str | Path | None = None,
    subset: int | None = None,
    **arrays: Any,
) -> Sequences:
    """Whatever holds sequences, as `Sequences`.

    Args:
        data: None for the embedded letters to sounds; a path; a data frame; a list of arrays (seq, feature), of
            strings or of token lists; an array (batch, seq, feature); or `Sequences`.
        targets: one per sequence, or a list of one array per sequence; with arrays and lists only.
        read_options: what to take from a file or frame.
        test: a second file, for the test part.
        subset: so many words of the embedded data set.
        arrays: further arguments of `leadline.from_arrays`: lengths, groups, parts, ids, kind, name.

    Raises:
        OptionError: arguments that do not go together.
    """
    return load_settled(data, targets, read_options=read_options, test=test, subset=subset, **arrays)[0]


def load_settled(
    data: Any,
    targets: Any = None,
    *,
    read_options: ReadOptions | None = None,
    test: str | Path | None = None,
    subset: int | None = None,
    **arrays: Any,
) -> tuple[Sequences, ReadOptions]:
    """`load_data`, and the options that read more files of the same form without inferring anything again."""
    options = read_options or ReadOptions()
    in_memory = isinstance(data, np.ndarray | list | tuple)
    if not in_memory and (arrays or targets is not None):
        raise OptionError(
            f"{', '.join(arrays) or 'targets'} with data that are no arrays",
            expected="an option of this call",
            next_move="Correct its name or leave it out; what to take from a file or a frame goes into read_options.",
        )
    if subset is not None and data is not None:
        raise OptionError("subset with data of your own", expected="subset with the embedded data set only")
    if test is not None and not isinstance(data, str | Path):
        raise OptionError("a test file without a data file", expected="both as paths")
    if isinstance(data, str | Path):
        return read_settled(data, options, test)
    if data is None:
        return letters(subset), LETTERS
    if isinstance(data, Sequences):
        return data, options
    if in_memory:
        return from_arrays(data, targets, **arrays), options
    return read_frame(data, options), options


def reading_of(path: Path) -> ReadOptions:
    """The options that a model's own data were read with.

    Raises:
        ModelError: they are not beside it, or damaged.
    """
    for folder in (path, path / "model"):
        if os.path.exists(folder / READING):
            again = "The command that wrote the model writes it again."
            return read_record(folder / READING, ReadOptions, refuse=ModelError, next_move=again)
    raise ModelError(f"no {READING}", where=shown(path), expected="a run folder or a model folder that Leadline wrote")
