"""How a layer's gain goes with distance, in words. No torch here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from leadline.analysis.findings import Bin, Probe, Sentence


def by_distance(probes: Iterable[Probe]) -> Iterator[Sentence]:
    """A sentence for each layer whose gain over the layer below differs between the nearest and the farthest bucket.

    The intervals of the two may not meet.
    """
    for probe in probes:
        if probe.layer < 2 or len(probe.gains) < 2:
            continue
        near, far = probe.gains[0], probe.gains[-1]
        if _apart(near, far):
            verb = "grows" if far.score.value > near.score.value else "falls"
            yield Sentence(
                about="readable",
                text=f"What layer {probe.layer} gains over layer {probe.layer - 1} in {probe.annotation} {verb} with "
                f"distance: {_points(near)} at {_steps(near)}, {_points(far)} at {_steps(far)}.",
            )


def _apart(one: Bin, other: Bin) -> bool:
    a, b = one.score.interval, other.score.interval
    return a is not None and b is not None and (a[1] < b[0] or b[1] < a[0])


def _points(found: Bin) -> str:
    assert found.score.interval is not None
    low, high = found.score.interval
    return f"{found.score.value:+.1f} points ({low:+.1f} to {high:+.1f})"


def _steps(found: Bin) -> str:
    return f"{found.name} step" if found.name == "1" else f"{found.name} steps"
