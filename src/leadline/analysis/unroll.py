"""From any layer on, or step by step with every state on the way.

A network is run here as `leadline.recurrent.Recurrent` runs it, but from any layer on, or step by step with every
state kept as a node of the graph. Shapes are time-major: (seq, batch, feature).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from leadline.kernels import reference
from leadline.kernels.reference import State
from leadline.recurrent import Recurrent


@dataclass(frozen=True, eq=False)
class Nudge:
    """A disturbance of one layer's own state, once per sequence.

    Args:
        steps: (batch,) step after which the state is moved.
        change: (batch, hidden) what is added to each state tensor.
    """

    steps: Tensor
    change: Tensor


def run_from(recurrent: Recurrent, layer: int, below: Tensor, lengths: Tensor) -> list[Tensor]:
    """Outputs of `layer` and of all layers above it, from what `layer` reads.

    >>> import torch
    >>> from leadline.spec import StackSpec
    >>> from leadline.stack import Stack
    >>> stack = Stack(StackSpec(3, 2, hidden_size=4, num_layers=3), seed=0)
    >>> [o.shape[-1] for o in run_from(stack.recurrent, 1, torch.zeros(5, 2, 4), torch.tensor([5, 4]))]
    [4, 4]
    """
    outputs: list[Tensor] = []
    for number in range(layer, recurrent.spec.num_layers):
        below, _ = recurrent.run_layer(number, below, lengths)
        outputs.append(below)
    return outputs


def states(
    recurrent: Recurrent,
    layer: int,
    direction: int,
    below: Tensor,
    lengths: Tensor,
    nudge: Nudge | None = None,
) -> list[State]:
    """The state after each step, in the order of the steps: (h,) or (h, c), each (batch, hidden).

    Plain and differentiable; at a step beyond a row's length the state is the one before it in the direction of
    reading.
    """
    own = recurrent.weights(layer, direction)
    state = recurrent.zeros(below)
    found: list[State] = [state] * below.shape[0]
    order = range(below.shape[0])
    for t in reversed(order) if direction else order:
        there = (lengths > t).to(torch.int64)
        _, state = reference.unroll(recurrent.spec.cell, below[t : t + 1], there, state, own)
        if nudge is not None:
            hit = (nudge.steps == t).to(below.dtype)[:, None]
            state = tuple(part + hit * nudge.change for part in state)
        found[t] = state
    return found


def before(found: list[State], start: State, direction: int) -> list[State]:
    """The state that each step read, from the states after each step."""
    return [*found[1:], start] if direction else [start, *found[:-1]]
