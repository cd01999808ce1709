"""The process that reads a Parquet file: bytes on standard input, an Arrow file or a refusal on standard output.

Run by `leadline.data.parquet`, never imported by it: `python -m leadline.data.parquet_reader QUESTION`.
"""

from __future__ import annotations

import io
import json
import sys

import polars as pl

from leadline.data.delimited import first_line
from leadline.data.limits import check_cells, check_columns, refuse_size
from leadline.data.options import ReadOptions
from leadline.errors import DataError

REFUSED = 3
# What the process may take beside the table: the libraries, threads and their buffers.
BASE_BYTES = 4 << 30
# The table, its pages as they are unpacked, and what is written.
COPIES = 4


def main() -> int:
    """Read, write, and say what stands against it."""
    question = json.loads(sys.argv[1])
    _limit_memory(question["most_bytes"])
    data = sys.stdin.buffer.read()
    try:
        frame = _read(data, question["where"], ReadOptions.from_dict(question["options"]))
        _check_size(frame, question["most_bytes"], question["where"])
    except DataError as error:
        parts = {name: getattr(error, name) for name in ("problem", "where", "expected", "next_move")}
        sys.stdout.buffer.write(json.dumps(parts).encode())
        return REFUSED
    frame.write_ipc(sys.stdout.buffer)
    return 0


def _read(data: bytes, where: str, options: ReadOptions) -> pl.DataFrame:
    """The table, after its own description says that it is not too large."""
    try:
        lazy = pl.scan_parquet(io.BytesIO(data))
        columns = len(lazy.collect_schema())
        check_columns(columns, options, where)
        check_cells(lazy.select(pl.len()).collect().item(), columns, options, where)
        return pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"the Parquet file is broken ({first_line(error)})",
            where=where,
            expected="a Parquet file, because of its name",
            next_move="Write it again, or correct its name.",
        ) from error


def _check_size(frame: pl.DataFrame, most: int, where: str) -> None:
    """Text counts with every repetition: in the file it may be there once."""
    sizes = [_size(column) for column in frame.get_columns()]
    if sum(sizes) > most:
        raise refuse_size(most, where, unpacked=True)


def _size(column: pl.Series) -> int:
    if column.dtype == pl.String:
        return int(column.str.len_bytes().sum())
    if column.dtype == pl.Binary:
        return int(column.bin.size().sum())
    return int(column.estimated_size())


def _limit_memory(most: int) -> None:
    """A file that promises more than there is ends this process, and no other; not everywhere can it be said."""
    try:
        import resource
    except ImportError:
        return
    limit, (_, hard) = BASE_BYTES + COPIES * most, resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


if __name__ == "__main__":
    sys.exit(main())
