"""SQLite, and the one place where its errors become ours. A reader never writes, not even beside the file.

The journal is a rollback journal, not a write-ahead log: that log leaves two files which readers rewrite, and fails on
network disks. A trial takes longer than its commit.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from leadline.aside import shown
from leadline.errors import OutputError, RunFolderError

PATIENCE_SECONDS = 5.0
"""As long as another program may hold the file for one look."""

_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_MAGIC = b"SQLite format 3\0"
_WRITE_AHEAD = b"\2\2"
"""Bytes 18 and 19 of a file that was written with a write-ahead log (https://www.sqlite.org/fileformat.html)."""

Row = tuple[Any, ...]


class Database:
    """A file of tables, open for writing.

    Args:
        path: made where it is not there.
        tables: what it holds: names and the statements that make them.

    Raises:
        RunFolderError: damaged, another program's, or held by another program.
        OutputError: it cannot be written to.
    """

    def __init__(self, path: Path, tables: dict[str, str]) -> None:
        self.path = path
        with _told(path):
            _require_format(path)
            self._base = sqlite3.connect(path, timeout=PATIENCE_SECONDS)
        try:
            with _told(path):
                self._prepare(tables)
        except BaseException:  # whatever it was: the file is not to stay open
            self.close()
            raise

    def _prepare(self, tables: dict[str, str]) -> None:
        _require_whole(self._base, self.path)
        _require_own(self._base, self.path, tables)
        self._base.execute("pragma journal_mode=delete")
        for statement in tables.values():
            self._base.execute(statement)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """What a question finds."""
        with _told(self.path):
            return self._base.execute(sql, values).fetchall()

    def write(self, *statements: tuple[str, Sequence[Any]]) -> None:
        """All of the statements, or none."""
        with _told(self.path), self._base:
            for sql, values in statements:
                self._base.execute(sql, values)

    def close(self) -> None:
        """Close the file."""
        self._base.close()


def read_rows(path: Path, sql: str) -> list[Row]:
    """What a question finds in a file that is not written to, nor anything beside it.

    Raises:
        RunFolderError: damaged, another program's, or held by another program.
    """
    with _told(path):
        _require_format(path)
        if not _has_log(path):
            try:
                return _read(path, sql)
            except sqlite3.OperationalError as error:
                # A killed run left a journal, which would have to be played back here.
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                    raise
        with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
            return _read(_played_back(path, Path(folder)), sql)


def _read(path: Path, sql: str) -> list[Row]:
    base = sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True, timeout=PATIENCE_SECONDS)
    with closing(base):
        return base.execute(sql).fetchall()


def _played_back(path: Path, folder: Path) -> Path:
    """A copy of the file in which nothing is left to be played back."""
    for beside in ("", "-journal", "-wal"):
        source = path.with_name(path.name + beside)
        if source.exists():
            shutil.copyfile(source, folder / source.name)
    with closing(sqlite3.connect(folder / path.name)) as base:
        base.execute("pragma journal_mode=delete")
        base.execute("select count(*) from sqlite_master").fetchall()
    return folder / path.name


def _has_log(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(20)[18:20] == _WRITE_AHEAD


def is_empty(path: Path) -> bool:
    """Whether there is a file with nothing in it."""
    with _told(path):
        return path.is_file() and path.stat().st_size == 0


def _require_format(path: Path) -> None:
    """SQLite takes a file of a few bytes for an empty one, and writes over it; a pipe it would wait for."""
    if not path.exists() or is_empty(path):
        return
    if not path.is_file():
        raise damaged(path, "it is not a plain file")
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise damaged(path, "it does not begin as SQLite's files do")


def _require_whole(base: sqlite3.Connection, path: Path) -> None:
    said = [str(row[0]) for row in base.execute("pragma quick_check(1)")]
    if said != ["ok"]:
        raise damaged(path, said[0] if said else "it cannot be checked")


def _require_own(base: sqlite3.Connection, path: Path, tables: dict[str, str]) -> None:
    """A file of another program is not added to."""
    names = {str(row[0]) for row in base.execute("select name from sqlite_master where name not like 'sqlite_%'")}
    others = sorted(names - tables.keys())
    if others:
        raise damaged(path, f"it holds {others[0]!r}")


def damaged(path: Path, said: object) -> RunFolderError:
    """The error of a file whose content is not ours."""
    return RunFolderError(
        f"this is no ledger that can be read ({said})",
        where=shown(path),
        expected="the list of finished trials that `leadline advise` wrote",
        next_move="Put back a copy. Or move the file away: verdict, pages and model stay as they are, and the same "
        "command trains everything again.",
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Whatever SQLite says, as an error of ours."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the lower byte names the kind
        if code in _HELD:
            raise RunFolderError(
                f"another program holds this file ({error})", where=shown(path), next_move="End it, or wait for it."
            ) from error
        if code in _NO_ROOM:
            raise OutputError(
                f"SQLite cannot work here ({error})",
                where=shown(path),
                expected="a folder on a disk that has room and may be written to",
                next_move="Make room, or give --out another folder; the same command goes on from what is finished.",
            ) from error
        raise damaged(path, error) from error
    except (OSError, OverflowError) as error:
        raise damaged(path, error) from error
