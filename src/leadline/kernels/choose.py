"""The only place that decides which compute routine runs, and that keeps the reason."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import aten, library, native, pair, passes, reference
from leadline.kernels.reference import State, Weights

Routine = Callable[[str, Tensor, Tensor, State, Weights, bool], tuple[Tensor, State]]
VARIABLE = "LEADLINE_KERNELS"
SEGMENT_VARIABLE = "LEADLINE_SEGMENT"
SAVED_BYTES = 2**30
KEPT = {"tanh": 0, "gru": 4, "lstm": 6}  # numbers per step and unit beside the outputs


@dataclass(frozen=True)
class Choice:
    """A routine's name and why it was taken."""

    name: str
    reason: str


def choose(cell: str, inputs: Tensor, initial: State = (), weights: Weights | tuple[()] = ()) -> Choice:
    """The routine for these tensors; those that are left out are taken to be like `inputs`.

    The compiled kernels run in float32 on the CPU; everything else takes torch's fused loops.
    `LEADLINE_KERNELS=reference|torch|native` forces one.

    Raises:
        KernelError: the variable names nothing that exists, or the compiled kernels are forced and are not
            there or cannot take these tensors.
    """
    forced = os.environ.get(VARIABLE, "")
    if forced and forced not in ROUTINES:
        raise KernelError(
            f"{VARIABLE}={forced!r}", expected="one of " + ", ".join(ROUTINES), next_move=f"Unset {VARIABLE}."
        )
    if forced in ("reference", "torch"):
        return Choice(forced, f"forced by {VARIABLE}")
    reason = native.refusal(cell, inputs, initial, weights)
    if forced:
        if reason:
            raise KernelError(f"{VARIABLE}=native, but {reason}", next_move=native.next_move())
        return Choice("native", f"forced by {VARIABLE}")
    if not reason:
        return Choice("native", f"compiled kernel for {cell}, instruction set {library.isa()}")
    return Choice(_fallback(cell), reason)


def chosen(cell: str, inputs: Tensor, initial: State = (), weights: Weights | tuple[()] = ()) -> str:
    """The name that `choose` gives."""
    # A network of 32 units takes half a millisecond per update: what goes without a reason being written does.
    if not os.environ.get(VARIABLE) and not native.refusal(cell, inputs, initial, weights):
        return "native"
    return choose(cell, inputs, initial, weights).name


def routine() -> str:
    """What trains a plain float32 network on this CPU, for instance "native v4"; results are its own, to the bit."""
    name = choose("gru", torch.empty(0)).name
    return f"{name} {library.isa()}".strip() if name == "native" else name


def build() -> str:
    """`routine` and which build of it: what a run that is continued has to share with the one that began."""
    name = routine()
    return f"{name} {library.fingerprint()}" if name.startswith("native") else name


def segment(cell: str, seq: int, batch: int, hidden: int) -> int:
    """Steps of a segment that the compiled backward pass computes once more instead of keeping it; 0: all is kept.

    The square root of the steps where a layer's gates would take more than 1 GiB, else 0. `LEADLINE_SEGMENT=N`
    forces N steps, or 0.

    >>> segment("gru", 100, 64, 128), segment("gru", 100_000, 32, 128)
    (0, 317)

    Raises:
        KernelError: the variable is no whole number from 0 on.
    """
    forced = os.environ.get(SEGMENT_VARIABLE, "")
    if forced and not forced.isdecimal():
        raise KernelError(
            f"{SEGMENT_VARIABLE}={forced!r}", expected="a number of steps, or 0", next_move=f"Unset {SEGMENT_VARIABLE}."
        )
    if not KEPT.get(cell):
        return 0
    if forced:
        return int(forced)
    return math.isqrt(seq - 1) + 1 if 4 * KEPT[cell] * seq * batch * hidden > SAVED_BYTES else 0


def _native(
    cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights, reverse: bool = False
) -> tuple[Tensor, State]:
    # Without gates that may be too many (numel is quicker than the shape) there is nothing to decide.
    small = 24 * inputs.numel() * weights[1].shape[-1] <= SAVED_BYTES and SEGMENT_VARIABLE not in os.environ
    steps = 0 if small or inputs.dim() != 3 else segment(cell, len(inputs), inputs.shape[1], weights[1].shape[-1])
    return native.run(cell, inputs, lengths, initial, weights, reverse, segment=steps)


ROUTINES: dict[str, Routine] = {"reference": reference.unroll, "torch": aten.unroll, "native": _native}


def _fallback(cell: str) -> str:
    """torch's loops, or the plain one where those do not go: transforms, cells that torch does not have. Under autocast
    the plain loop would mix its types, so that torch's are taken, with what they do not transform."""
    plain = cell not in passes.CELLS or (passes.transformed() and not torch.is_autocast_enabled("cpu"))
    return "reference" if plain else "torch"


def unroll(
    cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights, reverse: bool = False
) -> tuple[Tensor, State]:
    """Run the chosen routine; see `leadline.kernels.reference.unroll` for the contract."""
    return ROUTINES[chosen(cell, inputs, initial, weights)](cell, inputs, lengths, initial, weights, reverse)


def unroll_layer(
    cell: str, inputs: Tensor, lengths: Tensor, initial: Sequence[State], weights: Sequence[Weights]
) -> tuple[Tensor, list[State]]:
    """A layer that reads forward, or both ways, by how many weights there are: its outputs side by side, (seq, batch,
    directions * hidden), and each direction's final states.

    Where torch has two threads or more, two directions run at once, to the bits that they have one after the other.
    `torch.set_num_threads(1)` or `OMP_NUM_THREADS=1` keeps them on one core, as in the workers of a study.
    """
    if len(weights) == 1:
        outputs, final = unroll(cell, inputs, lengths, initial[0], weights[0])
        return outputs, [final]
    if inputs.dim() == 3 and inputs.numel() > 0:
        others = (*initial[0], *initial[1], *weights[0], *weights[1])
        if chosen(cell, inputs, others) == "native":
            steps = segment(cell, len(inputs), inputs.shape[1], weights[0][1].shape[-1])
            return pair.run(cell, inputs, lengths, initial, weights, steps)
    halves = [
        unroll(cell, inputs, lengths, states, four, reverse)
        for states, four, reverse in zip(initial, weights, (False, True), strict=False)
    ]
    return torch.cat([half for half, _ in halves], -1), [final for _, final in halves]
