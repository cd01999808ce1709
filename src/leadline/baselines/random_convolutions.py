"""Random convolutions with ridge regression: what a whole sequence of numbers is, from patterns that nobody learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from leadline.baselines.convolution_features import Convolutions, learn
from leadline.baselines.saving import JSON, blocks_of, check_parts, joined, names_in, over_all_classes, softmax, texts
from leadline.data.sequences import Sequences
from leadline.errors import DataError, ModelError
from leadline.records.trial import Kind
from leadline.seeds import generator

Floats = NDArray[np.float64]

ALPHAS = (1.0, 10.0, 100.0, 1000.0)
"""Penalties on standardised figures, a decade apart, around those of the paper."""
SHARPNESS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""By how much ridge's scores, which lie between -1 and 1, are scaled before they become probabilities."""
MOST_SEQUENCES = 4_000
"""Training sequences: the normal equations of 2,016 figures take less than a second for each penalty."""
PARTS = ("means", "scales", "mixed", "dilations", "thresholds")


@dataclass(frozen=True)
class _Fitted:
    """`weights` is (figures, known classes or 1), for figures as they come; `sharpness` is 1 for numbers."""

    kind: Kind
    classes: tuple[str, ...]
    known: NDArray[np.int64]
    convolutions: Convolutions
    weights: Floats
    bias: Floats
    sharpness: float


class RandomConvolutions:
    """Random convolutions and ridge regression, for one label or number per sequence with numeric features.

    Classes are coded as -1 and 1, as in the paper; the scores, scaled, become probabilities by softmax. The tune
    part chooses the penalty by accuracy or absolute error, then the scale by log probability. It reads the whole
    sequence, as every classifier may.

    Args:
        seed: of the convolutions.

    >>> from leadline.data.datasets.synthetic import memory
    >>> import numpy as np
    >>> data, table = memory.adding(60, length=12), RandomConvolutions(seed=0)
    >>> table.fit(data, np.arange(40), np.arange(40, 60))
    >>> table.predict(data).shape
    (60,)
    """

    name: ClassVar[str] = "random_convolutions"
    drawn: ClassVar[bool] = True
    causal: bool = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._fitted: _Fitted | None = None

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Learn from the sequences `train`; choose penalty and scale on the sequences `tune`.

        Raises:
            DataError: no targets, one target per step, no numeric feature, or an empty part.
        """
        check_parts(self.name, data, train, tune)
        if not suits(data):
            raise DataError(
                f"random convolutions on {data.kind} data with {len(data.numeric_names)} numeric features",
                where=data.source,
                expected="one target per sequence and at least one numeric feature",
                next_move="`tables_for` names the tables that suit the data.",
            )
        chosen = generator(self.seed, "sequences").permutation(train)[:MOST_SEQUENCES]
        past, ahead = data.take(np.sort(chosen)), data.take(tune)
        assert past.targets is not None
        known = np.unique(past.targets) if data.classes else np.zeros(0, dtype=np.int64)
        convolutions = learn(past, int(data.offsets[-1]), self.seed)
        x, x_ahead = convolutions.of(past).astype(np.float64), convolutions.of(ahead).astype(np.float64)
        fits = [
            _Fitted(data.kind, data.classes, known, convolutions, weights, bias, scale)
            for weights, bias in _ridges(x, _coded(past.targets, known))
            for scale in (SHARPNESS if data.classes else (1.0,))
        ]
        self._fitted = max(fits, key=lambda fitted: _score(fitted, x_ahead, ahead))

    def blocks(self, data: Sequences) -> Iterator[Floats]:
        """(sequences, classes) probabilities, or (sequences,) numbers, block after block."""
        fitted = self._ready()
        for block in blocks_of(len(data)):
            part = data.take(np.arange(block.start, block.stop, dtype=np.int64))
            yield _answers(fitted, fitted.convolutions.of(part).astype(np.float64))

    def predict(self, data: Sequences) -> Floats:
        """(n, classes) probabilities, or (n,) numbers."""
        classes = self._ready().classes
        return joined(self.blocks(data), (0, len(classes)) if classes else (0,))

    def config(self) -> dict[str, JSON]:
        """What was chosen, as JSON."""
        fitted = self._ready()
        return {
            "name": self.name,
            "kind": fitted.kind,
            "classes": list(fitted.classes),
            "numbers": list(fitted.convolutions.numbers),
            "sharpness": fitted.sharpness,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Convolutions and weights."""
        fitted = self._ready()
        drawn = {part: getattr(fitted.convolutions, part) for part in PARTS}
        return {"known": fitted.known, "weights": fitted.weights, "bias": fitted.bias, **drawn}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        names_in(cls.name, config, ("kind", "classes", "numbers", "sharpness"))
        names_in(cls.name, arrays, ("known", "weights", "bias", *PARTS))
        table = cls()
        convolutions = Convolutions(texts(config["numbers"]), *(arrays[part] for part in PARTS))
        learned = arrays["known"], convolutions, arrays["weights"], arrays["bias"], float(config["sharpness"])
        table._fitted = _Fitted(config["kind"], texts(config["classes"]), *learned)
        return table

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("random convolutions were not fitted", next_move="Call `fit` first.")
        return self._fitted


def suits(data: Sequences) -> bool:
    """Whether there is a sequence of numbers with one target."""
    return data.kind in ("classification", "regression") and bool(data.numeric_names)


def _coded(targets: NDArray[Any], known: NDArray[np.int64]) -> Floats:
    """(n, known) 1 for the sequence's class and -1 for others; (n, 1) numbers as they are."""
    if not len(known):
        return targets.astype(np.float64)[:, None]
    return np.where(targets[:, None] == known, 1.0, -1.0)


def _ridges(x: Floats, y: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Weights and bias for each penalty, on standardised figures, for figures as they come."""
    # Here, not above: importing scikit-learn takes half a second, and `leadline --help` does without.
    from sklearn.linear_model import Ridge

    middle, spread = x.mean(0), x.std(0)
    spread[spread < 1e-8] = 1.0
    for alpha in ALPHAS:
        with threadpool_limits(1):
            model = Ridge(alpha=alpha, solver="cholesky").fit((x - middle) / spread, y)
        weights = np.asarray(model.coef_, dtype=np.float64).reshape(y.shape[1], -1).T / spread[:, None]
        yield weights, np.asarray(model.intercept_, dtype=np.float64).ravel() - middle @ weights


def _answers(fitted: _Fitted, x: Floats) -> Floats:
    raw = x @ fitted.weights + fitted.bias
    if not fitted.classes:
        return np.asarray(raw[:, 0])
    return over_all_classes(softmax(fitted.sharpness * raw), fitted.known, len(fitted.classes))


def _score(fitted: _Fitted, x: Floats, data: Sequences) -> tuple[float, float]:
    """(accuracy, mean log probability), or (- mean absolute error, 0)."""
    assert data.targets is not None
    found = _answers(fitted, x)
    if not fitted.classes:
        return -float(np.abs(found - data.targets).mean()), 0.0
    right = float(np.mean(found.argmax(axis=1) == data.targets))
    return right, float(np.log(found[np.arange(len(found)), data.targets]).mean())
