"""What a second thread gains: multiply-adds on registers alone, both directions of a layer, and networks that read both
ways in compiled training, in one run.

    python benchmarks/two_threads.py --json results.json

A layer step is forward and backward of `leadline.nn.GRU` or `LSTM`, both ways, from a given gradient of the outputs; on
two threads its directions run side by side. A network's step is one of 32 updates, one call, on the embedded data's
batches of 64 words: embedding, readout, loss and optimiser stay on one thread. One and two threads take turns, step by
step; figures are medians of wall time. Before each step come some ten milliseconds of multiply-adds on registers: where
two virtual cores are two threads of one physical core, they share its multiply-add units, and that gain bounds what
arithmetic can gain.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from leadline import nn
from leadline.bench.meter import Peak, facts
from leadline.bench.networks import Shape, material, pupil
from leadline.training.loop import UPDATES_PER_CALL

SHAPES = ((100, 32, 32, 32), (100, 32, 64, 128), (100, 32, 128, 256), (100, 64, 256, 512))
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}
NETWORKS = tuple(Shape(hidden, layers, bidirectional=True) for hidden in (32, 64, 128) for layers in (1, 2))
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


def training(shape: Shape) -> Callable[[], object]:
    """Updates of a network; their number does not go on, so that dropout and data are the same each time."""
    data = material()
    batches = data.batches(0, UPDATES_PER_CALL)
    trainee = pupil(shape, data, 0)
    return lambda: trainee.train(0, batches)


def timed(threads: int, call: Callable[[], object]) -> float:
    """Milliseconds of wall time."""
    torch.set_num_threads(threads)
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def measure(call: Callable[[], object], counts: int, seconds: float, pool: ThreadPoolExecutor) -> dict[str, float]:
    """Medians of a call of so many steps."""
    times: dict[int, list[float]] = {1: [], 2: []}
    peaks: dict[int, list[float]] = {1: [], 2: []}
    timed(2, call)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[1]) < 5:
        for threads in (1, 2):
            peaks[threads].append(peak(threads, pool))
            times[threads].append(timed(threads, call) / counts)
    one, two = (statistics.median(times[n]) for n in (1, 2))
    low, high = (statistics.median(peaks[n]) for n in (1, 2))
    return {
        **{"repeats": len(times[1]), "one_ms": round(one, 2), "two_ms": round(two, 2), "gain": round(one / two, 2)},
        **{"peak_one": round(low, 1), "peak_two": round(high, 1), "peak_gain": round(high / low, 2)},
    }


def line(name: str, row: dict[str, float]) -> str:
    return f"| {name} | {row['one_ms']} ms | {row['two_ms']} ms | **{row['gain']}x** | {row['peak_gain']}x |"


def main() -> None:
    """Measure and print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="time for each layer (default 8)")
    parser.add_argument("--json", type=Path, help="write the results there as well")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    layers, networks = [], []
    print("| both directions | one thread | two threads | gain | multiply-adds' gain |\n|---|---|---|---|---|")
    with ThreadPoolExecutor(2) as pool:
        for shape, cell in itertools.product(SHAPES, CELLS):
            row = measure(step(cell, shape), 1, chosen.seconds, pool)
            layers.append({"cell": cell, "shape": shape, **row})
            print(line(f"{cell} {', '.join(map(str, shape))}", row), flush=True)
        for network in NETWORKS:
            row = measure(training(network), UPDATES_PER_CALL, chosen.seconds, pool)
            networks.append({**vars(network), **row})
            print(line(f"update of GRU {network.layers} x {network.hidden}", row), flush=True)
    if chosen.json:
        whole = {**facts(), "layers": layers, "networks": networks}
        chosen.json.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
