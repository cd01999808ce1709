"""`Reader`: the sequences that the page lets one leaf through. No torch here."""

from __future__ import annotations

from leadline.analysis.measured import Finding


class Stored(Finding):
    """A sequence with its states.

    Args:
        name: of the sequence.
        steps: each step as text.
        targets: one per step, one for all, or none.
        states: per layer, base 64 of int8 (steps, units of all directions).
        depends: per layer, base 64 of uint8 (steps, steps): what the state at the row's step owes to the input at the
            column's, 254 for the largest of the row.
    """

    name: str
    steps: tuple[str, ...]
    targets: tuple[str, ...]
    states: tuple[str, ...]
    depends: tuple[str, ...]


class Reader(Finding):
    """Sequences for the page to leaf through."""

    layers: int
    units: int
    directions: int
    sequences: tuple[Stored, ...]
