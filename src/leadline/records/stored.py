"""Records out of files: the one place where foreign, damaged and oversized JSON is refused."""

from __future__ import annotations

import os
import stat
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from leadline.errors import LeadlineError, RunFolderError

MOST_BYTES = 2**28
"""A record holds figures and names; the largest known, findings of the longest sequences, take a hundredth of this."""

T = TypeVar("T")


def read_record(
    path: Path, kind: type[T], *, refuse: type[LeadlineError] = RunFolderError, next_move: str = "Write it again."
) -> T:
    """A record from its file.

    Args:
        path: the file.
        kind: a record, a dataclass, or any type that pydantic checks.
        refuse: the error to raise.
        next_move: how the file is made again.

    Raises:
        RunFolderError: or `refuse`: no such file, not readable, or not such a record.
    """
    return parse(read_file(path, refuse=refuse, next_move=next_move), kind, str(path), refuse, next_move)


def read_file(path: Path, *, refuse: type[LeadlineError], next_move: str, most: int = MOST_BYTES) -> bytes:
    """The bytes of a plain file of at most so many bytes.

    Raises:
        LeadlineError: as `refuse`: it is none, or it cannot be read.
    """
    try:
        size = _size(path)
        data = path.read_bytes() if size <= most else b""
    except (OSError, ValueError) as error:  # ValueError: a zero character in the path
        said = getattr(error, "strerror", None) or error
        raise refuse(
            f"cannot be read ({said})", where=str(path), expected="a file that Leadline wrote", next_move=next_move
        ) from error
    if size > most:
        raise refuse(f"{size:,} bytes", where=str(path), expected=f"at most {most:,}", next_move=next_move)
    return data


def _size(path: Path) -> int:
    known = os.stat(path)
    if not stat.S_ISREG(known.st_mode):  # a pipe would be waited for
        raise OSError("it is not a plain file")
    return known.st_size


def parse(
    text: str | bytes,
    kind: type[T],
    where: str = "",
    refuse: type[LeadlineError] = RunFolderError,
    next_move: str = "Write it again.",
) -> T:
    """A record from its text.

    Raises:
        RunFolderError: or `refuse`: it is not such a record.
    """
    try:
        record: T = _adapter(kind).validate_json(text)  # type: ignore[arg-type]
        return record
    except ValidationError as error:
        raise refuse(
            f"damaged or foreign ({_first(error)})",
            where=where,
            expected="what this version of Leadline writes here",
            next_move=next_move,
        ) from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _first(error: ValidationError) -> str:
    known = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in known["loc"])
    said = str(known["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{place}: {said}" if place else said
