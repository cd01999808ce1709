"""The compiled passes as an `autograd.Function`: a direction of a layer, or both at once.

Directions share nothing but the inputs that they read; each writes its part of every row of the outputs, to the bits
that it has alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import CDLL
from typing import Any, cast

import torch
from torch import Tensor

from leadline.kernels import library, passes, reference
from leadline.kernels.passes import Told
from leadline.kernels.reference import State, Weights

FRESH = 400
"""Floating-point operations that could be done while a number is written to fresh memory: about eight nanoseconds."""
SHARED = 1  # tensors at the head of `given` that every direction reads: the inputs


def run(
    told: Sequence[Told], lengths: Tensor, given: Sequence[Tensor | None], together: bool = False
) -> tuple[Tensor, list[State]]:
    """Outputs (seq, batch, directions * hidden) and each direction's final states.

    Args:
        told: one for each direction.
        lengths: (batch,) int64.
        given: inputs, then h_0, c_0 and the four weights of each direction, as of `passes.tensors`.
        together: at the same time, where there are several.
    """
    native = library.functions()
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given):
        outputs, *finals = _Layer.apply(native, told, together, lengths, *given)  # type: ignore[no-untyped-call]
    else:
        outputs, finals, _, _ = _forward(native, told, together, lengths, given, keep=False)
    starts = range(0, 2 * len(told), 2)
    return outputs, [tuple(state for state in finals[at : at + 2] if state is not None) for at in starts]


def _forward(
    native: CDLL, told: Sequence[Told], together: bool, lengths: Tensor, given: Sequence[Tensor | None], keep: bool
) -> tuple[Tensor, list[Tensor | None], list[Tensor | None], float]:
    """Outputs, final states, what is kept for the backward pass, floating-point operations."""
    inputs, h_0 = cast(Tensor, given[0]), cast(Tensor, given[1])
    outputs = inputs.new_empty(*inputs.shape[:2], len(told) * h_0.shape[1])
    calls, work, fresh = [], 0.0, 0
    finals: list[Tensor | None] = []
    kept: list[Tensor | None] = []
    for one, own, part in zip(told, _sides(given, len(told)), _parts(outputs, len(told)), strict=True):
        call, ends, rest, operations = passes.prepare_forward(native, one, lengths, own, keep, cast(Tensor, part))
        calls.append(call)
        work += operations
        fresh += 0 if rest[1] is None else rest[1].numel()
        finals += ends
        kept += rest
    _answer(native.leadline_forward, calls, work + FRESH * fresh, together)
    return outputs, finals, kept, work


def _answer(function: Callable[[object], int], calls: Sequence[Any], work: float, together: bool) -> None:
    if together or len(calls) == 1:
        passes.answer(function, calls, work)
        return
    for call in calls:
        passes.answer(function, [call], work / len(calls))


def _sides(given: Sequence[Any], directions: int) -> list[list[Any]]:
    """What belongs to each direction."""
    if directions == 1:
        return [[*given]]
    each = (len(given) - SHARED) // directions
    return [[*given[:SHARED], *given[at : at + each]] for at in range(SHARED, len(given), each)]


def _parts(whole: Tensor | None, directions: int) -> Sequence[Tensor | None]:
    """Each direction's part of every row."""
    if whole is None or directions == 1:
        return [whole] * directions
    return whole.chunk(directions, -1)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, native: CDLL, told: Sequence[Told], together: bool, lengths: Tensor, *given: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        outputs, finals, kept, work = _forward(native, told, together, lengths, given, keep=True)
        ctx.save_for_backward(*given, *kept, outputs, lengths)
        ctx.native, ctx.told, ctx.together, ctx.work = native, told, together, work
        ctx.set_materialize_grads(False)
        return outputs, *finals

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Any, ...]:
        told, wanted = ctx.told, _sides(ctx.needs_input_grad[4:], len(ctx.told))
        *tensors, outputs, lengths = ctx.saved_tensors
        given, kept = tensors[: -2 * len(told)], tensors[-2 * len(told) :]
        own = _sides(given, len(told))
        if torch.is_grad_enabled() or passes.transformed() or any(map(_batched, d_results)):
            ends = _ends(d_results, d_results[0], len(told))
            found = [_recomputed(*side, lengths) for side in zip(told, wanted, own, ends, strict=True)]
        else:
            ends = _ends(d_results, passes.whole(d_results[0]), len(told))
            parts = _parts(outputs, len(told))
            rest = [(part, *kept[2 * at : 2 * at + 2]) for at, part in enumerate(parts)]
            prepared = [passes.prepare_backward(*side) for side in zip(told, wanted, own, rest, ends, strict=True)]
            calls = [call for call, _ in prepared]
            _answer(ctx.native.leadline_backward, calls, 2 * ctx.work, ctx.together)
            found = [_asked_for(gradients, want) for (_, gradients), want in zip(prepared, wanted, strict=True)]
        shared = _sum([gradients[0] for gradients in found])
        return None, None, None, None, shared, *(one for gradients in found for one in gradients[SHARED:])


