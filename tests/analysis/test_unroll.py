"""Layers run one at a time are the network."""

from __future__ import annotations

import pytest
import torch

from leadline.analysis import unroll
from leadline.spec import StackSpec
from leadline.stack import Stack

LENGTHS = torch.tensor([6, 4, 1])


def a_stack(cell: str, **options) -> tuple[Stack, torch.Tensor]:
    stack = Stack(StackSpec(3, 2, cell=cell, hidden_size=5, num_layers=3, **options), seed=1).eval()
    steps = torch.randn(6, 3, 3, generator=torch.Generator().manual_seed(0))
    return stack, steps * (torch.arange(6)[:, None] < LENGTHS[None])[..., None]


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"residual": True, "layer_norm": True}])
def test_every_start_gives_the_networks_own_outputs(cell, options):
    stack, steps = a_stack(cell, **options)
    with torch.no_grad():
        expected, _ = stack.recurrent(steps, LENGTHS)
        for layer in range(3):
            below = steps if layer == 0 else expected[layer - 1]
            for got, wanted in zip(
                unroll.run_from(stack.recurrent, layer, below, LENGTHS), expected[layer:], strict=True
            ):
                torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("direction", [0, 1])
def test_states_step_by_step_are_the_layers_outputs(cell, direction):
    stack, steps = a_stack(cell, bidirectional=True)
    found = unroll.states(stack.recurrent, 0, direction, steps, LENGTHS)
    output = stack.recurrent.run_layer(0, steps, LENGTHS)[0][..., 5 * direction : 5 * direction + 5]
    there = torch.arange(6)[:, None] < LENGTHS[None]
    torch.testing.assert_close(torch.stack([state[0] for state in found])[there], output[there])
    assert len(found[0]) == (2 if cell == "lstm" else 1)


def test_a_nudge_moves_the_state_once():
    stack, steps = a_stack("gru")
    nudge = unroll.Nudge(torch.tensor([2, 0, 0]), torch.full((3, 5), 0.5))
    plain = unroll.states(stack.recurrent, 0, 0, steps, LENGTHS)
    moved = unroll.states(stack.recurrent, 0, 0, steps, LENGTHS, nudge)
    difference = torch.stack([a[0] - b[0] for a, b in zip(moved, plain, strict=True)])
    assert bool((difference[:2, 0] == 0).all())
    torch.testing.assert_close(difference[2, 0], torch.full((5,), 0.5))
    assert bool((difference[3, 0] != 0).all())


def test_the_state_that_a_step_read_is_the_one_before_it():
    stack, steps = a_stack("gru", bidirectional=True)
    start = stack.recurrent.zeros(steps)
    forward = unroll.states(stack.recurrent, 0, 0, steps, LENGTHS)
    backward = unroll.states(stack.recurrent, 0, 1, steps, LENGTHS)
    assert unroll.before(forward, start, 0)[0] is start
    assert unroll.before(forward, start, 0)[3] is forward[2]
    assert unroll.before(backward, start, 1)[5] is start
    assert unroll.before(backward, start, 1)[2] is backward[3]
