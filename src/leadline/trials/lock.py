"""The lock of a run folder: whoever writes into it holds it, from the first trial to the last page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from leadline import aside
from leadline.errors import RunFolderError

LOCK = "lock"
LEDGER = "ledger.sqlite"
OWN_FOLDERS = ("model", "finals", "pairs")
OWN_FILES = (LEDGER, "verdict.json", "report.html", "findings.json", "layers.html", "steps.json")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder, which is made where it is not there, and sweep out what a killed run left aside.

    Raises:
        RunFolderError: another process, or another thread, works in it.
        OutputError: it cannot be made or written to.
    """
    aside.make_folder(folder)
    lock = FileLock(folder / LOCK)
    with aside.told(folder / LOCK):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:  # before `told` sees it: it is an OSError
            raise RunFolderError(
                "another process works in this run folder",
                where=aside.shown(folder),
                next_move="Wait for it, or give --out another folder.",
            ) from error
    try:
        _require_order(folder)
        _sweep(folder)
        yield
    finally:
        lock.release()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold a folder that pages are written into, where it is a run folder; any other belongs to the user.

    Raises:
        RunFolderError: another process works in it.
        OutputError: it is a run folder that cannot be written to.
    """
    if os.path.exists(folder / LEDGER):
        with locked(folder):
            yield
    else:
        yield


def _require_order(folder: Path) -> None:
    """Refuse, before a study is paid for, a folder in which its results could not be put down."""
    wrong = [folder / name for name in OWN_FOLDERS if _is_other(folder / name)]
    wrong += [folder / name for name in OWN_FILES if os.path.isdir(folder / name)]
    if wrong:
        kind = "a file" if wrong[0].name in OWN_FOLDERS else "a folder"
        raise RunFolderError(
            f"{kind} stands where a study writes",
            where=aside.shown(wrong[0]),
            expected="a folder that Leadline made",
            next_move="Move it away, or give --out another folder.",
        )


def _is_other(path: Path) -> bool:
    """Something that is no folder; a link at `model` is replaced."""
    return os.path.lexists(path) and not os.path.isdir(path) and not (path.name == "model" and path.is_symlink())


def _sweep(folder: Path) -> None:
    """Nobody else writes here while the lock is held: whatever lies aside, however new, was left."""
    aside.sweep(folder)
    for name in OWN_FOLDERS:
        for inner in (folder / name, *(folder / name).glob("*/")):
            aside.sweep(inner)
