"""The compiled kernels as an `autograd.Function`: float32 on the CPU, the contract of `reference.unroll`.

A row's result does not depend on the other rows of its batch, bit for bit, as long as the instruction set stays the
same.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import library, long_call, reference
from leadline.kernels.reference import State, Weights

CELLS = {"tanh": 0, "gru": 1, "lstm": 2}
PLAIN = (Tensor, torch.nn.Parameter)
SHAPES = {"tanh": (1, 1), "gru": (3, 1), "lstm": (4, 2)}  # gates, states


class _Call(ctypes.Structure):
    """`leadline_call` of csrc/leadline.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("cell", "reverse", "seq", "batch", "feature", "hidden")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("plan", "inputs", "h_0", "c_0", "weight_ih", "weight_hh", "bias_ih", "bias_hh"),
                *(
                    "outputs",
                    "h_n",
                    "c_n",
                    "saved",
                    "d_outputs",
                    "d_h_n",
                    "d_c_n",
                    "d_inputs",
                    "d_h_0",
                    "d_c_0",
                ),
                *("d_weight_ih", "d_weight_hh", "d_bias_ih", "d_bias_hh"),
            )
        ),
        ("segment", ctypes.c_int64),
        ("stop", ctypes.c_void_p),
    )


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
    if cell not in CELLS:
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
    check_sizes(cell, inputs, lengths, initial, weights)
    if inputs.numel() == 0:
        return reference.unroll(cell, inputs, lengths, initial, weights, reverse)
    given, told = tensors(cell, inputs, initial, weights), Told(cell, reverse, segment)
    if differentiable(given):
        outputs, h_n, c_n = _Unroll.apply(told, lengths, *given)  # type: ignore[no-untyped-call]
    else:
        call, (outputs, h_n, c_n), _, work = prepare_forward(Told(cell, reverse, 0), lengths, given, keep=False)
        answer(library.functions().leadline_forward, [call], work)
    return outputs, ((h_n,) if c_n is None else (h_n, c_n))


def tensors(cell: str, inputs: Tensor, initial: State, weights: Weights) -> list[Tensor | None]:
    """inputs, h_0, c_0 (or None) and the four weights, contiguous."""
    c_0 = initial[1] if cell == "lstm" else None
    return [_whole(tensor) for tensor in (inputs, initial[0], c_0, *weights)]


def differentiable(given: Sequence[Tensor | None]) -> bool:
    """Whether a gradient may be asked for."""
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given)


def check_sizes(cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights) -> None:
    gates, states = SHAPES[cell]
    hidden = weights[1].shape[-1]
    batch, feature = inputs.shape[1:] if inputs.dim() == 3 else (-1, -1)
    rows, state = gates * hidden, (batch, hidden)
    expected = [(batch,), *[state] * states, (rows, feature), (rows, hidden), (rows,), (rows,)]
    found = [tensor.shape for tensor in (lengths, *initial, *weights)]
    if found != expected or lengths.dtype is not torch.int64 or not lengths.is_cpu or hidden == 0:
        shapes = [tuple(shape) for shape in found]
        raise KernelError(
            f"inputs {tuple(inputs.shape)}, lengths {lengths.dtype} on {lengths.device}, "
            f"and lengths, states and weights of {shapes}",
            where=f"unroll({cell!r})",
            expected=f"inputs (seq, batch, feature), lengths int64 on the CPU, and {expected}",
        )


