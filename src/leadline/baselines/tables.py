"""Baselines that are counted or learned by scikit-learn: what they share, and which suit which data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from leadline.baselines import boosting, last_value, random_convolutions
from leadline.baselines.boosting import Boosting
from leadline.baselines.constant import Majority, Median
from leadline.baselines.last_value import LastValue
from leadline.baselines.naive_bayes import NaiveBayes
from leadline.baselines.ngram import Ngram
from leadline.baselines.random_convolutions import RandomConvolutions
from leadline.baselines.saving import JSON
from leadline.baselines.tfidf import TfIdf
from leadline.data.sequences import LABELLED, Sequences
from leadline.errors import ModelError, OptionError
from leadline.records.trial import Kind

DESCRIPTIONS = {
    "majority": "class frequencies",
    "median": "median of the targets",
    "last_value": "last value carried over",
    "ngram": "n-gram back-off",
    "naive_bayes": "naive Bayes on n-grams",
    "tfidf": "TF-IDF of n-grams, logistic regression",
    "random_convolutions": "random convolutions, ridge regression",
    "boosting": "gradient-boosted trees",
}


@runtime_checkable
class Table(Protocol):
    """A baseline that is fitted without Leadline's training loop: counted, or learned by scikit-learn.

    `name` is a key of `DESCRIPTIONS`; `drawn` is True for one that depends on a seed; `causal` is False only for one
    that looks at later steps. Probabilities come in the order of the training data's classes.
    `restore(config(), arrays())` is the same baseline. What `blocks` yields one after another is what `predict` gives
    at once: steps times classes of a long text do not fit into memory.
    """

    name: ClassVar[str]
    drawn: ClassVar[bool]
    causal: bool

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Learn from the sequences `train`, choose settings on the sequences `tune`."""
        ...

    def blocks(self, data: Sequences) -> Iterator[NDArray[np.float64]]:
        """The answers in order, some steps or sequences at a time."""
        ...

    def predict(self, data: Sequences) -> NDArray[np.float64]:
        """(rows or n, classes) probabilities, or (rows or n,) numbers."""
        ...

    def config(self) -> dict[str, JSON]:
        """Everything but the arrays."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The numbers that were learned."""
        ...

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        ...


def tables_for(kind: Kind, data: Sequences, causal: bool) -> tuple[str, ...]:
    """Names of the tables that make sense for these data, the simplest first.

    Args:
        kind: what is predicted.
        data: for their features.
        causal: whether later steps are hidden. No name depends on it today; `make` does.

    >>> from leadline.data.datasets.letters import letters
    >>> tables_for("tagging", letters(100), causal=False)
    ('majority', 'ngram', 'boosting')
    """
    names = ["majority" if kind in LABELLED else "median"]
    if last_value.suits(data):
        names.append("last_value")
    if data.category_columns and kind in ("tagging", "next_step"):
        names.append("ngram")
    if data.category_columns and kind == "classification":
        names += ["naive_bayes", "tfidf"]
    if random_convolutions.suits(data):
        names.append("random_convolutions")
    if boosting.suits(data):
        names.append("boosting")
    return tuple(names)


def make(name: str, causal: bool, seed: int = 0) -> Table:
    """A table that is not fitted yet.

    Args:
        name: a key of `DESCRIPTIONS`.
        causal: hide later steps from it. Only "ngram" and "boosting" ever look at them; the others are always causal.
        seed: of what is drawn at random, in "random_convolutions" and "boosting" (`Table.drawn`).

    Raises:
        OptionError: an unknown name.

    >>> make("ngram", causal=False).causal, make("majority", causal=False).causal
    (False, True)
    """
    match name:
        case "majority":
            return Majority()
        case "median":
            return Median()
        case "last_value":
            return LastValue()
        case "ngram":
            return Ngram(causal)
        case "naive_bayes":
            return NaiveBayes()
        case "tfidf":
            return TfIdf()
        case "random_convolutions":
            return RandomConvolutions(seed)
        case "boosting":
            return Boosting(causal, seed)
    raise OptionError(
        f"no table is called {name!r}",
        expected=", ".join(DESCRIPTIONS),
        next_move="`tables_for` names the tables that suit the data.",
    )


def restore(config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Table:
    """The table that `config` and `arrays` were taken from.

    Raises:
        ModelError: no such table, or an entry is missing.
    """
    kinds: tuple[type[Table], ...] = (
        Majority,
        Median,
        LastValue,
        Ngram,
        NaiveBayes,
        TfIdf,
        RandomConvolutions,
        Boosting,
    )
    name = config.get("name")
    for kind in kinds:
        if kind.name == name:
            return kind.restore(config, arrays)
    raise ModelError(
        f"a saved baseline called {name!r}",
        expected=", ".join(DESCRIPTIONS),
        next_move="It was saved by another version of Leadline, or it is no table.",
    )
