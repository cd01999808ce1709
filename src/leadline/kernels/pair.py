"""Both directions of a layer in one call, their outputs side by side; on two cores at once where they are free."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import graph, passes
from leadline.kernels.passes import Told
from leadline.kernels.reference import State, Weights

OPERATIONS = 2e7
"""From so many floating-point operations of both forward passes on: about 0.3 milliseconds. Below, a second thread
gains nothing."""


def worth_it(cell: str, inputs: Tensor, lengths: Tensor, hidden: int) -> bool:
    """Whether there are two threads, and enough for them to do."""
    if torch.get_num_threads() < 2:
        return False
    return 2 * passes.operations(cell, int(lengths.sum()), inputs.shape[-1], hidden) >= OPERATIONS


def run(
    cell: str,
    inputs: Tensor,
    lengths: Tensor,
    initial: Sequence[State],
    weights: Sequence[Weights],
    segment: int,
) -> tuple[Tensor, list[State]]:
    """Outputs (seq, batch, 2 * hidden) and both final states, in tensors in which `native.refusal` found nothing."""
    widths = [four[1].shape[-1] for four in weights]
    if len(set(widths)) > 1:
        raise KernelError(f"directions of {widths} units", where=f"unroll_layer({cell!r})", expected="equal widths")
    given: list[Tensor | None] = []
    for states, four in zip(initial, weights, strict=True):
        passes.check_sizes(cell, inputs, lengths, states, four)
        given += passes.tensors(cell, inputs, states, four)[len(given) and 1 :]
    told = [Told(cell, reverse, segment, ways=2) for reverse in (False, True)]
    return graph.run(told, lengths, given, worth_it(cell, inputs, lengths, weights[0][1].shape[-1]))
