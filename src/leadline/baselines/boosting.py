"""Gradient boosting on the features of a step or of a sequence: histogram trees (Friedman 2001; Ke et al. 2017),
learned by scikit-learn and kept as arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from leadline.baselines import sequence_features, step_features
from leadline.baselines.saving import JSON, blocks_of, check_parts, joined, names_in, over_all_classes, softmax, texts
from leadline.baselines.sequence_features import SequenceFeatures
from leadline.baselines.step_features import StepFeatures
from leadline.baselines.trees import MOST_LEAVES, NODE, Trees, from_sklearn, no_trees, positions
from leadline.data.sequences import PER_STEP, Sequences
from leadline.errors import DataError, ModelError
from leadline.records.trial import Kind
from leadline.seeds import child, generator

Floats = NDArray[np.float64]

MOST_ROWS = 40_000
"""Training rows: more of them would leave fewer rounds of boosting in the same time (`WORK`)."""
MOST_TUNE_ROWS = 5_000
"""Rows of the tune part that choose the number of rounds: one standard error of an accuracy of 90 % is 0.4 points."""
WORK = 1.2e8
"""Rows times features times trees: three to five seconds on one core of 2020."""
MOST_ANSWERED = 1.5e8
"""Rows of all the data times trees: answering a trial's parts takes about as long as learning may."""
MOST_ROUNDS, FEWEST_ROUNDS = 120, 12
BINS = 64
"""Of a number; where there are names, as many as they may need. Few bins are quick to search and lose little."""
SEARCHED = 2_500
"""Rows whose time the search through the bins of a tree's nodes takes, however few rows there are (measured)."""
FEWEST_ROWS = 2_000
"""Training rows are not thinned below this, for more rounds."""
MOST_CLASSES = 64
"""Every round grows a tree per class; beyond this the bound leaves less than the rounds that are worth while."""
WHOLE_STEPS = 10.0
"""Learning rate times rounds: 0.1 with 100 rounds is scikit-learn's own choice."""
FASTEST = 0.4
NONE = np.zeros(0, dtype=np.int64)
SETTINGS = {"max_leaf_nodes": MOST_LEAVES, "min_samples_leaf": 10, "l2_regularization": 1.0, "max_features": 0.5}
"""Half of the features at each split (Friedman 2002): trees differ, and so do seeds."""


@dataclass(frozen=True)
class _Fitted:
    kind: Kind
    classes: tuple[str, ...]
    known: NDArray[np.int64]
    features: StepFeatures | SequenceFeatures
    trees: Trees


class Boosting:
    """Gradient-boosted trees for labels and numbers, per step or per sequence; not for the next step.

    What they see of a step or of a sequence is in `step_features` and `sequence_features`. They minimise the
    cross-entropy, or the absolute error, and the tune part chooses how many rounds are kept. Rounds times rows are
    bounded (`WORK`), so that a fit takes seconds whatever the data.

    Args:
        causal: hide later steps, where there is one target per step.
        seed: of the rows that are learned from, and of the features that a split may use.

    >>> from leadline.data.datasets.letters import letters
    >>> import numpy as np
    >>> data, table = letters(300), Boosting(causal=False, seed=0)
    >>> table.fit(data, np.arange(250), np.arange(250, 300))
    >>> table.predict(data).shape == (len(data.categories), data.num_classes)
    True
    """

    name: ClassVar[str] = "boosting"
    drawn: ClassVar[bool] = True

    def __init__(self, causal: bool = True, seed: int = 0) -> None:
        self.causal, self.seed = causal, seed
        self._fitted: _Fitted | None = None

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Learn from the sequences `train`; choose the number of rounds on the sequences `tune`.

        Raises:
            DataError: no targets, a next-step task, or an empty part.
        """
        check_parts(self.name, data, train, tune)
        if not suits(data):
            raise DataError(
                f"gradient boosting on {data.kind} data with {data.num_classes} classes",
                where=data.source,
                expected=f"labels of at most {MOST_CLASSES} classes, or numbers, and a feature; no next-step task",
                next_move="`tables_for` names the tables that suit the data.",
            )
        past, ahead = data.take(train), data.take(tune)
        assert past.targets is not None
        assert ahead.targets is not None
        features, sources = self._learn(past)
        known = np.unique(past.targets) if data.classes else np.zeros(0, dtype=np.int64)
        rounds, most = _bounds(features.of_rows(past, sources, NONE).shape[1], known, past, data)
        rows = np.sort(generator(self.seed, "rows").permutation(len(past.targets))[:most])
        x, y = features.of_rows(past, sources, rows), past.targets[rows]
        trees = _grow(x, y, features.num_names, rounds, bool(data.classes), child(self.seed, "trees"))
        known = np.unique(y) if data.classes else known
        chosen = generator(0, "boosting", "tune").permutation(len(ahead.targets))[:MOST_TUNE_ROWS]
        x = features.of_rows(ahead, features.sources(ahead), chosen)
        best = _best_round(trees, x, ahead.targets[chosen], known)
        self._fitted = _Fitted(data.kind, data.classes, known, features, trees.first(best))

    def blocks(self, data: Sequences) -> Iterator[Floats]:
        """(rows, classes) probabilities, or (rows,) numbers, block after block of steps or sequences."""
        fitted = self._ready()
        sources = fitted.features.sources(data)
        for block in blocks_of(int(data.offsets[-1]) if data.per_step else len(data)):
            rows = np.arange(block.start, block.stop, dtype=np.int64)
            raw = fitted.trees.raw(fitted.features.of_rows(data, sources, rows))
            if not fitted.classes:
                yield raw[:, 0]
                continue
            yield over_all_classes(_probabilities(raw, fitted.known), fitted.known, len(fitted.classes))

    def predict(self, data: Sequences) -> Floats:
        """(rows or n, classes) probabilities, or (rows or n,) numbers."""
        return joined(self.blocks(data), (0, len(self._ready().classes)) if self._ready().classes else (0,))

    def config(self) -> dict[str, JSON]:
        """What was chosen, as JSON."""
        fitted = self._ready()
        return {
            "name": self.name,
            "causal": self.causal,
            "kind": fitted.kind,
            "classes": list(fitted.classes),
            "features": fitted.features.config(),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Trees and tables of names."""
        fitted = self._ready()
        return {"known": fitted.known, **fitted.trees.arrays(), **fitted.features.arrays()}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        names_in(cls.name, config, ("causal", "kind", "classes", "features"))
        form = StepFeatures if config["kind"] in PER_STEP else SequenceFeatures
        tables = range(len(config["features"]["codes"]))
        entries = [f"codes.{place}.{part}" for place in tables for part in ("keys", "values")]
        names_in(cls.name, arrays, ("known", "start", "roots", *NODE, *entries))
        table = cls(bool(config["causal"]))
        features = form.restore(config["features"], arrays)
        names_in(cls.name, arrays, (f"seen.{place}" for place in range(features.num_names)))
        trees = Trees.restore(arrays)
        table._fitted = _Fitted(config["kind"], texts(config["classes"]), arrays["known"], features, trees)
        return table

    def _learn(self, train: Sequences) -> tuple[StepFeatures | SequenceFeatures, list[Floats]]:
        if train.per_step:
            return step_features.learn(train, self.causal, child(self.seed, "features"))
        return sequence_features.learn(train)

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("gradient boosting was not fitted", next_move="Call `fit` first.")
        return self._fitted


