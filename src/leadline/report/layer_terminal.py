"""Findings for a terminal: the sentences, by section."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from leadline.analysis.contrast import Contrast, Example
from leadline.analysis.findings import Findings
from leadline.report import layer_page, layer_sections

BLOCKS = (
    ("What is readable where", ("readable",)),
    ("How long each layer remembers", ("memory",)),
    ("What is combined", ("combined",)),
    ("What breaks without it", ("breaks", "errors")),
    ("How far it reaches", ("reach",)),
)
FILES = {"layers.html": "the page with the pictures", "findings.json": "the findings for programs"}


def contrast(found: Contrast) -> RenderableType:
    """What `leadline compare` prints."""
    parts: list[RenderableType] = [Text(f"{found.first} against {found.second}, seed {found.seed}", style="dim")]
    examples = (("Become right", found.fixed), ("Become wrong", found.broken))
    lines = [(title, tuple(_example(one) for one in some)) for title, some in examples]
    again = () if found.reproduced else ("The networks trained again do not give the ledger's dev scores.",)
    for title, shown in (("What changed", found.sentences), *lines, ("Notes", again)):
        if shown:
            parts += [Text(), Text(title, style="bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in shown)]
    return Group(*parts)


def _example(one: Example) -> str:
    return f"{one.before}[{one.here}]{one.after}: {one.target} ({one.first} before, {one.second} after)"


def render(found: Findings, folder: Path) -> RenderableType:
    """What `leadline explain` prints.

    Args:
        found: the findings.
        folder: where the files are; only those that exist are named.
    """
    parts: list[RenderableType] = [Text(layer_page.about(found), style="dim")]
    files = tuple(f"{folder / name}: {what}" for name, what in FILES.items() if (folder / name).exists())
    blocks = [(title, layer_sections.said(found, *about)) for title, about in BLOCKS]
    for title, lines in (*blocks, ("Notes", found.notes), ("Files", files)):
        if lines:
            parts += [Text(), Text(title, style="bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in lines)]
    return Group(*parts)
