"""Back-off over contexts: the label of a step from the names of the steps around it, without a gradient.

Contexts grow one step at a time. With n(c, y) the training steps in context c that have label y, n(c) their
sum and d(c) the number of different labels seen in c,

    p_k(y | c_k) = (n(c_k, y) + theta d(c_k) p_{k-1}(y | c_{k-1})) / (n(c_k) + theta d(c_k)),

p_{-1} = 1 / classes, c_0 the empty context; an unseen c_k leaves p_{k-1} as it is. theta = 1 is the
interpolation of Witten & Bell (1991); a small theta comes close to taking the longest context that was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.contexts import Context, Keys, columns_named, keys
from leadline.baselines.saving import JSON, MOST_STEPS, blocks_of, check_parts, joined, names_in, texts, within
from leadline.data.sequences import Sequences
from leadline.errors import DataError, ModelError, OptionError
from leadline.records.trial import Kind
from leadline.seeds import generator

MAX_STEPS = 8
SUFFIXES = (1, 2, 3)
THETAS = (0.5, 1.5, 4.0, 10.0)
GROWTH: dict[str, str] = {"left": "l", "right": "r", "right and left": "rl", "left and right": "lr"}
TUNE_CELLS = 1_000_000
"""Rows times classes of the tune part that settings are compared on: a second's work, whatever the size."""
FIELDS = ("keys", "starts", "labels", "counts")
FEWEST_SEEN = 0.02
"""Contexts stop growing when training saw fewer of the tune part's: longer ones can change no more steps."""
NO_CONTEXT = Context(0, -1)
"""The window from 0 steps before to -1 steps after holds nothing: every step has the same key."""


@dataclass(frozen=True)
class Level:
    """Training counts of one length of context.

    Args:
        keys: (contexts,) sorted.
        starts: (contexts + 1,) where each context's labels start in `labels` and `counts`.
        labels: labels seen, contexts in order.
        counts: how often each was seen.
    """

    keys: Keys
    starts: NDArray[np.int64]
    labels: NDArray[np.int32]
    counts: NDArray[np.int32]

    @cached_property
    def distinct(self) -> NDArray[np.int64]:
        """(contexts,) different labels seen, d(c)."""
        return np.diff(self.starts)

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """(contexts,) steps seen, n(c)."""
        return np.add.reduceat(self.counts, self.starts[:-1], dtype=np.int64)


def count(contexts: Keys, labels: NDArray[np.int64], num_classes: int) -> Level:
    """Count the labels of every context."""
    known, where = np.unique(contexts, return_inverse=True)
    pairs, counts = np.unique(where * num_classes + labels, return_counts=True)
    starts = np.searchsorted(pairs, np.arange(len(known) + 1) * num_classes)
    seen = (pairs % num_classes).astype(np.int32)
    return Level(known, starts.astype(np.int64), seen, counts.astype(np.int32))


def find(level: Level, contexts: Keys) -> NDArray[np.int64]:
    """(rows,) where each context stands in the level, -1 where training never saw it."""
    place = np.minimum(np.searchsorted(level.keys, contexts), len(level.keys) - 1)
    return np.where(level.keys[place] == contexts, place, -1)


def refine(p: NDArray[np.float64], level: Level, place: NDArray[np.int64], theta: float) -> None:
    """One length of context more, in place: p_{k-1} (rows, classes) becomes p_k."""
    rows = np.flatnonzero(place >= 0)
    start, distinct = level.starts[place[rows]], level.distinct[place[rows]]
    totals = level.totals[place[rows]] + theta * distinct
    kept = np.ones(len(p))
    kept[rows] = theta * distinct / totals
    p *= kept[:, None]
    ends = np.cumsum(distinct)
    cells = np.arange(int(distinct.sum())) + np.repeat(start - (ends - distinct), distinct)
    p[np.repeat(rows, distinct), level.labels[cells]] += level.counts[cells] / np.repeat(totals, distinct)


def grown(growth: str, words: bool) -> list[Context]:
    """Contexts from none to `MAX_STEPS` neighbours; a word's last letters come before the word."""
    found = [NO_CONTEXT, *(Context(0, 0, suffix) for suffix in SUFFIXES if words), Context(0, 0)]
    left = right = 0
    for step in range(MAX_STEPS):
        side = growth[step % len(growth)]
        left, right = left + (side == "l"), right + (side == "r")
        found.append(Context(left, right))
    return found


