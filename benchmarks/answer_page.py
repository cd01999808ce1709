"""Fill docs/when-to-use-deep-rnns.md with the figures of a run, and draw its pictures.

    python benchmarks/answer_page.py RUN

RUN is a finished run folder of the embedded data set. Everything between `<!-- made: NAME -->` and `<!-- end -->` is
replaced; nothing else on the page holds a figure. What the run folder lacks (findings of the advised network, the
comparison of its last step deeper) is measured first, which may take minutes.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vl_convert

from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings, Probe
from leadline.analysis.measured import Measured
from leadline.records.evidence import Comparison, Effect
from leadline.records.verdict import Verdict
from leadline.report import charts, contrast_charts, figures, words
from leadline.report.compare_page import steps_of
from leadline.report.layer_page import findings_of
from leadline.study.ledger import read_verdict

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "when-to-use-deep-rnns.md"
PLACE = re.compile(r"<!-- made: ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)
WIDTH = 640
FEW_PROBES = 9
LIKE = 0.75
DECIDED = {
    "better": "pays",
    "not_worth_it": "does not pay",
    "undecided": "open",
    "failed_to_train": "did not train",
    "not_pursued": "not pursued",
}


@dataclass(frozen=True)
class Run:
    """What the page is made from."""

    verdict: Verdict
    findings: Findings
    brought: Contrast


def read(folder: Path) -> Run:
    """A run folder; what it lacks is measured."""
    verdict = read_verdict(folder)
    findings = findings_of(verdict, folder)
    deeper = [step for step in steps_of(verdict, folder) if "deeper" in step.move]
    if findings is None or not deeper:
        import leadline

        findings = findings or leadline.explain(folder, out=folder)
        deeper = deeper or [leadline.compare(folder, out=folder)]
    return Run(verdict, findings, deeper[-1])


def about(run: Run) -> str:
    """What was run."""
    verdict = run.verdict
    spent = figures.duration(verdict.budget.seconds)
    return (
        f"{verdict.data.num_sequences:,} words, {verdict.data.num_steps:,} letters, "
        f"{len(verdict.data.classes)} sounds. "
        f"{verdict.budget.trials} networks trained in {spent} on {figures.plural(verdict.budget.jobs, 'core')}, seed "
        f"{verdict.seed}. {verdict.stop_sentence} An effect counts as worth its cost from "
        f"{figures.margin_text(figures.scale(verdict), verdict.margin)} on."
    )


def short(run: Run) -> str:
    """The answer in a few lines."""
    return "\n".join(f"- {line}" for line in (_direction(run), _width(run), *_depth(run), _tested(run)) if line)


def _direction(run: Run) -> str:
    square = run.verdict.square
    effect = None if square is None else square.direction_shallow
    taken = next((m for m in _compared(run, "both_directions") if m.decision == "better"), None)
    if taken is not None:
        return f"**Direction first.** A second reader, from the end, at equal parameters: {_said(run, taken)}."
    return "" if effect is None else f"**Direction.** Both ways instead of one: {_effect(run, effect)}."


def _width(run: Run) -> str:
    rows = _compared(run, "wider", alone=True)
    if not rows:
        return "**Width** was never among the steps that looked most promising."
    row = _telling(rows)
    ratio = _parameters(run, row.to) / max(_parameters(run, row.against), 1)
    size = f"{ratio:.1f} times the parameters in wider layers"
    return f"**Width: {DECIDED[row.decision]}.** {size}: {_said(run, row)}."


def _depth(run: Run) -> Iterable[str]:
    square = run.verdict.square
    if square is not None and square.depth_one_way is not None and square.depth_both_ways is not None:
        yield (
            "**Depth at equal parameters**, two layers instead of one: while the future is hidden "
            f"{_effect(run, square.depth_one_way)}; once both ways are read {_effect(run, square.depth_both_ways)}."
        )
    rows = _compared(run, "deeper")
    for name in dict.fromkeys(row.move for row in rows):
        yield from _steps(run, [row for row in rows if row.move == name])


def _steps(run: Run, rows: list[Comparison]) -> Iterable[str]:
    """A move from each network where it was decided, or the row known most closely where it never was."""
    decided = [row for row in rows if row.decision in ("better", "not_worth_it")]
    for row in decided or [_telling(rows)]:
        what = words.capital(words.move_name(row.move))
        arm = words.find_arm(run.verdict, row.to)
        depth = "" if arm is None else f", to {figures.plural(arm.spec.num_layers, 'layer')}"
        yield f"**{what}{depth}: {DECIDED[row.decision]}.** {_said(run, row)}."
        if row.size_control is not None:
            control = row.size_control
            yield f"**Depth alone, at that size:** {_effect(run, control.effect)}, {control.arm} to {row.to}."


def _telling(rows: list[Comparison]) -> Comparison:
    """Of a move looked at from several networks: the last one that was decided, else the one known most closely."""
    decided = [row for row in rows if row.decision in ("better", "not_worth_it")]
    return decided[-1] if decided else min(rows, key=_breadth)


def _breadth(row: Comparison) -> float:
    low, high = row.interval or (-math.inf, math.inf)
    return high - low


def _tested(run: Run) -> str:
    sentence = words.test_sentence(run.verdict)
    return f"**In the end:** {run.verdict.recommendation.description}. {sentence}" if sentence else ""


def direction(run: Run) -> str:
    """What is seen of the future, and what it brings."""
    scale = figures.scale(run.verdict)
    rows = [
        [
            "the whole word" if point.steps == "all" else f"{point.steps}",
            words.arm_name(run.verdict, point.arm),
            f"{point.num_parameters:,}",
            figures.loss_number(scale, point.score),
            figures.loss_range(scale, point.interval),
        ]
        for point in run.verdict.look_ahead_curve
    ]
    return _table(["letters seen ahead", "network", "parameters", scale.loss_unit, "95 % interval"], rows)


def width(run: Run) -> str:
    """Wider, wherever it was measured."""
    return _moves(run, "wider")


def depth(run: Run) -> str:
    """Deeper, wherever it was measured."""
    return "\n\n".join(text for text in (_moves(run, "deeper"), _size_or_depth(run)) if text)


def _size_or_depth(run: Run) -> str:
    """Whether a step that paid was held against a network as large and less deep."""
    taken = [m for m in _compared(run, "deeper") if m.decision == "better"]
    if not taken:
        return ""
    deep = taken[-1]
    arm = words.find_arm(run.verdict, deep.to)
    assert arm is not None
    if deep.size_control is not None:
        control = deep.size_control
        return (
            f"Held against size: {deep.to} ({arm.num_parameters:,} parameters) against a network with a layer less and "
            f"as many parameters, {control.arm}: {_effect(run, control.effect)}, {control.effect.pairs} fresh pairs."
        )
    flat = [
        m
        for m in run.verdict.moves
        if (other := words.find_arm(run.verdict, m.to)) is not None
        and other.spec.num_layers < arm.spec.num_layers
        and other.num_parameters > LIKE * arm.num_parameters
        and m.effect is not None
        and m.against == deep.against
    ]
    if flat:
        return f"Held against size: a network about as large and less deep, {_said(run, flat[-1])}."
    return (
        f"{deep.to} is larger, too: {arm.num_parameters:,} parameters. No network as large and less deep was measured "
        "in pairs, so this step shows that depth *and* size paid together, not that depth alone did."
    )


def corners(run: Run) -> str:
    """One layer and two, one way and both ways, at equal parameters."""
    scale = figures.scale(run.verdict)
    square = run.verdict.square
    assert square is not None, "the run ended before the square was trained"
    rows = [
        [
            figures.plural(corner.num_layers, "layer"),
            "both ways" if corner.bidirectional else "one way",
            words.arm_name(run.verdict, corner.arm),
            f"{corner.num_parameters:,}",
            figures.loss_number(scale, corner.dev.score),
            figures.loss_range(scale, corner.dev.interval),
        ]
        for corner in square.corners
    ]
    table = _table(["depth", "direction", "network", "parameters", scale.loss_unit, "95 % interval"], rows)
    one = next(c for c in square.corners if c.num_layers == 1 and c.bidirectional)
    two = next(c for c in square.corners if c.num_layers > 1 and not c.bidirectional)
    gap = figures.effect_text(scale, one.dev.score - two.dev.score)
    many = figures.plural(two.num_layers, "layer")
    return (
        f"{table}\n\nOne layer both ways against {many} one way, at equal parameters: {gap}. "
        f"The two intervals {_meeting(one.dev.interval, two.dev.interval)}."
    )


def _meeting(one: tuple[float, float], other: tuple[float, float]) -> str:
    return "do not meet" if one[0] > other[1] or other[0] > one[1] else "meet, so that neither is shown to be better"


def layers(run: Run) -> str:
    """What is read from each layer, beside untrained ones."""
    groups: dict[str, list[Probe]] = {}
    for probe in run.findings.probes:
        if probe.direction == "all" and probe.origin != "lag" and probe.unit == "% right":
            groups.setdefault(probe.annotation, []).append(probe)
    chosen = sorted(groups.values(), key=lambda g: -max(abs(p.gain.value) if p.gain else 0.0 for p in g if p.layer))
    numbers = [p.layer for p in chosen[0]]
    head = ["% read correctly", *("from the letter alone" if n == 0 else f"from layer {n}" for n in numbers)]
    head += [f"untrained layer {n}" for n in numbers if n]
    rows = [
        [
            group[0].annotation,
            *(_figure(p.score, 0) for p in group),
            *(f"{p.untrained:.0f}" for p in group if p.layer and p.untrained is not None),
        ]
        for group in chosen[:FEW_PROBES]
    ]
    said = [s.text for s in run.findings.sentences if s.about in ("memory", "combined", "breaks", "errors")]
    return "\n".join([_table(head, rows), "", *(f"- {text}" for text in said)])


def brought(run: Run) -> str:
    """What the step deeper removed and added."""
    found = run.brought
    head = f"From {found.first} to {found.second}:"
    return "\n".join([head, "", *(f"- {text}" for text in found.sentences)])


def unsettled(run: Run) -> str:
    """What the run left open."""
    rows = [m for m in run.verdict.moves if m.decision == "undecided" and m.effect is not None]
    named = [f"{words.move_name(m.move)}, {m.against} to {m.to}" for m in rows if m.move != "recurrence"]
    named += [
        f"whether {m.to} beats {words.arm_name(run.verdict, m.against)}, which has no recurrence"
        for m in rows
        if m.move == "recurrence"
    ]
    return f"- Left open by this run: {'; '.join(named)}." if named else "- Every comparison came to a decision."


PLACES: dict[str, Callable[[Run], str]] = {
    "about": about,
    "short": short,
    "direction": direction,
    "width": width,
    "depth": depth,
    "corners": corners,
    "layers": layers,
    "brought": brought,
    "unsettled": unsettled,
}


def pictures(run: Run) -> dict[str, dict[str, Any] | None]:
    """Vega-Lite of each picture, by the end of its file's name."""
    return {"corners": charts.square(run.verdict), "errors": contrast_charts.kinds(run.brought, 8)}


