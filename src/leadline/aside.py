"""Files and folders written aside and renamed: who reads sees the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from leadline.errors import OutputError

PREFIX, SUFFIX = ".leadline-", ".aside"
STALE_SECONDS = 3600.0
"""No write of ours takes an hour: what is older was left by a run that was killed."""

_NEXT_MOVES = {
    errno.ENOSPC: "Make room, then give the same command again: what is finished stays.",
    errno.EDQUOT: "Make room, then give the same command again: what is finished stays.",
    errno.ENOENT: "Make its folder first, or give another place.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.EISDIR: "This is a folder: give the name of a file.",
    errno.ENOTDIR: "A file stands where a folder is needed: move it away, or give another place.",
    errno.EEXIST: "A file stands where a folder is needed: move it away, or give another place.",
}


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8; names in it that are not Unicode are written with backslashes.

    Raises:
        OutputError: it cannot be written; what stood there before stands there still.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file. A link is followed; what is not a plain file, such as /dev/stdout, is written to and not replaced.

    Raises:
        OutputError: it cannot be written; what stood there before stands there still.
    """
    with told(path):
        target = Path(os.path.realpath(path))
        if os.path.exists(target) and not os.path.isfile(target):
            with target.open("wb") as file:
                file.write(data)
            return
        sweep(target.parent, STALE_SECONDS)
        _write_all(target.parent, {target.name: data})


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write several files of a folder, which is made where it is not there; in order, once all are on disk aside.

    Raises:
        OutputError: they cannot be written; no file was changed, unless a renaming itself failed.
    """
    make_folder(folder)
    with told(folder):
        sweep(folder, STALE_SECONDS)
        _write_all(folder, files)


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    made = {name: _name_in(folder) for name in files}
    try:
        for name, data in files.items():
            with made[name].open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for name, path in made.items():
            os.replace(path, folder / name)
    finally:
        for path in made.values():
            path.unlink(missing_ok=True)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder beside `target` to fill, which takes its place at the end; removed where the body raises.

    Raises:
        OutputError: it cannot be made, or `target` is a file.
    """
    with told(target):
        made = _name_in(target.parent)
        made.mkdir(parents=True)
    try:
        yield made
        replace_folder(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def replace_folder(made: Path, target: Path) -> None:
    """Put the folder `made` in the place of `target`, on the same disk. A link is replaced, what it names stays.

    Raises:
        OutputError: it cannot be put there, or `target` is a file, which is never removed; what stood there before
            stands there still.
    """
    with told(target):
        if target.is_symlink():
            target.unlink()
        if not target.exists():
            os.rename(made, target)
            return
        if not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
        old = _name_in(target.parent)
        os.rename(target, old)
        try:
            os.rename(made, target)
        except OSError:
            os.rename(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)


def copy_files(source: Path, folder: Path) -> None:
    """Copy the files of a folder into another that is there.

    Raises:
        OutputError: they cannot be written.
    """
    with told(folder):
        for path in sorted(source.iterdir()):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it.

    Raises:
        OutputError: it cannot be made, or there is a file in its place.
    """
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)


def require_place(path: Path) -> None:
    """Refuse, before any work, a file that could not be written afterwards.

    Raises:
        OutputError: its folder is not there or may not be written to, or the path is a folder.
    """
    with told(path):
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not os.path.exists(target) or target.is_file():
            # Only an attempt tells: permissions say nothing of read-only disks, quotas and too long names.
            with contextlib.suppress(FileExistsError):
                target.open("xb").close()
                target.unlink()
            _try(target.parent)


def require_folder(folder: Path) -> None:
    """Make a folder that will be written to, or refuse it before any work.

    Raises:
        OutputError: it cannot be made or written to, or there is a file in its place.
    """
    make_folder(folder)
    with told(folder):
        _try(folder)


def _try(folder: Path) -> None:
    attempt = _name_in(folder)
    attempt.open("xb").close()
    attempt.unlink()


def sweep(folder: Path, seconds: float = 0.0) -> None:
    """Remove what killed runs left aside in a folder; where others may be writing, only what is older than that."""
    latest = time.time() - seconds
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        # Another process may have removed it, or may own it: then it is not ours to remove.
        with contextlib.suppress(OSError):
            if path.lstat().st_mtime > latest:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What the system says against writing to a path, as `OutputError`."""
    try:
        yield
    except OSError as error:
        known = "Give a place that you may write to, for instance with --out."
        raise OutputError(
            f"cannot be written ({error.strerror or error})",
            where=shown(path),
            expected="a place on a disk that has room and may be written to",
            next_move=_NEXT_MOVES.get(error.errno or 0, known),
        ) from error
    except ValueError as error:  # a zero character, in a path
        raise OutputError(f"cannot be the name of a file ({error})", where=shown(path), expected="a path") from error


def shown(path: Path | str) -> str:
    """A path, or a text that holds one, for people and for records: what is not Unicode in it with backslashes.

    >>> print(shown(os.fsdecode(bytes([114, 117, 110, 255]))))
    run\\xff
    """
    text = str(path).replace("\0", "\\0")
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _name_in(folder: Path) -> Path:
    """A name that nobody else takes; independent of the target's, which may be as long as names can be."""
    return folder / f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
