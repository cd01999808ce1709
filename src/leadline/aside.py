"""Writing aside: a file or folder is made under another name beside its place and renamed when it is whole.

Whoever reads meanwhile, or after a kill, finds the old one or the new one, never half of either.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`, whole or not at all.

    Raises:
        OSError: the place cannot be written to; what was there before is as it was.
    """
    number, name = tempfile.mkstemp(prefix=".aside-", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())  # mkstemp lets the owner alone read
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def replace_folder(made: Path, target: Path) -> None:
    """Put the folder `made` in the place of `target`, a folder or a file that may or may not be there.

    Both lie on one file system. A kill between the two renames leaves no `target`, never a mixture.

    Raises:
        OSError: the place cannot be written to; what was there before is as it was.
    """
    old = Path(tempfile.mkdtemp(prefix=".aside-", dir=target.parent))
    try:
        if os.path.lexists(target):
            os.rename(target, old / "old")
        try:
            os.rename(made, target)
        except OSError:
            if os.path.lexists(old / "old"):
                os.rename(old / "old", target)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)  # what is in the way no longer: rubbish at worst


def _umask() -> int:
    """The mask of new files' rights, which the system tells only to those who set it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
