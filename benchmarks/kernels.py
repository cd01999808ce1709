"""A training step of one recurrent layer: Leadline's compiled kernels against torch.nn, in one run.

    OMP_NUM_THREADS=1 python benchmarks/kernels.py --json results.json

A step is the forward pass and the gradients of all weights and inputs from a given gradient of the outputs; no
loss, no optimiser. Both sides take turns step by step, so that a busy machine slows both; figures are medians of
processor time (what other programs take on a shared machine is not counted).
A step counts 6 * seq * batch * gates * hidden * (feature + hidden) floating-point operations (two per multiply-add,
the backward pass twice the forward one). The peak is multiply-adds on registers alone, measured between the
steps: its 90th percentile over the run. `kernel_ms` is the part of a step spent inside the compiled functions; the
rest is torch's autograd and Python.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from leadline.kernels import aten, choose, library
from leadline.kernels.reference import State, Weights

GATES = {"tanh": 1, "gru": 3, "lstm": 4}
LAYERS: dict[str, type[torch.nn.RNNBase]] = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
SMALL = tuple((9, 64, hidden, hidden) for hidden in (40, 64, 100))
WIDE = ((100, 32, 32, 32), (100, 32, 64, 128), (100, 32, 128, 256), (100, 64, 256, 512))
RAGGED = ((9, 64, 64, 64), (30, 64, 64, 64), (30, 64, 128, 128))
STACKS = ((3, False), (2, True))  # layers, both ways; at H 32 and 128
Step = Callable[[], object]


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


class Inside:
    """The compiled functions, with the processor time that their two passes take."""

    def __init__(self) -> None:
        self.calls, self.seconds = library.functions(), 0.0

    def __getattr__(self, name: str) -> object:
        function = getattr(self.calls, name)
        return self.timed(function) if name in ("leadline_forward", "leadline_backward") else function

    def timed(self, function: Callable[[object], int]) -> Callable[[object], int]:
        def run(call: object) -> int:
            start = time.process_time()
            status = function(call)
            self.seconds += time.process_time() - start
            return status

        return run


class Peak:
    """The core's multiply-adds per second, sampled between the steps."""

    def __init__(self) -> None:
        self.run = library.functions().leadline_peak
        self.run.argtypes, self.run.restype = (ctypes.c_int64,), ctypes.c_int64
        self.samples: list[float] = []

    def sample(self) -> None:
        start = time.process_time()
        done = self.run(20_000)
        self.samples.append(done / (time.process_time() - start) / 1e9)

    def gflops(self) -> float:
        return statistics.quantiles(self.samples, n=10)[-1]


def unrolled(cell: str, inputs: Tensor, layers: list[list[Weights]]) -> Tensor:
    """All layers and directions through `choose.unroll`, from zero states."""
    seq, batch, _ = inputs.shape
    lengths = torch.full((batch,), seq)
    for directions in layers:
        hidden = directions[0][1].shape[1]
        states: State = (inputs.new_zeros(batch, hidden),) * (2 if cell == "lstm" else 1)
        outputs = [
            choose.unroll(cell, inputs, lengths, states, weights, reverse)[0]
            for weights, reverse in zip(directions, (False, True), strict=False)
        ]
        inputs = outputs[0] if len(outputs) == 1 else torch.cat(outputs, -1)
    return inputs


def steps(cell: str, shape: tuple[int, ...], layers: int, both: bool) -> tuple[Step, Step]:
    """The same step, natively and with torch.nn, on the same weights."""
    seq, batch, feature, hidden = shape
    module = LAYERS[cell](feature, hidden, layers, bidirectional=both)  # type: ignore[arg-type]
    parameters = list(module.parameters())
    quads = [tuple(parameters[place : place + 4]) for place in range(0, len(parameters), 4)]
    ways = 2 if both else 1
    weights = [quads[place : place + ways] for place in range(0, len(quads), ways)]
    inputs = torch.randn(seq, batch, feature, requires_grad=True)
    d_outputs = torch.randn(seq, batch, hidden * ways)
    leaves = [inputs, *parameters]
    name = choose.choose(cell, inputs, (), quads[0]).name  # type: ignore[arg-type]
    if name != "native":
        sys.exit(f"the compiled kernels do not run here: {choose.choose(cell, inputs).reason}")

    def ours() -> object:
        return torch.autograd.grad(unrolled(cell, inputs, weights), leaves, d_outputs)  # type: ignore[arg-type]

    def theirs() -> object:
        return torch.autograd.grad(module(inputs)[0], leaves, d_outputs)

    for mine, right in zip(ours(), theirs(), strict=True):  # type: ignore[call-overload]
        torch.testing.assert_close(mine, right, rtol=1e-3, atol=1e-4 * right.abs().max().item())
    return ours, theirs


