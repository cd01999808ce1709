"""Which format a file has, told from its name."""

from __future__ import annotations

from pathlib import Path

from leadline.data.files import JSON_LINES, PARQUET, suffix_of
from leadline.data.json_lines import json_table
from leadline.data.options import ReadOptions
from leadline.data.parquet import parquet_table
from leadline.data.table import Table


def open_table(path: Path, options: ReadOptions) -> Table | None:
    """The table in a file whose suffix says Parquet or JSON lines; None for other text files."""
    suffix = suffix_of(path)
    if suffix in PARQUET:
        return parquet_table(path, options)
    if suffix in JSON_LINES:
        return json_table(path, options)
    return None
