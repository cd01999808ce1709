"""What may have happened to a file or a folder of a run: of any kind, and what only some kinds can suffer."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attacks import damage_json, damage_weights

Change = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True)
class Damage:
    """A way of damaging.

    Args:
        name: in a few words.
        apply: does it to a path.
        content: whether only the content of a file is hurt: if that file is derived from others, it is made again.
    """

    name: str
    apply: Callable[[Path, random.Random], None]
    content: bool = True


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _zeroed(data: bytes, draw: random.Random) -> bytes:
    """As a file system leaves it that was cut off before its blocks were written."""
    start = draw.choice((0, 0, draw.randrange(len(data) + 1)))
    return data[:start] + b"\0" * (len(data) - start)


def _flipped(data: bytes, draw: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8, 64))):
        if found:
            found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


def _overwritten(data: bytes, draw: random.Random) -> bytes:
    """A stretch of random bytes."""
    start = draw.randrange(len(data) + 1)
    length = draw.choice((1, 16, 512, 4096))
    return data[:start] + draw.randbytes(length) + data[start + length :]


CONTENT: dict[str, Change] = {
    "cut": _cut,
    "zeroed": _zeroed,
    "flipped bits": _flipped,
    "overwritten": _overwritten,
    "random bytes": lambda data, draw: draw.randbytes(draw.choice((0, 1, 100, 5000))),
    "empty": lambda data, draw: b"",
    "longer": lambda data, draw: data + draw.choice((b"\0" * 100, data, b"x", draw.randbytes(50))),
    "one line break": lambda data, draw: b"\n",
}


def changed(name: str, change: Change) -> Damage:
    """A change of bytes as a damage."""

    def apply(path: Path, draw: random.Random) -> None:
        path.write_bytes(change(path.read_bytes(), draw))

    return Damage(name, apply)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _linked(target: Callable[[Path], Path]) -> Callable[[Path, random.Random], None]:
    def apply(path: Path, draw: random.Random) -> None:
        _remove(path)
        path.symlink_to(target(path))

    return apply


def _swapped(path: Path, draw: random.Random) -> None:
    """A directory instead of a file, or a file instead of a directory."""
    was_folder = path.is_dir()
    _remove(path)
    if was_folder:
        path.write_text("mine", encoding="utf-8")
    else:
        path.mkdir()
        (path / "inside").write_text("mine", encoding="utf-8")


STRUCTURE = (
    Damage("a link to itself", _linked(lambda path: path), content=False),
    Damage("a link to nothing", _linked(lambda path: path.parent / "nothing" / "here"), content=False),
    Damage("a link to its folder", _linked(lambda path: path.parent), content=False),
    Damage("of the other kind", _swapped, content=False),
)
MISSING = Damage("missing", lambda path, draw: _remove(path))


def _appears(path: Path, draw: random.Random) -> None:
    """A file of a name that verbs know, with the text of another file, or with JSON that nobody expects."""
    others = sorted(path.parent.glob("*.json"))
    text = draw.choice(others).read_bytes() if others and draw.random() < 0.5 else b"{}"
    path.write_bytes(draw.choice(list(damage_json.WAYS.values()))(text, draw))


APPEARS = Damage("from elsewhere", _appears)
CLOSED = Damage("without permission", lambda path, draw: path.chmod(0), content=False)
READ_ONLY = Damage(
    "without permission to write", lambda path, draw: path.chmod(0o500 if path.is_dir() else 0o400), content=False
)


def ways(path: Path) -> list[Damage]:
    """All damages that a path can suffer, those of its own kind twice as often."""
    found = [MISSING, CLOSED, READ_ONLY, *STRUCTURE]
    if path.is_dir():
        return found
    found += [changed(name, change) for name, change in CONTENT.items()]
    own: dict[str, Change] = {".json": damage_json.WAYS, ".safetensors": damage_weights.WAYS}.get(path.suffix, {})
    found += 2 * [changed(name, change) for name, change in own.items()]
    if path.name == "ledger.sqlite":
        found += 2 * [Damage(name, apply) for name, apply in damage_weights.LEDGER.items()]
    return found
