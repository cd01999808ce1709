"""From a path to bytes: what can go wrong with a file before its contents matter."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from pathlib import Path

from leadline.data.limits import most_bytes, refuse_size
from leadline.data.options import ReadOptions
from leadline.errors import DataError

PARQUET = (".parquet", ".pq")
JSON_LINES = (".jsonl", ".ndjson")
CHUNK = 1 << 20


def suffix_of(path: Path) -> str:
    """The suffix that tells the format, below ".gz", in lower case.

    >>> suffix_of(Path("words.TSV.gz"))
    '.tsv'
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def shown(path: Path) -> str:
    """The path as text that can be printed and stored, whatever bytes its name has.

    >>> shown(Path("caf\\udce9.csv"))
    'caf\\\\xe9.csv'
    """
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def read_bytes(path: Path, options: ReadOptions) -> bytes:
    """The file's bytes, decompressed when its name ends in `.gz`.

    Raises:
        DataError: no such file, a directory, a pipe or a device, not readable, too large, a broken gzip file, or
            an empty one.
    """
    data = _raw_bytes(path, options)
    if path.suffix.lower() == ".gz":
        data = _decompress(data, path, options)
    if not data.strip():
        raise empty(path)
    return data


def empty(path: Path) -> DataError:
    """The error for a file without anything but blanks."""
    return DataError(
        "the file is empty",
        where=shown(path),
        expected="at least 20 sequences",
        next_move="Check how it was written.",
    )


def _raw_bytes(path: Path, options: ReadOptions) -> bytes:
    most = most_bytes(options)
    try:
        if _size(path) > most:
            raise refuse_size(most, shown(path), unpacked=False)
        return path.read_bytes()
    except (FileNotFoundError, ValueError):  # ValueError: a NUL in the name
        raise DataError(
            "there is no such file",
            where=shown(path),
            expected="the path of a data file",
            next_move=f"Check the spelling; relative paths start at {shown(Path.cwd())}.",
        ) from None
    except IsADirectoryError:
        raise DataError(
            "this is a directory",
            where=shown(path),
            expected="one data file",
            next_move="Name one file in it; put all sequences into one file.",
        ) from None
    except OSError as error:
        raise DataError(
            f"the file cannot be read ({error.strerror})",
            where=shown(path),
            expected="a readable file",
            next_move="Check its permissions.",
        ) from error


def _size(path: Path) -> int:
    """Bytes of a file; a pipe would wait for a writer for ever, and a device may never end."""
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError
    if not stat.S_ISREG(status.st_mode):
        raise DataError(
            "this is a pipe, a socket or a device",
            where=shown(path),
            expected="a file, which can be read more than once",
            next_move="Write the data to a file first.",
        )
    return status.st_size


def _decompress(data: bytes, path: Path, options: ReadOptions) -> bytes:
    most = most_bytes(options, packed=len(data))
    unpacked = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while chunk := file.read(CHUNK):
                unpacked.write(chunk)
                if unpacked.tell() > most:
                    raise refuse_size(most, shown(path), unpacked=True)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"the gzip file is broken ({error})",
            where=shown(path),
            expected="a whole gzip file, because the name ends in .gz",
            next_move="Test it with `gzip -t`, copy it again, or drop the .gz when it is not compressed.",
        ) from error
    return unpacked.getvalue()
