"""The figures of README and of the page on depth come from a run folder; what stands between marks is made again."""

from __future__ import annotations

import re

import answer_page
import pytest


@pytest.mark.parametrize("name", answer_page.PAGES)
def test_every_made_part_can_be_made(name: str) -> None:
    text = (answer_page.ROOT / name).read_text(encoding="utf-8")
    parts = re.findall(r"<!-- made: (\w+) -->\n(.*?)<!-- end -->", text, flags=re.DOTALL)
    assert parts
    assert {part for part, _ in parts} <= set(answer_page.PARTS)
    assert all(made.strip() for _, made in parts), "run benchmarks/answer_page.py"


def test_what_stands_outside_the_marks_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(answer_page.PARTS, "used", lambda run: f"figures of {run}")
    text = "before\n<!-- made: used -->\nold\n<!-- end -->\nafter\n"
    assert answer_page.renewed(text, "a run") == text.replace("old", "figures of a run")
