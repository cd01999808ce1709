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
from leadline.kernels.passes import Plan, Told
from leadline.kernels.reference import State, Weights

FRESH = 400
"""Floating-point operations that could be done while a number is written to fresh memory: about eight nanoseconds."""
OWN = 6  # tensors of a direction in `given`, behind the inputs, which all read


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
        outputs, *finals = _Layer.apply((native, told, together, lengths), *given)  # type: ignore[no-untyped-call]
    else:
        outputs, finals, _, _, _ = _forward(native, told, together, lengths, given, keep=False)
    if len(told) == 1:
        return outputs, [(finals[0],) if finals[1] is None else (finals[0], finals[1])]
    starts = range(0, 2 * len(told), 2)
    return outputs, [tuple(state for state in finals[at : at + 2] if state is not None) for at in starts]


def _forward(
    native: CDLL, told: Sequence[Told], together: bool, lengths: Tensor, given: Sequence[Any], keep: bool
) -> tuple[Tensor, list[Tensor | None], list[Tensor | None], Plan, float]:
    """Outputs, final states, what is kept of each direction for the backward pass, the plan, operations."""
    seq, batch, feature = given[0].shape
    hidden = given[1].shape[1]
    outputs = given[0].new_empty(seq, batch, len(told) * hidden)
    plan = passes.plan(native, seq, lengths)
    work, fresh = len(told) * passes.operations(told[0].cell, plan.valid, feature, hidden), 0
    calls: list[Any] = []
    finals: list[Tensor | None] = []
    kept: list[Tensor | None] = []
    for at, part in enumerate(_parts(outputs, len(told))):
        call, ends, saved = passes.prepare_forward(native, told[at], plan, _side(given, at), keep, part)
        calls.append(call)
        finals += ends
        kept.append(saved)
        fresh += 0 if saved is None else saved.numel()
    _answer(native.leadline_forward, calls, work + FRESH * fresh, together)
    return outputs, finals, kept, plan, work


def _answer(function: Callable[[object], int], calls: Sequence[Any], work: float, together: bool) -> None:
    if together or len(calls) == 1:
        passes.answer(function, calls, work)
        return
    for call in calls:
        passes.answer(function, [call], work / len(calls))


def _side(given: Sequence[Any], at: int) -> Sequence[Any]:
    """What belongs to a direction."""
    return (given[0], *given[1 + OWN * at : 1 + OWN * (at + 1)])


def _parts(whole: Any, directions: int) -> Sequence[Any]:
    """Each direction's part of every row."""
    return (whole,) * directions if whole is None or directions == 1 else whole.chunk(directions, -1)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, how: tuple[CDLL, Sequence[Told], bool, Tensor], *given: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        native, told, together, lengths = how
        outputs, finals, kept, plan, work = _forward(native, told, together, lengths, given, keep=True)
        ctx.save_for_backward(*given, *kept, outputs, lengths)
        ctx.run = native, told, together, plan, work
        ctx.set_materialize_grads(False)
        return outputs, *finals

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Any, ...]:
        told, ways = ctx.run[1], len(ctx.run[1])
        *given, outputs, lengths = ctx.saved_tensors
        given, kept = given[:-ways], given[-ways:]
        wanted = ctx.needs_input_grad[1:]
        sides = [(_side(wanted, at), _side(given, at)) for at in range(ways)]
        again = torch.is_grad_enabled() or passes.transformed() or any(map(_batched, d_results))
        ends = _ends(d_results, d_results[0] if again else passes.whole(d_results[0]), ways)
        if again:
            with torch.autocast("cpu", enabled=False):  # as the forward pass, which does not run under autocast
                found = [_recomputed(told[at], *sides[at], ends[at], lengths) for at in range(ways)]
        else:
            found = _backward(ctx.run, sides, outputs, kept, ends)
        if ways == 1:
            return None, *found[0]
        (shared, *first), (other, *second) = found
        if shared is None or other is None:
            shared = other if shared is None else shared
        else:
            shared = shared + other if again else shared.add_(other)
        return None, shared, *first, *second


def _backward(
    run: tuple[CDLL, Sequence[Told], bool, Plan, float],
    sides: Sequence[tuple[Sequence[bool], Sequence[Tensor | None]]],
    outputs: Tensor,
    kept: Sequence[Tensor | None],
    ends: Sequence[Any],
) -> list[list[Tensor | None]]:
    """Gradients of what was given to each direction; of its weights also where nobody wants them."""
    native, told, together, plan, work = run
    parts = _parts(outputs, len(told))
    prepared = [
        passes.prepare_backward(told[at], plan, *sides[at], parts[at], kept[at], ends[at]) for at in range(len(told))
    ]
    _answer(native.leadline_backward, [call for call, _ in prepared], 2 * work, together)
    return [gradients for _, gradients in prepared]


def _batched(gradient: Tensor | None) -> bool:
    """Whether this stands for several gradients at once (`torch.autograd.grad(..., is_grads_batched=True)`)."""
    return gradient is not None and torch._C._functorch.is_legacy_batchedtensor(gradient)


def _ends(d_results: Sequence[Tensor | None], d_outputs: Tensor | None, directions: int) -> list[Any]:
    """For each direction the gradients of its outputs, h_n and c_n."""
    parts = _parts(d_outputs, directions)
    return [(part, *d_results[1 + 2 * at : 3 + 2 * at]) for at, part in enumerate(parts)]


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