def filled(text: str, run: Run) -> str:
    """The page with every marked place made anew.

    Raises:
        KeyError: a place that nothing fills.
    """
    return PLACE.sub(lambda place: f"<!-- made: {place[1]} -->\n{PLACES[place[1]](run)}\n<!-- end -->", text)


def pictures_of(text: str) -> list[str]:
    """Names of the pictures that the page shows."""
    return re.findall(rf"\({PAGE.stem}-(\w+)\.svg\)", text)


def drawn(spec: dict[str, Any]) -> str:
    """A chart of the verdict's page as a picture that stands alone: colours and width are fixed."""
    plain = re.sub(r"var\(--[\w-]+, (#[0-9a-f]+)\)", r"\1", json.dumps(spec)).replace("currentColor", "#1c2024")
    alone = {**json.loads(plain), "width": WIDTH, "background": "#ffffff", "padding": 12}
    alone["autosize"] = {"type": "pad", "contains": "content"}
    svg: str = vl_convert.vegalite_to_svg(alone)
    return svg


def _compared(run: Run, part: str, alone: bool = False) -> list[Comparison]:
    """Comparisons in pairs of a move, alone or together with others."""
    every = [m for m in run.verdict.moves if m.effect is not None]
    return [m for m in every if m.move == part or (not alone and part in m.move.split("+"))]


