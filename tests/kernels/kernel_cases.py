"""Random calls of `unroll`, and their results and gradients in one list."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from leadline.kernels import library
from leadline.kernels.choose import Routine
from leadline.kernels.reference import State, Weights

GATES = {"tanh": 1, "gru": 3, "lstm": 4}
STATES = {"tanh": 1, "gru": 1, "lstm": 2}


@dataclass(frozen=True)
class Case:
    """The arguments of one call, and the gradients that come down to its results."""

    cell: str
    inputs: Tensor
    lengths: Tensor
    initial: State
    weights: Weights
    reverse: bool
    d_results: tuple[Tensor, ...]


def built(isa: str) -> bool:
    """Whether this machine has the kernels of an instruction set and can run them."""
    return isinstance(library._open(isa), library.Library)


def case(
    cell: str,
    seq: int,
    batch: int,
    feature: int,
    hidden: int,
    *,
    reverse: bool = False,
    ragged: bool = True,
    seed: int = 0,
) -> Case:
    """Weights as torch starts them, inputs and states of size 1."""
    stream = torch.Generator().manual_seed(seed)
    rows = GATES[cell] * hidden
    shapes = ((rows, feature), (rows, hidden), (rows,), (rows,))
    weights = tuple((torch.rand(shape, generator=stream) * 2 - 1) * hidden**-0.5 for shape in shapes)
    full = torch.full((batch,), seq)
    lengths = torch.randint(0, seq + 1, (batch,), generator=stream) if ragged else full
    states = tuple(torch.randn(batch, hidden, generator=stream) for _ in range(STATES[cell]))
    results = ((seq, batch, hidden), *[(batch, hidden)] * STATES[cell])
    d_results = tuple(torch.randn(shape, generator=stream) for shape in results)
    inputs = torch.randn(seq, batch, feature, generator=stream)
    return Case(cell, inputs, lengths, states, weights, reverse, d_results)  # type: ignore[arg-type]


def run(routine: Routine, given: Case, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    """outputs, final states; then the gradients of inputs, initial states and weights."""
    leaves = [tensor.detach().to(dtype).requires_grad_() for tensor in (given.inputs, *given.initial, *given.weights)]
    states = len(given.initial)
    initial, weights = tuple(leaves[1 : 1 + states]), tuple(leaves[1 + states :])
    outputs, final = routine(given.cell, leaves[0], given.lengths, initial, weights, given.reverse)  # type: ignore[arg-type]
    results = [outputs, *final]
    pairs = [pair for pair in zip(results, given.d_results, strict=True) if pair[0].requires_grad]
    gradients = torch.autograd.grad(
        [result for result, _ in pairs], leaves, [d.to(dtype) for _, d in pairs], allow_unused=True
    )
    zeros = [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, gradients, strict=True)]
    return [*(result.detach() for result in results), *zeros]


def names(cell: str) -> list[str]:
    """What `run` returns, in order."""
    states = ["h", "c"][: STATES[cell]]
    weights = ["d_weight_ih", "d_weight_hh", "d_bias_ih", "d_bias_hh"]
    return ["outputs", *(f"{s}_n" for s in states), "d_inputs", *(f"d_{s}_0" for s in states), *weights]


def error(found: Tensor, exact: Tensor) -> float:
    """max |a - b| / max |b|."""
    if exact.numel() == 0:
        return 0.0
    scale = exact.abs().max().item()
    distance = (found.double() - exact).abs().max().item()
    return distance / scale if scale else distance


def rows(given: Case, kept: Tensor) -> Case:
    """The same call with some of its rows."""
    outputs, *states = given.d_results
    return replace(
        given,
        inputs=given.inputs[:, kept],
        lengths=given.lengths[kept],
        initial=tuple(state[kept] for state in given.initial),
        d_results=(outputs[:, kept], *(state[kept] for state in states)),
    )
