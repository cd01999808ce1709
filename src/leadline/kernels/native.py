"""The compiled kernels as an `autograd.Function`: float32 on the CPU, the contract of `reference.unroll`.

A row's result does not depend on the other rows of its batch, bit for bit, as long as the instruction set stays the
same.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import library, long_call, reference
from leadline.kernels.reference import State, Weights

CELLS = {"tanh": 0, "gru": 1, "lstm": 2}
PLAIN = (Tensor, torch.nn.Parameter)
_NAMES = {number: name for name, number in CELLS.items()}
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
    _check_sizes(cell, inputs, lengths, initial, weights)
    if inputs.numel() == 0:
        return reference.unroll(cell, inputs, lengths, initial, weights, reverse)
    c_0 = initial[1] if cell == "lstm" else None
    given = [_whole(tensor) for tensor in (inputs, initial[0], c_0, *weights)]
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given):
        outputs, h_n, c_n = _Unroll.apply(cell, reverse, segment, lengths, *given)  # type: ignore[no-untyped-call]
    else:
        outputs, h_n, c_n = _forward(cell, reverse, lengths, given, keep=False, segment=0)[0]
    return outputs, ((h_n,) if c_n is None else (h_n, c_n))


def _check_sizes(cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights) -> None:
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


def _forward(
    cell: str, reverse: bool, lengths: Tensor, given: Sequence[Tensor | None], keep: bool, segment: int
) -> tuple[tuple[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor | None]]:
    """outputs, h_n, c_n; and what the backward pass needs beside them: the plan and the saved gates."""
    native = library.functions()
    inputs, h_0, c_0 = given[:3]
    assert inputs is not None
    assert h_0 is not None
    seq, batch, feature = inputs.shape
    hidden, lengths = h_0.shape[1], lengths.contiguous()
    plan = torch.empty(native.leadline_plan_size(seq, batch), dtype=torch.int64)
    valid = native.leadline_plan(seq, batch, lengths.data_ptr(), plan.data_ptr())
    outputs = inputs.new_empty(seq, batch, hidden)
    h_n, c_n = torch.empty_like(h_0), None if c_0 is None else torch.empty_like(c_0)
    if segment:
        kept = native.leadline_checkpoints(CELLS[cell], hidden, seq, batch, segment)
    else:
        kept = native.leadline_saved(CELLS[cell], hidden, valid)
    saved = inputs.new_empty(kept) if keep else None
    addresses = map(_address, (plan, *given, outputs, h_n, c_n, saved))
    call = _Call(CELLS[cell], reverse, seq, batch, feature, hidden, *addresses, segment=segment)
    _answer(native.leadline_forward, call, valid)
    return (outputs, h_n, c_n), (plan, saved)


def _answer(function: Callable[[object], int], call: _Call, valid: int) -> None:
    """Run one of the two passes; a long one so that Ctrl-C is heard."""
    gates = SHAPES[_NAMES[call.cell]][0]
    operations = 2 * valid * gates * call.hidden * (call.feature + call.hidden)
    if operations < long_call.OPERATIONS or threading.current_thread() is not threading.main_thread():
        library.check(function(ctypes.byref(call)))
        return
    stop = ctypes.c_int64()
    call.stop = ctypes.addressof(stop)
    library.check(long_call.heard(lambda: function(ctypes.byref(call)), stop))


class _Unroll(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, cell: str, reverse: bool, segment: int, lengths: Tensor, *given: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        results, kept = _forward(cell, reverse, lengths, given, keep=True, segment=segment)
        ctx.save_for_backward(*given, results[0], *kept, lengths)
        ctx.cell, ctx.reverse, ctx.segment = cell, reverse, segment
        ctx.set_materialize_grads(False)
        return results

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Any, ...]:
        *given, outputs, plan, saved, lengths = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, None, None, None, *_recomputed(ctx, given, lengths, d_results)
        return None, None, None, None, *_backward(ctx, given, outputs, plan, saved, d_results)


def _backward(
    ctx: Any,
    given: list[Tensor],
    outputs: Tensor,
    plan: Tensor,
    saved: Tensor,
    d_results: Sequence[Tensor | None],
) -> list[Tensor | None]:
    seq, batch, feature = given[0].shape
    wanted = ctx.needs_input_grad[4:]
    d_whole = [_whole(gradient) for gradient in d_results]
    # The weights' gradients come in one go, wanted or not; the others only where they are wanted.
    gradients = [
        torch.empty_like(tensor) if tensor is not None and (place >= 3 or wanted[place]) else None
        for place, tensor in enumerate(given)
    ]
    addresses = map(_address, (plan, *given, outputs, None, None, saved, *d_whole, *gradients))
    call = _Call(CELLS[ctx.cell], ctx.reverse, seq, batch, feature, outputs.shape[2], *addresses, segment=ctx.segment)
    _answer(library.functions().leadline_backward, call, int(plan[0]))
    return [gradient if want else None for gradient, want in zip(gradients, wanted, strict=True)]


def _recomputed(
    ctx: Any, given: list[Tensor], lengths: Tensor, d_results: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """Gradients that can be differentiated again: the plain loop, run once more."""
    inputs, h_0, c_0, *weights = given
    initial = (h_0,) if c_0 is None else (h_0, c_0)
    outputs, final = reference.unroll(ctx.cell, inputs, lengths, initial, cast(Weights, tuple(weights)), ctx.reverse)
    pairs = [pair for pair in zip((outputs, *final), d_results, strict=False) if pair[1] is not None]
    wanted = [place for place, want in enumerate(ctx.needs_input_grad[4:]) if want]
    found = torch.autograd.grad(
        [result for result, _ in pairs],
        [given[place] for place in wanted],
        [gradient for _, gradient in pairs],
        create_graph=True,
        allow_unused=True,
    )
    gradients: list[Tensor | None] = [None] * len(given)
    for place, gradient in zip(wanted, found, strict=True):
        gradients[place] = gradient
    return gradients
