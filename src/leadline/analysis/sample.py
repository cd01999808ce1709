"""`Sample`: the sequences that are looked at, the same for the network and for its untrained twins."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.data import encode
from leadline.data.batch import Batch, Batcher
from leadline.data.clusters import clusters_of
from leadline.data.encode import Encoder
from leadline.data.sequences import Sequences
from leadline.errors import DataError
from leadline.seeds import generator

MOST_SEQUENCES = 1500
MOST_STEPS = 9000
LONGEST = 256
FEWEST_GROUPS = 20


@dataclass(frozen=True, eq=False)
class Sample:
    """Sequences, longest first, with the batch that holds them all.

    Args:
        sequences: what is looked at.
        batch: the same as tensors; row `i` is sequence `i`.
        clusters: (n,) what is resampled and cross-fitted as one: the group where there are groups.
        which: (n,) place of each sequence in the data that were drawn from.
        rows: (rows,) place of each step in them.
        notes: what was left out, in sentences.
    """

    sequences: Sequences
    batch: Batch
    clusters: NDArray[np.int64]
    which: NDArray[np.int64]
    rows: NDArray[np.int64]
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
    sequences: Sequences,
    encoder: Encoder,
    seed: int,
    among: NDArray[np.int64] | None = None,
    most: int = MOST_SEQUENCES,
    most_steps: int = MOST_STEPS,
) -> Sample:
    """Sequences drawn at random, at most `most` and about `most_steps` steps.

    A sequence of more than `LONGEST` steps is cut to its first `LONGEST` where every step has a target, and
    otherwise to its last ones, which the readout is nearest to. 9,000 steps give the share of right answers to
    about half a point, and keep an explanation of a small network under a minute.

    Args:
        sequences: the data.
        encoder: of the network.
        seed: of the draw.
        among: the sequences that may be drawn; all by default.
        most: sequences at most.
        most_steps: steps at most, unless one sequence alone is longer.

    Raises:
        DataError: no sequence with a step.
    """
    pool = np.arange(len(sequences), dtype=np.int64) if among is None else among
    pool = pool[sequences.lengths[pool] > 0]
    if not len(pool):
        raise DataError(
            "no sequence has a step", where=sequences.source, expected="at least one sequence with one step"
        )
    chosen = generator(seed, "explain", "sample").permutation(pool)[:most]
    steps = np.cumsum(np.minimum(sequences.lengths[chosen], LONGEST))
    chosen = np.sort(chosen[: max(1, int(np.searchsorted(steps, most_steps, side="right")))])
    chosen = chosen[np.argsort(-sequences.lengths[chosen], kind="stable")]
    rows, kept = _rows(sequences, chosen)
    taken = _taken(sequences, chosen, rows, kept)
    batch = Batcher(encode.apply(encoder, taken)).batch(np.arange(len(taken), dtype=np.int64))
    return Sample(taken, batch, _clusters(taken), chosen, rows, _notes(sequences, chosen, pool, taken))


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
    taken = sample.sequences.take(indices)
    _, clusters = np.unique(sample.clusters[indices], return_inverse=True)
    rows = sample.rows[sample.sequences.rows(indices)]
    return Sample(taken, smaller, clusters.astype(np.int64), sample.which[indices], rows, sample.notes)


def _rows(sequences: Sequences, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the chosen sequences' kept steps, and how many of each are kept."""
    lengths = sequences.lengths[chosen]
    kept = np.minimum(lengths, LONGEST)
    starts = sequences.offsets[chosen] + (0 if sequences.per_step else lengths - kept)
    rows = np.concatenate([np.arange(s, s + k) for s, k in zip(starts.tolist(), kept.tolist(), strict=True)])
    return rows.astype(np.int64), kept


def _taken(
    sequences: Sequences, chosen: NDArray[np.int64], rows: NDArray[np.int64], kept: NDArray[np.int64]
) -> Sequences:
    targets = sequences.targets
    if targets is not None:
        targets = targets[rows] if sequences.per_step else targets[chosen]
    return replace(
        sequences.take(chosen),
        offsets=np.concatenate([[0], np.cumsum(kept)]).astype(np.int64),
        numeric=sequences.numeric[rows],
        categories=sequences.categories[rows],
        targets=targets,
    )


def _notes(
    sequences: Sequences, chosen: NDArray[np.int64], pool: NDArray[np.int64], taken: Sequences
) -> tuple[str, ...]:
    notes = []
    if len(chosen) < len(pool):
        steps = f"{int(taken.offsets[-1]):,} steps"
        notes.append(f"A random sample: {len(chosen):,} of {len(pool):,} sequences, {steps}.")
    if _few_groups(taken):
        notes.append(f"Fewer than {FEWEST_GROUPS} groups: sequences of one group are taken to be independent.")
    longer = int((sequences.lengths[chosen] > LONGEST).sum())
    if longer:
        which = "first" if sequences.per_step else "last"
        notes.append(f"Of {longer:,} longer sequences the {which} {LONGEST} steps were looked at.")
    return tuple(notes)


def _clusters(sequences: Sequences) -> NDArray[np.int64]:
    """Groups and identical inputs as the split joins them; of few groups the identical inputs alone."""
    return clusters_of(replace(sequences, groups=None) if _few_groups(sequences) else sequences)[0]


def _few_groups(sequences: Sequences) -> bool:
    return sequences.groups is not None and len(np.unique(sequences.groups)) < FEWEST_GROUPS
