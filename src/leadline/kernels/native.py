"""The compiled kernels as an `autograd.Function`: float32 on the CPU, the contract of `reference.unroll`.

One shared object per instruction set lies beside this file; the widest that the processor has is loaded at
the first use. The calls go through `ctypes`, which releases the interpreter's lock. A row's result does not
depend on the other rows of its batch, bit for bit, as long as the instruction set stays the same.
"""

from __future__ import annotations

import ctypes
import logging
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import reference
from leadline.kernels.reference import State, Weights

ABI = 2
CELLS = {"tanh": 0, "gru": 1, "lstm": 2}
VARIABLE = "LEADLINE_ISA"
INSTRUCTION_SETS = {
    "x86_64": ("v4", "v3", "v2"),
    "amd64": ("v4", "v3", "v2"),
    "aarch64": ("neon",),
    "arm64": ("neon",),
}
INSTALL = "Install a C compiler (CC chooses one) and install Leadline again."
LOST = "Leadline runs without compiled kernels (%s): training takes about twice to five times as long. %s"
LOG = logging.getLogger("leadline")
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
    )


@dataclass(frozen=True)
class Library:
    """A loaded shared object and the instruction set that it was built for."""

    isa: str
    calls: ctypes.CDLL


@dataclass(frozen=True)
class Missing:
    """Why there is no compiled library."""

    reason: str


def library() -> Library | Missing:
    """The compiled kernels, or why there are none. `LEADLINE_ISA` forces an instruction set.

    Raises:
        KernelError: the forced instruction set is unknown, not built, or beyond this processor.
    """
    return _load(os.environ.get(VARIABLE, ""))


@cache
def _load(forced: str) -> Library | Missing:
    known = INSTRUCTION_SETS.get(platform.machine().lower(), ())
    if forced and forced not in known:
        raise KernelError(
            f"{VARIABLE}={forced!r}",
            expected="one of " + ", ".join(known) if known else f"nothing on {platform.machine()}",
            next_move=f"Unset {VARIABLE}.",
        )
    if not known:
        return Missing(f"no compiled kernels for {platform.machine()}")
    tried = [_open(isa) for isa in ((forced,) if forced else known)]
    loaded = next((found for found in tried if isinstance(found, Library)), None)
    if loaded is None and forced:
        raise KernelError(f"{VARIABLE}={forced}: {_why(tried)}", next_move=f"Unset {VARIABLE}. {INSTALL}")
    if loaded is None:
        LOG.warning(LOST, _why(tried), INSTALL)
    return loaded or Missing(_why(tried))


def _why(tried: list[Library | Missing]) -> str:
    return "; ".join(dict.fromkeys(found.reason for found in tried if isinstance(found, Missing)))


def path_of(isa: str) -> Path:
    """Where the shared object of an instruction set lies."""
    return Path(__file__).with_name(f"_native_{isa}.so")


def _open(isa: str) -> Library | Missing:
    path = path_of(isa)
    if not path.exists():
        return Missing("the kernels were not compiled when Leadline was installed")
    try:
        functions = ctypes.CDLL(str(path))
    except OSError as error:
        return Missing(f"{path.name} cannot be loaded ({error})")
    functions.leadline_abi.restype = ctypes.c_int64
    if functions.leadline_abi() != ABI:
        return Missing(f"{path.name} was built from another version of Leadline")
    if not functions.leadline_supported():
        return Missing(f"this processor lacks the instructions of {path.name}")
    return Library(isa, _declare(functions))


def _declare(functions: ctypes.CDLL) -> ctypes.CDLL:
    whole, pointer = ctypes.c_int64, ctypes.c_void_p
    functions.leadline_plan_size.argtypes, functions.leadline_plan_size.restype = (whole, whole), whole
    functions.leadline_plan.argtypes, functions.leadline_plan.restype = (
        (whole, whole, pointer, pointer),
        whole,
    )
    functions.leadline_saved.argtypes, functions.leadline_saved.restype = (whole, whole, whole), whole
    for function in (functions.leadline_forward, functions.leadline_backward):
        function.argtypes, function.restype = (ctypes.POINTER(_Call),), ctypes.c_int
    functions.leadline_parameters.argtypes, functions.leadline_parameters.restype = (pointer,), whole
    functions.leadline_train.argtypes = (pointer, whole, whole, pointer, pointer, pointer)
    functions.leadline_train.restype = whole
    functions.leadline_gradient.argtypes = (pointer, whole, whole, pointer, pointer)
    functions.leadline_score.argtypes = (pointer, pointer, whole, pointer, pointer, pointer)
    return functions


def isa() -> str:
    """The instruction set of the loaded library; "" where there is none."""
    found = library()
    return found.isa if isinstance(found, Library) else ""


def next_move() -> str:
    """What to do where the compiled kernels were forced and cannot run."""
    return INSTALL if isinstance(library(), Missing) else "Unset LEADLINE_KERNELS, or force another routine."


def transformed() -> bool:
    """Whether vmap, another function transform or forward-mode differentiation is at work."""
    functorch: bool = torch._C._are_functorch_transforms_active()
    return functorch or torch.autograd.forward_ad._current_level >= 0


