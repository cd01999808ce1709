"""How much memory there is, and the error that says beforehand that data will not fit."""

from __future__ import annotations

import os
from pathlib import Path

from leadline.errors import DataError

GIB = 1 << 30


def require(needed: float, where: str) -> None:
    """Raise where reading would not fit into the memory that this process may still take.

    Args:
        needed: bytes that reading takes, about.
        where: the file.

    Raises:
        DataError: with what can be done.
    """
    free = available()
    if free is None or needed <= free:
        return
    raise DataError(
        f"reading it takes about {needed / GIB:.1f} GiB of memory, and {free / GIB:.1f} GiB are free",
        where=where,
        expected="data that fit into memory, or a higher limit (a container's, or that of `ulimit -v`)",
        next_move="Name fewer columns with --features, take a sample of the sequences, or write numbers into a Parquet "
        "file, which holds them in fewer bytes.",
    )


def available() -> int | None:
    """Bytes that this process can still take: what the machine has free, its group or its own limit; None if unknown.

    >>> available() is None or available() > 0
    True
    """
    known = [free for free in (_machine(), _group(), _own()) if free is not None]
    return max(0, min(known)) if known else None


def _machine() -> int | None:
    """Memory that the system can give without swapping."""
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _group(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What the control group of this process leaves, by version 2 or 1; its file cache can be taken back."""
    found: list[int] = []
    for line in _lines("/proc/self/cgroup"):
        number, controllers, path = line.strip().split(":", 2)
        if number == "0":
            names = ("memory.max", "memory.current", "inactive_file")
            found += _left(root, path, names)
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            found += _left(root / "memory", path, names)
    return min(found, default=None)


def _left(root: Path, path: str, names: tuple[str, str, str]) -> list[int]:
    """Limit minus use of the group and of every group around it, where they have a limit."""
    limit, use, cache = names
    inner = root / path.lstrip("/")
    left = []
    for group in (inner, *inner.parents):
        most, now = _lines(group / limit), _lines(group / use)
        if most and now and most[0].strip().isdecimal():
            stat = dict(line.split(maxsplit=1) for line in _lines(group / "memory.stat"))
            left.append(int(most[0]) - int(now[0]) + int(stat.get(cache, 0)))
        if group == root:
            break
    return left


def _own() -> int | None:
    """What the limit of address space (`ulimit -v`) leaves."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _lines("/proc/self/statm")
    if most == resource.RLIM_INFINITY or not pages:
        return None
    return most - int(pages[0].split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _lines(path: str | Path) -> list[str]:
    """Lines of a file of the system; none where it is not there, or not to be read."""
    try:
        return Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