def _moves(run: Run, part: str) -> str:
    scale = figures.scale(run.verdict)
    rows = [
        [
            m.against,
            m.to,
            f"{_parameters(run, m.against):,} to {_parameters(run, m.to):,}",
            "–" if m.effect is None else figures.effect_text(scale, m.effect, m.interval),
            f"{m.pairs}",
            DECIDED[m.decision],
        ]
        for m in _compared(run, part)
    ]
    if not rows:
        return "No such step was measured in pairs."
    return _table(["from", "to", "parameters", "effect and interval", "pairs", "verdict"], rows)


def _said(run: Run, move: Comparison) -> str:
    scale = figures.scale(run.verdict)
    best = move.fresh or Effect(effect=move.effect or 0.0, interval=move.interval or (0.0, 0.0), pairs=move.pairs)
    on = " on fresh seeds" if move.fresh else ""
    return f"{figures.effect_text(scale, best.effect, best.interval)}{on}, {move.against} to {move.to}"


def _effect(run: Run, effect: Effect) -> str:
    return figures.effect_text(figures.scale(run.verdict), effect.effect, effect.interval)


def _parameters(run: Run, name: str) -> int:
    arm = words.find_arm(run.verdict, name)
    return 0 if arm is None else arm.num_parameters


def _figure(measured: Measured, places: int) -> str:
    if measured.interval is None:
        return f"{measured.value:.{places}f}"
    low, high = measured.interval
    return f"{measured.value:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main() -> None:
    run = read(Path(sys.argv[1]))
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), run), encoding="utf-8")
    for name, spec in pictures(run).items():
        if spec is not None:
            (DOCS / f"{PAGE.stem}-{name}.svg").write_text(drawn(spec), encoding="utf-8")


if __name__ == "__main__":
    main()
