"""The run folder's ledger: an append-only list of finished trials in SQLite (WAL). The only writer.

A trial is on disk as soon as it is finished; its key is a digest of what was trained, so the same trial is never
run twice, and a study that was killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from leadline.errors import RunFolderError
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import Verdict

FILE = "ledger.sqlite"
_TABLES = """
create table if not exists facts (name text primary key, value text not null);
create table if not exists trials (
    key text primary key, number integer not null, trial text not null, result text not null
);
"""


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

    Raises:
        RunFolderError: another process has it open, or it belongs to another study.
    """

    def __init__(self, folder: Path, identity: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = FileLock(folder / "lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise RunFolderError(
                "another process works in this run folder",
                where=str(folder),
                next_move="Wait for it, or give --out another folder.",
            ) from error
        self._base = sqlite3.connect(folder / FILE)
        self._base.execute("pragma journal_mode=wal")
        self._base.executescript(_TABLES)
        self._check(identity)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the folder back."""
        self._base.close()
        self._lock.release()

    def find(self, trial: Trial) -> TrialResult | None:
        """The result of a trial that is finished."""
        row = self._base.execute("select result from trials where key = ?", (key(trial),)).fetchone()
        return TrialResult.model_validate_json(row[0]) if row else None

    def add(self, trial: Trial, result: TrialResult, elapsed: float) -> None:
        """Write a finished trial, and the time the study has taken so far."""
        with self._base:
            self._base.execute(
                "insert or replace into trials select ?, coalesce(max(number), 0) + 1, ?, ? from trials",
                (key(trial), trial.model_dump_json(), result.model_dump_json()),
            )
            self._put("elapsed", repr(elapsed))

    def model_folder(self, trial: Trial) -> Path:
        """Where the model of a final trial lies, or of one that is kept."""
        return model_folder(self.folder, trial)

    def elapsed(self) -> float:
        """Seconds that earlier runs on this folder took."""
        return float(self.fact("elapsed") or 0.0)

    def fact(self, name: str) -> str | None:
        """A named text."""
        row = self._base.execute("select value from facts where name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def note(self, name: str, value: str) -> None:
        """Keep a named text."""
        with self._base:
            self._put(name, value)

    def __len__(self) -> int:
        return int(self._base.execute("select count(*) from trials").fetchone()[0])

    def _put(self, name: str, value: str) -> None:
        self._base.execute("insert or replace into facts values (?, ?)", (name, value))

    def _check(self, identity: dict[str, str]) -> None:
        text = json.dumps(identity, sort_keys=True)
        known = self.fact("identity")
        if known is None:
            self.note("identity", text)
        elif known != text:
            before = json.loads(known)
            other = [name for name in sorted({*identity, *before}) if identity.get(name) != before.get(name)]
            self.close()
            raise RunFolderError(
                "this run folder belongs to another study; different: " + ", ".join(other),
                where=str(self.folder),
                next_move="Give --out another folder.",
            )


def read_trials(folder: Path) -> list[tuple[Trial, TrialResult]]:
    """Every finished trial of a run folder, in the order in which they ended; nothing is locked or written.

    Raises:
        RunFolderError: no ledger there.
    """
    path = folder / FILE
    if not path.exists():
        raise RunFolderError(
            f"no {FILE}", where=str(folder), expected="a run folder", next_move="Run `leadline advise` first."
        )
    base = sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)
    try:
        rows = base.execute("select trial, result from trials order by number").fetchall()
    finally:
        base.close()
    return [(Trial.model_validate_json(t), TrialResult.model_validate_json(r)) for t, r in rows]


def read_verdict(folder: Path) -> Verdict:
    """The verdict of a run folder.

    Raises:
        RunFolderError: no verdict there.
    """
    path = folder / "verdict.json" if folder.is_dir() else folder
    if not path.exists():
        raise RunFolderError(
            "no verdict.json",
            where=str(folder),
            expected="a run folder",
            next_move="Run `leadline advise` first.",
        )
    return Verdict.from_json(path.read_text(encoding="utf-8"))
