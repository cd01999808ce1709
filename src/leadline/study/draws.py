"""Draws: the values of the recipe that tuning chooses among, the same for every arm."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadline.spec import Recipe

RATES = (0.001, 0.0025, 0.006, 0.015)
DECAY = 0.3
DROPOUT = 0.1
"""Over rates of 0.001 to 0.015 and some thousand updates a decay of 0.3 takes away a half or all of a weight that no
gradient holds: where it helps at all, it shows. More dropout than 0.1 is a move with evidence of its own, since it
changes what the network can use."""


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


PLAIN = tuple(Draw(rate) for rate in RATES)


def regularised(draw: Draw) -> tuple[Draw, Draw]:
    """A draw with weight decay, and with dropout."""
    return replace(draw, weight_decay=DECAY), replace(draw, dropout=DROPOUT)
