"""JSON that is sound and yet not what was written: other shapes, other types, fields more or less, odd numbers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Place = tuple[Any, Any]  # a container and a key or position in it
OTHERS: tuple[Any, ...] = (None, [], {}, 3, -1, 0.5, "x", "", True, [[]], {"a": 1}, 10**400, "\ud800", ["x", None])
ODD_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999", "-0", "1" + "0" * 5000, "0.1e-400")
ODD_TEXTS = ("\0", "../../../etc/passwd", "/", "\u202e", "x" * 100_000, "<b>", "a\nb", "\ufeff", "é" * 300)
DEEP = 5000  # brackets within brackets: above what a recursive reader takes


def _places(value: Any) -> list[Place]:
    """Every place of a document below its root."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return []
    return [place for key, inner in items for place in ((value, key), *_places(inner))]


def _edit(data: bytes, draw: random.Random, edit: Callable[[Any, Any, random.Random], None]) -> bytes:
    """Change one place, drawn evenly; a file that is no JSON document any more stays as it is."""
    try:
        value = json.loads(data)
    except ValueError:
        return data
    places = _places(value)
    if places:
        edit(*draw.choice(places), draw)
    return json.dumps(value).encode()


def _replace(container: Any, key: Any, draw: random.Random) -> None:
    container[key] = draw.choice(OTHERS)


def _remove(container: Any, key: Any, draw: random.Random) -> None:
    del container[key]


def _text(container: Any, key: Any, draw: random.Random) -> None:
    container[key] = draw.choice(ODD_TEXTS)


def _add(container: Any, key: Any, draw: random.Random) -> None:
    if isinstance(container, dict):
        container[draw.choice(("unknown", "", "__class__", "self", "format"))] = draw.choice(OTHERS)
    else:
        container.append(draw.choice(OTHERS))


def _number(container: Any, key: Any, draw: random.Random) -> None:
    container[key] = "@odd@"


def _numbers(data: bytes, draw: random.Random) -> bytes:
    return _edit(data, draw, _number).replace(b'"@odd@"', draw.choice(ODD_NUMBERS).encode())


def _scaled(container: Any, key: Any, draw: random.Random) -> None:
    """A number of its own type and another size, or the next of its kind: too many layers, a negative width."""
    value = container[key]
    if isinstance(value, bool):
        container[key] = not value
    elif isinstance(value, int):
        container[key] = draw.choice((-value, value + 1, value * 1000, 0, 2**63))
    elif isinstance(value, float):
        container[key] = draw.choice((-value, value * 1e30, 0.0))
    elif isinstance(value, list):
        container[key] = draw.choice((value[:-1], value + value[:1], value[::-1]))


WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "another document": lambda data, draw: json.dumps(draw.choice(OTHERS)).encode(),
    "another type": lambda data, draw: _edit(data, draw, _replace),
    "a field less": lambda data, draw: _edit(data, draw, _remove),
    "a field more": lambda data, draw: _edit(data, draw, _add),
    "an odd number": _numbers,
    "an odd text": lambda data, draw: _edit(data, draw, _text),
    "another size": lambda data, draw: _edit(data, draw, _scaled),
    "nested deep": lambda data, draw: b"[" * DEEP + b"]" * DEEP,
    "another encoding": lambda data, draw: data.decode(errors="replace").encode(draw.choice(("utf-16", "utf-8-sig"))),
    "not UTF-8": lambda data, draw: data[:1] + b'"\xff\xfe": 1, ' + data[1:],
}
