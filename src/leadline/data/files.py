"""From a path to bytes and text: what can go wrong with a file before its contents matter."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from leadline.errors import DataError

PARQUET = (".parquet", ".pq")
JSON_LINES = (".jsonl", ".ndjson")


def suffix_of(path: Path) -> str:
    """The suffix that tells the format, below ".gz", in lower case.

    >>> suffix_of(Path("words.TSV.gz"))
    '.tsv'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_bytes(path: Path) -> bytes:
    """The file's bytes, decompressed when its name ends in `.gz`.

    Raises:
        DataError: no such file, a directory, not readable, a broken gzip file, or an empty one.
    """
    data = _raw_bytes(path)
    if path.suffix.lower() == ".gz":
        data = _decompress(data, path)
    if not data.strip():
        raise DataError(
            "the file is empty",
            where=str(path),
            expected="at least 20 sequences",
            next_move="Check how it was written.",
        )
    return data


def _raw_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(
            "there is no such file",
            where=str(path),
            expected="the path of a data file",
            next_move=f"Check the spelling; relative paths start at {Path.cwd()}.",
        ) from None
    except IsADirectoryError:
        raise DataError(
            "this is a directory",
            where=str(path),
            expected="one data file",
            next_move="Name one file in it; put all sequences into one file.",
        ) from None
    except OSError as error:
        raise DataError(
            f"the file cannot be read ({error.strerror})",
            where=str(path),
            expected="a readable file",
            next_move="Check its permissions.",
        ) from error


def _decompress(data: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"the gzip file is broken ({error})",
            where=str(path),
            expected="a whole gzip file, because the name ends in .gz",
            next_move="Test it with `gzip -t`, copy it again, or drop the .gz when it is not compressed.",
        ) from error


def decode(data: bytes, path: Path, encoding: str | None) -> str:
    """Text of `data`, line ends as "\\n".

    Raises:
        DataError: bytes that the encoding does not have, with the line; binary data; an unknown encoding.
    """
    name = encoding or "utf-8-sig"
    _refuse_binary(data, path, name)
    try:
        text = data.decode(name)
    except LookupError:
        raise DataError(
            f"encoding '{name}' does not exist",
            where=str(path),
            expected="a name such as utf-8, latin-1 or cp1252",
            next_move="Correct --encoding.",
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"byte 0x{data[error.start]:02x} is not {name.removesuffix('-sig')} text",
            where=f"{path}, line {line}",
            expected="text in UTF-8, or in the encoding that is named",
            next_move="Name the file's encoding, for instance --encoding latin-1 or --encoding utf-16.",
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _refuse_binary(data: bytes, path: Path, encoding: str) -> None:
    head = data[:8192]
    if encoding.replace("_", "-").startswith(("utf-16", "utf-32")) or b"\0" not in head:
        return
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    raise DataError(
        "this looks like UTF-16 text" if marked else "this is binary, not text",
        where=f"{path}, line {head.count(bytes([10]), 0, head.index(0)) + 1}",
        expected="CSV, TSV, JSON lines or plain text, or a name that ends in .parquet",
        next_move="Use --encoding utf-16." if marked else "Convert it to one of these, or correct its name.",
    )
