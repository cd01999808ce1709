"""Writes the figures of README.md and docs/when-to-use-deep-rnns.md from a run folder; none is typed by hand.

    leadline advise --seed 0 --out letters-run
    python benchmarks/answer_page.py letters-run --machine "two cores of ..."

Between `<!-- made: NAME -->` and `<!-- end -->` stands what a function of this file makes of the record.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings
from leadline.records.stored import read_record
from leadline.records.verdict import Verdict
from leadline.report import figures, terminal
from leadline.report.compare_page import steps_of
from leadline.report.layer_look import figure_text
from leadline.report.words import advice, names, sheet

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "docs/when-to-use-deep-rnns.md")
ANNOTATIONS = 9


@dataclass(frozen=True)
class Run:
    """What a run folder says, and on which machine it was made."""

    verdict: Verdict
    findings: Findings
    steps: tuple[Contrast, ...]
    machine: str


def read(folder: Path, machine: str) -> Run:
    """The records of a run folder."""
    verdict = read_record(folder / "verdict.json", Verdict)
    findings = read_record(folder / "findings.json", Findings)
    return Run(verdict, findings, steps_of(verdict, folder), machine)


def sample(run: Run) -> str:
    """What the terminal prints."""
    console = terminal.text(run.verdict, steps=run.steps)
    return f"```text\n{console.rstrip()}\n```\n\nOn {run.machine}."


def about(run: Run) -> str:
    """The study in a line."""
    margin = figures.margin_text(figures.scale(run.verdict), run.verdict.margin)
    return f"{advice.about(run.verdict)} An effect is worth its cost from {margin} on. On {run.machine}."


def used(run: Run) -> str:
    """The advice."""
    said = (f"Use {advice.use(run.verdict)}.", advice.reached(run.verdict) + ".", advice.sure(run.verdict))
    return " ".join([*said, advice.beside(run.verdict)])


def answers(run: Run) -> str:
    """The sheet as a table."""
    rows = [
        (row.question, row.word, row.effect, row.interval, row.note, row.answer.against, row.answer.of)
        for row in sheet.rows(run.verdict)
    ]
    unit = sheet.header(run.verdict).split(",")[0]
    return table(("does it need", "answer", unit, "95 % range", "", "from", "to"), rows)


def direction(run: Run) -> str:
    """The look-ahead curve."""
    scale = figures.scale(run.verdict)
    rows = [
        (
            "the whole word" if point.steps == "all" else str(point.steps),
            point.arm,
            f"{point.num_parameters:,}",
            figures.loss_number(scale, point.score),
            figures.loss_range(scale, point.interval),
        )
        for point in run.verdict.streaming
    ]
    return table(("letters seen ahead", "network", "parameters", figures.loss_title(scale), "95 % interval"), rows)


def arms(run: Run) -> str:
    """Every network that raced, best first."""
    scale = figures.scale(run.verdict)
    raced = [arm for arm in run.verdict.arms if arm.score is not None and arm.interval is not None]
    rows = [
        (
            arm.description,
            names.parameters(arm.num_parameters) if arm.num_parameters else "",
            figures.loss_number(scale, arm.score),
            figures.loss_range(scale, arm.interval),
            str(arm.blocks),
        )
        for arm in sorted(raced, key=lambda arm: -(arm.score or 0.0))
    ]
    return table(("network", "parameters", figures.loss_title(scale), "95 % interval", "trainings"), rows)


def corners(run: Run) -> str:
    """Deep one way, or one layer both ways."""
    return "\n".join(line.replace("?  ", "? **", 1) + "**" for line in sheet.extra(run.verdict)[:1])


def layers(run: Run) -> str:
    """What is read from each layer of the advised network, the target first."""
    read_of: dict[str, dict[int, str]] = {}
    for probe in run.findings.probes:
        if probe.direction == "all" and probe.origin != "lag" and probe.unit.startswith("% right"):
            untrained = "" if probe.untrained is None else f" ({probe.untrained:.0f})"
            read_of.setdefault(probe.annotation, {})[probe.layer] = f"{probe.score.value:.0f}{untrained}"
    depths = sorted({layer for found in read_of.values() for layer in found})
    titles = ["from the letter alone" if layer == 0 else f"layer {layer} (untrained)" for layer in depths]
    rows = [(name, *(found.get(layer, "") for layer in depths)) for name, found in read_of.items()]
    return table(("% read correctly", *titles), rows[:ANNOTATIONS])


def sentences(run: Run) -> str:
    """What the layers were found to do."""
    chosen = [one.text for one in run.findings.sentences if one.about != "probes"]
    return "\n".join(f"- {text}" for text in chosen)


def brought(run: Run) -> str:
    """What a second layer brings beside one layer of the same size."""
    if not run.steps:
        return "It was not looked into."
    step = run.steps[0]
    held = [
        (one.annotation, one.unit, figure_text(one.first[-1]), figure_text(one.second[-1]), one.sure)
        for one in sorted(step.held, key=lambda one: -abs(one.gain.value))[:ANNOTATIONS]
    ]
    told = "\n".join(f"- {text}" for text in step.sentences)
    headed = table(("read from the top", "unit", "one layer", "two layers", "certain"), held)
    return f"From {step.first} to {step.second}:\n\n{told}\n\n{headed}"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


PARTS: dict[str, Callable[[Run], str]] = {
    made.__name__: made for made in (sample, about, used, answers, direction, arms, corners, layers, sentences, brought)
}


def renewed(text: str, run: Run) -> str:
    """The page with every made part made again."""

    def made(match: re.Match[str]) -> str:
        return f"<!-- made: {match[1]} -->\n{PARTS[match[1]](run)}\n<!-- end -->"

    return re.sub(r"<!-- made: (\w+) -->\n.*?<!-- end -->", made, text, flags=re.DOTALL)


def main() -> None:
    """Renew the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--machine", required=True, help="what it ran on, for the reader")
    given = parser.parse_args()
    run = read(given.run, given.machine)
    for name in PAGES:
        path = ROOT / name
        path.write_text(renewed(path.read_text(encoding="utf-8"), run), encoding="utf-8")


if __name__ == "__main__":
    main()
