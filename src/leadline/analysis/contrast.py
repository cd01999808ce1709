"""`Contrast`: what differs between two networks trained on the same data with the same seed. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from leadline.analysis import estimates
from leadline.analysis.findings import ErrorKind, Finding, Findings, Measured, Memory, Probe

SCHEMA = "leadline.contrast/1"
MOST_KINDS = 3


class Example(Finding):
    """A target that one network has right and the other has not.

    Args:
        before, here, after: the step with what stands around it; for one target per sequence all of it in `here`.
        target: the right answer.
        first, second: the answers of the two.
    """

    before: str
    here: str
    after: str
    target: str
    first: str
    second: str


class Contrast(Finding):
    """Two networks side by side.

    Args:
        first, second: their names.
        seed: that both were trained with.
        reproduced: whether both give the dev scores that the ledger holds.
        targets: dev targets that were looked at.
        gain: score of the second minus that of the first.
        removed, added: per cent of targets that only the second, only the first has right.
        kinds: errors by kind; `below` is the first's, `here` the second's.
        fixed, broken: examples of what the second got right, and of what it lost.
        first_found, second_found: what the layers of each hold.
        sentences: the same in words.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    first: str
    second: str
    seed: int
    reproduced: bool
    targets: int
    score_unit: str
    gain: Measured
    removed: Measured | None = None
    added: Measured | None = None
    kinds: tuple[ErrorKind, ...] = ()
    fixed: tuple[Example, ...] = ()
    broken: tuple[Example, ...] = ()
    first_found: Findings
    second_found: Findings
    sentences: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The text of `contrast.json`."""
        return self.model_dump_json(by_alias=True, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Contrast:
        """Read what `to_json` wrote."""
        return cls.model_validate_json(text)


def sentences(found: Contrast) -> tuple[str, ...]:
    """What the change brought, one sentence a part, only where the intervals allow it."""
    return tuple(text for part in (_errors, _kinds, _readings, _lives) for text in part(found))


def _errors(found: Contrast) -> Iterator[str]:
    low, high = found.gain.interval or (float("-inf"), float("inf"))
    size = f"{abs(found.gain.value):.1f} ({low:.1f} to {high:.1f})"
    if low <= 0 <= high:
        yield f"{found.second} and {found.first} do not differ with certainty on {found.targets:,} dev targets: {size}."
    elif found.removed is None or found.added is None:
        better = found.second if low > 0 else found.first
        yield f"{better} scores better by {size} ({found.score_unit})."
    else:
        yield (
            f"From {found.first} to {found.second}, {found.removed.value:.1f} % of the targets become right and "
            f"{found.added.value:.1f} % become wrong: {size} in all, one seed."
        )


def _kinds(found: Contrast) -> Iterator[str]:
    for verb, sign in (("removes", 1), ("adds", -1)):
        sure = [
            kind
            for kind in found.kinds
            if (estimates.is_above(kind.removed) if sign > 0 else estimates.is_below(kind.removed))
        ]
        sure.sort(key=lambda kind: -sign * kind.removed.value)
        if sure:
            shown = ", ".join(
                f"{kind.grouping} {kind.group} (from {kind.below:.0f} to {kind.here:.0f} % wrong)"
                for kind in sure[:MOST_KINDS]
            )
            yield f"It {verb} errors most on {shown}."


def _readings(found: Contrast) -> Iterator[str]:
    """Annotations whose best layers' intervals do not meet, the largest difference first."""
    one, two = _best(found.first_found), _best(found.second_found)
    apart = [name for name in one if name in two and _parted(one[name].score, two[name].score)]
    if not apart:
        return
    apart.sort(key=lambda name: -abs(two[name].score.value - one[name].score.value))
    for name in apart[:MOST_KINDS]:
        yield (
            f"{name[:1].upper()}{name[1:]} is read from layer {two[name].layer} of the second with "
            f"{two[name].score.value:.0f} {two[name].unit.split()[0]}, from layer {one[name].layer} of the first with "
            f"{one[name].score.value:.0f}."
        )


def _best(found: Findings) -> dict[str, Probe]:
    best: dict[str, Probe] = {}
    for probe in found.probes:
        if probe.layer and probe.direction == "all" and probe.origin != "lag":
            known = best.get(probe.annotation)
            if known is None or probe.score.value > known.score.value:
                best[probe.annotation] = probe
    return best


def _parted(one: Measured, two: Measured) -> bool:
    if one.interval is None or two.interval is None:
        return False
    return one.interval[1] < two.interval[0] or two.interval[1] < one.interval[0]


def _lives(found: Contrast) -> Iterator[str]:
    pair = [
        [m for m in f.memory if m.kind == "driven" and m.side == "back"]
        for f in (found.first_found, found.second_found)
    ]
    if all(pair):
        one, two = (", ".join(_life(m) for m in memories) for memories in pair)
        yield f"Half of an earlier input is forgotten after {two} steps (layers of the second); of the first: {one}."


def _life(one: Memory) -> str:
    return f"more than {one.beyond}" if one.half_life is None else f"{one.half_life:.1f}"
