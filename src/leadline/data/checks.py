"""What may make a score look better than it is: leaks between parts, features that give the target away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.data.folds import Fold, Split
from leadline.data.identical import Keys, distinct, input_keys, is_among
from leadline.data.overlaps import overlaps
from leadline.data.sequences import LABELLED, Sequences

PARTS = ("train", "tune", "dev", "test")
GIVEN_AWAY = 0.995
TRIVIAL = 0.95
CORRELATED = 0.999
BINS = 64
FEWEST_EVIDENCE = 20
LARGEST_TABLE = 5_000_000


def check(sequences: Sequences, split: Split) -> tuple[str, ...]:
    """Sentences about what was found; none when nothing was.

    Looked for, between the parts of the first fold: sequences with identical inputs, also with different
    targets; windows that overlap; groups and classes that the file's own parts tear apart or leave untrained;
    and over all: constant features; a feature that is nearly the target, or whose value alone tells the label
    on dev in 99.5 % of the cases where the commonest label is right in less than 95 %.

    Args:
        sequences: what was read, with targets.
        split: how it was divided.

    >>> from leadline.data.arrays import from_arrays
    >>> from leadline.data.split import split
    >>> words = from_arrays([f"w{i:03}" for i in range(100)], [i % 2 for i in range(100)])
    >>> check(words, split(words, seed=0))
    ()
    """
    parts = _part_codes(split.folds[0], split.test, len(sequences))
    keys = input_keys(sequences)
    return (
        *_duplicates(keys, parts),
        *_contradictions(sequences, keys),
        *overlaps(sequences, parts, keys),
        *_torn_groups(sequences, parts),
        *_untrained_classes(sequences, split),
        *_constant(sequences),
        *_giveaways(sequences, split.folds[0]),
    )


def _part_codes(fold: Fold, test: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    codes = np.zeros(count, dtype=np.int64)
    for code, indices in enumerate((fold.train, fold.tune, fold.dev, test)):
        codes[indices] = code
    return codes


def _duplicates(keys: Keys, parts: NDArray[np.int64]) -> list[str]:
    again = is_among(keys, keys[parts == 0])
    counts = {PARTS[code]: int((again & (parts == code)).sum()) for code in (1, 2, 3)}
    if not any(counts.values()):
        return []
    listed = ", ".join(
        f"{count} of {int((parts == PARTS.index(name)).sum())} in {name}" for name, count in counts.items() if count
    )
    return [f"Sequences with the same inputs as one in train: {listed}. Scores there may be too good."]


def _contradictions(sequences: Sequences, keys: Keys) -> list[str]:
    """Identical inputs with different targets: no model can get all of them right."""
    if sequences.per_step or sequences.targets is None or sequences.kind not in LABELLED:
        return []
    _, codes = np.unique(keys, return_inverse=True)
    pairs, counts = np.unique(codes * sequences.num_classes + sequences.targets, return_counts=True)
    most = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    np.maximum.at(most, pairs // sequences.num_classes, counts)
    wrong = len(sequences) - int(most.sum())
    if not wrong:
        return []
    best = 100 * most.sum() / len(sequences)
    return [f"{wrong} sequences have the inputs of others but another target: at best {best:.1f} % can be right."]


def _torn_groups(sequences: Sequences, parts: NDArray[np.int64]) -> list[str]:
    groups = sequences.groups
    if groups is None or (groups == groups[0]).all():
        return []
    torn = distinct(groups[(parts > 0) & is_among(groups, groups[parts == 0])])
    if not len(torn):
        return []
    return [f"{len(torn)} groups are in train and in another part: the file's parts tear them apart."]


def _untrained_classes(sequences: Sequences, split: Split) -> list[str]:
    if sequences.targets is None or sequences.kind not in LABELLED:
        return []
    train = split.folds[0].train
    rows = sequences.rows(train) if sequences.per_step else train
    absent = np.setdiff1d(np.unique(sequences.targets), np.unique(sequences.targets[rows]))
    if not len(absent):
        return []
    names = ", ".join(repr(sequences.classes[i]) for i in absent[:8].tolist())
    more = f" and {len(absent) - 8} more" if len(absent) > 8 else ""
    return [f"Labels that never occur in train cannot be learned: {names}{more}."]


def _constant(sequences: Sequences) -> list[str]:
    names = []
    for place, name in enumerate(sequences.numeric_names):
        values = sequences.numeric[:, place]
        if not np.isnan(values).any() and values.min() == values.max():
            names.append(name)
    for place, column in enumerate(sequences.category_columns):
        if (sequences.categories[:, place] == sequences.categories[0, place]).all():
            names.append(column.name)
    if not names:
        return []
    listed = ", ".join(f"'{name}'" for name in names)
    return [f"Constant, and therefore without use: {listed} (--exclude leaves it out)."]


@dataclass(frozen=True, eq=False)
class View:
    """One value per target of one feature: numbers, or codes of names."""

    words: str
    values: NDArray[np.generic]


def _giveaways(sequences: Sequences, fold: Fold) -> list[str]:
    if sequences.targets is None or sequences.kind == "next_step":
        return []
    train = sequences.rows(fold.train) if sequences.per_step else fold.train
    dev = sequences.rows(fold.dev) if sequences.per_step else fold.dev
    if len(dev) < FEWEST_EVIDENCE:
        return []
    find = _tells_label if sequences.kind in LABELLED else _tells_number
    found: dict[str, str] = {}
    for name, view in _views(sequences):
        words = find(sequences, view, train, dev) if name not in found else None
        if words:
            found[name] = words
    return list(found.values())


def _views(sequences: Sequences) -> list[tuple[str, View]]:
    """Each feature at the step itself; for whole sequences its first, last and mean value."""
    views = []
    for place, column in enumerate(sequences.category_columns):
        views += _named_views(sequences, f"'{column.name}'", sequences.categories[:, place])
    for place, name in enumerate(sequences.numeric_names):
        views += _named_views(sequences, f"'{name}'", sequences.numeric[:, place])
    return views


def _named_views(sequences: Sequences, name: str, values: NDArray[np.generic]) -> list[tuple[str, View]]:
    if sequences.per_step:
        return [(name, View(f"Feature {name}", values))]
    first, last = sequences.offsets[:-1], sequences.offsets[1:] - 1
    views = [
        (name, View(f"Feature {name} at the last step", values[last])),
        (name, View(f"Feature {name} at the first step", values[first])),
    ]
    if values.dtype.kind == "f":
        means = np.add.reduceat(values.astype(np.float64), first) / sequences.lengths
        views.append((name, View(f"The mean of feature {name}", means)))
    return views


def _tells_label(sequences: Sequences, view: View, train: NDArray[np.int64], dev: NDArray[np.int64]) -> str | None:
    targets = np.asarray(sequences.targets)
    commonest = np.bincount(targets[train]).argmax()
    if (targets[dev] == commonest).mean() >= TRIVIAL:
        return None
    codes = _binned(view.values, train) if view.values.dtype.kind == "f" else view.values.astype(np.int64) + 1
    if (int(codes.max()) + 1) * len(sequences.classes) > LARGEST_TABLE:
        return None
    table = np.zeros((int(codes.max()) + 1, len(sequences.classes)), dtype=np.int64)
    np.add.at(table, (codes[train], targets[train]), 1)
    guess = np.where(table.sum(axis=1) > 0, table.argmax(axis=1), commonest)
    right = float((guess[codes[dev]] == targets[dev]).mean())
    if right < GIVEN_AWAY:
        return None
    return (
        f"{view.words} alone tells the target in {100 * right:.1f} % of dev: a leak, or a task that needs no "
        "network (--exclude leaves it out)."
    )


def _binned(values: NDArray[np.generic], train: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes of quantile bins of the train part; a bin of its own for what is missing."""
    numbers = values.astype(np.float64)
    known = numbers[train][~np.isnan(numbers[train])]
    if not len(known):
        return np.zeros(len(numbers), dtype=np.int64)
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
    codes = np.searchsorted(edges, numbers, side="right")
    return np.where(np.isnan(numbers), len(edges) + 1, codes).astype(np.int64)


def _tells_number(sequences: Sequences, view: View, train: NDArray[np.int64], dev: NDArray[np.int64]) -> str | None:
    if view.values.dtype.kind != "f":
        return None
    values, targets = (
        view.values[dev].astype(np.float64),
        np.asarray(sequences.targets)[dev].astype(np.float64),
    )
    known = ~np.isnan(values)
    if known.mean() < GIVEN_AWAY or values[known].std() == 0 or targets[known].std() == 0:
        return None
    correlation = float(np.corrcoef(values[known], targets[known])[0, 1])
    if abs(correlation) < CORRELATED:
        return None
    return (
        f"{view.words} is nearly the target (correlation {correlation:.4f} on dev): a leak, or a task that "
        "needs no network (--exclude leaves it out)."
    )
