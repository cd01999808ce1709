"""Reading and running the fenced blocks of a page."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from leadline import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Added to every study, so that a page takes seconds. The last of two equal options wins.
SMALL_EMBEDDED = ("--subset", "3000", "--max-trials", "2", "--max-updates", "30", "--jobs", "1", "--no-explain")
SMALL_FILE = ("--max-trials", "1", "--max-updates", "30", "--jobs", "1", "--no-explain")
RUN = {"max_trials": 1, "max_updates": 30, "jobs": 1, "explain": False}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the line of the page on which the text begins."""

    language: str
    text: str
    line: int


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(found[1], found[2], text[: found.start(2)].count("\n") + 1) for found in FENCE.finditer(text)]


def commands(block: Block) -> list[str]:
    """The lines after `$ `, those that end with a backslash joined with the next."""
    joined = block.text.replace("\\\n", " ")
    return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def run(page: Path) -> int:
    """Run the blocks of a page in order in the current folder; the number of commands and examples."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return sum(_run(block, names, f"{name(page)}, line {block.line}") for block in blocks(page))


def _run(block: Block, names: dict[str, Any], where: str) -> int:
    if block.language == "python":
        exec(compile(block.text, where, "exec"), names)
        return 1
    if block.language == "pycon":
        return _examples(block, names, where)
    if block.language == "console":
        return sum(_command(command, where) for command in commands(block))
    return 0


def _examples(block: Block, names: dict[str, Any], where: str) -> int:
    test = doctest.DocTestParser().get_doctest(block.text, names, where, where, block.line)
    said = io.StringIO()
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=said.write, clear_globs=False)
    names.update(test.globs)
    assert result.failed == 0, said.getvalue()
    return result.attempted


def _command(command: str, where: str) -> int:
    words, _, target = command.partition(" > ")
    arguments = shlex.split(words)
    if arguments[0] == "leadline":
        status, printed = leadline(small(arguments[1:]))
        if target:
            Path(target.strip()).write_text(printed, encoding="utf-8")
        assert status in allowed(arguments), f"{where}: `{command}` ended with {status}: {printed}"
    else:
        subprocess.run(["bash", "-ec", command], check=True, capture_output=True)
    return 1


def small(arguments: list[str]) -> list[str]:
    """The arguments of a command, a study cut down."""
    if arguments[:1] != ["advise"]:
        return arguments
    with_data = len(arguments) > 1 and not arguments[1].startswith("-")
    return [*arguments, *(SMALL_FILE if with_data else SMALL_EMBEDDED)]


def allowed(arguments: list[str]) -> tuple[int, ...]:
    """A study that is cut down ends undecided."""
    return (0, 2) if arguments[1:2] == ["advise"] else (0,)


def leadline(arguments: list[str]) -> tuple[int, str]:
    """Exit status and output of a command, in this process."""
    out, complaint = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
        patch.setattr("sys.argv", ["leadline", *arguments])
        status = _status()
    return status, out.getvalue() if status in (0, 2) else complaint.getvalue()


def _status() -> int:
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def mentioned() -> Iterator[tuple[str, str]]:
    """Every command that a page names, with the place: after `$ `, on a line of a block, or in backquotes."""
    for page in PAGES:
        for block in blocks(page):
            lines = commands(block) if block.language == "console" else block.text.replace("\\\n", " ").splitlines()
            yield from ((line, f"{name(page)}, line {block.line}") for line in lines if line.startswith("leadline "))
        yield from ((found, name(page)) for found in re.findall(r"`(leadline [^`]+)`", prose(page)))
