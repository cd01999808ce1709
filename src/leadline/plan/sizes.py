"""Which networks are small, and which cost so much that they are trained as seldom as can be."""

from __future__ import annotations

from dataclasses import replace

from leadline.plan.networks import SMALL
from leadline.spec import StackSpec

COSTLY = 30.0


def small(spec: StackSpec) -> StackSpec:
    """One layer of at most `SMALL` units, one way, no window: what others are called dear against."""
    return replace(
        spec,
        num_layers=1,
        hidden_size=min(spec.hidden_size, SMALL),
        bidirectional=False,
        look_ahead=0,
        dropout=0.0,
    )


def costly(spec: StackSpec) -> bool:
    """Whether a network costs over `COSTLY` times what its small form does."""
    return spec.operations_per_step > COSTLY * small(spec).operations_per_step
