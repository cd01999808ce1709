"""From bytes to text: encodings, and what is no text at all."""

from __future__ import annotations

import codecs
from pathlib import Path

from leadline.data.files import empty, read_bytes, shown
from leadline.data.options import ReadOptions
from leadline.errors import DataError

# How formats that are often taken for data files begin, and what to do with each.
FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1\x15", "Parquet", "Give it a name that ends in .parquet."),
    (b"\x1f\x8b", "gzip", "Give it a name that ends in .gz."),
    (b"PK\x03\x04", "a zip archive (as .xlsx and .npz are)", "Unpack it, or save the sheet as CSV."),
    (b"BZh91AY&SY", "bzip2", "Unpack it with `bunzip2`, or pack it with gzip."),
    (b"\xfd7zXZ\0", "xz", "Unpack it with `unxz`, or pack it with gzip."),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "Unpack it with `unzstd`, or pack it with gzip."),
    (b"ARROW1\0", "Arrow", "Write it as Parquet."),
    (b"\x93NUMPY", "a NumPy array", "Load it with numpy.load and pass it to leadline.from_arrays."),
    (b"\x89HDF", "HDF5", "Write it as Parquet."),
    (b"SQLite format 3\0", "a SQLite database", "Write the table as CSV."),
)
# Python's codecs that no file is written in: for the names of hosts, for source code, for tests. Some take time
# that grows with the square of the text.
NO_FILE_ENCODINGS = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape")
WIDE = ("utf-16", "utf-32")


def read_text(path: Path, options: ReadOptions) -> str:
    """The text of a file, line ends as "\\n", with at least one character that is no blank.

    Raises:
        DataError: as `leadline.data.files.read_bytes` and `decode`.
    """
    text = decode(read_bytes(path, options), path, options.encoding)
    if not text.strip():
        raise empty(path)
    return text


def decode(data: bytes, path: Path, encoding: str | None) -> str:
    """Text of `data`, line ends as "\\n".

    Raises:
        DataError: bytes that the encoding does not have, with the line; binary data; an unknown encoding.
    """
    codec = _codec(encoding or "utf-8-sig", path)
    _refuse_binary(data, path, codec.name)
    try:
        # `codec.decode` would also take encodings from bytes to bytes, such as zip; `data.decode` refuses them.
        text = data.decode(codec.name)
        if encoding is not None:
            text.encode("utf-8")
    except LookupError:
        raise _unknown(encoding or codec.name, path) from None
    except UnicodeDecodeError as error:
        raise _broken(error, data, path, codec.name) from None
    except UnicodeError as error:
        raise DataError(
            f"the file is not {codec.name} text ({str(error).splitlines()[0]})",
            where=shown(path),
            expected="text in UTF-8, or in the encoding that is named",
            next_move="Name the file's encoding, for instance --encoding latin-1 or --encoding utf-16.",
        ) from None
    if "\0" in text:
        raise _binary(path, text.count("\n", 0, text.index("\0")) + 1)
    text = text.removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _codec(name: str, path: Path) -> codecs.CodecInfo:
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):  # ValueError: a NUL or half a character in the name
        raise _unknown(name, path) from None
    if codec.name in NO_FILE_ENCODINGS:
        raise _unknown(name, path)
    return codec


def _unknown(name: str, path: Path) -> DataError:
    return DataError(
        f"encoding '{name}' does not exist",
        where=shown(path),
        expected="a name such as utf-8, latin-1 or cp1252",
        next_move="Correct --encoding.",
    )


def _broken(error: UnicodeDecodeError, data: bytes, path: Path, name: str) -> DataError:
    # A decoder that keeps state may name a place in a part of the data, and a byte order mark is cut off.
    byte = error.object[error.start : error.start + 1].hex()
    line = data.count(b"\n", 0, error.start) + 1
    return DataError(
        f"byte 0x{byte} is not {name.removesuffix('-sig')} text",
        where=f"{shown(path)}, line {line}",
        expected="text in UTF-8, or in the encoding that is named",
        next_move="Name the file's encoding, for instance --encoding latin-1 or --encoding utf-16.",
    )


def _refuse_binary(data: bytes, path: Path, encoding: str) -> None:
    for magic, name, move in FORMATS:
        if data.startswith(magic):
            raise DataError(
                f"this is {name}, not text",
                where=shown(path),
                expected="CSV, TSV, JSON lines or plain text, or a name that ends in .parquet",
                next_move=move,
            )
    if encoding.startswith(WIDE) or b"\0" not in data:
        return
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(
            "this looks like UTF-16 text",
            where=f"{shown(path)}, line 1",
            expected="plain text in UTF-8",
            next_move="Use --encoding utf-16.",
        )
    raise _binary(path, data.count(b"\n", 0, data.index(0)) + 1)


def _binary(path: Path, line: int) -> DataError:
    return DataError(
        "this is binary, not text",
        where=f"{shown(path)}, line {line}",
        expected="CSV, TSV, JSON lines or plain text, or a name that ends in .parquet",
        next_move="Convert it to one of these, or correct its name.",
    )
