"""Nothing changes: the last value that was seen, carried over to the target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.saving import JSON, blocks_of, check_parts, joined, names_in, texts
from leadline.data.sequences import LABELLED, PER_STEP, Sequences
from leadline.errors import DataError, ModelError
from leadline.records.trial import Kind

ROUNDS = 50


@dataclass(frozen=True)
class _Fitted:
    """`numbers` is (scale, offset, answer where nothing was seen), or (q, p(y) of every class)."""

    kind: Kind
    classes: tuple[str, ...]
    column: str
    numbers: NDArray[np.float64]


class LastValue:
    """The last known value of one feature, as a prediction.

    Numbers (one per step, or one per sequence from its last step): y = scale * x + offset, where x is the
    feature's last value up to the step that is not missing. Either exactly x (scale 1, offset 0), or scale by
    least squares and the offset that makes the median error zero. The tune part chooses the feature and the
    form by mean absolute error. Where no value was seen yet, the median of the targets.

    Next step of names: the present name c comes again with probability q, else any class as often as usual,

        p(y | c) = q [y = c] + (1 - q) p(y),

    q by expectation-maximisation on the train part. It needs a feature whose names are the classes.
    """

    name: ClassVar[str] = "last_value"
    drawn: ClassVar[bool] = False
    causal: bool = True

    def __init__(self) -> None:
        self._fitted: _Fitted | None = None

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Learn from the sequences `train`, choose on the sequences `tune`.

        Raises:
            DataError: no targets, no feature whose value could be the target, or an empty part.
        """
        check_parts(self.name, data, train, tune)
        if not suits(data):
            raise DataError(
                f"no last value to carry over in {data.kind} data",
                where=data.source,
                expected="a numeric feature for numbers; for a next step, a feature that holds the classes",
                next_move="`tables_for` names the tables that suit the data.",
            )
        fit = _fit_names if data.kind in LABELLED else _fit_numbers
        self._fitted = fit(data.take(train), data.take(tune))

    def blocks(self, data: Sequences) -> Iterator[NDArray[np.float64]]:
        """(rows, classes) probabilities, or (rows or sequences,) numbers, block after block."""
        fitted = self._ready()
        if fitted.kind in LABELLED:
            present = _present(data, fitted)
            yield from (_mixture(present[block], fitted.numbers) for block in blocks_of(len(present)))
            return
        scale, offset, unseen = fitted.numbers
        values = last_known(data, position_of(data, fitted.column), fitted.kind in PER_STEP)
        yield np.asarray(np.where(np.isnan(values), unseen, scale * values + offset), dtype=np.float64)

    def predict(self, data: Sequences) -> NDArray[np.float64]:
        """(rows, classes) probabilities, or (rows or n,) numbers."""
        classes = self._ready().classes
        return joined(self.blocks(data), (0, len(classes)) if classes else (0,))

    def config(self) -> dict[str, JSON]:
        """What was chosen, as JSON."""
        fitted = self._ready()
        return {
            "name": self.name,
            "kind": fitted.kind,
            "classes": list(fitted.classes),
            "column": fitted.column,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Scale and offset, or the frequencies."""
        return {"numbers": self._ready().numbers}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        names_in(cls.name, config, ("kind", "classes", "column"))
        names_in(cls.name, arrays, ("numbers",))
        table = cls()
        classes = texts(config["classes"])
        table._fitted = _Fitted(config["kind"], classes, str(config["column"]), arrays["numbers"])
        return table

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("the last value was not fitted", next_move="Call `fit` first.")
        return self._fitted


def suits(data: Sequences) -> bool:
    """Whether some feature's last value could be the target."""
    if data.kind in LABELLED:
        return data.kind == "next_step" and _best_overlap(data) is not None
    return bool(data.numeric_names)


def last_known(data: Sequences, position: int, per_step: bool) -> NDArray[np.float64]:
    """(rows or n,) last value up to each step, or to each sequence's end; NaN where none was seen."""
    values = data.numeric[:, position].astype(np.float64)
    rows = np.arange(len(values), dtype=np.int64)
    latest = np.maximum.accumulate(np.where(np.isnan(values), -1, rows)) if len(rows) else rows
    starts = np.repeat(data.offsets[:-1], data.lengths)
    carried = np.where(latest >= starts, values[np.maximum(latest, 0)], np.nan)
    if per_step:
        return carried
    ends = np.full(len(data), np.nan)
    some = data.lengths > 0
    ends[some] = carried[data.offsets[1:][some] - 1]
    return ends


def _fit_numbers(train: Sequences, tune: Sequences) -> _Fitted:
    assert train.targets is not None
    assert tune.targets is not None
    middle = float(np.median(train.targets))
    best: tuple[float, str, NDArray[np.float64]] | None = None
    for position, name in enumerate(train.numeric_names):
        values = last_known(train, position, train.per_step)
        ahead = last_known(tune, position, tune.per_step)
        for scale, offset in ((1.0, 0.0), _line(values, train.targets.astype(np.float64))):
            answers = np.where(np.isnan(ahead), middle, scale * ahead + offset)
            error = float(np.abs(answers - tune.targets).mean())
            if best is None or error < best[0]:
                best = (error, name, np.array([scale, offset, middle]))
    assert best is not None
    return _Fitted(train.kind, (), best[1], best[2])


def _line(values: NDArray[np.float64], targets: NDArray[np.float64]) -> tuple[float, float]:
    """Scale by least squares, offset by the median of what is left."""
    seen = ~np.isnan(values)
    x, y = values[seen], targets[seen]
    if len(x) < 2 or float(np.ptp(x)) == 0.0:
        return 0.0, float(np.median(targets))
    centred = x - x.mean()
    scale = float(centred @ y / (centred @ centred))
    return scale, float(np.median(y - scale * x))


def _fit_names(train: Sequences, tune: Sequences) -> _Fitted:
    assert train.targets is not None
    column = _best_overlap(train)
    assert column is not None
    usual = np.bincount(train.targets, minlength=train.num_classes) + 1.0
    usual = usual / usual.sum()
    empty = _Fitted(train.kind, train.classes, column, usual)
    same = train.targets[_present(train, empty) == train.targets]
    again = np.bincount(same, minlength=train.num_classes) / max(len(train.targets), 1)
    q = 0.5
    for _ in range(ROUNDS):
        share = again @ (q / (q + (1.0 - q) * usual))
        q = min(max(float(share), 1e-6), 1.0 - 1e-6)
    return _Fitted(train.kind, train.classes, column, np.concatenate([[q], usual]))


def _best_overlap(data: Sequences) -> str | None:
    """The category feature that shares most names with the classes."""
    classes = set(data.classes)
    shared = {column.name: len(classes.intersection(column.vocabulary)) for column in data.category_columns}
    best = max(shared, key=lambda name: shared[name], default=None)
    return best if best is not None and shared[best] else None


def _present(data: Sequences, fitted: _Fitted) -> NDArray[np.int64]:
    """(rows,) the class whose name the present step has, -1 where there is none."""
    position = position_of(data, fitted.column)
    number = {name: index for index, name in enumerate(fitted.classes)}
    table = np.array([*(number.get(name, -1) for name in data.category_columns[position].vocabulary), -1])
    return np.asarray(table[data.categories[:, position]], dtype=np.int64)


def _mixture(present: NDArray[np.int64], numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    q, usual = numbers[0], numbers[1:]
    known = present >= 0
    p = np.repeat(usual[None, :], len(present), axis=0)
    p[known] *= 1.0 - q
    p[np.flatnonzero(known), present[known]] += q
    return p


def position_of(data: Sequences, name: str) -> int:
    """Where the feature stands among the numeric or the category features."""
    for names in (data.numeric_names, tuple(column.name for column in data.category_columns)):
        if name in names:
            return names.index(name)
    raise ModelError(
        f"no feature {name!r}",
        where=data.source,
        expected="the feature that the baseline was fitted on",
        next_move="Give the file the columns that it had for training.",
    )
