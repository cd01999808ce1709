"""Labels for the letters of words, or for the tokens of sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from leadline.data.assemble import Origin, assemble, refuse_kind, require_kind
from leadline.data.columns import Column
from leadline.data.limits import check_characters
from leadline.data.lines import word_column
from leadline.data.options import ReadOptions
from leadline.data.sequences import Sequences
from leadline.data.targets import Targets, to_targets
from leadline.data.text import char_codes
from leadline.errors import DataError

COLUMN = re.compile(r"^column_(\d+)$")
# No file has so many columns that their number has so many digits.
MOST_DIGITS = 10


@dataclass(frozen=True)
class Rows:
    """Filled lines, split into cells; `blocks` are (start, stop) of sentences between blank lines."""

    cells: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    blocks: tuple[tuple[int, int], ...]
    source: str

    def where(self, row: int, column: int | None = None) -> str:
        """Words for an error."""
        place = f"{self.source}, line {self.lines[row]}"
        return place if column is None else f"{place}, column {column + 1}"


def word_sequences(text: str, source: str, name: str, options: ReadOptions, needs_target: bool) -> Sequences:
    """Tagging: `word<TAB>a label per letter`, or `token<TAB>label` with a blank line after each sentence.

    Args:
        text: the whole file.
        source: its path.
        name: title of the data.
        options: `target` chooses the column of labels (`column_2` by default); `features` more columns of
            tokens; `separator` the character between columns (a tab, else spaces).
        needs_target: False when the words are only to be labelled.

    Raises:
        DataError: letters and labels of different number, a line without labels, a column that is not there.
    """
    refuse_kind(options.kind, ("tagging",), source, "a word and its labels per line")
    check_characters(len(text), options, source)
    rows = split_rows(text, source, options.separator)
    if len(rows.blocks) > 1:
        return _sentences(rows, name, options, needs_target)
    return _letters(rows, name, options, needs_target)


def split_rows(text: str, source: str, separator: str | None) -> Rows:
    """The lines of the text as cells and sentences."""
    between = separator or ("\t" if "\t" in text else None)
    cells, lines, blocks, start = [], [], [], 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip():
            cells.append(tuple(cell.strip() for cell in line.split(between)))
            lines.append(number)
        elif len(cells) > start:
            blocks.append((start, len(cells)))
            start = len(cells)
    return Rows(tuple(cells), tuple(lines), tuple(blocks), source)


def _target_place(rows: Rows, options: ReadOptions, needs_target: bool) -> int | None:
    width = max(len(cells) for cells in rows.cells)
    if options.without_target or (not needs_target and width == 1):
        return None
    return _place(rows, options.target or "column_2", width)


def _place(rows: Rows, name: str, width: int) -> int:
    match = COLUMN.match(name)
    if match and len(match[1]) < MOST_DIGITS and 1 <= int(match[1]) <= width:
        return int(match[1]) - 1
    raise DataError(
        f"there is no column '{name}'",
        where=f"{rows.source}, line {rows.lines[0]}, column '{name}'",
        expected=f"column_1 to column_{width}, the words in the first and their labels in another",
        next_move="Correct --target, or name what separates the columns with --separator.",
    )


def _cells(rows: Rows, place: int) -> list[str]:
    short = [i for i, cells in enumerate(rows.cells) if len(cells) <= place]
    if short:
        raise DataError(
            f"the line has {len(rows.cells[short[0]])} columns ({len(short)} such lines)",
            where=rows.where(short[0], place),
            expected=f"at least {place + 1} columns",
            next_move="Complete the line or delete it.",
        )
    return [cells[place] for cells in rows.cells]


def _letters(rows: Rows, name: str, options: ReadOptions, needs_target: bool) -> Sequences:
    words = _cells(rows, 0)
    _refuse_empty_words(rows, words)
    place = _target_place(rows, options, needs_target)
    codes, vocabulary = char_codes("".join(words))
    lengths = np.array([len(word) for word in words])
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    letters = Column("letter", codes, vocabulary, 0)
    notes = ["A step is a letter of the word in column 1."]
    if place is None:
        origin = Origin(name, rows.source, tuple(words), "label", notes=tuple(notes))
        return assemble([letters], offsets, require_kind(options.kind), origin)
    notes += _column_notes(rows, place, {0})
    targets = _letter_targets(rows, place, lengths, offsets)
    origin = Origin(name, rows.source, tuple(words), f"column_{place + 1}", notes=tuple(notes))
    return assemble([letters], offsets, targets, origin)


def _refuse_empty_words(rows: Rows, words: Sequence[str]) -> None:
    if "" in words:
        row = words.index("")
        raise DataError(
            "the word is empty",
            where=rows.where(row, 0),
            expected="at least one letter",
            next_move="Complete the line or delete it.",
        )


def _letter_targets(
    rows: Rows,
    place: int,
    lengths: np.ndarray[tuple[int], np.dtype[np.int64]],
    offsets: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Targets:
    labels = [_labels_of(cell, int(length)) for cell, length in zip(_cells(rows, place), lengths, strict=True)]
    for row, (given, length) in enumerate(zip(labels, lengths.tolist(), strict=True)):
        if len(given) != length:
            raise DataError(
                f"'{rows.cells[row][0]}' has {length} letters and {len(given)} labels",
                where=rows.where(row, place),
                expected="one label per letter, separated by spaces",
                next_move="Correct the line; a letter without a label of its own needs a filler such as _.",
            )
    series = pl.Series([label for given in labels for label in given], dtype=pl.String)

    def where(step: int) -> str:
        return rows.where(int(np.searchsorted(offsets, step, side="right")) - 1, place)

    return to_targets(series, f"column_{place + 1}", where, "tagging", per_step=True)


def _labels_of(cell: str, length: int) -> list[str]:
    """Labels separated by spaces, or one character each where there is no space."""
    return list(cell) if " " not in cell and len(cell) == length else cell.split()


def _sentences(rows: Rows, name: str, options: ReadOptions, needs_target: bool) -> Sequences:
    place = _target_place(rows, options, needs_target)
    width = max(len(cells) for cells in rows.cells)
    places = [0, *(_place(rows, feature, width) for feature in options.features if feature != "column_1")]
    columns = []
    for feature in places:
        column, _ = word_column([_cells(rows, feature)], "word" if feature == 0 else f"column_{feature + 1}")
        columns.append(column)
    offsets = np.array([0, *(stop for _, stop in rows.blocks)], dtype=np.int64)
    ids = tuple(str(i + 1) for i in range(len(rows.blocks)))
    notes = ["A step is a token, in column 1, as it is written; a blank line ends a sentence."]
    if place is None:
        origin = Origin(name, rows.source, ids, "label", notes=tuple(notes))
        return assemble(columns, offsets, require_kind(options.kind), origin, "word")
    notes += _column_notes(rows, place, set(places))
    target = f"column_{place + 1}"
    series = pl.Series(_cells(rows, place), dtype=pl.String)
    targets = to_targets(series, target, lambda row: rows.where(row, place), "tagging", per_step=True)
    origin = Origin(name, rows.source, ids, target, notes=tuple(notes))
    return assemble(columns, offsets, targets, origin, "word")


def _column_notes(rows: Rows, place: int, used: set[int]) -> list[str]:
    width = max(len(cells) for cells in rows.cells)
    unused = [f"column_{i + 1}" for i in range(width) if i != place and i not in used]
    notes = [f"The labels are in column_{place + 1} (--target overrules)."]
    if unused:
        notes.append(f"Not used: {', '.join(unused)}.")
    return notes
