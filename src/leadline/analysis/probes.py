"""Linear probes: what a small reader gets out of states, always on the same number of principal components.

For states X (rows, k), whitened to unit variance with a column of ones, and answers Y (rows, m), one column for each
class or one for a number,

    W = (X'X + ridge * n * I)^-1 X'Y,        answer = argmax X W,  or X W for a number

fitted on three quarters of the clusters and read on the fourth, in turn (ridge regression, Hoerl & Kennard 1970;
probes, Alain & Bengio 2016). One matrix is factored for all labels, so that random labels cost nearly nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RIDGE = 1e-3
FOLDS = 4
FEWEST_ROWS = 40
TINY = 1e-10


@dataclass(frozen=True, eq=False)
class Answers:
    """What a probe is asked for.

    Args:
        values: (seeds, rows) class indices, or numbers. Several rows are several labellings of the same steps.
        classes: how many; 0 for numbers.
    """

    values: NDArray[np.generic]
    classes: int

    @property
    def columns(self) -> Floats:
        """(rows, seeds * classes) ones and zeros, or (rows, seeds) numbers."""
        if not self.classes:
            return self.values.T.astype(np.float64)
        names = np.arange(self.classes)
        hot = self.values[..., None] == names
        flat: Floats = np.moveaxis(hot, 0, 1).reshape(self.values.shape[1], -1).astype(np.float64)
        return flat


def whitened(values: Floats, components: int) -> Floats:
    """The leading principal components, each scaled to unit variance; fewer where the states have fewer.

    Args:
        values: (rows, width).
        components: how many at most.

    >>> random = np.random.default_rng(0)
    >>> whitened(random.normal(size=(50, 6)), 3).shape
    (50, 3)
    """
    centred = values - values.mean(0)
    spread, axes = np.linalg.eigh(centred.T @ centred / max(len(values), 1))
    kept = np.argsort(spread)[::-1][:components]
    kept = kept[spread[kept] > max(TINY, 1e-9 * float(spread.max(initial=0.0)))]
    result: Floats = centred @ axes[:, kept] / np.sqrt(spread[kept])
    return result


def folds_of(clusters: Ints, random: np.random.Generator) -> Ints:
    """(rows,) fold of each row; a cluster never crosses folds."""
    number = int(clusters.max()) + 1
    result: Ints = (random.permutation(number) % FOLDS)[clusters]
    return result


def predicted(states: Floats, columns: Floats, folds: Ints) -> Floats:
    """(rows, m) answers on rows that the reader was not fitted on.

    Args:
        states: (rows, k), whitened.
        columns: (rows, m).
        folds: (rows,).
    """
    wide = np.concatenate([states, np.ones((len(states), 1))], 1)
    result = np.zeros((len(states), columns.shape[1]))
    parts = [folds == fold for fold in range(FOLDS)]
    squares = [wide[part].T @ wide[part] for part in parts]
    products = [wide[part].T @ columns[part] for part in parts]
    square, product = np.sum(squares, axis=0), np.sum(products, axis=0)
    for number, part in enumerate(parts):
        if not part.any() or part.all():
            continue
        gram = square - squares[number]
        gram = gram + RIDGE * float((~part).sum()) * np.eye(wide.shape[1])
        found = cho_solve(cho_factor(gram), product - products[number])
        result[part] = wide[part] @ found
    return result


def row_scores(states: Floats, answers: Answers, folds: Ints) -> Floats:
    """(seeds, rows) 100 where the class is right; for numbers 100 (1 - error^2 / variance), whose mean is R^2.

    >>> random = np.random.default_rng(0)
    >>> states = random.normal(size=(400, 3))
    >>> planted = Answers((states[:, :1].T > 0).astype(np.int64), 2)
    >>> float(row_scores(states, planted, random.integers(0, 4, 400)).mean()) > 95
    True
    """
    found = predicted(states, answers.columns, folds)
    seeds, rows = answers.values.shape
    if answers.classes:
        best = found.reshape(rows, seeds, answers.classes).argmax(-1).T
        right: Floats = 100.0 * (best == answers.values)
        return right
    numbers = answers.values.astype(np.float64)
    variance = np.maximum(numbers.var(axis=1, keepdims=True), TINY)
    explained: Floats = 100.0 * (1.0 - (found.T - numbers) ** 2 / variance)
    return explained


def constant_score(answers: Answers) -> float:
    """Score of the best constant answer to the first labelling."""
    if not answers.classes:
        return 0.0
    counts = np.bincount(answers.values[0].astype(np.int64), minlength=answers.classes)
    return 100.0 * float(counts.max()) / max(int(counts.sum()), 1)
