"""The options that read more data of the same form, when nothing may be inferred anew."""

from __future__ import annotations

from dataclasses import replace

from leadline.data.options import Layout, ReadOptions
from leadline.data.sequences import Sequences


def settle(options: ReadOptions, sequences: Sequences, layout: Layout | None) -> ReadOptions:
    """`options` with what was inferred for `sequences` fixed.

    The kind, the layout, the target and the type of each column then no longer depend on the values in the
    next file.

    Args:
        options: what the sequences were read with.
        sequences: what came of it.
        layout: the layout that was used; None where it is not known, and to be inferred again.
    """
    settled = replace(options, kind=sequences.kind, layout=layout)
    if layout == "text" or options.without_target:
        return settled
    if layout == "words":
        numbered = sequences.target_name.startswith("column_")
        return replace(settled, target=sequences.target_name) if numbered else settled
    settled = replace(settled, target=sequences.target_name)
    if layout == "lines":
        words = any(column.form == "word" for column in sequences.category_columns)
        return replace(settled, tokens="word" if words else "char")
    if layout == "wide":
        channels = len(sequences.numeric_names) + len(sequences.category_columns)
        return replace(settled, channels=options.channels or (None if channels > 1 else 1))
    return _with_types(settled, sequences) if layout == "long" else settled


def _with_types(options: ReadOptions, sequences: Sequences) -> ReadOptions:
    named = {column.name for column in sequences.category_columns} | set(options.categorical)
    numbers = set(sequences.numeric_names) | set(options.numeric)
    return replace(options, categorical=tuple(sorted(named - numbers)), numeric=tuple(sorted(numbers)))


def like(sequences: Sequences, options: ReadOptions) -> ReadOptions:
    """As `settle`, for sequences whose layout nobody kept: it is told from `options` or from their columns.

    `leadline.data.read.read_settled` knows the layout, and is to be preferred for files.
    """
    return settle(options, sequences, options.layout or _layout_of(sequences))


def _layout_of(sequences: Sequences) -> Layout | None:
    names = [column.name for column in sequences.category_columns]
    words = any(column.form == "word" for column in sequences.category_columns)
    if sequences.numeric_names or not names:
        return None
    if sequences.kind == "tagging":
        return "words" if words or names == ["letter"] else None
    if names == ["character"]:
        return "text" if sequences.kind == "next_step" else "lines"
    return "lines" if words else None
