"""The compiled kernels as an `autograd.Function`: float32 on the CPU, the contract of `reference.unroll`.

A row's result does not depend on the other rows of its batch, bit for bit, as long as the instruction set stays the
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import library, passes, reference
from leadline.kernels.passes import Results, Told
from leadline.kernels.reference import State, Weights

PLAIN = (Tensor, torch.nn.Parameter)


def next_move() -> str:
    """What to do where the compiled kernels were forced and cannot run."""
    return (
        library.INSTALL
        if isinstance(library.load(), library.Missing)
        else "Unset LEADLINE_KERNELS, or force another routine."
    )


def transformed() -> bool:
    """Whether vmap, another function transform or forward-mode differentiation is at work."""
    functorch: bool = torch._C._are_functorch_transforms_active()
    return functorch or torch.autograd.forward_ad._current_level >= 0


def refusal(cell: str, inputs: Tensor, initial: State = (), weights: Weights | tuple[()] = ()) -> str:
    """Why the compiled kernels cannot take this call; "" where they can."""
    if cell not in passes.CELLS:
        return f"there is no compiled kernel for {cell!r}"
    found = library.load()
    if isinstance(found, library.Missing):
        return found.reason
    for tensor in (inputs, *initial, *weights):
        if type(tensor) not in PLAIN:
            return "a tensor subclass was given"
        if tensor.dtype is not torch.float32:
            return "the compiled kernels are float32 only"
        if not tensor.is_cpu:
            return "the compiled kernels are for the CPU only"
    if transformed():
        return "function transforms and forward-mode derivatives need the plain loop"
    if torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None:
        return "a graph is being captured"
    return ""


def unroll(
    cell: str,
    inputs: Tensor,
    lengths: Tensor,
    initial: State,
    weights: Weights,
    reverse: bool = False,
    *,
    segment: int = 0,
) -> tuple[Tensor, State]:
    """See `leadline.kernels.reference.unroll`; float32 on the CPU.

    A gradient that is to be differentiated again (`create_graph=True`) is recomputed by the plain loop.

    Args:
        cell, inputs, lengths, initial, weights, reverse: as there.
        segment: 0 keeps for the backward pass what every step computed; otherwise nothing but one state for every
            so many steps is kept, and the backward pass computes each segment once more, to the same bits.

    Raises:
        KernelError: there is no compiled library, it cannot take these tensors, or sizes do not fit.
    """
    reason = refusal(cell, inputs, initial, weights)
    if reason:
        raise KernelError(f"the compiled kernels cannot run: {reason}", next_move=next_move())
    return run(cell, inputs, lengths, initial, weights, reverse, segment=segment)


def run(
    cell: str,
    inputs: Tensor,
    lengths: Tensor,
    initial: State,
    weights: Weights,
    reverse: bool = False,
    *,
    segment: int = 0,
) -> tuple[Tensor, State]:
    """`unroll` for tensors in which `refusal` found nothing."""
    passes.check_sizes(cell, inputs, lengths, initial, weights)
    if inputs.numel() == 0:
        return reference.unroll(cell, inputs, lengths, initial, weights, reverse)
    given, told = passes.tensors(cell, inputs, initial, weights), Told(cell, reverse, segment)
    if differentiable(given):
        outputs, h_n, c_n = _Unroll.apply(told, lengths, *given)  # type: ignore[no-untyped-call]
    else:
        call, (outputs, h_n, c_n), _, work = passes.prepare_forward(Told(cell, reverse, 0), lengths, given, keep=False)
        passes.answer(library.functions().leadline_forward, [call], work)
    return outputs, ((h_n,) if c_n is None else (h_n, c_n))


def differentiable(given: Sequence[Tensor | None]) -> bool:
    """Whether a gradient may be asked for."""
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given)


class _Unroll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, told: Told, lengths: Tensor, *given: Tensor | None) -> Results:
        call, results, kept, work = passes.prepare_forward(told, lengths, given, keep=True)
        passes.answer(library.functions().leadline_forward, [call], work)
        ctx.save_for_backward(*given, results[0], *kept, lengths)
        ctx.told, ctx.work = told, work
        ctx.set_materialize_grads(False)
        return results

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Any, ...]:
        *given, outputs, plan, saved, lengths = ctx.saved_tensors
        wanted = ctx.needs_input_grad[2:]
        if torch.is_grad_enabled():
            return None, None, *recomputed(ctx.told, wanted, given, lengths, d_results)
        d_results = (passes.whole(d_results[0]), *d_results[1:])
        call, gradients = passes.prepare_backward(ctx.told, wanted, given, (outputs, plan, saved), d_results)
        passes.answer(library.functions().leadline_backward, [call], 2 * ctx.work)
        return None, None, *asked_for(gradients, wanted)


def asked_for(gradients: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor | None]:
    """None in place of what nobody wants."""
    return [gradient if want else None for gradient, want in zip(gradients, wanted, strict=True)]


def recomputed(
    told: Told,
    wanted: Sequence[bool],
    given: Sequence[Tensor | None],
    lengths: Tensor,
    d_results: Sequence[Tensor | None],
) -> list[Tensor | None]:
    """Gradients that can be differentiated again: the plain loop, run once more."""
    inputs, h_0, c_0, *weights = given
    assert inputs is not None
    initial = (h_0,) if c_0 is None else (h_0, c_0)
    four = cast(Weights, tuple(weights))
    outputs, final = reference.unroll(told.cell, inputs, lengths, cast(State, initial), four, told.reverse)
    pairs = [pair for pair in zip((outputs, *final), d_results, strict=False) if pair[1] is not None]
    places = [place for place, want in enumerate(wanted) if want]
    found = torch.autograd.grad(
        [result for result, _ in pairs],
        [cast(Tensor, given[place]) for place in places],
        [gradient for _, gradient in pairs],
        create_graph=True,
        allow_unused=True,
    )
    gradients: list[Tensor | None] = [None] * len(given)
    for place, gradient in zip(places, found, strict=True):
        gradients[place] = gradient
    return gradients
