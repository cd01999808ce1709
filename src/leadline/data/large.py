"""Large tables in delimited text: read in blocks, each column kept in the smallest form that loses nothing.

Text that is read whole takes five times the memory of its file. Here the text of a block is let go as soon as its
columns are numbers, or indices into the names that occurred. Whatever is unusual (a row of another width, a byte that
is not UTF-8, line ends inside quotes) is left to the reading of whole files, which finds the words for it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import polars as pl

from leadline.data import memory
from leadline.data.columns import lost_numbers
from leadline.data.delimited import delimited_table, records
from leadline.data.files import JSON_LINES, PARQUET, shown, suffix_of
from leadline.data.keepers import Names, Nothing, NotNumbers, Numbers
from leadline.data.limits import check_cells, most_bytes, refuse_size
from leadline.data.options import ReadOptions
from leadline.data.roles import Roles, find_roles
from leadline.data.sniff import SAMPLE, Guess, guess_table, guess_text
from leadline.data.table import Table
from leadline.errors import DataError

LARGE = 64_000_000
"""Bytes from which on a file is read in blocks: below, its text takes less than half a GB and hardly more time."""

BLOCK = 32_000_000
"""Bytes of a block: enough for all cores to parse it, little beside what the columns of a large file take."""

HEAD = 1_000_000
"""Bytes that are looked at first, for the layout: `SAMPLE` lines of up to 2,500 characters."""

ROW_BYTES, CELL_BYTES = 44, 6
"""Memory that a row takes at the least until it is read, divided and encoded (its place in the order of steps, its
sequence, its time, its key), and each cell that is used. 20 million rows of six columns were measured to take 80 bytes
each."""

UTF_8 = (None, "utf-8", "utf8", "utf-8-sig")
MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Form:
    """What a file is, from its head: how it is written, which columns may be kept as numbers or left out, and how many
    bytes of memory a byte of it takes to read.
    """

    guess: Guess
    names: tuple[str, ...]
    time: str | None
    numbers: frozenset[str]
    unused: frozenset[str]
    bytes_per_byte: float


class _Unusual(Exception):  # noqa: N818 - a signal, not an error
    """This file is to be read whole."""


def large_table(path: Path, options: ReadOptions, needs_target: bool) -> Table | None:
    """The table in a large file with a row per step; None where the file is to be read whole.

    The columns hold what those of `delimited_table` hold: numbers as numbers (of features as float32), names as
    `polars.Enum`, and nothing in columns that no option and no role asks for.

    Args:
        path: the file.
        options: what overrules the inferences.
        needs_target: False when the sequences are only to be predicted.

    Raises:
        DataError: it is larger than the options allow, or memory will not do for it.
    """
    if not _may_be_large(path, options):
        return None
    most = most_bytes(options)
    if path.stat().st_size > most:
        raise refuse_size(most, shown(path), unpacked=False)
    try:
        with path.open("rb") as file:
            form = _form(file, path, options, needs_target)
    except (_Unusual, DataError, OSError):
        return None
    memory.require(form.bytes_per_byte * path.stat().st_size, str(path))
    try:
        table = _read(path, form)
        if guess_table(table, options, needs_target)[0] != "long":
            return None
    except (_Unusual, DataError, OSError, pl.exceptions.PolarsError):
        return None  # reading it whole says what is wrong, and where
    check_cells(table.frame.height, table.frame.width, options, shown(path))
    return table


def _may_be_large(path: Path, options: ReadOptions) -> bool:
    packed = path.suffix.lower() == ".gz" or suffix_of(path) in (*PARQUET, *JSON_LINES)
    encoding = options.encoding and options.encoding.lower().replace("_", "-")
    try:
        return not packed and encoding in UTF_8 and path.is_file() and path.stat().st_size >= LARGE
    except OSError:  # a name that is too long, a loop of links: opening it finds the words
        return False


def _form(file: BinaryIO, path: Path, options: ReadOptions, needs_target: bool) -> Form:
    """How the file is written, told from its first lines as it is from the whole."""
    head = file.read(HEAD)
    end = head.rfind(b"\n") + 1
    if b"\0" in head[:8192] or head.count(b"\n") <= SAMPLE:
        raise _Unusual
    try:
        text = _plain(head[:end].removeprefix(MARK)).decode()
    except UnicodeDecodeError:
        raise _Unusual from None
    guess = guess_text(text, suffix_of(path), options)
    if guess.layout not in (None, "long"):
        raise _Unusual
    first = delimited_table(text, str(path), guess.separator, guess.header, options)
    roles = find_roles(first, options, needs_target)
    if roles.sequence is None and roles.time is None:
        raise _Unusual
    return _with_uses(guess, first, roles, options, end / first.frame.height)


def _with_uses(guess: Guess, first: Table, roles: Roles, options: ReadOptions, width: float) -> Form:
    """The form, where a line has `width` bytes on average."""
    named = {roles.sequence, roles.group, roles.split, roles.target, roles.text, *options.categorical}
    used = {*named, *roles.features, roles.time}
    columns = first.frame.columns
    numbers = [name for name in columns if name in used - named and not _is_lost(first.frame[name])]
    unused = [name for name in columns if name not in used]
    needed = (ROW_BYTES + CELL_BYTES * (len(columns) - len(unused))) / width
    return Form(guess, tuple(columns), roles.time, frozenset(numbers), frozenset(unused), needed)


def _is_lost(series: pl.Series) -> bool:
    return bool(lost_numbers(series)[1].any())


def _read(path: Path, form: Form) -> Table:
    """The table; anew, where a column that began with numbers goes on with text."""
    numbers = form.numbers
    while True:
        keepers = {name: _keeper(name, form, numbers) for name in form.names}
        try:
            with path.open("rb") as file:
                for frame in _frames(file, form):
                    for name, keeper in keepers.items():
                        keeper.add(frame[name])
            columns = [keeper.series().alias(name) for name, keeper in keepers.items()]
        except NotNumbers as found:
            numbers -= {found.name}
            continue
        frame = pl.DataFrame(columns)
        if frame.height == 0:
            raise _Unusual
        source = _Source(path, form)
        return Table(frame, str(path), source.locate, form.guess.header, form.guess.notes, source.written)


def _frames(file: BinaryIO, form: Form) -> Iterator[pl.DataFrame]:
    """The rows of each block as text, empty ones and the header left out."""
    skipped = 0 if form.guess.header else 1
    for block in _blocks(file):
        frame = pl.read_csv(
            io.BytesIO(block),
            separator=form.guess.separator,
            has_header=False,
            new_columns=list(form.names),
            infer_schema=False,
        )
        quoted = b'"' in block
        if frame.width != len(form.names) or (quoted and frame.height != block.count(b"\n")):
            raise _Unusual
        if frame[:, -1].null_count() and _is_ragged(block, form):
            raise _Unusual
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
        if not skipped and frame.height:
            frame, skipped = frame.slice(1), 1
        yield frame


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The file in pieces that end with a line."""
    rest = file.read(len(MARK)).removeprefix(MARK)
    while data := file.read(BLOCK):
        end = data.rfind(b"\n") + 1
        if not end:
            raise _Unusual
        yield _plain(rest + data[:end])
        rest = data[end:]
    if rest.strip():
        yield _plain(rest + b"\n")


