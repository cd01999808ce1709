"""What a second layer holds beside one layer of the same size, in a sentence for the sheet."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.analysis import estimates
from leadline.analysis.contrast import Contrast, Held

SHOWN = 2


def sentence(steps: Sequence[Contrast]) -> str:
    """The sentence; "" where no deep network and its twin were looked into."""
    found = next((step for step in steps if step.held), None)
    if found is None:
        return ""
    more, less = _sure(found, "more"), _sure(found, "less")
    parts = [f"more of {' and '.join(more)}"] if more else []
    parts += [f"less of {' and '.join(less)}"] if less else []
    held = " and ".join(parts) or "no more and no less of anything that was asked for, as far as is certain"
    return f"What a second layer holds, beside one layer of the same size: {held}{_memory(found)}."


def _sure(found: Contrast, sure: str) -> list[str]:
    some = sorted((one for one in found.held if one.sure == sure), key=lambda one: -abs(one.gain.value))
    return [_held(one) for one in some[:SHOWN]]


def _held(one: Held) -> str:
    return f"{one.annotation} ({one.second[-1].value:.0f} {one.unit.split()[0]}, one layer: {one.first[-1].value:.0f})"


def _memory(found: Contrast) -> str:
    for lasting in found.lasting:
        if lasting.gain is None or lasting.first[-1] is None or lasting.second[-1] is None:
            continue
        verb = "longer" if estimates.is_above(lasting.gain) else "less long" if estimates.is_below(lasting.gain) else ""
        if verb:
            top, one = lasting.second[-1].value, lasting.first[-1].value
            return f"; it remembers {verb} ({top:.1f} steps, one layer: {one:.1f})"
    return ""
