"""The answer that never changes: how often each class comes, or the middle number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.saving import JSON, blocks_of, check_parts, joined, names_in, texts
from leadline.data.sequences import LABELLED, PER_STEP, Sequences
from leadline.errors import DataError, ModelError
from leadline.records.trial import Kind


@dataclass(frozen=True)
class _Fitted:
    kind: Kind
    classes: tuple[str, ...]
    answer: NDArray[np.float64]


class _Constant(ABC):
    """What the two constant answers share: fitting is one number or one row, predicting repeats it."""

    name: ClassVar[str]
    labelled: ClassVar[bool]
    drawn: ClassVar[bool] = False
    causal: bool = True

    def __init__(self) -> None:
        self._fitted: _Fitted | None = None

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Learn from the sequences `train`; there is nothing to choose on `tune`.

        Raises:
            DataError: no targets, another kind of target, or an empty part.
        """
        check_parts(self.name, data, train, tune)
        if (data.kind in LABELLED) != self.labelled:
            raise DataError(
                f"the baseline {self.name!r} on {data.kind} data",
                where=data.source,
                expected="labels" if self.labelled else "numbers",
                next_move="`tables_for` names the tables that suit the data.",
            )
        assert data.targets is not None
        targets = data.targets[data.rows(train) if data.per_step else train]
        self._fitted = _Fitted(data.kind, data.classes, self._answer(targets, data.num_classes))

    def blocks(self, data: Sequences) -> Iterator[NDArray[np.float64]]:
        """(rows or sequences, classes) probabilities, or (rows or sequences,) numbers, block after block."""
        fitted = self._ready()
        for block in blocks_of(int(data.offsets[-1]) if fitted.kind in PER_STEP else len(data)):
            yield np.repeat(fitted.answer, block.stop - block.start, axis=0)

    def predict(self, data: Sequences) -> NDArray[np.float64]:
        """(rows or n, classes) probabilities, or (rows or n,) numbers: the same everywhere."""
        return joined(self.blocks(data), (0, *self._ready().answer.shape[1:]))

    def config(self) -> dict[str, JSON]:
        """What it is, as JSON."""
        fitted = self._ready()
        return {"name": self.name, "kind": fitted.kind, "classes": list(fitted.classes)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The answer."""
        return {"answer": self._ready().answer}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        names_in(cls.name, config, ("kind", "classes"))
        names_in(cls.name, arrays, ("answer",))
        table = cls()
        table._fitted = _Fitted(config["kind"], texts(config["classes"]), arrays["answer"])
        return table

    @abstractmethod
    def _answer(self, targets: NDArray[Any], num_classes: int) -> NDArray[np.float64]:
        """The one answer, from the training targets."""

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError(f"the baseline {self.name!r} was not fitted", next_move="Call `fit` first.")
        return self._fitted


class Majority(_Constant):
    """Class frequencies: p(y) = (n(y) + 1) / (n + classes), so that no class is impossible.

    >>> from leadline.data.datasets.letters import letters
    >>> import numpy as np
    >>> data, table = letters(300), Majority()
    >>> table.fit(data, np.arange(250), np.arange(250, 300))
    >>> data.classes[table.predict(data)[0].argmax()]
    '_'
    """

    name = "majority"
    labelled = True

    def _answer(self, targets: NDArray[Any], num_classes: int) -> NDArray[np.float64]:
        counts = np.bincount(targets, minlength=num_classes) + 1.0
        return np.asarray(counts / counts.sum())[None, :]


class Median(_Constant):
    """The median of the targets: the number with the least mean absolute error."""

    name = "median"
    labelled = False

    def _answer(self, targets: NDArray[Any], num_classes: int) -> NDArray[np.float64]:
        return np.array([np.median(targets.astype(np.float64))])
