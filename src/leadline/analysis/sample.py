"""`Sample`: the sequences that are looked at, the same for the network and for its untrained twins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.data import encode
from leadline.data.batch import Batch, Batcher
from leadline.data.encode import Encoder
from leadline.data.sequences import Sequences
from leadline.errors import DataError
from leadline.seeds import generator

MOST_SEQUENCES = 1500
MOST_STEPS = 12_000
LONGEST = 256


@dataclass(frozen=True, eq=False)
class Sample:
    """Sequences, longest first, with the batch that holds them all.

    Args:
        sequences: what is looked at.
        batch: the same as tensors; row `i` is sequence `i`.
        clusters: (n,) what is resampled and cross-fitted as one: the group where there are groups.
        notes: what was left out, in sentences.
    """

    sequences: Sequences
    batch: Batch
    clusters: NDArray[np.int64]
    notes: tuple[str, ...] = ()

    @property
    def lengths(self) -> Tensor:
        """(n,) steps, on the CPU."""
        return self.batch.lengths

    def flat(self, values: Tensor) -> Tensor:
        """(rows, width) of the steps that exist, sequence after sequence, from (seq, batch, width)."""
        result: Tensor = values.transpose(0, 1)[self.batch.mask]
        return result

    def first(self, count: int) -> NDArray[np.int64]:
        """At most `count` sequences spread evenly over the sample, which is ordered by length."""
        number = min(count, len(self.sequences))
        spread: NDArray[np.int64] = np.unique(np.linspace(0, len(self.sequences) - 1, number).astype(np.int64))
        return spread


def draw(
    sequences: Sequences, encoder: Encoder, seed: int, most: int = MOST_SEQUENCES, most_steps: int = MOST_STEPS
) -> Sample:
    """Sequences drawn at random, at most `most` and about `most_steps` steps.

    A sequence of more than `LONGEST` steps is cut to its first `LONGEST` where every step has a target, and
    otherwise to its last ones, which the readout is nearest to. 12,000 steps give the share of right answers to
    less than a point, and keep an explanation of a small network under a minute.

    Raises:
        DataError: no sequence with a step.
    """
    chosen = np.flatnonzero(sequences.lengths > 0)
    if not len(chosen):
        raise DataError(
            "no sequence has a step", where=sequences.source, expected="at least one sequence with one step"
        )
    order = generator(seed, "explain", "sample").permutation(chosen)[:most]
    steps = np.cumsum(np.minimum(sequences.lengths[order], LONGEST))
    order = order[: max(1, int(np.searchsorted(steps, most_steps, side="right")))]
    taken, notes = _cut(sequences.take(np.sort(order)))
    taken = taken.take(np.argsort(-taken.lengths, kind="stable"))
    if len(taken) < len(sequences):
        steps_text = f"{int(taken.offsets[-1]):,} steps"
        notes = (f"A random sample: {len(taken):,} of {len(sequences):,} sequences, {steps_text}.", *notes)
    batch = Batcher(encode.apply(encoder, taken)).batch(np.arange(len(taken), dtype=np.int64))
    return Sample(taken, batch, _clusters(taken), notes)


def part(sample: Sample, indices: NDArray[np.int64]) -> Sample:
    """The sequences `indices` of a sample, ascending."""
    chosen = torch.from_numpy(indices)
    batch = sample.batch
    steps = int(batch.lengths[chosen].max())
    targets = batch.targets
    if targets is not None:
        targets = targets[chosen, :steps] if targets.dim() == 2 else targets[chosen]
    smaller = Batch(
        batch.numeric[chosen, :steps],
        batch.codes[chosen, :steps],
        batch.names[chosen, :steps],
        batch.grams,
        batch.lengths[chosen],
        batch.mask[chosen, :steps],
        targets,
    )
    return Sample(sample.sequences.take(indices), smaller, sample.clusters[indices], sample.notes)


def _cut(sequences: Sequences) -> tuple[Sequences, tuple[str, ...]]:
    lengths = sequences.lengths
    if int(lengths.max()) <= LONGEST:
        return sequences, ()
    kept = np.minimum(lengths, LONGEST)
    starts = sequences.offsets[:-1] + (0 if sequences.per_step else lengths - kept)
    rows = np.concatenate([np.arange(s, s + k) for s, k in zip(starts.tolist(), kept.tolist(), strict=True)])
    targets = sequences.targets
    if targets is not None and sequences.per_step:
        targets = targets[rows]
    which = "first" if sequences.per_step else "last"
    shorter = replace(
        sequences,
        offsets=np.concatenate([[0], np.cumsum(kept)]).astype(np.int64),
        numeric=sequences.numeric[rows],
        categories=sequences.categories[rows],
        targets=targets,
    )
    count = int((lengths > LONGEST).sum())
    return shorter, (f"Of {count:,} longer sequences the {which} {LONGEST} steps were looked at.",)


def _clusters(sequences: Sequences) -> NDArray[np.int64]:
    if sequences.groups is None or len(np.unique(sequences.groups)) < 20:
        return np.arange(len(sequences), dtype=np.int64)
    _, inverse = np.unique(sequences.groups, return_inverse=True)
    return np.asarray(inverse, dtype=np.int64)
