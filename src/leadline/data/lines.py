"""Label and text per line."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.data.assemble import Origin, assemble, group_codes, refuse_kind, require_kind
from leadline.data.columns import Column, Form, as_text
from leadline.data.limits import check_characters
from leadline.data.options import ReadOptions, Tokens
from leadline.data.parts import to_parts
from leadline.data.roles import Roles, find_roles
from leadline.data.sequences import Sequences
from leadline.data.table import Table
from leadline.data.targets import Targets, to_targets
from leadline.data.text import char_codes
from leadline.errors import DataError
from leadline.records.trial import Kind

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def lines_table(text: str, source: str, needs_target: bool) -> Table:
    """The table (label, text) of a text with `label<TAB>text` on each line.

    Tabs at the end of a line are dropped; a text in quotes ends with them, as spreadsheets write it.

    Raises:
        DataError: a line without tab or without text.
    """
    numbered = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    numbers = [number for number, _ in numbered]
    rows = [line.rstrip("\t").split("\t", 1) for _, line in numbered]
    if not needs_target and all(len(row) == 1 for row in rows):
        frame = pl.DataFrame({"text": [_unquoted(row[0]) for row in rows]}, schema={"text": pl.String})
        return Table(frame, source, lambda row: f"line {numbers[row]}")
    for number, row in zip(numbers, rows, strict=True):
        if len(row) == 1:
            raise DataError(
                f"there is no text after the label '{row[0][:40]}'",
                where=f"{source}, line {number}",
                expected="label, tab, text",
                next_move="Complete the line or delete it; an empty text has nothing to read.",
            )
    labels, texts = [row[0] for row in rows], [_unquoted(row[1]) for row in rows]
    frame = pl.DataFrame({"label": labels, "text": texts}, schema={"label": pl.String, "text": pl.String})
    return Table(frame, source, lambda row: f"line {numbers[row]}")


def _unquoted(text: str) -> str:
    cell = text.split("\t", 1)[0]
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if quoted else text


def line_sequences(table: Table, name: str, options: ReadOptions, needs_target: bool) -> Sequences:
    """One sequence per text, a step per character or per word, with one target per text.

    Args:
        table: columns with the text and the label.
        name: title of the data.
        options: `tokens` says what a step is; by default words where half of the texts hold three or more.
        needs_target: False when the texts are only to be predicted.

    Raises:
        DataError: no text column, an empty text; see `leadline.data.read.read` for the target.
    """
    refuse_kind(options.kind, ("classification", "regression"), table.source, "a label and a text per line")
    roles = find_roles(table, options, needs_target)
    column = roles.text or _only_text(table, roles)
    texts = _texts(table, column)
    check_characters(sum(map(len, texts)), options, table.source)
    tokens, why = _tokens(texts, options.tokens)
    steps, offsets = _steps(texts, tokens)
    _refuse_empty(table, column, np.diff(offsets))
    unused = [feature for feature in roles.features if feature != column]
    left = [f"Columns beside the text are not used: {', '.join(unused)}."] if unused else []
    origin = _origin(table, roles, name, (*table.notes, *roles.notes, *left, *why))
    form: Form = "word" if tokens == "word" else "category"
    return assemble([steps], offsets, _targets(table, roles, options, needs_target), origin, form)


def _only_text(table: Table, roles: Roles) -> str:
    texts = [feature for feature in roles.features if table.column(feature).dtype == pl.String]
    if len(texts) != 1:
        raise DataError(
            f"{len(texts)} columns could be the text",
            where=table.source,
            expected="a column named text",
            next_move="Name it with --text.",
        )
    return texts[0]


def _texts(table: Table, column: str) -> list[str]:
    return [text or "" for text in as_text(table.column(column)).to_list()]


def _tokens(texts: Sequence[str], asked: Tokens | None) -> tuple[Tokens, list[str]]:
    words = np.array([text.count(" ") for text in texts[:2000]])
    inferred: Tokens = "word" if np.median(words) >= 2 else "char"
    tokens = asked or inferred
    notes = [] if asked else [f"A step is a {'word' if tokens == 'word' else 'character'} (--tokens overrules)."]
    if tokens == "word":
        notes.append("Words are lower-cased; marks are words of their own.")
    return tokens, notes


def _steps(texts: Sequence[str], tokens: Tokens) -> tuple[Column, NDArray[np.int64]]:
    if tokens == "char":
        codes, vocabulary = char_codes("".join(texts))
        lengths = [len(text) for text in texts]
        return Column("character", codes, vocabulary, 0), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return word_column([WORD.findall(text.lower()) for text in texts], "word")


def word_column(rows: Sequence[Sequence[str]], name: str) -> tuple[Column, NDArray[np.int64]]:
    """The words of all rows as one column, and where each row starts."""
    vocabulary = sorted({word for row in rows for word in row})
    index = {word: code for code, word in enumerate(vocabulary)}
    codes = np.array([index[word] for row in rows for word in row], dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Column(name, codes, tuple(vocabulary), 0), offsets


def _refuse_empty(table: Table, column: str, lengths: NDArray[np.int64]) -> None:
    empty = lengths == 0
    if empty.any():
        raise DataError(
            f"the text is empty ({int(empty.sum())} such rows)",
            where=table.where(int(np.argmax(empty)), column),
            expected="at least one character or word",
            next_move="Delete the row; an empty text has nothing to read.",
        )


def _origin(table: Table, roles: Roles, name: str, notes: tuple[str, ...]) -> Origin:
    ids = [str(i + 1) for i in range(table.frame.height)]
    if roles.sequence:
        ids = [key or str(i + 1) for i, key in enumerate(as_text(table.column(roles.sequence)).to_list())]
    groups = group_codes(table.column(roles.group)) if roles.group else None
    parts = None
    if roles.split:
        names = as_text(table.column(roles.split)).to_list()
        parts, more = to_parts(names, lambda row: table.where(row, roles.split))
        notes = (*notes, *more)
    return Origin(name, table.source, tuple(ids), roles.target or "label", groups, parts, notes)


def _targets(table: Table, roles: Roles, options: ReadOptions, needs_target: bool) -> Targets | Kind:
    target = roles.target
    if target is None and needs_target:
        raise DataError(
            "no column is the target",
            where=table.source,
            expected="a column named target, label or y",
            next_move="Name it with --target.",
        )
    if target is None or (not needs_target and table.column(target).null_count()):
        return require_kind(options.kind)
    return to_targets(table.column(target), target, lambda row: table.where(row, target), options.kind, per_step=False)
