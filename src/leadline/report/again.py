"""The page of a run folder once more, from what lies on disk. No torch here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leadline import aside
from leadline.analysis.contrast import Steps
from leadline.analysis.findings import Findings
from leadline.analysis.measured import Document
from leadline.errors import LeadlineError, RunFolderError
from leadline.records.stored import read_record
from leadline.records.verdict import Verdict
from leadline.report import page
from leadline.report.compare_page import STEPS, steps_of
from leadline.report.layer_page import FINDINGS, findings_of
from leadline.trials.ledger import read_verdict
from leadline.trials.lock import writing

PAGE = "report.html"


@dataclass(frozen=True)
class Again:
    """What was made: the verdict, its folder, the page, and a sentence for each file that could not be read."""

    verdict: Verdict
    folder: Path
    page: Path
    left_out: tuple[str, ...]


def report(run: Path, out: Path | None = None) -> Again:
    """Make the page again.

    Args:
        run: a run folder, or a `verdict.json`.
        out: the page; `report.html` in the run folder by default.

    Raises:
        RunFolderError: no verdict there or a damaged one, or another process works in the folder that is written into.
        OutputError: the page cannot be written.
    """
    verdict = read_verdict(run)
    folder = run if os.path.isdir(run) else run.parent
    target = out or folder / PAGE
    aside.require_place(target)
    with writing(target.parent):
        findings, steps = findings_of(verdict, folder), steps_of(verdict, folder)
        with _sound(run):
            page.write(verdict, target, findings=findings, steps=steps)
    return Again(verdict, folder, target, tuple(_left_out(folder)))


@contextmanager
def _sound(run: Path) -> Iterator[None]:
    """Records have the right types and may contradict each other, or hold figures that are none.

    What a page cannot be made of, it says in these four kinds; a record that a study has made gives none of them.
    """
    try:
        yield
    except LeadlineError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"the records contradict each other ({type(error).__name__}: {error})",
            where=aside.shown(run),
            expected="a verdict as a study wrote it",
            next_move="The same `leadline advise` command writes it again from the ledger.",
        ) from error


def _left_out(folder: Path) -> Iterator[str]:
    """What is there and cannot be read: the page goes without it, and that is said."""
    remade: tuple[tuple[str, type[Document], str], ...] = (
        (FINDINGS, Findings, "`leadline explain RUN` makes it again."),
        (STEPS, Steps, "The same `leadline advise` command makes it again."),
    )
    for name, kind, next_move in remade:
        if os.path.exists(folder / name):
            try:
                read_record(folder / name, kind, next_move=next_move)
            except RunFolderError as error:
                yield f"the page goes without {error}"
