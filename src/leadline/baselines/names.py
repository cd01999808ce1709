"""What baselines are called and whether they see the future: gathered from both kinds of baseline."""

from __future__ import annotations

from leadline.baselines import networks, tables
from leadline.data.sequences import Sequences


def baseline_names(sequences: Sequences, causal: bool) -> tuple[str, ...]:
    """The baselines for these data, the trivial one first."""
    found = tables.tables_for(sequences.kind, sequences, causal)
    return (*found, *networks.names_for(sequences.kind))


def baseline_description(name: str) -> str:
    """A baseline in words."""
    return networks.DESCRIPTIONS.get(name) or tables.DESCRIPTIONS[name]


def is_trained(name: str) -> bool:
    """Whether the baseline is trained by gradient, and so has a learning rate."""
    return name in networks.DESCRIPTIONS


def is_drawn(name: str) -> bool:
    """Whether another seed gives another baseline: it is trained by gradient, or draws what it learns from."""
    return is_trained(name) or tables.make(name, causal=True).drawn


def baseline_is_causal(name: str, causal: bool) -> bool:
    """Whether the baseline sees no future step."""
    if name in networks.DESCRIPTIONS:
        return networks.is_causal(name, causal)
    return tables.make(name, causal).causal
