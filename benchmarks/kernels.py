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
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from leadline.bench.layers import GATES, Layers, Row, measure
from leadline.bench.meter import Peak, facts, watched

SMALL = tuple((9, 64, hidden, hidden) for hidden in (40, 64, 100))
WIDE = ((100, 32, 32, 32), (100, 32, 64, 128), (100, 32, 128, 256), (100, 64, 256, 512))
RAGGED = ((9, 64, 64, 64), (30, 64, 64, 64), (30, 64, 128, 128))
STACKS = ((3, False), (2, True))  # layers, both ways; at H 32 and 128
UPPER = ((100, 32, 64, 32), (100, 32, 128, 128), (100, 32, 256, 128))  # single layers that read what upper ones read


def tasks(groups: list[str], cells: list[str]) -> list[Layers]:
    """What is measured, in order."""
    single = [shape for group, shapes in (("small", SMALL), ("wide", WIDE)) if group in groups for shape in shapes]
    found = [Layers(cell, *shape) for shape in single for cell in cells]
    if "stacks" in groups:
        deep = [(shape, stack) for shape in WIDE[:2] for stack in STACKS]
        found += [Layers(cell, *shape, *stack) for shape, stack in deep for cell in cells]
        found += [Layers(cell, *shape) for shape in UPPER for cell in cells]
    if "ragged" in groups:
        found += [Layers(cell, *shape, layers=0) for shape in RAGGED for cell in cells]
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
    peak, rows = Peak(), []
    with watched() as inside:
        for task in tasks(chosen.groups, chosen.cells):
            rows.append(measure(task, chosen.seconds, peak, inside))
            print(line(rows[-1], peak.gflops()), flush=True)
    about = facts() | {
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