@dataclass(frozen=True)
class _Fitted:
    """What `Ngram.fit` chose and counted."""

    kind: Kind
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    contexts: tuple[Context, ...]
    theta: float
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class _Candidate:
    """A setting with its score on the tune part: the metric, then the mean log probability."""

    score: tuple[float, float]
    contexts: tuple[Context, ...]
    theta: float
    levels: tuple[Level, ...]


class Ngram:
    """Back-off over the names of neighbouring steps, for tagging and next-step tasks.

    Of several category features it uses the one, or all together, that predicts best without neighbours. The
    tune part chooses those, the direction in which contexts grow (left only when causal), how far (to 8
    steps), and theta: by accuracy for tagging, by log probability for next-step tasks.

    Args:
        causal: use only the present and earlier steps. A next-step task needs True.

    >>> from leadline.data.datasets.letters import letters
    >>> import numpy as np
    >>> data = letters(300)
    >>> table = Ngram(causal=False)
    >>> table.fit(data, np.arange(250), np.arange(250, 300))
    >>> table.predict(data).shape == (len(data.categories), data.num_classes)
    True
    """

    name: ClassVar[str] = "ngram"
    drawn: ClassVar[bool] = False

    def __init__(self, causal: bool = True) -> None:
        self.causal = causal
        self._fitted: _Fitted | None = None

    def fit(self, data: Sequences, train: NDArray[np.int64], tune: NDArray[np.int64]) -> None:
        """Count on the sequences `train`; choose on the sequences `tune`.

        Raises:
            DataError: no targets, no category feature, another kind of target, or an empty part.
            OptionError: looking ahead in a next-step task.
        """
        self._check(data)
        check_parts(self.name, data, train, tune)
        parts = data.take(within(data, train, MOST_STEPS, self.name)), data.take(_sample(data, tune))
        columns = _best_columns(*parts)
        tried = (_candidates(*parts, columns, contexts) for contexts in _chains(data, columns, self.causal))
        best = max(chain.from_iterable(tried), key=lambda candidate: candidate.score)
        names = tuple(data.category_columns[position].name for position in columns)
        self._fitted = _Fitted(data.kind, data.classes, names, best.contexts, best.theta, best.levels)

    def blocks(self, data: Sequences) -> Iterator[NDArray[np.float64]]:
        """(steps, classes) probabilities, block after block."""
        fitted = self._ready()
        columns = columns_named(data, fitted.columns)
        contexts = [keys(data, columns, context) for context in fitted.contexts]
        for rows in blocks_of(len(data.categories)):
            p = np.full((rows.stop - rows.start, len(fitted.classes)), 1.0 / len(fitted.classes))
            for level, found in zip(fitted.levels, contexts, strict=True):
                refine(p, level, find(level, found[rows]), fitted.theta)
            yield p

    def predict(self, data: Sequences) -> NDArray[np.float64]:
        """(rows, classes) probabilities, classes in the order of the training data."""
        return joined(self.blocks(data), (0, len(self._ready().classes)))

    def config(self) -> dict[str, JSON]:
        """What was chosen, as JSON."""
        fitted = self._ready()
        return {
            "name": self.name,
            "causal": self.causal,
            "kind": fitted.kind,
            "classes": list(fitted.classes),
            "columns": list(fitted.columns),
            "contexts": [[context.left, context.right, context.suffix] for context in fitted.contexts],
            "theta": fitted.theta,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The counts."""
        found: dict[str, NDArray[Any]] = {}
        for index, level in enumerate(self._ready().levels):
            found |= {f"{index}.{part}": getattr(level, part) for part in FIELDS}
            found[f"{index}.keys"] = level.keys.view(np.int64)
        return found

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` described."""
        names_in(cls.name, config, ("causal", "kind", "classes", "columns", "contexts", "theta"))
        contexts = tuple(Context(*(int(number) for number in window)) for window in config["contexts"])
        entries = [[f"{index}.{part}" for part in FIELDS] for index in range(len(contexts))]
        names_in(cls.name, arrays, chain.from_iterable(entries))
        levels = tuple(_level(*(arrays[name] for name in names)) for names in entries)
        table = cls(causal=bool(config["causal"]))
        classes, columns = texts(config["classes"]), texts(config["columns"])
        table._fitted = _Fitted(config["kind"], classes, columns, contexts, float(config["theta"]), levels)
        return table

    def _check(self, data: Sequences) -> None:
        if data.kind not in ("tagging", "next_step") or data.targets is None or not data.category_columns:
            raise DataError(
                f"an n-gram table cannot be fitted on {data.kind} data with {len(data.category_columns)} "
                f"category features" + (" and no targets" if data.targets is None else ""),
                where=data.source,
                expected="one label per step and at least one category feature",
                next_move="`tables_for` names the tables that suit the data.",
            )
        if data.kind == "next_step" and not self.causal:
            raise OptionError(
                "causal=False in a next-step task",
                expected="causal=True",
                next_move="The next step is the target: a context that reaches it would give it away.",
            )

    def _ready(self) -> _Fitted:
        if self._fitted is None:
            raise ModelError("the n-gram table was not fitted", next_move="Call `fit` first.")
        return self._fitted


def _level(found: NDArray[Any], *rest: NDArray[Any]) -> Level:
    return Level(np.ascontiguousarray(found).view(np.uint64), *rest)


def _sample(data: Sequences, tune: NDArray[np.int64]) -> NDArray[np.int64]:
    """As many tune sequences, in a fixed random order, as `TUNE_CELLS` allows; one at least."""
    order = generator(0, "ngram", "tune").permutation(tune)
    cells = np.cumsum(data.lengths[order]) * max(data.num_classes, 1)
    return order[: max(1, int(np.searchsorted(cells, TUNE_CELLS, side="right")))]


def _best_columns(train: Sequences, tune: Sequences) -> tuple[int, ...]:
    """The category feature, or all, whose present value alone predicts best."""
    positions = range(len(train.category_columns))
    choices: list[tuple[int, ...]] = [(position,) for position in positions]
    if len(choices) > 1:
        choices.append(tuple(positions))
    if len(choices) == 1:
        return choices[0]
    scores = [_score_alone(train, tune, columns) for columns in choices]
    return choices[scores.index(max(scores))]


def _score_alone(train: Sequences, tune: Sequences, columns: tuple[int, ...]) -> tuple[float, float]:
    *_, last = _candidates(train, tune, columns, [NO_CONTEXT, Context(0, 0)])
    return last.score


def _chains(data: Sequences, columns: tuple[int, ...], causal: bool) -> list[list[Context]]:
    """The ways in which contexts may grow."""
    words = len(columns) == 1 and data.category_columns[columns[0]].form == "word"
    return [grown(GROWTH[name], words) for name in (["left"] if causal else GROWTH)]


def _candidates(
    train: Sequences, tune: Sequences, columns: tuple[int, ...], contexts: list[Context]
) -> Iterator[_Candidate]:
    """Every reach and theta of one growth, until hardly any context was seen in training."""
    assert train.targets is not None
    p = {theta: np.full((len(tune.categories), tune.num_classes), 1.0 / tune.num_classes) for theta in THETAS}
    levels: list[Level] = []
    for reach, context in enumerate(contexts, start=1):
        levels.append(count(keys(train, columns, context), train.targets, train.num_classes))
        place = find(levels[-1], keys(tune, columns, context))
        for theta in THETAS:
            refine(p[theta], levels[-1], place, theta)
            yield _Candidate(_score(p[theta], tune), tuple(contexts[:reach]), theta, tuple(levels))
        if np.mean(place >= 0) < FEWEST_SEEN:
            return


def _score(p: NDArray[np.float64], tune: Sequences) -> tuple[float, float]:
    """(metric, mean log probability)."""
    assert tune.targets is not None
    likelihood = float(np.mean(np.log(p[np.arange(len(p)), tune.targets])))
    accuracy = float(np.mean(p.argmax(axis=1) == tune.targets))
    return likelihood if tune.kind == "next_step" else accuracy, likelihood
