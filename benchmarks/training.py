"""Networks trained per second: Leadline's compiled training against a plain loop over torch.nn, in one run.

    python benchmarks/training.py --json benchmarks/training.json

Twelve networks (GRU layers, linear readout) on the embedded data's batches, the same updates on both sides: embedding,
recurrence, readout, cross-entropy, clipping, AdamW. The rival is torch.nn.Embedding, GRU and Linear with torch's fused
AdamW and `clip_grad_norm_`, on unequal lengths through `pack_padded_sequence` or padded, whichever is faster, at its
best use of the cores: one process with all threads, or one process per core with one thread each. Leadline runs one
thread per core. The sides take turns; figures are medians of wall time over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from leadline.bench.networks import Material, Shape, material, train_ours, train_plain
from leadline.kernels import choose

MEMBERS = 12
SHAPES = (Shape(32), Shape(32, layers=3), Shape(32, layers=2, bidirectional=True), Shape(128))

_state: Material | None = None


def _open() -> None:
    global _state
    torch.set_num_threads(1)
    _state = material()


def _plain_member(shape: Shape, seed: int, updates: int, packed: bool) -> float:
    assert _state is not None
    return train_plain(shape, _state, _state.batches(seed, updates), packed)


def sides(
    shape: Shape, updates: int, pool: ProcessPoolExecutor, cores: int
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every way to train the twelve."""
    data = material()
    orders = [data.batches(seed, updates) for seed in range(MEMBERS)]

    def ours(threads: int) -> list[float]:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(threads) as workers:
            jobs = [workers.submit(train_ours, shape, data, o, s) for s, o in enumerate(orders)]
            return [job.result() for job in jobs]

    def plain_threads(packed: bool) -> list[float]:
        torch.set_num_threads(cores)
        return [train_plain(shape, data, order, packed) for order in orders]

    def plain_processes(packed: bool) -> list[float]:
        return [job.result() for job in [pool.submit(_plain_member, shape, s, updates, packed) for s in range(MEMBERS)]]

    yield "leadline, one thread", lambda: ours(1)
    yield f"leadline, {cores} threads", lambda: ours(cores)
    for packed in (False, True):
        name = "packed" if packed else "padded"
        yield f"torch {name}, {cores} threads", lambda packed=packed: plain_threads(packed)
        yield f"torch {name}, {cores} processes", lambda packed=packed: plain_processes(packed)


def measure(shape: Shape, updates: int, rounds: int, pool: ProcessPoolExecutor, cores: int) -> dict[str, float]:
    """Median milliseconds per update of one network, by side."""
    ways = dict(sides(shape, updates, pool, cores))
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - start) / (MEMBERS * updates) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    """Measure and print, and write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--updates", type=int, default=200, help="of each; a study has 265 and more")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cores, found = os.cpu_count() or 1, []
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn"), initializer=_open) as pool:
        for shape in SHAPES:
            medians = measure(shape, options.updates, options.rounds, pool, cores)
            rival = min((time, name) for name, time in medians.items() if name.startswith("torch"))
            one, all_cores = (time for name, time in medians.items() if name.startswith("leadline"))
            row = {"shape": vars(shape), "ms_per_update": medians, "rival": rival[1]}
            row |= {"ratio": rival[0] / all_cores, "threads_gain": one / all_cores}
            found.append(row)
            print(
                f"{shape}: {all_cores:.3f} ms, {rival[1]} {rival[0]:.3f} ms: {rival[0] / all_cores:.1f}x; "
                f"{cores} threads {one / all_cores:.2f}x one"
            )
    if options.json:
        facts = {"torch": torch.__version__, "cores": cores, "machine": platform.machine(), "kernels": choose.routine()}
        options.json.write_text(json.dumps({**facts, "rows": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
