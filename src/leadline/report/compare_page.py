"""`compare.html`: two networks side by side, one file that opens offline; and what the steps of a path brought."""

from __future__ import annotations

from pathlib import Path

from leadline.analysis.contrast import Contrast, Steps
from leadline.analysis.measured import Measured
from leadline.errors import RunFolderError
from leadline.records.stored import read_record
from leadline.records.verdict import Verdict
from leadline.report import contrast_sections, figures, page
from leadline.report.layout import Facts, Figure

CONTRAST, STEPS = "contrast.json", "steps.json"


def steps_of(verdict: Verdict, folder: Path) -> tuple[Contrast, ...]:
    """What a second layer brings in this study, where it was looked into.

    It can be made again, so a file that cannot be read counts as none.
    """
    try:
        known = read_record(folder / STEPS, Steps)
    except RunFolderError:
        return ()
    if known.fingerprint != verdict.data.fingerprint:
        return ()
    return tuple(step for step in known.steps if (step.first, step.second) == (verdict.twin, verdict.deep))


def write(found: Contrast, path: str | Path) -> Path:
    """Write the page.

    Args:
        found: the contrast; nothing else is read.
        path: where the page goes; its folder must be there.
    """
    return page.save(facts(found), path)


def facts(found: Contrast) -> Facts:
    """Everything that the page shows."""
    return Facts(
        title=f"Leadline: {found.first} and {found.second}",
        about=f"From {found.first} to {found.second}, {figures.plural(len(found.seeds), 'pair')} on the dev part.",
        headline=contrast_sections.title(found),
        lead=found.sentences[:1],
        figures=_figures(found),
        sections=contrast_sections.build(found),
        top="In short",
        source=CONTRAST,
    )


def _figures(found: Contrast) -> tuple[Figure, ...]:
    shown = [Figure(f"{found.gain.value:+.1f}", f"{found.score_unit}", _ends(found.gain))]
    for share, name in ((found.removed, "% of targets become right"), (found.added, "% of targets become wrong")):
        if share is not None:
            shown.append(Figure(f"{share.value:.1f}", name, _ends(share)))
    if found.exchanged is not None:
        shown.append(Figure(f"{found.exchanged:.1f}", "% exchanged each way by another seed alone"))
    return tuple(shown)


def _ends(value: Measured) -> str:
    return "" if value.interval is None else f"{value.interval[0]:.1f} to {value.interval[1]:.1f}"
