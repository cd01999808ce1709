"""What a second thread gains: multiply-adds on registers alone, and both directions of a layer, in one run.

    python benchmarks/two_threads.py --json results.json

A layer step is forward and backward of `leadline.nn.GRU` or `LSTM`, both ways, from a given gradient of the outputs; on
two threads its directions run side by side. One and two threads take turns, step by step; figures are medians of wall
time. Before each step come some ten milliseconds of multiply-adds on registers: where two virtual cores are two threads
of one physical core, they share its multiply-add units, and that gain bounds what arithmetic can gain.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from leadline import nn
from leadline.bench.meter import Peak, facts

SHAPES = ((100, 32, 32, 32), (100, 32, 64, 128), (100, 32, 128, 256), (100, 64, 256, 512))
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}
PEAK_ROUNDS = 4_000_000


def peak(threads: int, pool: ThreadPoolExecutor) -> float:
    """GFLOP/s of all threads together, on registers."""
    start = time.perf_counter()
    done = sum(pool.map(Peak().run, [PEAK_ROUNDS] * threads))
    return float(done / (time.perf_counter() - start) / 1e9)


def step(cell: str, shape: tuple[int, int, int, int]) -> Callable[[], object]:
    """One training step of a layer both ways."""
    seq, batch, feature, hidden = shape
    layer = CELLS[cell](feature, hidden, bidirectional=True)
    inputs = torch.randn(seq, batch, feature, requires_grad=True)
    d_outputs = torch.randn(seq, batch, 2 * hidden)
    leaves = [inputs, *layer.parameters()]
    return lambda: torch.autograd.grad(layer(inputs)[0], leaves, d_outputs)


def timed(threads: int, call: Callable[[], object]) -> float:
    """Milliseconds of wall time."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def measure(cell: str, shape: tuple[int, int, int, int], seconds: float, pool: ThreadPoolExecutor) -> dict[str, object]:
    """Medians of one layer."""
    call = step(cell, shape)
    times: dict[int, list[float]] = {1: [], 2: []}
    peaks: dict[int, list[float]] = {1: [], 2: []}
    timed(2, call)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[1]) < 5:
        for threads in (1, 2):
            peaks[threads].append(peak(threads, pool))
            times[threads].append(timed(threads, call))
    one, two = (statistics.median(times[n]) for n in (1, 2))
    low, high = (statistics.median(peaks[n]) for n in (1, 2))
    return {
        **{"cell": cell, "shape": shape, "repeats": len(times[1]), "one_ms": round(one, 2), "two_ms": round(two, 2)},
        **{"gain": round(one / two, 2), "peak_one": round(low, 1), "peak_two": round(high, 1)},
        "peak_gain": round(high / low, 2),
    }


def main() -> None:
    """Measure and print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="time for each layer (default 8)")
    parser.add_argument("--json", type=Path, help="write the results there as well")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    rows = []
    print("| steps, batch, features, hidden | cell | one thread | two threads | gain | multiply-adds' gain |")
    print("|---|---|---|---|---|---|")
    with ThreadPoolExecutor(2) as pool:
        for shape in SHAPES:
            for cell in CELLS:
                rows.append(row := measure(cell, shape, chosen.seconds, pool))
                print(
                    f"| {', '.join(map(str, shape))} | {cell} | {row['one_ms']} ms | {row['two_ms']} ms "
                    f"| **{row['gain']}x** | {row['peak_gain']}x |",
                    flush=True,
                )
    if chosen.json:
        chosen.json.write_text(json.dumps({**facts(), "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
