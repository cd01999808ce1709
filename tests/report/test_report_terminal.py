"""The terminal says the verdict within 80 columns, with or without colour."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import verdicts
from rich.console import Console

from leadline.report import terminal, words


@pytest.mark.parametrize("name", verdicts.CASES)
@pytest.mark.parametrize("width", [40, 80])
def test_every_verdict_fits(name: str, width: int) -> None:
    text = terminal.text(verdicts.CASES[name](), width=width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert " ".join(words.headline(verdicts.CASES[name]()).split()) in " ".join(text.split())
    assert "\x1b" not in text


def test_plain_text_is_ascii() -> None:
    assert all(terminal.text(case()).isascii() for case in verdicts.CASES.values())


def test_blocks_of_the_letters() -> None:
    text = terminal.text(verdicts.letters_to_sounds())
    titles = [line for line in text.splitlines() if line and not line.startswith(" ")]
    for title in (
        "The path",
        "Ruled out: no gain above the margin of 0.81 points",
        "Could not be trained, which is not the same as no help",
        "Open, and what it would cost to close",
        "If you must stream",
        "What it costs to run",
        "Warnings",
    ):
        assert title in titles
    assert "  Measured on this machine, one sequence at a time: 68 microseconds per step." in text


def test_empty_blocks_are_absent() -> None:
    assert terminal.text(verdicts.interrupted()).strip().splitlines()[-1].startswith("No recommendation")


def test_files_that_are_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("x", encoding="utf-8")
    text = terminal.text(verdicts.nothing_pays(), tmp_path, width=400)
    assert f"{tmp_path / 'report.html'}: the page with the evidence" in text
    assert "the trained model" not in text


def test_colour_changes_no_word() -> None:
    verdict = verdicts.letters_to_sounds()
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor", record=True)
    console.print(terminal.render(verdict))
    plain = "\n".join(line.rstrip() for line in console.export_text().splitlines())
    assert plain.strip() == terminal.text(verdict).strip()
