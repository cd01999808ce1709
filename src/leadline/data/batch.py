"""`Batch`: some sequences, padded, and the order in which batches come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.data.encode import Encoded

POOL = 40
CHUNK = 256
CHUNK_STEPS = 32_768


@dataclass(frozen=True, eq=False)
class Batch:
    """Padded sequences, longest first.

    Args:
        numeric: (batch, seq, numeric_size) float32.
        codes: (batch, seq, columns) int64.
        names: (batch, seq, columns) int64, rows of the tables in `grams`.
        grams: per column the bucket table of its names, or None.
        lengths: (batch,) int64, on the CPU.
        mask: (batch, seq) bool, True where a step exists.
        targets: (batch, seq) or (batch,); what stands at padding means nothing; None when only predicting.
    """

    numeric: Tensor
    codes: Tensor
    names: Tensor
    grams: tuple[Tensor | None, ...]
    lengths: Tensor
    mask: Tensor
    targets: Tensor | None


class Batcher:
    """Makes batches out of encoded sequences; holds them as tensors once.

    Args:
        encoded: all sequences of a study.
        device: where batches live.
    """

    def __init__(self, encoded: Encoded, device: str = "cpu") -> None:
        self.device = device
        self.offsets = torch.from_numpy(encoded.offsets)
        self.numeric = torch.from_numpy(encoded.numeric).contiguous().to(device)
        self.codes = torch.from_numpy(encoded.codes).contiguous().to(device)
        self.names = torch.from_numpy(encoded.names).contiguous().to(device)
        self.grams = tuple(None if g is None else torch.from_numpy(g).to(device) for g in encoded.grams)
        self.targets = None if encoded.targets is None else torch.from_numpy(encoded.targets).to(device)
        self.per_step = encoded.per_step

    def lengths(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Steps of the sequences `indices`."""
        offsets = self.offsets.numpy()
        result: NDArray[np.int64] = offsets[indices + 1] - offsets[indices]
        return result

    def batch(self, indices: NDArray[np.int64], share: float = 1.0) -> Batch:
        """The sequences `indices`, which should come longest first; of each the first `share` of its steps."""
        chosen = torch.from_numpy(indices)
        starts = self.offsets[chosen]
        lengths = torch.ceil((self.offsets[chosen + 1] - starts) * share).to(torch.int64)
        steps = torch.arange(int(lengths.max()) if len(indices) else 0)
        mask = steps[None] < lengths[:, None]
        rows = torch.where(mask, starts[:, None] + steps[None], torch.zeros(1, dtype=torch.int64))
        rows = rows.to(self.device)
        targets = self.targets
        if targets is not None:
            targets = targets[rows] if self.per_step else targets[chosen.to(self.device)]
        return Batch(
            self.numeric[rows],
            self.codes[rows],
            self.names[rows],
            self.grams,
            lengths,
            mask.to(self.device),
            targets,
        )

    def chunks(self, indices: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Positions in `indices`, all once, longest first: at most `CHUNK` sequences and `CHUNK_STEPS` padded steps."""
        order = np.argsort(-self.lengths(indices), kind="stable")
        longest = np.maximum(self.lengths(indices)[order], 1)
        start = 0
        while start < len(order):
            stop = start + max(1, min(CHUNK, CHUNK_STEPS // int(longest[start])))
            yield order[start:stop]
            start = stop

    def shuffled(
        self, indices: NDArray[np.int64], size: int, random: np.random.Generator
    ) -> Iterator[NDArray[np.int64]]:
        """Batches for ever: each pass in a new order, sequences of like length together.

        A pass is shuffled, cut into pools of `POOL` batches, each pool sorted by length and cut into batches, and
        the batches of the pass are shuffled again: little padding, and yet no batch of a fixed make-up.
        """
        while True:
            order = random.permutation(indices)
            batches = []
            for start in range(0, len(order), size * POOL):
                pool = order[start : start + size * POOL]
                pool = pool[np.argsort(-self.lengths(pool), kind="stable")]
                batches += [pool[i : i + size] for i in range(0, len(pool), size)]
            for i in random.permutation(len(batches)).tolist():
                yield batches[i]
