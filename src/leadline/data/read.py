"""From a file to `Sequences`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from leadline.data import memory
from leadline.data.decoding import read_text
from leadline.data.delimited import delimited_table
from leadline.data.files import PARQUET, shown, suffix_of
from leadline.data.formats import open_table
from leadline.data.large import LARGE, large_table
from leadline.data.lines import line_sequences, lines_table
from leadline.data.long import long_sequences
from leadline.data.options import Layout, ReadOptions
from leadline.data.sequences import Sequences
from leadline.data.settle import settle
from leadline.data.sniff import Guess, guess_table, guess_text
from leadline.data.table import Table
from leadline.data.targets import require_two_classes
from leadline.data.text import text_sequences
from leadline.data.unite import unite
from leadline.data.wide import wide_sequences
from leadline.data.windows import limit_steps
from leadline.data.words import word_sequences
from leadline.errors import DataError

DEFAULTS = ReadOptions()
TEXT_TIMES, BINARY_TIMES = 5, 2
"""Memory that reading a file whole takes at the least, in sizes of the file: measured are 6 for text."""

UNNAMED = "The first line is data: the columns are called column_1, column_2 ... (--header overrules)."


def read(
    path: str | Path,
    options: ReadOptions = DEFAULTS,
    test: str | Path | None = None,
    *,
    needs_target: bool = True,
) -> Sequences:
    """The sequences in a file.

    Formats: CSV, TSV, Parquet and JSON lines in long form (a row per step) or wide form (a row per sequence);
    a label and a text per line; a word and its labels per line, or a token and its label with blank lines
    between sentences; plain text. Text files may be compressed (`.gz`). `docs/data.md` shows each.
    Everything that is inferred is said in `Sequences.notes`.

    Args:
        path: the file.
        options: what overrules the inferences.
        test: a second file of the same form, whose sequences become the test part.
        needs_target: False to read data that are only to be predicted: the target may then be missing, and
            `options.kind` says what it would be.

    Returns:
        The sequences, in the order in which they first appear.

    Raises:
        DataError: the file cannot be used as it is; the text names the file, the line or row, the column,
            what was expected and the next move.
        OptionError: options that do not exist or exclude each other.

    >>> import tempfile, pathlib
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "greetings.tsv"
    >>> _ = file.write_text("en\\tgood day to you\\nde\\tguten Tag auch\\n", encoding="utf-8")
    >>> words = read(file)
    >>> words.kind, words.classes, words.lengths.tolist()
    ('classification', ('de', 'en'), [4, 3])
    """
    return read_settled(path, options, test, needs_target=needs_target)[0]


def read_settled(
    path: str | Path,
    options: ReadOptions = DEFAULTS,
    test: str | Path | None = None,
    *,
    needs_target: bool = True,
) -> tuple[Sequences, ReadOptions]:
    """As `read`, with the options that read more files of the same form without inferring anything anew.

    A model keeps them (`dataclasses.asdict`, `ReadOptions.from_dict`) to read what it is to predict:
    `read(path, settled, needs_target=False)`.
    """
    sequences, layout = _read_whole(Path(path), options, needs_target)
    settled = settle(options, sequences, layout)
    if test is not None:
        sequences = unite(sequences, _read_whole(Path(test), settled, needs_target)[0])
    return (require_two_classes(sequences) if needs_target else sequences), settled


def _read_whole(path: Path, options: ReadOptions, needs_target: bool) -> tuple[Sequences, Layout]:
    try:
        return _read_one(path, options, needs_target)
    except MemoryError:
        raise DataError(
            "the memory does not suffice to read the file",
            where=shown(path),
            expected="about 50 bytes of memory for each cell, or each character of a text",
            next_move="Free memory, or take a part of the rows.",
        ) from None


def _read_one(path: Path, options: ReadOptions, needs_target: bool) -> tuple[Sequences, Layout]:
    name = options.name or _title(path)
    table = large_table(path, options, needs_target)
    if table is not None:
        return from_table(table if table.header else table.noted(UNNAMED), name, options, needs_target)
    _require_memory(path)
    table = open_table(path, options)
    if table is not None:
        return from_table(table, name, options, needs_target)
    text = read_text(path, options)
    guess = guess_text(text, suffix_of(path), options)
    return _from_text(text, path, name, guess, options, needs_target)


def _require_memory(path: Path) -> None:
    """Raise where a large file that is read whole surely does not fit into memory."""
    if path.is_file() and path.stat().st_size >= LARGE:
        times = BINARY_TIMES if suffix_of(path) in PARQUET else TEXT_TIMES
        memory.require(times * path.stat().st_size, str(path))


def _title(path: Path) -> str:
    name = Path(shown(path)).name
    return name.split(".")[0] or name


def _from_text(
    text: str, path: Path, name: str, guess: Guess, options: ReadOptions, needs_target: bool
) -> tuple[Sequences, Layout]:
    source = shown(path)
    if guess.layout == "text":
        return text_sequences(text, source, name, options, needs_target), "text"
    if guess.layout == "words":
        sequences = word_sequences(text, source, name, options, needs_target)
        noted = replace(sequences, notes=(*guess.notes, *sequences.notes))
        return limit_steps(noted, options.max_steps), "words"
    if guess.layout == "lines" and not guess.header and guess.separator == "\t":
        table = lines_table(text, source, needs_target).noted(*guess.notes)
        return _built("lines", table, name, options, needs_target)
    table = delimited_table(text, source, guess.separator, guess.header, options).noted(*guess.notes)
    if not guess.header:
        table = table.noted(UNNAMED)
    return from_table(table, name, options, needs_target)


def from_table(table: Table, name: str, options: ReadOptions, needs_target: bool) -> tuple[Sequences, Layout]:
    """The sequences of a table and its layout, which its columns tell where `options` do not."""
    layout, why = guess_table(table, options, needs_target)
    return _built(layout, table.noted(why) if why else table, name, options, needs_target)


def _built(
    layout: Layout, table: Table, name: str, options: ReadOptions, needs_target: bool
) -> tuple[Sequences, Layout]:
    if layout in ("words", "text"):
        raise DataError(
            f"layout '{layout}' is for text files",
            where=table.source,
            expected="layout long, wide or lines for a table",
            next_move="Leave --layout out, or name a text file.",
        )
    build = {"long": long_sequences, "wide": wide_sequences, "lines": line_sequences}[layout]
    return limit_steps(build(table, name, options, needs_target), options.max_steps), layout
