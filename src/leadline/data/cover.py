"""Classes and parts: every class that a fold holds is in its train part, and rare ones are named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.deal import Plan
from leadline.data.folds import Fold, Index, in_order
from leadline.data.sequences import Sequences

FEWEST_PER_CLASS = 3


def cover_classes(
    sequences: Sequences, plan: Plan, given: NDArray[np.object_], folds: tuple[Fold, ...]
) -> tuple[tuple[Fold, ...], tuple[str, ...]]:
    """Every class that a fold holds is in its train part: clusters move there from tune, else from dev.

    Parts that the file gave stay as they are, and no part is emptied.
    """
    if sequences.kind != "classification" or sequences.targets is None:
        return folds, ()
    movable = ("tune" not in given, "dev" not in given)
    covered = [_cover(sequences.targets, plan.clusters, one, movable) for one in folds]
    moved = sum(count for _, count in covered)
    notes = (f"{moved} sequences moved to train, so that every class is in it.",) if moved else ()
    return tuple(one for one, _ in covered), notes


def _cover(targets: NDArray[np.generic], clusters: Index, given: Fold, movable: tuple[bool, bool]) -> tuple[Fold, int]:
    train, others = given.train, [given.tune, given.dev]
    for place in np.flatnonzero(movable).tolist():
        for label in np.setdiff1d(targets[others[place]], targets[train]):
            holders = others[place][targets[others[place]] == label]
            moving = np.isin(clusters[others[place]], clusters[holders[:1]])
            if moving.all():
                continue
            train = np.concatenate([train, others[place][moving]])
            others[place] = others[place][~moving]
    return in_order(train, others[0], others[1]), len(train) - len(given.train)


def class_notes(sequences: Sequences) -> tuple[str, ...]:
    """A sentence that names the classes with too few sequences to judge."""
    if sequences.kind != "classification" or sequences.targets is None:
        return ()
    counts = np.bincount(sequences.targets.astype(np.int64), minlength=sequences.num_classes)
    rare = [f"{sequences.classes[i]} ({counts[i]})" for i in np.flatnonzero(counts < FEWEST_PER_CLASS)]
    if not rare:
        return ()
    listed = ", ".join(rare[:8]) + (f" and {len(rare) - 8} more" if len(rare) > 8 else "")
    return (f"Classes with fewer than {FEWEST_PER_CLASS} sequences cannot be judged: {listed}.",)