def _plain(data: bytes) -> bytes:
    """Line ends as "\\n"."""
    plain = data.replace(b"\r\n", b"\n") if b"\r" in data else data
    if b"\r" in plain:
        raise _Unusual
    return plain


def _is_ragged(block: bytes, form: Form) -> bool:
    """Whether a row has fewer cells than the first, rather than an empty last one."""
    width = len(form.names)
    return any(cells and len(cells) != width for _, cells in records(io.StringIO(block.decode()), form.guess.separator))


@dataclass(frozen=True)
class _Source:
    """The file, read again to say where a row is and what it holds; only an error asks."""

    path: Path
    form: Form

    def locate(self, row: int) -> str:
        return f"line {self._record(row)[0]}"

    def written(self, row: int, column: str) -> str | None:
        return self._record(row)[1][self.form.names.index(column)] or None

    def _record(self, row: int) -> tuple[int, list[str]]:
        wanted = row + int(self.form.guess.header)
        with self.path.open(encoding="utf-8-sig") as file:
            filled = (found for found in records(file, self.form.guess.separator) if any(found[1]))
            return next(islice(filled, wanted, None))


def _keeper(name: str, form: Form, numbers: frozenset[str]) -> Numbers | Names | Nothing:
    if name in form.unused:
        return Nothing()
    if name in numbers:
        return Numbers(name, pl.Float64 if name == form.time else pl.Float32)
    return Names()
