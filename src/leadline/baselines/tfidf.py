"""TF-IDF and logistic regression: which class a whole sequence belongs to, from the runs of names that occur in it.

A sequence becomes a vector with one entry per n-gram g, of unit length (Salton & Buckley 1988),

    x_g = (1 + log n(g, s)) (1 + log((1 + N) / (1 + N(g)))),

n(g, s) the occurrences in the sequence, N the training sequences and N(g) those that have g. The classes are those of a
multinomial logistic regression on x. n-grams are those that `naive_bayes` counts; of a word also its letters.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from threadpoolctl import threadpool_limits

from leadline.baselines.contexts import Keys, columns_named, hashed
from leadline.baselines.naive_bayes import occurrences
from leadline.baselines.saving import (
    JSON,
    blocks_of,
    check_parts,
    joined,
    names_in,
    over_all_classes,
    softmax,
    texts,
    within,
)
from leadline.data.sequences import CategoryColumn, Sequences
from leadline.errors import DataError, ModelError

Floats = NDArray[np.float64]

NAMES, WORDS = 4, 2
"""Longest n-gram of names (a family name's ending is three or four letters) and of words."""
LETTERS = (2, 3, 4, 5)
"""n-grams of letters within a word, its ends included, as scikit-learn's `char_wb` takes them."""
MOST_GRAMS = 50_000
"""n-grams with a weight, those in most sequences; what comes in fewer sequences than these carries next to nothing."""
MOST_STEPS = 300_000
"""Steps of the training sequences, a fixed random part of more: 8 million n-grams of words."""
STRENGTHS = (5.0, 50.0)
"""Inverse of the L2 penalty; vectors of unit length want weak ones. Each starts where the one before ended."""
WORK = 4.0e8
"""Entries of the vectors times classes times iterations of L-BFGS, for all strengths: about five seconds."""
FEWEST_ITERATIONS, MOST_ITERATIONS = 8, 60
TOLERANCE = 1e-5
"""Of the mean gradient. At scikit-learn's 1e-4 a stronger fit would stop where the weaker one before it ended."""


@dataclass(frozen=True)
class _Fitted:
    """`known` are the classes that training saw; `weights` is (n-grams, known), of two classes the second's alone."""

    classes: tuple[str, ...]
    known: NDArray[np.int64]
    columns: tuple[str, ...]
    grams: Keys
    rarity: Floats
    weights: Floats
    bias: Floats


class TfIdf:
    """Logistic regression on TF-IDF vectors, for one label per sequence of names.

    All category features together: n-grams of up to four names (of up to two words, and two to five letters within a
    word); the ends of a sequence count as names. The tune part chooses the penalty by accuracy. It
    reads the whole sequence, as every classifier may.

    >>> from leadline.data.datasets.synthetic import memory
    >>> import numpy as np
    >>> data, table = memory.recall(60, count=2, num_symbols=3, delay=2), TfIdf()
    >>> table.fit(data, np.arange(40), np.arange(40, 60))
    >>> table.predict(data).shape == (60, data.num_classes)
    True
    """

    name: ClassVar[str] = "tfidf"
    drawn: ClassVar[bool] = False
    causal: bool = True

    def __init__(self) -> None:
        self._fitted: _Fitted | None = None

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Learn from the sequences `train`; choose the penalty on the sequences `tune`.

        Raises:
            DataError: no targets, no category feature, another kind of target, or an empty part.
        """
        check_parts(self.name, data, train, tune)
        if data.kind != "classification" or not data.category_columns:
            raise DataError(
                f"TF-IDF on {data.kind} data with {len(data.category_columns)} category features",
                where=data.source,
                expected="one label per sequence and at least one category feature",
                next_move="`tables_for` names the tables that suit the data.",
            )
        past = data.take(within(data, train, MOST_STEPS, self.name))
        ahead = data.take(within(data, tune, MOST_STEPS, self.name))
        assert past.targets is not None
        columns = tuple(column.name for column in data.category_columns)
        grams, rarity = vocabulary(past, columns)
        known = np.unique(past.targets)
        untrained = _Fitted(data.classes, known, columns, grams, rarity, np.zeros((0, 0)), np.zeros(0))
        fits = (
            _Fitted(data.classes, known, columns, grams, rarity, weights, bias)
            for weights, bias in _regressions(vectors(untrained, past), past.targets)
        )
        x = vectors(untrained, ahead)
        self._fitted = max(fits, key=lambda fitted: _score(fitted, x, ahead))

    def blocks(self, data: Sequences) -> Iterator[Floats]:
        """(sequences, classes) probabilities, block after block."""
        fitted = self._ready()
        for block in blocks_of(len(data)):
            part = data.take(np.arange(block.start, block.stop, dtype=np.int64))
            yield _probabilities(fitted, vectors(fitted, part))

    def predict(self, data: Sequences) -> Floats:
        """(n, classes) probabilities, classes in the order of the training data."""
        return joined(self.blocks(data), (0, len(self._ready().classes)))

    def config(self) -> dict[str, JSON]:
        """What was chosen, as JSON."""
        fitted = self._ready()
        return {"name": self.name, "classes": list(fitted.classes), "columns": list(fitted.columns)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """n-grams and weights."""
        fitted = self._ready()
        numbers = {name: getattr(fitted, name) for name in ("known", "rarity", "weights", "bias")}
        return {"grams": fitted.grams.view(np.int64), **numbers}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        names_in(cls.name, config, ("classes", "columns"))
        names_in(cls.name, arrays, ("grams", "known", "rarity", "weights", "bias"))
        table, grams = cls(), np.ascontiguousarray(arrays["grams"]).view(np.uint64)
        numbers = (arrays[name] for name in ("rarity", "weights", "bias"))
        classes, columns = texts(config["classes"]), texts(config["columns"])
        table._fitted = _Fitted(classes, arrays["known"], columns, grams, *numbers)
        return table

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("TF-IDF was not fitted", next_move="Call `fit` first.")
        return self._fitted


def found_in(data: Sequences, columns: tuple[str, ...]) -> tuple[NDArray[np.int64], Keys]:
    """(sequence, n-gram) of every occurrence of every n-gram of the columns."""
    sequences, grams = [], []
    for place, (name, position) in enumerate(zip(columns, columns_named(data, columns), strict=True)):
        column = data.category_columns[position]
        found = occurrences(data, name, WORDS if column.form == "word" else NAMES)
        pairs = [found, _letters(data, position)] if column.form == "word" else [found]
        sequences += [sequence for sequence, _ in pairs]
        # The same n-gram in another column is another n-gram.
        grams += [keys + np.uint64(place) for _, keys in pairs]
    return np.concatenate(sequences), np.concatenate(grams)


def _letters(data: Sequences, position: int) -> tuple[NDArray[np.int64], Keys]:
    """(sequence, n-gram of letters) of every occurrence."""
    keys, starts = _spelled(data.category_columns[position])
    words = data.categories[:, position]
    many = np.where(words >= 0, np.diff(starts)[words], 0)
    ends = np.cumsum(many)
    cells = np.arange(int(many.sum())) + np.repeat(starts[words] - (ends - many), many)
    owner = np.repeat(np.arange(len(data), dtype=np.int64), data.lengths)
    return np.repeat(owner, many), keys[cells]


@lru_cache(maxsize=8)
def _spelled(column: CategoryColumn) -> tuple[Keys, NDArray[np.int64]]:
    """n-grams of letters of every name of the vocabulary, one name after another, and where each name's start."""
    marked = [f"<{name}>" for name in column.vocabulary]
    grams = [[word[i : i + n] for n in LETTERS for i in range(len(word) - n + 1)] for word in marked]
    starts = np.cumsum([0, *map(len, grams)])
    return hashed(f"letters {gram}" for gram in chain.from_iterable(grams)), starts


def vocabulary(train: Sequences, columns: tuple[str, ...]) -> tuple[Keys, Floats]:
    """The n-grams in most training sequences, sorted, and how rare each is: 1 + log((1 + N) / (1 + N(g)))."""
    sequences, found = found_in(train, columns)
    grams, where = np.unique(found, return_inverse=True)
    pairs = np.unique(where * len(train) + sequences)
    having = np.bincount(pairs // len(train), minlength=len(grams))
    kept = np.sort(np.argsort(-having, kind="stable")[:MOST_GRAMS])
    return grams[kept], 1.0 + np.log((1.0 + len(train)) / (1.0 + having[kept]))


def vectors(fitted: _Fitted, data: Sequences) -> Any:
    """(n, n-grams) sparse rows of unit length; n-grams that training never saw are left out."""
    sequences, found = found_in(data, fitted.columns)
    place = np.minimum(np.searchsorted(fitted.grams, found), max(len(fitted.grams) - 1, 0))
    known = fitted.grams[place] == found if len(fitted.grams) else np.zeros(len(found), dtype=bool)
    cells = (np.ones(int(known.sum())), (sequences[known], place[known]))
    counts = sparse.coo_matrix(cells, shape=(len(data), len(fitted.grams))).tocsr()
    counts.data = (1.0 + np.log(counts.data)) * fitted.rarity[counts.indices]
    squares = np.asarray(counts.multiply(counts).sum(axis=1)).ravel()
    counts.data /= np.repeat(np.sqrt(squares), np.diff(counts.indptr))
    return counts


def _regressions(x: Any, y: NDArray[np.int64]) -> Iterator[tuple[Floats, Floats]]:
    """Weights and bias for each strength; zeros where there is one class."""
    classes = len(np.unique(y))
    if classes == 1:
        yield np.zeros((x.shape[1], 1)), np.zeros(1)
        return
    # Here, not above: importing scikit-learn takes half a second, and `leadline --help` does without.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    outputs = classes if classes > 2 else 1
    bound = int(WORK / (len(STRENGTHS) * max(x.nnz, 1) * outputs))
    iterations = min(max(bound, FEWEST_ITERATIONS), MOST_ITERATIONS)
    model = LogisticRegression(max_iter=iterations, tol=TOLERANCE, warm_start=True)
    for strength in STRENGTHS:
        model.set_params(C=strength)
        with threadpool_limits(1), warnings.catch_warnings():
            # The iterations are the bound of what it may cost, and stopping early is one more penalty.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x, y)
        yield model.coef_.T.copy(), model.intercept_.copy()


def _probabilities(fitted: _Fitted, x: Any) -> Floats:
    raw = x @ fitted.weights + fitted.bias
    if len(fitted.known) == 2:
        raw = np.concatenate([np.zeros_like(raw), raw], axis=1)
    return over_all_classes(softmax(raw), fitted.known, len(fitted.classes))


def _score(fitted: _Fitted, x: Any, data: Sequences) -> tuple[float, float]:
    """(accuracy, mean log probability)."""
    assert data.targets is not None
    p = _probabilities(fitted, x)
    right = float(np.mean(p.argmax(axis=1) == data.targets))
    return right, float(np.log(p[np.arange(len(p)), data.targets]).mean())
