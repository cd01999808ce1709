"""Both directions of a layer in one call, their outputs side by side; on two cores at once where they are free.

The two share nothing but what they read; each writes its half of every row, to the bits that it has alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from leadline.kernels import library, native, passes
from leadline.kernels.passes import Told
from leadline.kernels.reference import State, Weights

OPERATIONS = 2e7
"""From so many floating-point operations of both forward passes on: about 0.3 milliseconds. Below, a second thread
gains nothing."""

SHARED = 1  # tensors at the head of `given` that both directions read: the inputs


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
    given: list[Tensor | None] = []
    for states, four in zip(initial, weights, strict=True):
        passes.check_sizes(cell, inputs, lengths, states, four)
        given += passes.tensors(cell, inputs, states, four)[len(given) and SHARED :]
    together = worth_it(cell, inputs, lengths, weights[0][1].shape[-1])
    if native.differentiable(given):
        joined, *finals = _Both.apply(cell, segment, together, lengths, *given)  # type: ignore[no-untyped-call]
    else:
        joined, finals, _, _ = _forward(cell, 0, together, lengths, given, keep=False)
    each = [tuple(state for state in finals[start : start + 2] if state is not None) for start in (0, 2)]
    return joined, each


def _sides(given: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What belongs to each direction."""
    each = (len(given) - SHARED) // 2
    return [*given[: SHARED + each]], [*given[:SHARED], *given[SHARED + each :]]


def _told(cell: str, segment: int) -> tuple[Told, Told]:
    return Told(cell, False, segment, ways=2), Told(cell, True, segment, ways=2)


def _halves(joined: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
    if joined is None:
        return None, None
    hidden = joined.shape[-1] // 2
    return joined[..., :hidden], joined[..., hidden:]


def _answer(function: Callable[[object], int], calls: Sequence[Any], work: float, together: bool) -> None:
    for group in [calls] if together else [[call] for call in calls]:
        passes.answer(function, group, work * len(group) / len(calls))


def _forward(
    cell: str, segment: int, together: bool, lengths: Tensor, given: Sequence[Tensor | None], keep: bool
) -> tuple[Tensor, list[Tensor | None], list[Tensor | None], float]:
    """Outputs, final states, what both keep, floating-point operations."""
    inputs, h_0 = given[:2]
    assert inputs is not None
    assert h_0 is not None
    joined = inputs.new_empty(*inputs.shape[:2], 2 * h_0.shape[1])
    calls, work = [], 0.0
    finals: list[Tensor | None] = []
    kept: list[Tensor | None] = []
    for told, own, half in zip(_told(cell, segment), _sides(given), _halves(joined), strict=True):
        call, (_, h_n, c_n), rest, operations = passes.prepare_forward(told, lengths, own, keep, half)
        calls.append(call)
        work += operations
        finals += [h_n, c_n]
        kept += rest
    _answer(library.functions().leadline_forward, calls, work, together)
    return joined, finals, kept, work


class _Both(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, cell: str, segment: int, together: bool, lengths: Tensor, *given: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        joined, finals, kept, work = _forward(cell, segment, together, lengths, given, keep=True)
        ctx.save_for_backward(*given, *kept, joined, lengths)
        ctx.cell, ctx.segment, ctx.together, ctx.work = cell, segment, together, work
        ctx.set_materialize_grads(False)
        return joined, *finals

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Any, ...]:
        *tensors, joined, lengths = ctx.saved_tensors
        given, kept, wanted = tensors[:-4], tensors[-4:], _sides(ctx.needs_input_grad[4:])
        told, own = _told(ctx.cell, ctx.segment), _sides(given)
        ends = d_results[1:3], d_results[3:]
        found: list[list[Tensor | None]] = []
        if torch.is_grad_enabled():
            d_halves = _halves(d_results[0])
            for side in range(2):
                d_own = (d_halves[side], *ends[side])
                asked = any(gradient is not None for gradient in d_own)
                nothing: list[Tensor | None] = [None] * len(own[side])
                again = native.recomputed(told[side], wanted[side], own[side], lengths, d_own) if asked else nothing
                found.append(again)
        else:
            calls = []
            halves, d_halves = _halves(joined), _halves(passes.whole(d_results[0]))
            for side in range(2):
                rest = (halves[side], *kept[2 * side : 2 * side + 2])
                d_own = (d_halves[side], *ends[side])
                call, gradients = passes.prepare_backward(told[side], wanted[side], own[side], rest, d_own)
                calls.append(call)
                found.append(native.asked_for(gradients, wanted[side]))
            _answer(library.functions().leadline_backward, calls, 2 * ctx.work, ctx.together)
        return None, None, None, None, _sum(found[0][0], found[1][0]), *found[0][SHARED:], *found[1][SHARED:]


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second
