"""The run folder's ledger: an append-only list of finished trials in SQLite. The only writer.

A trial is on disk as soon as it is finished; its key is a digest of what was trained, so the same trial is never
run twice, and a study that was killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from leadline.aside import shown
from leadline.errors import RunFolderError
from leadline.records.stored import parse, read_record
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import Verdict
from leadline.trials.database import Database, Row, damaged, is_empty, read_rows
from leadline.trials.lock import LEDGER, locked

FILE = LEDGER
_TABLES = {
    "facts": "create table if not exists facts (name text primary key, value text not null)",
    "trials": "create table if not exists trials "
    "(key text primary key, number integer not null, trial text not null, result text not null)",
}
T = TypeVar("T")
_ALL = "select trial, result from trials order by number"
_PUT = "insert or replace into facts values (?, ?)"
_ADD = "insert or replace into trials select ?, coalesce(max(number), 0) + 1, ?, ? from trials"


def key(trial: Trial) -> str:
    """Digest of everything that the result depends on."""
    return hashlib.blake2b(trial.model_dump_json().encode(), digest_size=12).hexdigest()


def model_folder(folder: Path, trial: Trial) -> Path:
    """Where the model of a trial of a run folder lies, if it was kept."""
    return folder / ("finals" if trial.final else "looks") / key(trial)


class Ledger:
    """An open run folder.

    Args:
        folder: made if it is not there.
        identity: what the study is about (data fingerprint, options that decide): a folder made for another
            study is refused.
        held: whether the caller holds the lock of the folder already.

    Raises:
        RunFolderError: another process has it open, it belongs to another study, or its ledger is damaged.
        OutputError: it cannot be made or written to.
    """

    def __init__(self, folder: Path, identity: dict[str, str], *, held: bool = False) -> None:
        self.folder = folder
        self._path = folder / FILE
        with ExitStack() as opened:
            if not held:
                opened.enter_context(locked(folder))
            _require_begun(folder)
            self._base = Database(self._path, _TABLES)
            opened.callback(self._base.close)
            self._check(identity)
            self._trials()
            self._opened = opened.pop_all()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back."""
        self._opened.close()

    def find(self, trial: Trial) -> TrialResult | None:
        """The result of a trial that is finished."""
        rows = self._base.rows("select result from trials where key = ?", (key(trial),))
        return _parsed(self._path, rows[0][0], TrialResult) if rows else None

    def add(self, trial: Trial, result: TrialResult, elapsed: float) -> None:
        """Write a finished trial, and the time the study has taken so far."""
        row = key(trial), trial.model_dump_json(), result.model_dump_json()
        self._base.write((_ADD, row), (_PUT, ("elapsed", repr(elapsed))))

    def model_folder(self, trial: Trial) -> Path:
        """Where the model of a final trial lies, or of one that is kept."""
        return model_folder(self.folder, trial)

    def elapsed(self) -> float:
        """Seconds that earlier runs on this folder took."""
        known = self.fact("elapsed") or "0"
        try:
            seconds = float(known)
        except ValueError as error:
            raise damaged(self._path, error) from error
        if not 0 <= seconds < float("inf"):
            raise damaged(self._path, f"it took {seconds} seconds")
        return seconds

    def fact(self, name: str) -> str | None:
        """A named text."""
        rows = self._base.rows("select value from facts where name = ?", (name,))
        return str(rows[0][0]) if rows else None

    def note(self, name: str, value: str) -> None:
        """Keep a named text."""
        self._base.write((_PUT, (name, value)))

    def __len__(self) -> int:
        return int(self._base.rows("select count(*) from trials")[0][0])

    def _trials(self) -> list[tuple[Trial, TrialResult]]:
        """All rows; a foreign one is found when the folder is opened, before more is trained."""
        return _known(self._path, self._base.rows(_ALL))

    def _check(self, identity: dict[str, str]) -> None:
        text = json.dumps(identity, sort_keys=True)
        known = self.fact("identity")
        if known is None:
            self.note("identity", text)
        elif known != text:
            before = _parsed(self._path, known, dict[str, str])
            other = [name for name in sorted({*identity, *before}) if identity.get(name) != before.get(name)]
            raise RunFolderError(
                "this run folder belongs to another study; different: " + ", ".join(other),
                where=shown(self.folder),
                next_move="Give --out another folder.",
            )


def _require_begun(folder: Path) -> None:
    """An empty file beside what a study left is a damaged ledger: SQLite would begin a new one in it."""
    path = folder / FILE
    if is_empty(path) and any(os.path.exists(folder / name) for name in ("verdict.json", "finals", "pairs")):
        raise damaged(path, "the file is empty")


def _parsed(path: Path, text: object, kind: type[T]) -> T:
    try:
        return parse(text, kind)  # type: ignore[arg-type]
    except RunFolderError as error:
        raise damaged(path, f"a row is {error.problem}") from error


def read_trials(folder: Path) -> list[tuple[Trial, TrialResult]]:
    """Every finished trial of a run folder, in the order in which they ended; nothing is locked or written.

    Raises:
        RunFolderError: no ledger there, or a damaged one.
    """
    path = folder / FILE
    if not os.path.exists(path):
        raise RunFolderError(
            f"no {FILE}", where=shown(folder), expected="a run folder", next_move="Run `leadline advise` first."
        )
    return _known(path, read_rows(path, _ALL))


def _known(path: Path, rows: list[Row]) -> list[tuple[Trial, TrialResult]]:
    return [(_parsed(path, trial, Trial), _parsed(path, result, TrialResult)) for trial, result in rows]


def read_verdict(folder: Path) -> Verdict:
    """The verdict of a run folder.

    Args:
        folder: the run folder, or its `verdict.json`.

    Raises:
        RunFolderError: no verdict there, or a damaged one.
    """
    path = folder / "verdict.json" if os.path.isdir(folder) else folder
    if not os.path.exists(path):
        raise RunFolderError(
            "no verdict.json",
            where=shown(folder),
            expected="a run folder",
            next_move="Run `leadline advise` first.",
        )
    return read_record(path, Verdict, next_move="The same `leadline advise` command writes it again from the ledger.")
