"""How far the compiled kernels are from the plain loop in double precision, over a wide grid, beside torch's own loops.

    OMP_NUM_THREADS=1 python benchmarks/kernel_numerics.py --json results.json

Per tensor (results and all gradients) the error is max |a - b| / max |b|. The bound is 2e-6 for one step and 1e-5 to
1000 steps, and four times torch's error or 5e-7, whichever is more: below that, torch's error is luck. Errors of two
equally good sums differ by chance, and the worst of several thousand such ratios is large, so torch is held to the
same bounds the other way round: four times ours.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from leadline.kernels import aten, library, native, reference
from leadline.kernels.choose import Routine
from leadline.kernels.reference import Weights

GATES = {"tanh": 1, "gru": 3, "lstm": 4}
FEATURE = 7
FLOOR = 5e-7


@dataclass(frozen=True)
class Result:
    """The worst tensor of one call."""

    cell: str
    seq: int
    batch: int
    hidden: int
    reverse: bool
    ragged: bool
    error: float
    torch_error: float
    worst_ratio: float
    torch_worst_ratio: float

    @property
    def bound(self) -> float:
        return 2e-6 if self.seq <= 1 else 1e-5

    @property
    def within(self) -> bool:
        return self.error <= self.bound and self.worst_ratio <= 4

    @property
    def torch_within(self) -> bool:
        """Torch's error by the same bounds, ours in the place of its own."""
        return self.torch_error <= self.bound and self.torch_worst_ratio <= 4


def results(routine: Routine, cell: str, tensors: list[Tensor], lengths: Tensor, reverse: bool) -> list[Tensor]:
    """outputs, final states and the gradients of everything for fixed gradients of the results."""
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    weights: Weights = (leaves[1], leaves[2], leaves[3], leaves[4])
    outputs, final = routine(cell, leaves[0], lengths, tuple(leaves[5:]), weights, reverse)
    stream = torch.Generator().manual_seed(1)
    found = [outputs, *final]
    downs = [torch.randn(value.shape, generator=stream).to(value.dtype) for value in found]
    pairs = [pair for pair in zip(found, downs, strict=True) if pair[0].requires_grad]
    gradients = torch.autograd.grad(
        [value for value, _ in pairs], leaves, [down for _, down in pairs], allow_unused=True, materialize_grads=True
    )
    return [*(value.detach() for value in found), *gradients]


def error(found: Tensor, exact: Tensor) -> float:
    if exact.numel() == 0:
        return 0.0
    scale = exact.abs().max().item()
    return (found.double() - exact).abs().max().item() / (scale or 1.0)


def compare(cell: str, seq: int, batch: int, hidden: int, reverse: bool, ragged: bool) -> Result:
    stream = torch.Generator().manual_seed(0)
    rows, states = GATES[cell] * hidden, 2 if cell == "lstm" else 1
    shapes = ((rows, FEATURE), (rows, hidden), (rows,), (rows,))
    weights = [(torch.rand(shape, generator=stream) * 2 - 1) * hidden**-0.5 for shape in shapes]
    initial = [torch.randn(batch, hidden, generator=stream) for _ in range(states)]
    tensors = [torch.randn(seq, batch, FEATURE, generator=stream), *weights, *initial]
    full = torch.full((batch,), seq)
    lengths = torch.randint(0, seq + 1, (batch,), generator=stream) if ragged else full
    exact = results(reference.unroll, cell, [t.double() for t in tensors], lengths, reverse)
    fast = native.unroll if seq else reference.unroll
    ours = [error(*pair) for pair in zip(results(fast, cell, tensors, lengths, reverse), exact, strict=True)]
    right = [error(*pair) for pair in zip(results(aten.unroll, cell, tensors, lengths, reverse), exact, strict=True)]
    return Result(
        *(cell, seq, batch, hidden, reverse, ragged, max(ours), max(right)),
        worst_ratio=worst(ours, right),
        torch_worst_ratio=worst(right, ours),
    )


def worst(errors: list[float], others: list[float]) -> float:
    """The largest ratio of an error to the other side's, which counts as a quarter of `FLOOR` at least."""
    return round(max(one / max(other, FLOOR / 4) for one, other in zip(errors, others, strict=True)), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=list(GATES), default=list(GATES))
    parser.add_argument("--lengths", nargs="+", type=int, default=[0, 1, 2, 100, 1000])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 3, 17, 64])
    parser.add_argument("--hidden", nargs="+", type=int, default=[1, 5, 16, 33, 128, 300])
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    grid = itertools.product(chosen.cells, chosen.lengths, chosen.batches, chosen.hidden, (False, True), (False, True))
    found = [compare(*point) for point in grid]
    for seq in chosen.lengths:
        mine = [result for result in found if result.seq == seq]
        print(
            f"T {seq:5d}: {len(mine):4d} calls, worst error {max(r.error for r in mine):.1e} "
            f"(torch {max(r.torch_error for r in mine):.1e}), worst ratio {max(r.worst_ratio for r in mine):.2f} "
            f"(torch {max(r.torch_worst_ratio for r in mine):.2f}), outside {sum(not r.within for r in mine)} "
            f"(torch {sum(not r.torch_within for r in mine)})",
        )
    outside = [result for result in found if not result.within]
    for result in outside:
        print("outside:", result)
    print(f"outside the bounds: {len(outside)} of {len(found)}; torch {sum(not r.torch_within for r in found)}")
    if chosen.json:
        rows = [asdict(result) for result in found]
        whole = {"instruction_set": library.isa(), "torch": torch.__version__, "rows": rows}
        chosen.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    sys.exit(1 if outside else 0)


if __name__ == "__main__":
    main()
