"""A training step of recurrent layers: Leadline's compiled kernels against torch's loops.

A step is the forward pass and the gradients of all weights and inputs from a given gradient of the outputs; no
loss, no optimiser. It counts 6 * seq * batch * gates * hidden * (feature + hidden) floating-point operations: two per
multiply-add, the backward pass twice the forward one.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import torch
from torch import Tensor

from leadline.bench.meter import Inside, Peak, Step, in_turns
from leadline.errors import KernelError
from leadline.kernels import aten, choose, passes
from leadline.kernels.reference import State, Weights

GATES = {cell: gates for cell, (gates, _) in passes.SHAPES.items()}
LAYERS: dict[str, type[torch.nn.RNNBase]] = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
LEAST, MOST = 5, 300


@dataclass(frozen=True)
class Layers:
    """What is measured: a cell and its sizes.

    Args:
        cell: "tanh", "gru" or "lstm".
        seq, batch, feature, hidden: steps, rows, inputs and units.
        layers: stacked layers; 0 is one layer over rows of unequal length, 0 to `seq` steps.
        bidirectional: both directions.
    """

    cell: str
    seq: int
    batch: int
    feature: int
    hidden: int
    layers: int = 1
    bidirectional: bool = False

    @property
    def operations(self) -> float:
        """Floating-point operations of one step; half of the steps are padding where lengths are unequal."""
        ways = 1 + self.bidirectional
        sizes = [self.feature] + [self.hidden * ways] * (self.layers - 1)
        width = GATES[self.cell] * self.hidden * ways
        return (1.0 if self.layers else 0.5) * sum(
            6 * self.seq * self.batch * width * (size + self.hidden) for size in sizes
        )


@dataclass(frozen=True)
class Row:
    """One shape of one cell: medians in milliseconds, and what they come to."""

    cell: str
    seq: int
    batch: int
    feature: int
    hidden: int
    layers: int
    bidirectional: bool
    repeats: int
    native_ms: float
    torch_ms: float
    ratio: float
    native_gflops: float
    kernel_ms: float
    kernel_gflops: float


def unrolled(cell: str, inputs: Tensor, layers: list[list[Weights]]) -> Tensor:
    """All layers and directions through `choose.unroll_layer`, from zero states."""
    seq, batch, _ = inputs.shape
    lengths = torch.full((batch,), seq)
    for directions in layers:
        hidden = directions[0][1].shape[1]
        states: State = (inputs.new_zeros(batch, hidden),) * (2 if cell == "lstm" else 1)
        inputs, _ = choose.unroll_layer(cell, inputs, lengths, [states] * len(directions), directions)
    return inputs


def steps(task: Layers) -> tuple[Step, Step]:
    """The same step, natively and by torch, on the same weights.

    Raises:
        KernelError: the compiled kernels do not run here, or their gradients are not torch's.
    """
    choice = choose.choose(task.cell, torch.empty(0))
    if choice.name != "native":
        raise KernelError(
            f"the compiled kernels do not run here: {choice.reason}",
            next_move="Unset LEADLINE_KERNELS, or install Leadline again with a C compiler.",
        )
    ours, theirs = _stacked(task) if task.layers else _ragged(task)
    for mine, right in zip(ours(), theirs(), strict=True):  # type: ignore[call-overload]
        if not torch.allclose(mine, right, rtol=1e-3, atol=1e-4 * right.abs().max().item()):
            raise KernelError(
                f"gradients of {task} are not torch's", next_move="Please report this with the output of `lscpu`."
            )
    return ours, theirs


def _stacked(task: Layers) -> tuple[Step, Step]:
    ways = 1 + task.bidirectional
    module = LAYERS[task.cell](task.feature, task.hidden, task.layers, bidirectional=task.bidirectional)  # type: ignore[arg-type]
    parameters = list(module.parameters())
    quads = [tuple(parameters[place : place + 4]) for place in range(0, len(parameters), 4)]
    weights = [quads[place : place + ways] for place in range(0, len(quads), ways)]
    inputs = torch.randn(task.seq, task.batch, task.feature, requires_grad=True)
    d_outputs = torch.randn(task.seq, task.batch, task.hidden * ways)
    leaves = [inputs, *parameters]

    def ours() -> object:
        return torch.autograd.grad(unrolled(task.cell, inputs, weights), leaves, d_outputs)  # type: ignore[arg-type]

    def theirs() -> object:
        return torch.autograd.grad(module(inputs)[0], leaves, d_outputs)

    return ours, theirs


def _ragged(task: Layers) -> tuple[Step, Step]:
    rows = GATES[task.cell] * task.hidden
    sizes = ((rows, task.feature), (rows, task.hidden), (rows,), (rows,))
    weights = tuple(((torch.rand(size) * 2 - 1) * task.hidden**-0.5).requires_grad_() for size in sizes)
    inputs = torch.randn(task.seq, task.batch, task.feature, requires_grad=True)
    states = (torch.zeros(task.batch, task.hidden),) * (2 if task.cell == "lstm" else 1)
    lengths, d_outputs = torch.randint(0, task.seq + 1, (task.batch,)), torch.randn(task.seq, task.batch, task.hidden)

    def step(routine: choose.Routine) -> object:
        outputs, _ = routine(task.cell, inputs, lengths, states, weights, False)
        return torch.autograd.grad(outputs, [inputs, *weights], d_outputs)

    return lambda: step(choose.unroll), lambda: step(aten.unroll)


def measure(task: Layers, budget: float, peak: Peak, inside: Inside) -> Row:
    """Both sides in turns for about `budget` seconds."""
    ours, theirs = steps(task)
    within: list[float] = []

    def watched() -> None:
        inside.seconds = 0.0
        ours()
        within.append(inside.seconds)

    times = in_turns({"native": watched, "torch": theirs}, budget, LEAST, MOST, peak.sample)
    native_s, torch_s = statistics.median(times["native"]), statistics.median(times["torch"])
    kernel_s = statistics.median(within[1:])
    return Row(
        **vars(task),
        repeats=len(times["native"]),
        native_ms=round(native_s * 1e3, 4),
        torch_ms=round(torch_s * 1e3, 4),
        ratio=round(torch_s / native_s, 2),
        native_gflops=round(task.operations / native_s / 1e9, 1),
        kernel_ms=round(kernel_s * 1e3, 4),
        kernel_gflops=round(task.operations / kernel_s / 1e9, 1),
    )
