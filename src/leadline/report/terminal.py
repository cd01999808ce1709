"""The sheet for a terminal: at most 30 lines of 100 columns that read the same without colour."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from leadline.analysis.contrast import Contrast
from leadline.records.verdict import Verdict
from leadline.report.words import advice, second_layer, sheet

STYLES = {"yes": "bold green", "a_little": "green", "at_least_a_little": "green", "no": "bold", "worse": "bold red"}
WIDTH = 100
MOST_WARNINGS = 2
INDENT = 7


def render(verdict: Verdict, folder: str | Path | None = None, steps: Sequence[Contrast] = ()) -> RenderableType:
    """What `leadline advise` prints.

    Args:
        verdict: the record.
        folder: the run folder, to say where the files are; only those that exist are named.
        steps: what a second layer holds beside its twin, where that was looked into.

    Returns:
        Something that a `rich.console.Console` prints at any width.
    """
    blocks = (
        [Text(advice.about(verdict), style="dim")],
        _use(verdict),
        _rows(verdict),
        [Text(line) for line in (*sheet.extra(verdict), second_layer.sentence(steps)) if line],
        [Text(line) for line in (advice.noise(verdict), advice.stopped(verdict)) if line],
        [Text(f"Warning: {line}", style="yellow") for line in verdict.warnings[:MOST_WARNINGS]],
        [Text(line, style="dim") for line in _files(verdict, folder)],
    )
    parts: list[RenderableType] = []
    for block in blocks:
        if block:
            parts += [Text(), *block] if parts else block
    return Group(*parts)


def text(
    verdict: Verdict, folder: str | Path | None = None, *, steps: Sequence[Contrast] = (), width: int = WIDTH
) -> str:
    """The same as plain text, without colour."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(render(verdict, folder, steps))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _use(verdict: Verdict) -> list[RenderableType]:
    first = Text(f"Use    {advice.use(verdict)}", style="bold")
    said = advice.reached(verdict), advice.sure(verdict), advice.beside(verdict)
    return [first, *(Padding(Text(line), (0, 0, 0, INDENT), expand=False) for line in said if line)]


def _rows(verdict: Verdict) -> list[RenderableType]:
    rows = sheet.rows(verdict)
    if not rows:
        return []
    width = max(len(row.interval) for row in rows)
    size = max(len(row.effect) for row in rows)
    longest = max(len(row.word) for row in rows)
    lines: list[RenderableType] = [Text(f"{'Does it need':21}{'':{longest}}  {sheet.header(verdict)}", style="dim")]
    for row in rows:
        line = Text(f"  {row.question:19}")
        line.append(f"{row.word:{longest}}", style=STYLES.get(row.code, ""))
        line.append(f"  {row.effect:>{size}}   {row.interval:{width}}   ")
        line.append(row.note, style="dim")
        line.no_wrap, line.overflow = True, "ellipsis"
        lines.append(line)
    return lines


def _files(verdict: Verdict, folder: str | Path | None) -> tuple[str, ...]:
    if folder is None:
        return ()
    named = {"report.html": "Page", "model": "Model"}
    there = [f"{title}: {Path(folder) / name}" for name, title in named.items() if (Path(folder) / name).exists()]
    return tuple(line for line in ("    ".join(there), advice.go_on(verdict)) if line)
