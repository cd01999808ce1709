"""Records of how far things last in time: half-lives, gradients, products of Jacobians, what history is worth."""

from __future__ import annotations

from typing import Literal

from leadline.analysis.measured import Direction, Finding, Measured, Side
from leadline.records.base import Interval

Reading = Literal["healthy", "vanishing", "exploding"]


class Memory(Finding):
    """How long a layer keeps what one step brought.

    Args:
        layer, direction: the layer.
        side: "back" for what earlier inputs left (it looks back), "ahead" for what later ones did.
        kind: "driven" (one input replaced), or "own" (the layer's own state moved).
        half_life: steps until the difference is half of its largest; None where it never was.
        interval: of the half-life; an end is infinite where resamples never came down to half.
        beyond: where `half_life` is None: it is longer than so many steps.
        untrained: mean half-life of the twins; None where it is longer than could be seen.
        curve: (lag, share of the largest difference that is left).
        untrained_curve: the same for the twins.
        units: (half-life in steps, number of units) for a histogram.
        gates: half-life that the gates promise; None where the cell has none.
        differs: the intervals of network and twins do not meet.
    """

    layer: int
    direction: Direction
    side: Side
    kind: Literal["driven", "own"]
    half_life: float | None
    interval: Interval | None
    beyond: int | None = None
    untrained: float | None = None
    untrained_beyond: int | None = None
    curve: tuple[tuple[int, float], ...] = ()
    untrained_curve: tuple[tuple[int, float], ...] = ()
    units: tuple[tuple[str, int], ...] = ()
    gates: float | None = None
    differs: bool = False


class Reach(Finding):
    """How far the loss at one step reaches into a layer.

    Args:
        layer: the layer.
        side: "back" for states before the step of the loss, "ahead" for states after it.
        norms: (lag, norm of the gradient of the loss at the state, over that at lag 0).
        untrained: the same for the first twin.
        reading: "vanishing" where less than 1 % is left at the last lag, "exploding" where more than 100
            times is, else "healthy".
    """

    layer: int
    side: Side
    norms: tuple[tuple[int, float], ...]
    untrained: tuple[tuple[int, float], ...] = ()
    reading: Reading


class Spectrum(Finding):
    """Extreme singular values of the product of a layer's Jacobians dh_t / dh_{t-1}, by lag, geometric means."""

    layer: int
    direction: Direction
    values: tuple[tuple[int, float, float], ...]
    untrained: tuple[tuple[int, float, float], ...] = ()


class History(Finding):
    """The network's score where inputs further away than `steps` are cut off, or come in a random order.

    Args:
        steps: that are left as they are, on either side.
        truncated, shuffled, full: mean scores of the same targets.
        lost: full minus truncated, paired.
        margin: the smallest loss that counts.
    """

    steps: int
    truncated: Measured
    shuffled: Measured
    full: Measured
    lost: Measured
    margin: float
