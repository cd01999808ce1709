"""The examples on the page about data run."""

from __future__ import annotations

import doctest
from dataclasses import fields
from pathlib import Path

from leadline.data.options import ReadOptions
from leadline.data.roles import RECOGNISED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data.md"


def test_the_examples_run() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 30
    assert result.failed == 0


def test_the_page_names_every_recognised_column() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for role, names in RECOGNISED.items():
        row = next(line for line in page.split("\n") if f"`--{role}`" in line and line.startswith("|"))
        assert all(f"`{name}`" in row for name in names)


def test_options_are_documented_where_they_are_defined() -> None:
    text = str(ReadOptions.__doc__)
    assert [field.name for field in fields(ReadOptions) if f"        {field.name}: " not in text] == []