def ragged_steps(cell: str, shape: tuple[int, ...]) -> tuple[Step, Step]:
    """Rows of 0 to seq steps: natively, and through torch's packed sequences."""
    seq, batch, feature, hidden = shape
    rows = GATES[cell] * hidden
    sizes = ((rows, feature), (rows, hidden), (rows,), (rows,))
    weights = tuple(((torch.rand(size) * 2 - 1) * hidden**-0.5).requires_grad_() for size in sizes)
    inputs = torch.randn(seq, batch, feature, requires_grad=True)
    states = (torch.zeros(batch, hidden),) * (2 if cell == "lstm" else 1)
    lengths, d_outputs = torch.randint(0, seq + 1, (batch,)), torch.randn(seq, batch, hidden)

    def step(routine: choose.Routine) -> object:
        outputs, _ = routine(cell, inputs, lengths, states, weights, False)
        return torch.autograd.grad(outputs, [inputs, *weights], d_outputs)

    return lambda: step(choose.unroll), lambda: step(aten.unroll)


def timed(step: Step) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


def measure(
    cell: str, shape: tuple[int, ...], layers: int, both: bool, budget: float, peak: Peak, inside: Inside
) -> Row:
    """Both sides in turns for about `budget` seconds, seven times at least."""
    seq, batch, feature, hidden = shape
    ours, theirs = steps(cell, shape, layers, both) if layers else ragged_steps(cell, shape)
    mine: list[float] = []
    right: list[float] = []
    within: list[float] = []
    end = time.process_time() + budget
    while len(mine) < 7 or (time.process_time() < end and len(mine) < 300):
        inside.seconds = 0.0
        mine.append(timed(ours))
        within.append(inside.seconds)
        right.append(timed(theirs))
        peak.sample()
    ways = 2 if both else 1
    sizes = [feature] + [hidden * ways] * (layers - 1)
    share = 1.0 if layers else 0.5  # of the steps that are not padding
    work = share * sum(6 * seq * batch * GATES[cell] * hidden * (size + hidden) * ways for size in sizes)
    native_s, torch_s, kernel_s = (statistics.median(times) for times in (mine, right, within))
    return Row(
        cell,
        seq,
        batch,
        feature,
        hidden,
        layers,
        both,
        len(mine),
        round(native_s * 1e3, 4),
        round(torch_s * 1e3, 4),
        round(torch_s / native_s, 2),
        round(work / native_s / 1e9, 1),
        round(kernel_s * 1e3, 4),
        round(work / kernel_s / 1e9, 1),
    )


def tasks(groups: list[str], cells: list[str]) -> list[tuple[str, tuple[int, ...], int, bool]]:
    """cell, shape, layers (0: one layer over rows of unequal length), both ways."""
    single = [shape for group, shapes in (("small", SMALL), ("wide", WIDE)) if group in groups for shape in shapes]
    found: list[tuple[str, tuple[int, ...], int, bool]] = [
        (cell, shape, 1, False) for shape in single for cell in cells
    ]
    if "stacks" in groups:
        deep = [(shape, stack) for shape in WIDE[:2] for stack in STACKS]
        found += [(cell, shape, *stack) for shape, stack in deep for cell in cells]
    if "ragged" in groups:
        found += [(cell, shape, 0, False) for shape in RAGGED for cell in cells]
    return found


def line(row: Row, peak: float) -> str:
    name = f"{row.cell:5s} T {row.seq:<4d} B {row.batch:<3d} I {row.feature:<4d} H {row.hidden:<4d}"
    stack = f"{row.layers} layer{'s' if row.layers > 1 else ' '}{' both ways' if row.bidirectional else '':10s}"
    stack = stack if row.layers else f"{'unequal lengths':18s}"
    return (
        f"{name} {stack} {row.native_ms:9.3f} ms  torch.nn {row.torch_ms:9.3f} ms  {row.ratio:5.2f}x "
        f"{row.native_gflops:6.1f} GFLOP/s ({row.native_gflops / peak:.0%} of peak)  kernels alone "
        f"{row.kernel_ms:9.3f} ms {row.kernel_gflops:6.1f} ({row.kernel_gflops / peak:.0%})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--groups", nargs="+", choices=["small", "ragged", "wide", "stacks"], default=["small", "ragged", "wide"]
    )
    parser.add_argument("--cells", nargs="+", choices=list(GATES), default=list(GATES))
    parser.add_argument("--seconds", type=float, default=1.5, help="time for each shape (default 1.5)")
    parser.add_argument("--json", type=Path, help="write the results there as well")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    peak, inside = Peak(), Inside()
    library.functions = lambda: inside  # type: ignore[assignment, return-value]
    rows = []
    for task in tasks(chosen.groups, chosen.cells):
        rows.append(measure(*task, chosen.seconds, peak, inside))
        print(line(rows[-1], peak.gflops()), flush=True)
    about = {
        "machine": platform.processor() or platform.machine(),
        "system": platform.platform(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "instruction_set": library.isa(),
        "threads": torch.get_num_threads(),
        "peak_gflops": round(peak.gflops(), 1),
        "command": " ".join(["python", *sys.argv]),
    }
    print(f"peak {about['peak_gflops']} GFLOP/s, instruction set {about['instruction_set']}")
    if chosen.json:
        whole = about | {"rows": [asdict(row) for row in rows]}
        chosen.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
