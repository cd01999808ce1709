"""A call of the compiled recurrences: what goes into `leadline_call` of csrc/leadline.h, and running it."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import library, long_call, memory, team
from leadline.kernels.reference import State, Weights

CELLS = {"tanh": 0, "gru": 1, "lstm": 2}
SHAPES = {"tanh": (1, 1), "gru": (3, 1), "lstm": (4, 2)}  # gates, states


class _Call(ctypes.Structure):
    """`leadline_call` of csrc/leadline.h. Its `held` keeps the memory that its addresses point to: an exception may
    leave a pass while a thread is still at the call."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("cell", "reverse", "seq", "batch", "feature", "hidden")),
        *(
            (name, ctypes.c_void_p)
            for name in (
                *("plan", "inputs", "h_0", "c_0", "weight_ih", "weight_hh", "bias_ih", "bias_hh"),
                *("outputs", "h_n", "c_n", "saved", "d_outputs", "d_h_n", "d_c_n", "d_inputs", "d_h_0", "d_c_0"),
                *("d_weight_ih", "d_weight_hh", "d_bias_ih", "d_bias_hh"),
            )
        ),
        ("segment", ctypes.c_int64),
        ("stop", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("outputs_step", "d_outputs_step")),
    )


def check_sizes(cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights) -> None:
    """Raise `KernelError` where sizes do not fit together."""
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


def tensors(cell: str, inputs: Tensor, initial: State, weights: Weights) -> list[Tensor | None]:
    """inputs, h_0, c_0 (or None) and the four weights, contiguous."""
    c_0 = initial[1] if cell == "lstm" else None
    return [whole(tensor) for tensor in (inputs, initial[0], c_0, *weights)]


def transformed() -> bool:
    """Whether vmap, another function transform or forward-mode differentiation is at work."""
    functorch: bool = torch._C._are_functorch_transforms_active()
    return functorch or torch.autograd.forward_ad._current_level >= 0


class Told(NamedTuple):
    """What a call is told beside its tensors; outputs of `ways` directions lie side by side."""

    cell: str
    reverse: bool
    segment: int
    ways: int = 1


class Plan(NamedTuple):
    """Which rows run at which step, as `leadline_plan` of csrc/leadline.h writes it, and how many steps all have."""

    numbers: Tensor
    valid: int


def plan(native: ctypes.CDLL, seq: int, lengths: Tensor) -> Plan:
    """The plan of rows of `lengths`."""
    batch, lengths = len(lengths), lengths.contiguous()
    numbers = torch.empty(native.leadline_plan_size(seq, batch), dtype=torch.int64, device="cpu")
    return Plan(numbers, native.leadline_plan(seq, batch, lengths.data_ptr(), numbers.data_ptr()))


def prepare_forward(
    native: ctypes.CDLL, told: Told, plan: Plan, given: Sequence[Tensor | None], keep: bool, outputs: Tensor
) -> tuple[_Call, tuple[Tensor, Tensor | None], Tensor | None]:
    """The call, which writes to `outputs`; h_n, c_n; what it saves for the backward pass."""
    inputs, h_0, c_0 = given[:3]
    assert inputs is not None
    assert h_0 is not None
    seq, batch, feature = inputs.shape
    cell, hidden = CELLS[told.cell], h_0.shape[1]
    h_n, c_n = torch.empty_like(h_0), None if c_0 is None else torch.empty_like(c_0)
    saved = memory.floats(_kept(native, told, cell, hidden, seq, batch, plan.valid)) if keep else None
    held = (plan.numbers, *given, outputs, h_n, c_n, saved)
    call = _Call(cell, told.reverse, seq, batch, feature, hidden, *_addresses(held))
    call.segment, call.outputs_step, call.held = told.segment, told.ways * hidden, held
    return call, (h_n, c_n), saved


def _kept(native: ctypes.CDLL, told: Told, cell: int, hidden: int, seq: int, batch: int, valid: int) -> int:
    """Numbers that are saved for the backward pass."""
    if told.segment:
        return int(native.leadline_checkpoints(cell, hidden, seq, batch, told.segment))
    return int(native.leadline_saved(cell, hidden, valid))


def operations(cell: str, steps: int, feature: int, hidden: int) -> float:
    """Floating-point operations of a forward pass over so many steps of all rows; units are computed by sixteens."""
    units = -(-hidden // 16) * 16
    return 2.0 * steps * SHAPES[cell][0] * units * (feature + units)


def answer(function: Callable[[object], int], calls: Sequence[_Call], work: float) -> None:
    """Run a pass: several calls side by side, and a long one so that Ctrl-C is heard."""
    waiting = long_call.is_long(work) and threading.current_thread() is threading.main_thread()
    if len(calls) == 1 and not waiting:
        library.check(function(ctypes.byref(calls[0])))
        return
    if not waiting and team.there():
        library.check(max(team.run(function, calls)))
        return
    stop = ctypes.c_int64()
    for call in calls:
        call.stop, call.held = ctypes.addressof(stop), (*call.held, stop)
    statuses = long_call.heard([partial(function, ctypes.byref(call)) for call in calls], stop)
    library.check(max(statuses))


def prepare_backward(
    told: Told,
    plan: Plan,
    wanted: Sequence[bool],
    given: Sequence[Tensor | None],
    outputs: Tensor,
    saved: Tensor | None,
    d_results: Sequence[Tensor | None],
) -> tuple[_Call, list[Tensor | None]]:
    """The call and where it puts the gradients of `given`; the gradient of the outputs lies as they do.

    The weights' gradients come in one go, wanted or not; the others only where they are wanted.
    """
    assert given[0] is not None
    seq, batch, feature = given[0].shape
    hidden, d_outputs = outputs.shape[2], d_results[0]
    gradients = [
        torch.empty_like(tensor) if tensor is not None and (place >= 3 or wanted[place]) else None
        for place, tensor in enumerate(given)
    ]
    ends = [whole(tensor) for tensor in d_results[1:]]
    held = (plan.numbers, *given, outputs, None, None, saved, d_outputs, *ends, *gradients)
    call = _Call(CELLS[told.cell], told.reverse, seq, batch, feature, hidden, *_addresses(held))
    call.segment, call.held = told.segment, held
    call.outputs_step = call.d_outputs_step = told.ways * hidden
    return call, gradients


def whole(tensor: Tensor | None) -> Tensor | None:
    """The same numbers, contiguous."""
    return None if tensor is None else tensor.contiguous().resolve_neg()


def _addresses(held: Sequence[Tensor | None]) -> list[int | None]:
    """Where the numbers of each lie."""
    found = [None if tensor is None else tensor.data_ptr() for tensor in held]
    empty = [tensor for tensor, at in zip(held, found, strict=True) if at == 0] if 0 in found else []
    if any(tensor is not None and tensor.numel() for tensor in empty):
        raise KernelError("a tensor without memory", expected="a plain tensor", next_move="Clone it first.")
    return found
