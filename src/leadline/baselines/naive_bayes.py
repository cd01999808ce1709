"""A bag of n-grams: which class a whole sequence belongs to, from the runs of names that occur in it.

With n(g, y) the occurrences of the n-gram g in training sequences of class y, n(y) their sum, V the different
n-grams, and n(g, s) the occurrences in the sequence s,

    log p(y | s) = const + log p(y) + sum_g n(g, s) log((n(g, y) + alpha) / (n(y) + alpha V)),

the multinomial event model of McCallum & Nigam (1998). Order counts within an n-gram only. Overlapping n-grams
say the same thing several times, so the probabilities are then tempered, p**s / sum p**s: s <= 1 changes no
answer, only how sure it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from leadline.baselines.contexts import Context, Keys, columns_named, keys
from leadline.baselines.saving import JSON, MOST_STEPS, blocks_of, check_parts, joined, names_in, texts, within
from leadline.data.sequences import Sequences
from leadline.errors import DataError, ModelError

ORDERS = (1, 2, 3)
ALPHAS = (0.01, 0.1, 1.0)
SHARPNESS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05)


@dataclass(frozen=True)
class _Fitted:
    """n-grams of `order` names and fewer: sorted keys, and (n-grams, classes) counts without the zeros."""

    classes: tuple[str, ...]
    columns: tuple[str, ...]
    order: int
    alpha: float
    sharpness: float
    prior: NDArray[np.float64]
    grams: Keys
    counts: Any


class NaiveBayes:
    """Multinomial naive Bayes over the n-grams of one category feature, for one label per sequence.

    The tune part chooses the feature, the longest n-gram (1, 2 or 3 steps; a sequence's ends count as names)
    and alpha (0.01, 0.1 or 1) by accuracy, then s by log probability. It reads the whole sequence, as every
    classifier may.
    """

    name: ClassVar[str] = "naive_bayes"
    drawn: ClassVar[bool] = False
    causal: bool = True

    def __init__(self) -> None:
        self._fitted: _Fitted | None = None

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Count on the sequences `train`; choose on the sequences `tune`.

        Raises:
            DataError: no targets, no category feature, another kind of target, or an empty part.
        """
        check_parts(self.name, data, train, tune)
        if data.kind != "classification" or not data.category_columns:
            raise DataError(
                f"a bag of n-grams on {data.kind} data with {len(data.category_columns)} category features",
                where=data.source,
                expected="one label per sequence and at least one category feature",
                next_move="`tables_for` names the tables that suit the data.",
            )
        past, ahead = data.take(within(data, train, MOST_STEPS, self.name)), data.take(tune)
        best: tuple[tuple[float, float], _Fitted] | None = None
        for column in data.category_columns:
            for order in ORDERS:
                for fitted in _count(past, column.name, order):
                    score = _score(_log_probabilities(fitted, ahead), ahead)
                    best = (score, fitted) if best is None or score > best[0] else best
        assert best is not None
        untempered = _log_probabilities(best[1], ahead)
        sharpness = max(SHARPNESS, key=lambda s: _score(_tempered(untempered, s), ahead)[1])
        self._fitted = replace(best[1], sharpness=sharpness)

    def blocks(self, data: Sequences) -> Iterator[NDArray[np.float64]]:
        """(sequences, classes) probabilities, block after block."""
        fitted = self._ready()
        for block in blocks_of(len(data)):
            part = data.take(np.arange(block.start, block.stop, dtype=np.int64))
            yield np.asarray(np.exp(_tempered(_log_probabilities(fitted, part), fitted.sharpness)))

    def predict(self, data: Sequences) -> NDArray[np.float64]:
        """(n, classes) probabilities, classes in the order of the training data."""
        return joined(self.blocks(data), (0, len(self._ready().classes)))

    def config(self) -> dict[str, JSON]:
        """What was chosen, as JSON."""
        fitted = self._ready()
        return {
            "name": self.name,
            "classes": list(fitted.classes),
            "columns": list(fitted.columns),
            "order": fitted.order,
            "alpha": fitted.alpha,
            "sharpness": fitted.sharpness,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The counts."""
        fitted = self._ready()
        return {
            "prior": fitted.prior,
            "grams": fitted.grams.view(np.int64),
            "starts": fitted.counts.indptr.astype(np.int64),
            "labels": fitted.counts.indices.astype(np.int64),
            "counts": fitted.counts.data,
        }

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        names_in(cls.name, config, ("classes", "columns", "order", "alpha", "sharpness"))
        names_in(cls.name, arrays, ("prior", "grams", "starts", "labels", "counts"))
        classes, grams = texts(config["classes"]), np.ascontiguousarray(arrays["grams"]).view(np.uint64)
        parts = arrays["counts"], arrays["labels"], arrays["starts"]
        counts = sparse.csr_matrix(parts, shape=(len(grams), len(classes)))
        columns, order = texts(config["columns"]), int(config["order"])
        alpha, sharpness = float(config["alpha"]), float(config["sharpness"])
        table = cls()
        table._fitted = _Fitted(classes, columns, order, alpha, sharpness, arrays["prior"], grams, counts)
        return table

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("the bag of n-grams was not fitted", next_move="Call `fit` first.")
        return self._fitted


def occurrences(data: Sequences, column: str, order: int) -> tuple[NDArray[np.int64], Keys]:
    """(sequence, n-gram) of every occurrence of every n-gram of up to `order` names.

    A run of two or more may reach one step beyond either end, so that first and last names are told apart.
    """
    positions = columns_named(data, (column,))
    number = np.repeat(np.arange(len(data), dtype=np.int64), data.lengths)
    sequences, grams = [number], [keys(data, positions, Context(0, 0))]
    for extra in range(1, order):
        sequences.append(number)
        grams.append(keys(data, positions, Context(extra, 0)))
        last = (data.offsets[1:] - 1)[data.lengths > 0]
        sequences.append(number[last])
        grams.append(keys(data, positions, Context(extra - 1, 1))[last])
    return np.concatenate(sequences), np.concatenate(grams)


def _count(train: Sequences, column: str, order: int) -> list[_Fitted]:
    """The counts with every alpha."""
    assert train.targets is not None
    sequences, found = occurrences(train, column, order)
    grams, where = np.unique(found, return_inverse=True)
    cells = (np.ones(len(where)), (where, train.targets[sequences]))
    counts = sparse.coo_matrix(cells, shape=(len(grams), train.num_classes)).tocsr()
    prior = np.bincount(train.targets, minlength=train.num_classes) + 1.0
    prior = np.log(prior / prior.sum())
    return [_Fitted(train.classes, (column,), order, alpha, 1.0, prior, grams, counts) for alpha in ALPHAS]


def _log_probabilities(fitted: _Fitted, data: Sequences) -> NDArray[np.float64]:
    """(n, classes) log p(y | s); n-grams that training never saw are left out."""
    sequences, found = occurrences(data, fitted.columns[0], fitted.order)
    place = np.minimum(np.searchsorted(fitted.grams, found), len(fitted.grams) - 1)
    known = fitted.grams[place] == found
    cells = (np.ones(int(known.sum())), (sequences[known], place[known]))
    bags = sparse.coo_matrix(cells, shape=(len(data), len(fitted.grams))).tocsr()
    gains = fitted.counts.copy()
    gains.data = np.log1p(gains.data / fitted.alpha)
    totals = np.asarray(fitted.counts.sum(axis=0)).ravel() + fitted.alpha * len(fitted.grams)
    sizes = np.asarray(bags.sum(axis=1)).ravel()
    scores = (bags @ gains).toarray() + fitted.prior + np.outer(sizes, np.log(fitted.alpha) - np.log(totals))
    return _tempered(scores, 1.0)


def _tempered(scores: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """log of p**s / sum p**s along each row."""
    found = sharpness * (scores - scores.max(axis=1, keepdims=True))
    return np.asarray(found - np.log(np.exp(found).sum(axis=1, keepdims=True)))


def _score(log_p: NDArray[np.float64], data: Sequences) -> tuple[float, float]:
    """(accuracy, mean log probability)."""
    assert data.targets is not None
    likelihood = float(log_p[np.arange(len(log_p)), data.targets].mean())
    return float(np.mean(log_p.argmax(axis=1) == data.targets)), likelihood
