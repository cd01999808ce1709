"""Tables in Parquet, read by a process of their own.

The library that reads Parquet may end the whole process over a broken file. So another process reads it and writes
the table to its standard output, in Arrow's format; when that process dies, the file is refused and nothing else is
lost. It costs 0.3 s of a processor a file, and a second on a busy machine.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import polars as pl

from leadline.data.files import read_bytes, shown
from leadline.data.limits import MB, most_bytes
from leadline.data.options import ReadOptions
from leadline.data.table import Table, checked
from leadline.errors import DataError

READER = "leadline.data.parquet_reader"
REFUSED = 3
# A minute and a second for each MB: a hundred times what an honest file takes on a slow machine.
LEAST_SECONDS = 60


def parquet_table(path: Path, options: ReadOptions) -> Table:
    """The table in a Parquet file.

    Raises:
        DataError: the file is broken, or larger than the limits allow.
    """
    data, source = read_bytes(path, options), shown(path)
    frame = pl.read_ipc(io.BytesIO(_table_of(data, source, options)))
    return checked(Table(frame, source, lambda row: f"row {row + 1}"))


def _table_of(data: bytes, source: str, options: ReadOptions) -> bytes:
    """The table as an Arrow file."""
    question = {"options": asdict(options), "where": source, "most_bytes": most_bytes(options, packed=len(data))}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", READER, json.dumps(question)],
            input=data,
            capture_output=True,
            timeout=LEAST_SECONDS + len(data) / MB,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RUST_BACKTRACE": "0"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _broken("reading it does not end", source) from None
    except OSError as error:
        raise DataError(
            f"no process can be started to read the Parquet file ({error.strerror})",
            where=source,
            expected="that the system starts one more process",
            next_move="Free memory or processes and start again.",
        ) from error
    if done.returncode == REFUSED:
        raise DataError(**json.loads(done.stdout))
    if done.returncode:
        raise _broken("the library that reads Parquet breaks down over it", source)
    return done.stdout


def _broken(why: str, source: str) -> DataError:
    return DataError(
        f"the Parquet file is broken ({why})",
        where=source,
        expected="a Parquet file, because of its name",
        next_move="Write it again, or correct its name.",
    )
