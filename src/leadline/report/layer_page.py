"""`layers.html`: what layers hold, one file that opens offline, from the findings alone."""

from __future__ import annotations

from pathlib import Path

from leadline.analysis.findings import Findings
from leadline.errors import RunFolderError
from leadline.records.stored import read_record
from leadline.records.verdict import Verdict
from leadline.report import layer_sections, page
from leadline.report.layout import Facts, Figure

FINDINGS = "findings.json"


def read_findings(folder: Path) -> Findings | None:
    """What was found in the layers of a run or model; None where it was not looked into, or the file is damaged.

    Findings can be made again, so a file that cannot be read counts as none.
    """
    try:
        return read_record(folder / FINDINGS, Findings)
    except RunFolderError:
        return None


def findings_of(verdict: Verdict, folder: Path) -> Findings | None:
    """What was found in the advised network on the study's own data; None where others were looked into."""
    found = read_findings(folder)
    trained = verdict.advice.spec  # with the dropout that all arms were given, which the arm's name does not have
    advised = verdict.data.fingerprint, trained.describe() if trained else ""
    return found if found and (found.looked.fingerprint, found.looked.network) == advised else None


def write(found: Findings, path: str | Path) -> Path:
    """Write the page.

    Args:
        found: the findings; nothing else is read.
        path: where the page goes; its folder must be there.
    """
    return page.save(facts(found), path)


def facts(found: Findings) -> Facts:
    """Everything that the page shows."""
    looked = found.looked
    return Facts(
        title=f"Leadline: layers of {looked.network}",
        about=about(found),
        headline=headline(found),
        lead=layer_sections.said(found, "memory", "combined")[:3],
        figures=_figures(found),
        sections=layer_sections.build(found),
        top="In short",
        source=FINDINGS,
    )


def about(found: Findings) -> str:
    """What was looked at, in one sentence."""
    looked = found.looked
    return f"{looked.network} on {looked.data}: {looked.sequences:,} sequences, {looked.steps:,} steps."


def headline(found: Findings) -> str:
    """The first finding."""
    said = layer_sections.said(found, "readable")
    return said[0] if said else "What each layer holds"


def _figures(found: Findings) -> tuple[Figure, ...]:
    shown = []
    if found.looked.score is not None:
        shown.append(Figure(f"{found.looked.score.value:.1f}", found.looked.score_unit, "on this sample"))
    for one in found.memory:
        if one.kind == "driven" and one.side == "back":
            life = f"> {one.beyond}" if one.half_life is None else f"{one.half_life:.1f}"
            twin = f"> {one.untrained_beyond}" if one.untrained is None else f"{one.untrained:.1f}"
            shown.append(Figure(life, f"steps, half-life in layer {one.layer}", f"untrained {twin}"))
    lost = [(layer.layer, layer.adds.value) for layer in found.ablation if layer.adds is not None]
    shown += [Figure(f"{value:.1f}", f"lost with a linear map for layer {layer}") for layer, value in lost]
    return tuple(shown[:4])
