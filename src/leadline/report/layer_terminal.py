"""Findings for a terminal: the sentences, by section."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings
from leadline.report import compare_page, contrast_sections, layer_page, layer_sections

BLOCKS = (
    ("What is readable where", ("readable",)),
    ("How long each layer remembers", ("memory",)),
    ("What is combined", ("combined",)),
    ("What breaks without it", ("breaks", "errors")),
    ("How far it reaches", ("reach",)),
)
COMPARED = {"compare.html": "the page with the pictures", "contrast.json": "the contrast for programs"}
FILES = {"layers.html": "the page with the pictures", "findings.json": "the findings for programs"}


def contrast(found: Contrast, folder: Path) -> RenderableType:
    """What `leadline compare` prints.

    Args:
        found: the contrast.
        folder: where the files are.
    """
    parts: list[RenderableType] = [Text(compare_page.facts(found).about, style="dim")]
    examples = (("Become right", found.fixed), ("Become wrong", found.broken))
    lines = [(title, tuple(contrast_sections.example(one) for one in some)) for title, some in examples]
    notes = contrast_sections.notes(found).sentences
    files = tuple(f"{folder / name}: {what}" for name, what in COMPARED.items() if (folder / name).exists())
    for title, shown in (("What changed", found.sentences), *lines, ("Notes", notes), ("Files", files)):
        if shown:
            parts += [Text(), Text(title, style="bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in shown)]
    return Group(*parts)


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
