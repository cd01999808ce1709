"""Training of whole networks: Leadline's compiled updates against a plain loop over torch.nn.

Both sides do the same updates on the embedded data's batches of 64 words: embedding, recurrence, readout,
cross-entropy, clipping, AdamW. The rival is torch.nn.Embedding, GRU and Linear with torch's fused AdamW and
`clip_grad_norm_`, on unequal lengths through `pack_padded_sequence` or padded.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leadline.bench.meter import in_turns
from leadline.data import encode
from leadline.data.batch import Batcher
from leadline.data.datasets.letters import letters
from leadline.data.encode import Encoder
from leadline.data.split import split
from leadline.network import embed_spec, stack_network
from leadline.spec import Recipe, StackSpec
from leadline.training.compiled import Compiled

BATCH = 64
RECIPE = Recipe(learning_rate=0.004, batch_size=BATCH)
LEAST, MOST = 3, 60
Batches = list[NDArray[np.int64]]


@dataclass(frozen=True)
class Shape:
    """A network that is measured: GRU layers and a linear readout."""

    hidden: int
    layers: int = 1
    bidirectional: bool = False


@dataclass(frozen=True)
class NetworkRow:
    """One shape: medians of updates per second of one network on one thread."""

    hidden: int
    layers: int
    bidirectional: bool
    repeats: int
    updates_per_second: float
    torch_updates_per_second: float
    torch_form: str
    ratio: float


@dataclass(frozen=True, eq=False)
class Material:
    """The embedded data, encoded, and its train part."""

    encoder: Encoder
    batcher: Batcher
    train: NDArray[np.int64]

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Names, features and classes."""
        column = self.encoder.columns[0]
        return len(column.vocabulary) + 1, column.width, self.encoder.output_size

    def batches(self, seed: int, updates: int) -> Batches:
        """The first batches of a network's order."""
        order = self.batcher.shuffled(self.train, BATCH, np.random.default_rng(seed))
        return [next(order) for _ in range(updates)]


def material() -> Material:
    """Reads and encodes the embedded data."""
    data = letters()
    train = split(data, 0).folds[0].train
    encoder = encode.fit(data, train)
    return Material(encoder, Batcher(encode.apply(encoder, data)), train)


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


def train_plain(shape: Shape, data: Material, chosen: Batches, packed: bool) -> float:
    """The plain loop; the last loss."""
    network = Plain(shape, *data.sizes)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RECIPE.learning_rate, weight_decay=0.0, fused=True)
    loss = torch.zeros(())
    for indices in chosen:
        batch = data.batcher.batch(indices)
        assert batch.targets is not None
        outputs = network(batch.codes[..., 0], batch.lengths, batch.mask, packed)
        loss = nn.functional.cross_entropy(outputs, batch.targets[batch.mask])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), RECIPE.clip, foreach=True)
        optimiser.step()
    return float(loss.detach())


def pupil(shape: Shape, data: Material, seed: int) -> Compiled:
    """Leadline's trainee."""
    spec = StackSpec(
        embed_spec(data.encoder).output_size,
        data.encoder.output_size,
        hidden_size=shape.hidden,
        num_layers=shape.layers,
        bidirectional=shape.bidirectional,
    )
    return Compiled(stack_network(data.encoder, spec, seed), data.encoder, data.batcher, RECIPE, seed)


def train_ours(shape: Shape, data: Material, chosen: Batches, seed: int) -> float:
    """Leadline's; the last loss."""
    return float(pupil(shape, data, seed).train(0, chosen)[-1])


def measure(shape: Shape, data: Material, updates: int, budget: float) -> NetworkRow:
    """Leadline and both forms of the plain loop in turns, one thread, for about `budget` seconds."""
    chosen = data.batches(0, updates)
    sides = {
        "leadline": lambda: train_ours(shape, data, chosen, 0),
        "packed": lambda: train_plain(shape, data, chosen, True),
        "padded": lambda: train_plain(shape, data, chosen, False),
    }
    times = in_turns(sides, budget, LEAST, MOST)
    pace = {name: updates / statistics.median(seconds) for name, seconds in times.items()}
    form = max(("packed", "padded"), key=pace.__getitem__)
    return NetworkRow(
        **vars(shape),
        repeats=len(times["leadline"]),
        updates_per_second=round(pace["leadline"], 1),
        torch_updates_per_second=round(pace[form], 1),
        torch_form=form,
        ratio=round(pace["leadline"] / pace[form], 2),
    )
