"""Draws: the values of the recipe that tuning chooses among, the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadline.spec import Recipe

DECAY = 0.3
"""Over rates of 0.001 to 0.015 and some thousand updates it takes away half or all of a weight that no gradient
holds: where decay helps at all, it shows."""

DROPOUT = 0.1
"""More than that is a question of its own, since it changes what the network can use."""


@dataclass(frozen=True)
class Draw:
    """How an arm is trained; what is not here is the same for all.

    Args:
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        dropout: the least dropout in training; an arm that is regularised more keeps its own.
    """

    learning_rate: float
    weight_decay: float = 0.0
    dropout: float = 0.0

    def put_into(self, recipe: Recipe) -> Recipe:
        """The recipe with these values."""
        return replace(recipe, learning_rate=self.learning_rate, weight_decay=self.weight_decay, dropout=self.dropout)


def regularised(draw: Draw) -> tuple[Draw, Draw]:
    """A draw with weight decay, and with dropout."""
    return replace(draw, weight_decay=DECAY), replace(draw, dropout=DROPOUT)


def shortened(recipe: Recipe, divisor: int, least: int = 100) -> Recipe:
    """A recipe with a fraction of the updates and one look, at the end.

    Because averaged weights are evaluated and the learning rate does not decay, a shortened run is the beginning of
    the long one.
    """
    updates = min(recipe.max_updates, max(least, recipe.max_updates // divisor))
    return replace(recipe, max_updates=updates, eval_every=updates)
