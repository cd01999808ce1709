"""Verdict -> `Facts`: everything that the page shows, worded and formatted; a template only lays it out."""

from __future__ import annotations

import math
from collections.abc import Sequence

from leadline.analysis.contrast import Contrast
from leadline.analysis.findings import Findings
from leadline.records.verdict import Verdict
from leadline.report import figures, sections
from leadline.report.layout import Bar, Facts, Sheet, SheetRow
from leadline.report.words import advice, second_layer, sheet


def build(verdict: Verdict, findings: Findings | None = None, steps: Sequence[Contrast] = ()) -> Facts:
    """The page's facts.

    Args:
        verdict: the record.
        findings: what the layers of the advised network hold, where they were looked into.
        steps: what a second layer holds beside its twin, where that was looked into.
    """
    said = (advice.reached(verdict), advice.sure(verdict), advice.beside(verdict), advice.noise(verdict))
    return Facts(
        title=f"Leadline: {verdict.data.name}",
        about=advice.about(verdict),
        headline=f"Use {advice.use(verdict)}.",
        lead=tuple(sentence for sentence in said if sentence),
        figures=(),
        sections=sections.build(verdict, findings, steps),
        sheet=answer_sheet(verdict, steps),
        top="Answers",
    )


def answer_sheet(verdict: Verdict, steps: Sequence[Contrast] = ()) -> Sheet | None:
    """The table of answers, every range on one axis."""
    rows = sheet.rows(verdict)
    if not rows:
        return None
    axis = Axis(verdict)
    return Sheet(
        unit=sheet.header(verdict),
        rows=tuple(
            SheetRow(row.question, row.word, row.code, row.effect, row.interval, row.note, axis.bar(row))
            for row in rows
        ),
        zero=axis.place(0.0),
        margin=axis.place(verdict.margin),
        margin_text=figures.margin_text(figures.scale(verdict), verdict.margin),
        sentences=tuple(line for line in (*sheet.extra(verdict), second_layer.sentence(steps)) if line),
    )


class Axis:
    """The common axis: places by asinh(effect / margin), so that an effect of 15 margins leaves room for one of half.

    Args:
        verdict: whose effects and margin it spans.
    """

    def __init__(self, verdict: Verdict) -> None:
        self.unit = verdict.margin if verdict.margin > 0 else 1.0
        found = [end for a in verdict.answers if a.effect for end in (*a.effect.interval, a.effect.effect)]
        ends = [math.asinh(end / self.unit) for end in found if math.isfinite(end)]
        self.low = min([-1.0, *ends])
        self.high = max([1.5, *ends])

    def place(self, effect: float) -> float:
        """Per cent of the width, within it."""
        share = (math.asinh(effect / self.unit) - self.low) / (self.high - self.low) if math.isfinite(effect) else 0.0
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def bar(self, row: sheet.Row) -> Bar | None:
        """The bar of a row."""
        effect = row.answer.effect
        if effect is None or not all(math.isfinite(end) for end in effect.interval):
            return None
        return Bar(self.place(effect.interval[0]), self.place(effect.interval[1]), self.place(effect.effect))
