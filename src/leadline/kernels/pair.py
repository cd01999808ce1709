"""Both directions of a layer side by side, each in a thread of its own, to the bits that they have one after another.

The two share nothing but what they read; the interpreter's lock is released in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from leadline.kernels import library, native, passes
from leadline.kernels.passes import Told
from leadline.kernels.reference import State, Weights

OPERATIONS = 5e8
"""From so many floating-point operations of both forward passes on: ten milliseconds. Below, what two threads cost
where other programs hold the second core is more than what they gain where it is free."""

SHARED = 1  # tensors at the head of `given` that both directions read: the inputs


def worth_it(cell: str, inputs: Tensor, lengths: Tensor, hidden: int) -> bool:
    """Whether there is enough to do for two cores."""
    gates = passes.SHAPES[cell][0]
    work = 4 * int(lengths.sum()) * gates * hidden * (inputs.shape[-1] + hidden)
    return inputs.numel() > 0 and work >= OPERATIONS


def run(
    cell: str,
    inputs: Tensor,
    lengths: Tensor,
    initial: Sequence[State],
    weights: Sequence[Weights],
    segment: int,
) -> list[tuple[Tensor, State]]:
    """`native.run` for both directions, in tensors in which `native.refusal` found nothing."""
    given: list[Tensor | None] = []
    for states, four in zip(initial, weights, strict=True):
        passes.check_sizes(cell, inputs, lengths, states, four)
        given += passes.tensors(cell, inputs, states, four)[len(given) and SHARED :]
    if native.differentiable(given):
        results = _Both.apply(cell, segment, lengths, *given)  # type: ignore[no-untyped-call]
    else:
        results = _forward(cell, 0, lengths, given, keep=False)[0]
    forward, backward = results[:3], results[3:]
    return [(half[0], tuple(state for state in half[1:] if state is not None)) for half in (forward, backward)]


def _sides(given: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What belongs to each direction."""
    each = (len(given) - SHARED) // 2
    return [*given[: SHARED + each]], [*given[:SHARED], *given[SHARED + each :]]


def _told(cell: str, segment: int) -> tuple[Told, Told]:
    return Told(cell, False, segment), Told(cell, True, segment)


def _forward(
    cell: str, segment: int, lengths: Tensor, given: Sequence[Tensor | None], keep: bool
) -> tuple[tuple[Tensor | None, ...], list[Tensor | None], float]:
    """Results of both, what both keep, floating-point operations."""
    calls, kept, works = [], [], 0.0
    results: list[Tensor | None] = []
    for told, own in zip(_told(cell, segment), _sides(given), strict=True):
        call, found, rest, work = passes.prepare_forward(told, lengths, own, keep)
        calls.append(call)
        works += work
        results += found
        kept += [found[0], *rest]
    passes.answer(library.functions().leadline_forward, calls, works)
    return tuple(results), kept, works


class _Both(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, cell: str, segment: int, lengths: Tensor, *given: Tensor | None) -> tuple[Tensor | None, ...]:
        results, kept, work = _forward(cell, segment, lengths, given, keep=True)
        ctx.save_for_backward(*given, *kept, lengths)
        ctx.cell, ctx.segment, ctx.work = cell, segment, work
        ctx.set_materialize_grads(False)
        return results

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Any, ...]:
        *tensors, lengths = ctx.saved_tensors
        given, kept, wanted = tensors[:-6], tensors[-6:], _sides(ctx.needs_input_grad[3:])
        parts = zip(_told(ctx.cell, ctx.segment), wanted, _sides(given), (kept[:3], kept[3:]), strict=True)
        found: list[list[Tensor | None]] = []
        if torch.is_grad_enabled():
            for (told, want, own, _), d_own in zip(parts, (d_results[:3], d_results[3:]), strict=True):
                found.append(native.recomputed(told, want, own, lengths, d_own) if _any(d_own) else [None] * len(own))
        else:
            calls = []
            for (told, want, own, rest), d_own in zip(parts, (d_results[:3], d_results[3:]), strict=True):
                call, gradients = passes.prepare_backward(told, want, own, rest, d_own)
                calls.append(call)
                found.append(native.asked_for(gradients, want))
            passes.answer(library.functions().leadline_backward, calls, 2 * ctx.work)
        return None, None, None, _sum(found[0][0], found[1][0]), *found[0][SHARED:], *found[1][SHARED:]


def _any(gradients: Sequence[Tensor | None]) -> bool:
    return any(gradient is not None for gradient in gradients)


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    if first is None or second is None:
        return second if first is None else first
    return first + second
