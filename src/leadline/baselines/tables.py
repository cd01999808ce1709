"""Baselines that are counted, not trained by gradient: what they share, and which suit which data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from leadline.baselines import last_value
from leadline.baselines.constant import Majority, Median
from leadline.baselines.last_value import LastValue
from leadline.baselines.naive_bayes import NaiveBayes
from leadline.baselines.ngram import Ngram
from leadline.baselines.saving import JSON
from leadline.data.sequences import LABELLED, Sequences
from leadline.errors import ModelError, OptionError
from leadline.records.trial import Kind

DESCRIPTIONS = {
    "majority": "class frequencies",
    "median": "median of the targets",
    "last_value": "last value carried over",
    "ngram": "n-gram back-off",
    "naive_bayes": "naive Bayes on n-grams",
}


@runtime_checkable
class Table(Protocol):
    """A baseline that is fitted by counting.

    `name` is a key of `DESCRIPTIONS`; `causal` is False only for one that looks at later steps. Probabilities
    come in the order of the training data's classes. `restore(config(), arrays())` is the same baseline.
    """

    name: ClassVar[str]
    causal: bool

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Learn from the sequences `train`, choose settings on the sequences `tune`."""
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
    ('majority', 'ngram')
    """
    names = ["majority" if kind in LABELLED else "median"]
    if last_value.suits(data):
        names.append("last_value")
    if data.category_columns and kind in ("tagging", "next_step"):
        names.append("ngram")
    if data.category_columns and kind == "classification":
        names.append("naive_bayes")
    return tuple(names)


def make(name: str, causal: bool) -> Table:
    """A table that is not fitted yet.

    Args:
        name: a key of `DESCRIPTIONS`.
        causal: hide later steps from it. Only "ngram" ever looks at them; the others are always causal.

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
    kinds: tuple[type[Table], ...] = (Majority, Median, LastValue, Ngram, NaiveBayes)
    name = config.get("name")
    for kind in kinds:
        if kind.name == name:
            return kind.restore(config, arrays)
    raise ModelError(
        f"a saved baseline called {name!r}",
        expected=", ".join(DESCRIPTIONS),
        next_move="It was saved by another version of Leadline, or it is no table.",
    )