def refusal(cell: str, inputs: Tensor, initial: State = (), weights: Weights | tuple[()] = ()) -> str:
    """Why the compiled kernels cannot take this call; "" where they can."""
    if cell not in CELLS:
        return f"there is no compiled kernel for {cell!r}"
    found = library()
    if isinstance(found, Missing):
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
    cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights, reverse: bool = False
) -> tuple[Tensor, State]:
    """See `leadline.kernels.reference.unroll`; float32 on the CPU.

    A gradient that is to be differentiated again (`create_graph=True`) is recomputed by the plain loop.

    Raises:
        KernelError: there is no compiled library, it cannot take these tensors, or sizes do not fit.
    """
    reason = refusal(cell, inputs, initial, weights)
    if reason:
        raise KernelError(f"the compiled kernels cannot run: {reason}", next_move=next_move())
    return run(cell, inputs, lengths, initial, weights, reverse)


def run(
    cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights, reverse: bool = False
) -> tuple[Tensor, State]:
    """`unroll` for tensors in which `refusal` found nothing."""
    _check_sizes(cell, inputs, lengths, initial, weights)
    if inputs.numel() == 0:
        return reference.unroll(cell, inputs, lengths, initial, weights, reverse)
    c_0 = initial[1] if cell == "lstm" else None
    given = [_whole(tensor) for tensor in (inputs, initial[0], c_0, *weights)]
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in given):
        outputs, h_n, c_n = _Unroll.apply(cell, reverse, lengths, *given)  # type: ignore[no-untyped-call]
    else:
        outputs, h_n, c_n = _forward(cell, reverse, lengths, given, keep=False)[0]
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


def functions() -> ctypes.CDLL:
    """The compiled functions; `KernelError` where there are none."""
    found = library()
    if isinstance(found, Missing):
        raise KernelError(f"the compiled kernels are not there: {found.reason}", next_move=INSTALL)
    return found.calls


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
    cell: str, reverse: bool, lengths: Tensor, given: Sequence[Tensor | None], keep: bool
) -> tuple[tuple[Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor | None]]:
    """outputs, h_n, c_n; and what the backward pass needs beside them: the plan and the saved gates."""
    native = functions()
    inputs, h_0, c_0 = given[:3]
    assert inputs is not None
    assert h_0 is not None
    seq, batch, feature = inputs.shape
    hidden, lengths = h_0.shape[1], lengths.contiguous()
    plan = torch.empty(native.leadline_plan_size(seq, batch), dtype=torch.int64)
    valid = native.leadline_plan(seq, batch, lengths.data_ptr(), plan.data_ptr())
    outputs = inputs.new_empty(seq, batch, hidden)
    h_n, c_n = torch.empty_like(h_0), None if c_0 is None else torch.empty_like(c_0)
    saved = inputs.new_empty(native.leadline_saved(CELLS[cell], hidden, valid)) if keep else None
    addresses = map(_address, (plan, *given, outputs, h_n, c_n, saved))
    check(native.leadline_forward(_Call(CELLS[cell], reverse, seq, batch, feature, hidden, *addresses)))
    return (outputs, h_n, c_n), (plan, saved)


class _Unroll(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, cell: str, reverse: bool, lengths: Tensor, *given: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        results, kept = _forward(cell, reverse, lengths, given, keep=True)
        ctx.save_for_backward(*given, results[0], *kept, lengths)
        ctx.cell, ctx.reverse = cell, reverse
        ctx.set_materialize_grads(False)
        return results

    @staticmethod
    def backward(ctx: Any, *d_results: Tensor | None) -> tuple[Any, ...]:
        *given, outputs, plan, saved, lengths = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, None, None, *_recomputed(ctx, given, lengths, d_results)
        return None, None, None, *_backward(ctx, given, outputs, plan, saved, d_results)


def _backward(
    ctx: Any,
    given: list[Tensor],
    outputs: Tensor,
    plan: Tensor,
    saved: Tensor,
    d_results: Sequence[Tensor | None],
) -> list[Tensor | None]:
    seq, batch, feature = given[0].shape
    wanted = ctx.needs_input_grad[3:]
    d_whole = [_whole(gradient) for gradient in d_results]
    # The weights' gradients come in one go, wanted or not; the others only where they are wanted.
    gradients = [
        torch.empty_like(tensor) if tensor is not None and (place >= 3 or wanted[place]) else None
        for place, tensor in enumerate(given)
    ]
    addresses = map(_address, (plan, *given, outputs, None, None, saved, *d_whole, *gradients))
    call = _Call(CELLS[ctx.cell], ctx.reverse, seq, batch, feature, outputs.shape[2], *addresses)
    check(functions().leadline_backward(call))
    return [gradient if want else None for gradient, want in zip(gradients, wanted, strict=True)]


def _recomputed(
    ctx: Any, given: list[Tensor], lengths: Tensor, d_results: Sequence[Tensor | None]
) -> list[Tensor | None]:
    """Gradients that can be differentiated again: the plain loop, run once more."""
    inputs, h_0, c_0, *weights = given
    initial = (h_0,) if c_0 is None else (h_0, c_0)
    outputs, final = reference.unroll(ctx.cell, inputs, lengths, initial, cast(Weights, tuple(weights)), ctx.reverse)
    pairs = [pair for pair in zip((outputs, *final), d_results, strict=False) if pair[1] is not None]
    wanted = [place for place, want in enumerate(ctx.needs_input_grad[3:]) if want]
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


def check(status: int) -> None:
    """Raise `KernelError` for a status other than 0."""
    if status:
        problem = "there is not enough memory for the compiled kernels" if status == 1 else f"kernel status {status}"
        raise KernelError(problem, next_move="Use smaller batches.")
