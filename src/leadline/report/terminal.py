"""The verdict for a terminal: plain sentences that read the same without colour."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from leadline.records.verdict import Verdict
from leadline.report import explain, path_words, screening_words, streaming_words, words

_FILES = {
    "report.html": "the page with the evidence",
    "verdict.json": "the verdict for programs",
    "model": "the trained model",
}


def render(verdict: Verdict, folder: str | Path | None = None) -> RenderableType:
    """What `leadline advise` prints.

    Args:
        verdict: the record.
        folder: the run folder, to say where the files are; only those that exist are named.

    Returns:
        Something that a `rich.console.Console` prints at any width.
    """
    parts: list[RenderableType] = [
        Text(explain.about(verdict), style="dim"),
        Text(),
        Text(words.headline(verdict), style="bold"),
    ]
    for sentence in (*path_words.reason(verdict), words.test_sentence(verdict), path_words.against_baseline(verdict)):
        parts += [Text(), Text(sentence)] if sentence else []
    blocks = (
        ("The path", path_words.path(verdict)),
        (explain.ruled_out_title(verdict), path_words.ruled_out(verdict)),
        (explain.FAILED, path_words.could_not_train(verdict)),
        (explain.OPEN, path_words.still_open(verdict)),
        (screening_words.TITLE, screening_words.screening(verdict)),
        ("If you must stream", streaming_words.streaming(verdict)),
        ("What it costs to run", words.cost(verdict)),
        ("Warnings", verdict.warnings),
        ("Files", _files(folder)),
    )
    for title, lines in blocks:
        parts += _block(title, lines)
    return Group(*parts)


def text(verdict: Verdict, folder: str | Path | None = None, *, width: int = 80) -> str:
    """The same as plain text, without colour."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(render(verdict, folder))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _block(title: str, lines: tuple[str, ...]) -> list[RenderableType]:
    if not lines:
        return []
    return [Text(), Text(title, style="bold"), *(_item(line) for line in lines)]


def _item(line: str) -> RenderableType:
    return Padding(Text(line), (0, 0, 0, 2))


def _files(folder: str | Path | None) -> tuple[str, ...]:
    if folder is None:
        return ()
    return tuple(f"{Path(folder) / name}: {what}" for name, what in _FILES.items() if (Path(folder) / name).exists())