def _whole(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous().resolve_neg()


def _address(tensor: Tensor | None) -> int | None:
    if tensor is None:
        return None
    address = tensor.data_ptr()
    if not address and tensor.numel():
        raise KernelError("a tensor without memory", expected="a plain tensor", next_move="Clone it first.")
    return address


class Told(NamedTuple):
    """What a call is told beside its tensors."""

    cell: str
    reverse: bool
    segment: int


Results = tuple[Tensor, Tensor, Tensor | None]
Kept = tuple[Tensor, Tensor | None]


def prepare_forward(
    told: Told, lengths: Tensor, given: Sequence[Tensor | None], keep: bool
) -> tuple[_Call, Results, Kept, float]:
    """The call; outputs, h_n, c_n; the plan and the saved gates; floating-point operations."""
    native = library.functions()
    inputs, h_0, c_0 = given[:3]
    assert inputs is not None
    assert h_0 is not None
    seq, batch, feature = inputs.shape
    cell, hidden, lengths = CELLS[told.cell], h_0.shape[1], lengths.contiguous()
    plan = torch.empty(native.leadline_plan_size(seq, batch), dtype=torch.int64)
    valid = native.leadline_plan(seq, batch, lengths.data_ptr(), plan.data_ptr())
    outputs = inputs.new_empty(seq, batch, hidden)
    h_n, c_n = torch.empty_like(h_0), None if c_0 is None else torch.empty_like(c_0)
    if told.segment:
        kept = native.leadline_checkpoints(cell, hidden, seq, batch, told.segment)
    else:
        kept = native.leadline_saved(cell, hidden, valid)
    saved = inputs.new_empty(kept) if keep else None
    addresses = map(_address, (plan, *given, outputs, h_n, c_n, saved))
    call = _Call(cell, told.reverse, seq, batch, feature, hidden, *addresses, segment=told.segment)
    work = 2.0 * valid * SHAPES[told.cell][0] * hidden * (feature + hidden)
    return call, (outputs, h_n, c_n), (plan, saved), work


def answer(function: Callable[[object], int], calls: Sequence[_Call], work: float) -> None:
    """Run a pass: several calls side by side, and a long one so that Ctrl-C is heard."""
    waiting = work >= long_call.OPERATIONS and threading.current_thread() is threading.main_thread()
    if len(calls) == 1 and not waiting:
        library.check(function(ctypes.byref(calls[0])))
        return
    stop = ctypes.c_int64()
    for call in calls:
        call.stop = ctypes.addressof(stop)
    statuses = long_call.heard([partial(function, ctypes.byref(call)) for call in calls], stop)
    library.check(max(statuses))


class _Unroll(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, told: Told, lengths: Tensor, *given: Tensor | None) -> Results:
        call, results, kept, work = prepare_forward(told, lengths, given, keep=True)
        answer(library.functions().leadline_forward, [call], work)
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
        call, gradients = prepare_backward(ctx.told, wanted, given, (outputs, plan, saved), d_results)
        answer(library.functions().leadline_backward, [call], 2 * ctx.work)
        return None, None, *asked_for(gradients, wanted)


def asked_for(gradients: Sequence[Tensor | None], wanted: Sequence[bool]) -> list[Tensor | None]:
    """None in place of what nobody wants."""
    return [gradient if want else None for gradient, want in zip(gradients, wanted, strict=True)]


def prepare_backward(
    told: Told,
    wanted: Sequence[bool],
    given: Sequence[Tensor | None],
    kept: Sequence[Tensor],
    d_results: Sequence[Tensor | None],
) -> tuple[_Call, list[Tensor | None]]:
    """The call and where it puts the gradients of `given`; `kept` are outputs, plan and saved gates."""
    outputs, plan, saved = kept
    assert given[0] is not None
    seq, batch, feature = given[0].shape
    d_whole = [_whole(gradient) for gradient in d_results]
    # The weights' gradients come in one go, wanted or not; the others only where they are wanted.
    gradients = [
        torch.empty_like(tensor) if tensor is not None and (place >= 3 or wanted[place]) else None
        for place, tensor in enumerate(given)
    ]
    addresses = map(_address, (plan, *given, outputs, None, None, saved, *d_whole, *gradients))
    numbers = (CELLS[told.cell], told.reverse, seq, batch, feature, outputs.shape[2])
    call = _Call(*numbers, *addresses, segment=told.segment)
    call.held = d_whole
    return call, gradients


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
