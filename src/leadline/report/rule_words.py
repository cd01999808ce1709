"""How it was decided, in words and figures."""

from __future__ import annotations

from leadline.records.verdict import Verdict
from leadline.report import figures


def rule(verdict: Verdict) -> tuple[str, ...]:
    """The rule in words."""
    margin = figures.margin_text(figures.scale(verdict), verdict.margin)
    return (
        "Two networks are compared in pairs: the same split, the same seed, the same order of data. A move is better "
        f"when the lower end of its interval lies above the margin of {margin}, not worth it when the upper "
        "end lies below it, and undecided otherwise. A move to a smaller network is better when the lower end lies "
        "above minus the margin: it gives up no more than that.",
        f"The margin was set before the first pair. Alpha = {verdict.alpha:g} is the chance of any false better in "
        "the whole study, and as much again that of any false refusal; it is shared out over the comparisons and over "
        "the looks, one after every three pairs. A level is that of each end of an interval, at all looks together. "
        "The intervals hold the error of seeds and that of examples. Screening and tuning runs order the moves and "
        "are never evidence; no decision saw the test part.",
    )


def rule_facts(verdict: Verdict) -> dict[str, str]:
    """Margin, alpha, pairs, levels, parts."""
    levels = sorted({move.level for move in verdict.moves if move.level is not None})
    parts = [f"{name} {figures.count(size)}" for name, size in verdict.data.parts.items()]
    return {
        "Score": f"{verdict.metric.replace('_', ' ')}, shown as {verdict.loss_unit}",
        "Margin": figures.margin_text(figures.scale(verdict), verdict.margin),
        "Alpha": f"{verdict.alpha:g}",
        "Levels of the intervals": _between([figures.level(level) for level in levels]),
        "Pairs trained": figures.count(sum(move.pairs for move in verdict.moves)) if verdict.moves else "",
        "Sequences": ", ".join(parts),
        "Split": verdict.data.split_by + (f", {verdict.data.folds} re-splits" if verdict.data.folds > 1 else ""),
        "Sight of the future": _sight(verdict),
    }


def _between(texts: list[str]) -> str:
    ends = list(dict.fromkeys([texts[0], texts[-1]])) if texts else []
    return " to ".join(ends)


def _sight(verdict: Verdict) -> str:
    if verdict.causal:
        return "none allowed: the path was kept causal"
    if verdict.max_look_ahead is not None:
        return f"up to {figures.plural(verdict.max_look_ahead, 'step')} ahead allowed"
    return "allowed"
