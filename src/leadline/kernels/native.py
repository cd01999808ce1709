"""The compiled kernels behind the contract of `reference.unroll`: float32 on the CPU.

A row's result does not depend on the other rows of its batch, bit for bit, as long as the instruction set stays the
same.
"""

from __future__ import annotations

import torch
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import capture, graph, library, passes, reference
from leadline.kernels.passes import Told
from leadline.kernels.reference import State, Weights

PLAIN = (Tensor, torch.nn.Parameter)


def next_move() -> str:
    """What to do where the compiled kernels were forced and cannot run."""
    return (
        library.INSTALL
        if isinstance(library.load(), library.Missing)
        else "Unset LEADLINE_KERNELS, or force another routine."
    )


def refusal(cell: str, inputs: Tensor, initial: State = (), weights: Weights | tuple[()] = ()) -> str:
    """Why the compiled kernels cannot take this call; "" where they can."""
    if cell not in passes.CELLS:
        return f"there is no compiled kernel for {cell!r}"
    if capture.capturing():
        return "a graph is being captured"
    found = library.load()
    if isinstance(found, library.Missing):
        return found.reason
    for tensor in (inputs, *initial, *weights):
        if type(tensor) in PLAIN and tensor.dtype is torch.float32 and tensor.is_cpu:
            continue
        if type(tensor) not in PLAIN:
            return "a tensor subclass was given"
        return f"the compiled kernels are {'for the CPU' if tensor.dtype is torch.float32 else 'float32'} only"
    if passes.transformed():
        return "function transforms and forward-mode derivatives need the plain loop"
    if torch.is_autocast_enabled("cpu"):
        return "autocast chooses another type"
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
    given = passes.tensors(cell, inputs, initial, weights)
    outputs, finals = graph.run([Told(cell, reverse, segment)], lengths, given)
    return outputs, finals[0]
