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
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leadline.data import encode
from leadline.data.batch import Batcher
from leadline.data.datasets.letters import letters
from leadline.data.encode import Encoder
from leadline.data.split import split
from leadline.kernels import choose
from leadline.network import embed_spec, stack_network
from leadline.spec import Recipe, StackSpec
from leadline.training.compiled import Compiled

MEMBERS, BATCH = 12, 64
RECIPE = Recipe(learning_rate=0.004, batch_size=BATCH)
Batches = list[NDArray[np.int64]]


@dataclass(frozen=True)
class Shape:
    """A network of the benchmark."""

    hidden: int
    layers: int = 1
    bidirectional: bool = False


SHAPES = (Shape(32), Shape(32, layers=3), Shape(32, layers=2, bidirectional=True), Shape(128))


def material() -> tuple[Encoder, Batcher, NDArray[np.int64]]:
    """The embedded data, encoded, and its train part."""
    data = letters()
    train = split(data, 0).folds[0].train
    encoder = encode.fit(data, train)
    return encoder, Batcher(encode.apply(encoder, data)), train


def batches(batcher: Batcher, train: NDArray[np.int64], seed: int, updates: int) -> Batches:
    """The first batches of a network's order."""
    order = batcher.shuffled(train, BATCH, np.random.default_rng(seed))
    return [next(order) for _ in range(updates)]


class Plain(nn.Module):
    """What one would write by hand."""

    def __init__(self, shape: Shape, names: int, width: int, classes: int) -> None:
        super().__init__()
        self.table = nn.Embedding(names, width)
        both = {"num_layers": shape.layers, "bidirectional": shape.bidirectional, "batch_first": True}
        self.gru = nn.GRU(width, shape.hidden, **both)
        self.readout = nn.Linear(shape.hidden * (1 + shape.bidirectional), classes)

    def forward(self, codes: Tensor, lengths: Tensor, mask: Tensor, packed: bool) -> Tensor:
        """(valid steps, classes)."""
        steps = self.table(codes)
        if packed:
            rows = nn.utils.rnn.pack_padded_sequence(steps, lengths, batch_first=True)
            states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(rows)[0], batch_first=True)
        else:
            states = self.gru(steps)[0]
        outputs: Tensor = self.readout(states[mask])
        return outputs


def train_plain(shape: Shape, batcher: Batcher, chosen: Batches, sizes: tuple[int, int, int], packed: bool) -> float:
    """The plain loop; the last loss."""
    network = Plain(shape, *sizes)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RECIPE.learning_rate, weight_decay=0.0, fused=True)
    loss = torch.zeros(())
    for indices in chosen:
        batch = batcher.batch(indices)
        assert batch.targets is not None
        outputs = network(batch.codes[..., 0], batch.lengths, batch.mask, packed)
        loss = nn.functional.cross_entropy(outputs, batch.targets[batch.mask])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), RECIPE.clip, foreach=True)
        optimiser.step()
    return float(loss.detach())


def train_ours(shape: Shape, encoder: Encoder, batcher: Batcher, chosen: Batches, seed: int) -> float:
    """Leadline's; the last loss."""
    spec = StackSpec(
        embed_spec(encoder).output_size,
        encoder.output_size,
        hidden_size=shape.hidden,
        num_layers=shape.layers,
        bidirectional=shape.bidirectional,
    )
    pupil = Compiled(stack_network(encoder, spec, seed), encoder, batcher, RECIPE, seed)
    return float(pupil.train(0, chosen)[-1])


_state: tuple[Encoder, Batcher, NDArray[np.int64]] | None = None


def _open() -> None:
    global _state
    torch.set_num_threads(1)
    _state = material()


def _plain_member(shape: Shape, seed: int, updates: int, packed: bool) -> float:
    assert _state is not None
    encoder, batcher, train = _state
    return train_plain(shape, batcher, batches(batcher, train, seed, updates), _sizes(encoder), packed)


def _sizes(encoder: Encoder) -> tuple[int, int, int]:
    column = encoder.columns[0]
    return len(column.vocabulary) + 1, column.width, encoder.output_size


def sides(
    shape: Shape, updates: int, pool: ProcessPoolExecutor, cores: int
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Every way to train the twelve."""
    encoder, batcher, train = material()
    orders = [batches(batcher, train, seed, updates) for seed in range(MEMBERS)]

    def ours(threads: int) -> list[float]:
        torch.set_num_threads(1)
        with ThreadPoolExecutor(threads) as workers:
            jobs = [workers.submit(train_ours, shape, encoder, batcher, o, s) for s, o in enumerate(orders)]
            return [job.result() for job in jobs]

    def plain_threads(packed: bool) -> list[float]:
        torch.set_num_threads(cores)
        return [train_plain(shape, batcher, order, _sizes(encoder), packed) for order in orders]

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
    parser.add_argument("--updates", type=int, default=60)
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