def suits(data: Sequences) -> bool:
    """Whether trees can be grown for these data."""
    features = bool(data.category_columns or data.numeric_names)
    return features and data.kind != "next_step" and data.num_classes <= MOST_CLASSES


def _bounds(width: int, known: NDArray[np.int64], train: Sequences, data: Sequences) -> tuple[int, int]:
    """Rounds of boosting and training rows that keep within `WORK` and `MOST_ANSWERED`.

    Args:
        width: features.
        known: classes of the train part.
        train: the train part.
        data: all of them, which will be answered for.
    """
    assert train.targets is not None
    trees = len(known) if len(known) > 2 else 1
    steps = int(data.offsets[-1]) if data.per_step else len(data)
    rows = min(len(train.targets), MOST_ROWS)
    most = min(MOST_ROUNDS, int(MOST_ANSWERED / (max(steps, 1) * trees)))
    rounds = max(min(most, int(WORK / ((rows + SEARCHED) * width * trees))), FEWEST_ROUNDS)
    return rounds, min(rows, max(FEWEST_ROWS, int(WORK / (rounds * width * trees)) - SEARCHED))


def _grow(x: Floats, y: NDArray[Any], names: int, rounds: int, labelled: bool, seed: int) -> Trees:
    """The trees; none where there is one class."""
    seen = tuple(np.unique(x[:, place][~np.isnan(x[:, place])]) for place in range(names))
    if labelled and len(np.unique(y)) == 1:
        return no_trees(np.zeros(1), seen)
    # Here, not above: importing scikit-learn takes half a second, and `leadline --help` does without.
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    settings = {
        **SETTINGS,
        "learning_rate": min(FASTEST, WHOLE_STEPS / rounds),
        "max_iter": rounds,
        "max_bins": 255 if names else BINS,
        "early_stopping": False,
        "categorical_features": np.arange(names) if names else None,
        "random_state": seed % 2**32,
    }
    for place, values in enumerate(seen):
        found = positions(values, x[:, place])
        x[:, place] = np.where(found < len(values), found, np.nan)
    # scikit-learn bins no column without any value; a constant one is never split by.
    x[:, np.isnan(x).all(axis=0)] = 0.0
    with threadpool_limits(1):
        if labelled:
            return from_sklearn(HistGradientBoostingClassifier(**settings).fit(x, y), seen)
        return from_sklearn(HistGradientBoostingRegressor(loss="absolute_error", **settings).fit(x, y), seen)


def _best_round(trees: Trees, x: Floats, y: NDArray[Any], known: NDArray[np.int64]) -> int:
    """Rounds with the best score on the tune part: accuracy and then log probability, or the mean absolute error."""
    outputs = len(trees.start)
    raw = np.tile(trees.start, (len(x), 1))
    scores: list[tuple[float, float]] = []
    for number, values in enumerate(trees.stages(x)):
        raw[:, number % outputs] += values
        if number % outputs == outputs - 1:
            scores.append(_score(raw, y, known))
    return 1 + scores.index(max(scores)) if scores else 0


def _score(raw: Floats, y: NDArray[Any], known: NDArray[np.int64]) -> tuple[float, float]:
    if not len(known):
        return -float(np.abs(raw[:, 0] - y).mean()), 0.0
    p = over_all_classes(_probabilities(raw, known), known, int(max(known.max(), y.max())) + 1)
    return float(np.mean(p.argmax(axis=1) == y)), float(np.log(p[np.arange(len(y)), y]).mean())


def _probabilities(raw: Floats, known: NDArray[np.int64]) -> Floats:
    """(rows, known): one raw answer of two classes is the log odds of the second."""
    if len(known) == 2:
        raw = np.concatenate([np.zeros_like(raw), raw], axis=1)
    return softmax(raw)