def _batched(gradient: Tensor | None) -> bool:
    """Whether this stands for several gradients at once (`torch.autograd.grad(..., is_grads_batched=True)`)."""
    return gradient is not None and torch._C._functorch.is_legacy_batchedtensor(gradient)


def _ends(d_results: Sequence[Tensor | None], d_outputs: Tensor | None, directions: int) -> list[list[Tensor | None]]:
    """For each direction the gradients of its outputs, h_n and c_n."""
    parts = _parts(d_outputs, directions)
    return [[part, *d_results[1 + 2 * at : 3 + 2 * at]] for at, part in enumerate(parts)]


def _asked_for(gradients: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor | None]:
    """None in place of what nobody wants."""
    return [gradient if want else None for gradient, want in zip(gradients, wanted, strict=True)]


def _sum(gradients: Sequence[Tensor | None]) -> Tensor | None:
    there = [gradient for gradient in gradients if gradient is not None]
    return there[0] + there[1] if len(there) == 2 else there[0] if there else None


def _recomputed(
    told: Told,
    wanted: Sequence[bool],
    given: Sequence[Tensor | None],
    d_results: Sequence[Tensor | None],
    lengths: Tensor,
) -> list[Tensor | None]:
    """Gradients that can be differentiated again, or many at once: from the plain loop, run once more."""
    given, results = _replayed(told, given, lengths)
    gradients: list[Tensor | None] = [None] * len(given)
    pairs = [pair for pair in zip(results, d_results, strict=False) if pair[1] is not None]
    places = [place for place, want in enumerate(wanted) if want]
    if not pairs or not places:
        return gradients
    found = torch.autograd.grad(
        [result for result, _ in pairs],
        [cast(Tensor, given[place]) for place in places],
        [gradient for _, gradient in pairs],
        create_graph=torch.is_grad_enabled(),
        allow_unused=True,
    )
    for place, gradient in zip(places, found, strict=True):
        gradients[place] = gradient
    return gradients


@torch.enable_grad()
def _replayed(
    told: Told, given: Sequence[Tensor | None], lengths: Tensor
) -> tuple[list[Tensor | None], tuple[Tensor, ...]]:
    """`given` and what the plain loop makes of it: outputs, h_n, c_n."""
    # Views of their own: what leads from one of them to another is not this call's, and is counted elsewhere.
    given = [None if tensor is None else tensor.view_as(tensor) for tensor in given]
    inputs, h_0, c_0, *weights = given
    initial = cast(State, (h_0,) if c_0 is None else (h_0, c_0))
    four = cast(Weights, tuple(weights))
    outputs, final = reference.unroll(told.cell, cast(Tensor, inputs), lengths, initial, four, told.reverse)
    return given, (outputs, *final)
