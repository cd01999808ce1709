"""Weights and ledgers that are sound files and yet not what was written."""

from __future__ import annotations

import json
import random
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks import damage_json

Tensors = dict[str, Any]


def _taken_apart(data: bytes) -> tuple[Tensors, bytearray]:
    """Header and numbers of a safetensors file: eight bytes of length, JSON, then the numbers."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])


def _put_together(header: Tensors, numbers: bytes | bytearray, length: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


def _numbers(odd: float) -> Callable[[bytes, random.Random], bytes]:
    """One weight, or all of them, not finite."""

    def change(data: bytes, draw: random.Random) -> bytes:
        header, numbers = _taken_apart(data)
        floats = [tensor for tensor in header.values() if tensor.get("dtype") == "F32"]
        if not floats:
            return data
        first, last = draw.choice(floats)["data_offsets"]
        ends = [draw.randrange(first, last, 4)] if draw.random() < 0.5 else range(first, last, 4)
        for place in ends:
            numbers[place : place + 4] = struct.pack("<f", odd)
        return _put_together(header, numbers)

    return change


def _header(data: bytes, draw: random.Random) -> bytes:
    """A header of another shape, type, name or length."""
    header, numbers = _taken_apart(data)
    names = [name for name in header if name != "__metadata__"]
    if not names:
        return data
    tensor = header[draw.choice(names)]
    what = draw.choice(("shape", "dtype", "offsets", "name", "less", "length", "huge"))
    if what == "shape":
        tensor["shape"] = draw.choice(([], [1], tensor["shape"][::-1], [0], [2**40], [-1]))
    elif what == "dtype":
        tensor["dtype"] = draw.choice(("F64", "I32", "BF16", "BOOL", "X9"))
    elif what == "offsets":
        tensor["data_offsets"] = draw.choice(([0, 4], [4, 0], [0, 2**50]))
    elif what == "name":
        header[draw.choice(("other", "", "\u202e"))] = header.pop(names[0])
    elif what == "less":
        header.pop(names[0])
    return _put_together(header, numbers, {"length": 2**20, "huge": 2**63}.get(what))


WAYS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "weights that are not a number": _numbers(float("nan")),
    "infinite weights": _numbers(float("inf")),
    "another header": _header,
    "weights of another network": lambda data, draw: _put_together(
        {"weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, b"\0" * 8
    ),
    "no weights": lambda data, draw: _put_together({}, b""),
}


def _statements(*statements: str) -> Callable[[Path, random.Random], None]:
    """Run one of several statements on the ledger."""

    def apply(path: Path, draw: random.Random) -> None:
        with sqlite3.connect(path) as base:
            base.execute(draw.choice(statements))
        base.close()

    return apply


def _row(path: Path, draw: random.Random) -> None:
    """One trial's JSON, damaged."""
    with sqlite3.connect(path) as base:
        table, column, key = draw.choice(
            (("trials", "trial", "key"), ("trials", "result", "key"), ("facts", "value", "name"))
        )
        rows = base.execute(f"select {key}, {column} from {table}").fetchall()
        if rows:
            name, text = draw.choice(rows)
            change = draw.choice(list(damage_json.WAYS.values()))
            new = change(str(text).encode(), draw).decode(errors="replace")
            base.execute(f"update {table} set {column} = ? where {key} = ?", (new, name))
    base.close()


def _foreign(path: Path, draw: random.Random) -> None:
    path.unlink()
    with sqlite3.connect(path) as base:
        base.execute(draw.choice(("create table other (x)", "create table trials (key text)")))
    base.close()


def _side_file(path: Path, draw: random.Random) -> None:
    """A write-ahead log or its index that belongs to nothing."""
    side = path.with_name(path.name + draw.choice(("-wal", "-shm", "-journal")))
    side.write_bytes(draw.randbytes(draw.choice((1, 32, 4096, 40_000))))


LEDGER: dict[str, Callable[[Path, random.Random], None]] = {
    "a row of other JSON": _row,
    "a table or rows less": _statements(
        "drop table trials", "drop table facts", "delete from trials", "delete from facts"
    ),
    "rows of another type": _statements(
        "update trials set result = x'00ff'", "update facts set value = 3", "update trials set number = 'x'"
    ),
    "another database": _foreign,
    "foreign side files": _side_file,
}
