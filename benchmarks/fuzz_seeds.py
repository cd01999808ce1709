"""Seeds, nasty tokens and mutations for `fuzz_reading.py`: sound files of every format, and how they go wrong."""

from __future__ import annotations

import datetime
import gzip
import io
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Seed:
    """A sound file: its name's ending, its bytes, and the options that it is read with."""

    name: str
    suffix: str
    data: bytes
    options: dict[str, Any]
    weight: int = 6


def _long(separator: str = ",") -> str:
    rows = [f"s{i},{t},{i * 0.25 + t},{'uvw'[(i + t) % 3]},{'ab'[i % 2]}" for i in range(24) for t in range(3)]
    return "\n".join(["id,t,x,c,label", *rows]).replace(",", separator) + "\n"


def _json() -> str:
    rows = [f'{{"id": {i // 3}, "x": {i}.5, "c": "{"uv"[i % 2]}", "label": "{"ab"[i // 3 % 2]}"}}' for i in range(60)]
    return "\n".join(rows)


def _frame() -> pl.DataFrame:
    day = datetime.datetime(2024, 1, 1)
    return pl.DataFrame(
        {
            "id": [i // 3 for i in range(72)],
            "ds": [day + datetime.timedelta(hours=i) for i in range(72)],
            "x": [None if i % 9 == 4 else i / 4 for i in range(72)],
            "name": [f"name {i % 5}" for i in range(72)],
            "kind": pl.Series(["u", "v", "w"] * 24, dtype=pl.Categorical),
            "price": pl.Series([i % 7 for i in range(72)], dtype=pl.Decimal(10, 2)),
            "raw": [b"ab", b"c"] * 36,
            "label": ["ab"[i // 3 % 2] for i in range(72)],
        }
    )


def _parquet(compression: Any) -> bytes:
    file = io.BytesIO()
    _frame().write_parquet(file, compression=compression)
    return file.getvalue()


def seeds() -> list[Seed]:
    """One sound file of each format and layout."""
    wide = "".join(f"{i},{i + 1}.5,{-i},{i % 2}\n" for i in range(30))
    named = "x0,y0,x1,y1,label\n" + "".join(f"{i},{i + 1},{-i},3,{'ab'[i % 2]}\n" for i in range(30))
    lines = "".join(f"{'German' if i % 2 else 'Greek'}\tthe word {i} is here\n" for i in range(30))
    letters = "".join(f"{word}\tA B C\t-1-\n" for word in ["cat", "dog", "pig", "cow", "hen"] * 6)
    conll = "".join(f"The\tDET\nold cat{i}\tNOUN\nsat\tVERB\n\n" for i in range(24))
    prose = "To be, or not to be: that is the question.\nWhether 'tis nobler in the mind to suffer\n" * 40
    texts: list[tuple[str, str, str, dict[str, Any]]] = [
        ("long", ".csv", _long(), {}),
        ("semicolons", ".txt", _long(";"), {}),
        ("tabs", ".tsv", _long("\t"), {}),
        ("wide", ".csv", wide, {}),
        ("channels", ".csv", wide, {"channels": 3}),
        ("named", ".csv", named, {}),
        ("next", ".csv", _long(), {"kind": "next_step", "target": "c"}),
        ("lines", ".tsv", lines, {}),
        ("labelled", ".csv", "label,text\n" + lines.replace("\t", ","), {}),
        ("letters", ".tsv", letters, {}),
        ("conll", ".conll", conll, {}),
        ("prose", ".txt", prose, {}),
        ("one line", ".txt", prose.replace("\n", " ") * 4, {}),
        ("json", ".jsonl", _json(), {}),
        ("json text", ".ndjson", "\n".join(f'{{"label": "{"ab"[i % 2]}", "text": "w {i}"}}' for i in range(30)), {}),
    ]
    made = [Seed(name, suffix, text.encode(), options) for name, suffix, text, options in texts]
    made += [
        Seed("gzip", ".csv.gz", gzip.compress(_long().encode(), mtime=0), {}),
        Seed("utf-16", ".csv", _long().encode("utf-16"), {"encoding": "utf-16"}),
        Seed("latin-1", ".csv", _long().replace("s1,", "sé,").encode("latin-1"), {"encoding": "latin-1"}),
    ]
    # Each starts a process: they are drawn less often.
    kinds = ("snappy", "zstd", "gzip", "uncompressed", "lz4")
    return made + [Seed(kind, ".parquet", _parquet(kind), {}, 1) for kind in kinds]


# Each is taken for something by Python, by polars or by us: numbers at an edge, patterns, names of roles, dates.
WORDS = """
nan NaN inf -inf Infinity 1e400 -1e-400 1e38 1e39 9223372036854775807 9223372036854775808 -9223372036854775809
18446744073709551616 0x1F 1_000 ١٢٣ 1,5 1.5.5 -0 +1 00012 true null None ? NA n/a ^*$ ^.*$ ^x$ * .* __record __index
index literal count value code column_1 column_99999999999999999999 unnamed_2 id t time ds label y text target group
split sequence train dev test validation 2024-02-30 2024-01-01T25:61:61Z 0000-00-00 99999-01-01 12:00 \\N \\ud800
\\u0000 {} [] {"a":1} [[[[ ]]]] }}}} {{{{ " "" ' ` , ; |
"""
BLANKS = " |\t|\n|\n\n|\r|\r\n|\0|\x01|\x1a|\x1c|\x1e|\x7f|\x85|\xa0|\u200b|\u2028|\ufeff|\u202e|\U0001f600|e\u0301"
TOKENS = ("", *WORDS.split(), *re.split(r"\|", BLANKS), "9" * 5000, "9" * 5000 + "x", "-" * 300)
RAW = (
    b"\xff",
    b"\xfe\xff",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\0" * 8,
    b"PAR1",
    b"\x1f\x8b",
)
NAMES = """
utf-8 latin-1 cp1252 utf-16 utf-16-le utf-32 utf-7 ascii cp037 shift_jis gb18030 big5 hz iso2022_jp euc_kr koi8-r
undefined idna punycode rot13 hex base64 zlib bz2 unicode_escape raw_unicode_escape mbcs oem utf-9 u8 U16 é utf_8_sig
"""
ENCODINGS = (*NAMES.split(), "utf\0", " ", "\ud800")
OPTIONS: dict[str, tuple[Any, ...]] = {
    "target": (
        "label",
        "x",
        "c",
        "none",
        "id",
        "column_1",
        "column_3",
        "column_" + "9" * 5000,
        "^*$",
        "label,x",
        "z" * 300,
    ),
    "sequence": ("id", "x", "label", "column_1"),
    "time": ("t", "x", "label", "ds", "id"),
    "group": ("id", "c", "label"),
    "split": ("c", "split", "x"),
    "text": ("text", "c", "x"),
    "features": (("x",), ("c", "x"), ("label",), ("x", "x"), ("column_2",)),
    "exclude": (("x",), ("c", "x"), ("id", "t", "x", "c", "label"), ("x", "x")),
    "categorical": (("x",), ("label",), ("t",)),
    "numeric": (("x",), ("c",), ("label",)),
    "kind": ("classification", "regression", "tagging", "step_regression", "next_step"),
    "layout": ("long", "wide", "lines", "words", "text"),
    "channels": (1, 2, 3, 10**6, 10**30),
    "channel_order": ("interleaved", "blocks"),
    "header": (True, False),
    "tokens": ("char", "word"),
    "separator": (",", ";", "\t", " ", "|", "a", "1", ".", "'", "\\", "\x01", "{"),
    "encoding": ENCODINGS,
    "max_steps": (1, 2, 100, 10**30),
    "max_columns": (1, 3, 10**9),
    "max_cells": (10, 10**12),
}

# Bytes that a table is made of: another one of these leaves it a table.
COMMON = b'0123456789abtxy.,;\t \n"-'

Mutation = Callable[[random.Random, bytes, list[Seed]], bytes]


def _place(rng: random.Random, data: bytes) -> int:
    return rng.randrange(len(data) + 1)


def _token(rng: random.Random) -> bytes:
    return rng.choice(RAW) if rng.random() < 0.04 else rng.choice(TOKENS).encode("utf-8", "surrogatepass")


def _flip(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 4, 16))):
        if changed:
            byte = rng.randrange(256) if rng.random() < 0.3 else rng.choice(COMMON)
            changed[rng.randrange(len(changed))] = byte
    return bytes(changed)


def _cut(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    place = _place(rng, data)
    return data[:place] if rng.random() < 0.7 else data[place:]


def _delete(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    place = _place(rng, data)
    return data[:place] + data[place + rng.choice((1, 2, 10, 100)) :]


def _double(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    one, two = sorted((_place(rng, data), _place(rng, data)))
    return data[:two] + data[one:two] * rng.choice((1, 2, 20)) + data[two:]


def _splice(rng: random.Random, data: bytes, all_seeds: list[Seed]) -> bytes:
    other = rng.choice(all_seeds).data
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _insert(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    place = _place(rng, data)
    return data[:place] + _token(rng) * rng.choice((1, 1, 1, 3, 1000)) + data[place:]


def _cell(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    """Another value in a cell, or in a whole column: the structure stays."""
    separator = max((b",", b"\t", b";", b": "), key=data.count)
    rows = [line.split(separator) for line in data.split(b"\n")]
    first, value = rng.randrange(len(rows)), _token(rng)
    column = rng.randrange(len(rows[first]))
    many = rng.random() < 0.2
    for row in rows[1:] if many else [rows[first]]:
        if len(row) > column:
            row[column] = value if not many or rng.random() < 0.9 else _token(rng)
    return b"\n".join(separator.join(row) for row in rows)


def _name(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    """Another name of a column."""
    head, _, rest = data.partition(b"\n")
    separator = max((b",", b"\t", b";", b": "), key=head.count)
    names = head.split(separator)
    names[rng.randrange(len(names))] = _token(rng)
    return separator.join(names) + b"\n" + rest


def _rows(rng: random.Random, data: bytes, _: list[Seed]) -> bytes:
    rows = data.split(b"\n")
    how = rng.randrange(4)
    if how == 0:
        rng.shuffle(rows)
    elif how == 1:
        rows = rows[: rng.choice((1, 2, 3))]
    elif how == 2:
        rows[rng.randrange(len(rows))] = b""
    else:
        rows = [row.split(b",")[0] for row in rows]
    return rng.choice((b"\n", b"\n", b"\r\n", b"\r", b"\n\n")).join(rows)


MUTATIONS: tuple[Mutation, ...] = (_flip, _cut, _delete, _double, _splice, _insert, _cell, _cell, _name, _rows)


@dataclass(frozen=True)
class Made:
    """A file that may be broken, the options to read it with, and now and then a second file, for the test part."""

    name: str
    data: bytes
    options: dict[str, Any]
    test: bytes | None = None


def mutated(number: int, seed: int, all_seeds: list[Seed]) -> Made:
    """The file of that number: the same each time."""
    rng = random.Random(f"{seed}/{number}")
    chosen = rng.choices(all_seeds, [one.weight for one in all_seeds])[0]
    options = dict(chosen.options)
    if rng.random() < 0.3:
        for name in rng.sample(sorted(OPTIONS), rng.choice((1, 1, 2, 3))):
            options[name] = rng.choice(OPTIONS[name])
    name = f"{number}-{chosen.name.replace(' ', '-')}{chosen.suffix}"
    if rng.random() < 0.1:
        return Made(name, chosen.data, options, _broken(rng, chosen, all_seeds))
    return Made(name, _broken(rng, chosen, all_seeds), options)


def _broken(rng: random.Random, chosen: Seed, all_seeds: list[Seed]) -> bytes:
    data, inside = chosen.data, chosen.suffix.endswith(".gz") and rng.random() < 0.6
    if inside:
        data = gzip.decompress(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(MUTATIONS)(rng, data, all_seeds)
    return gzip.compress(data, 1, mtime=0) if inside else data
