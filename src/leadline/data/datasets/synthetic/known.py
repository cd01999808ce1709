"""What is known of a task beforehand: the words that are right, what may be advised, the score that can be reached.

A word of the answer sheet is a claim about an effect and the margin, so a bound that can be proved for the effect
tells which words are true:

    "yes"                 effect > margin
    "a_little"            0 < effect < margin
    "at_least_a_little"   0 < effect
    "no"                  effect < margin
    "worse"               effect < 0

`YES` holds every word that is true of an effect above the margin, `SMALL` of one that is at most the margin,
`ZERO` of one that is exactly 0, `LOSS` of one below 0. Where theory bounds nothing, every word is right (`ANYTHING`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from leadline.data.sequences import Sequences
from leadline.records.answers import GeneralQuestion, SettledWord
from leadline.spec import Cell, Readout, StackSpec

Question = GeneralQuestion
"""Rows of the answer sheet. `deep_or_both_ways` asks what a deep network one way has over one layer both ways."""

Word = SettledWord
Words = frozenset[Word]

YES: Words = frozenset({"yes", "at_least_a_little"})
SMALL: Words = frozenset({"a_little", "at_least_a_little", "no", "worse"})
ZERO: Words = frozenset({"no"})
LOSS: Words = frozenset({"no", "worse"})
ANYTHING: Words = frozenset(get_args(Word))
CELLS: frozenset[Cell] = frozenset(get_args(Cell))
READOUTS: frozenset[Readout] = frozenset(get_args(Readout))
GATED: frozenset[Cell] = frozenset({"gru", "lstm"})
ALL_AHEAD = 10**9
"""Steps that a layer sees ahead which reads both ways: all of them."""


@dataclass(frozen=True)
class Networks:
    """A set of networks, by what theory speaks of.

    Args:
        layers: fewest and most layers.
        units: fewest and most units per layer and direction.
        ahead: fewest and most next steps that are seen, by a window or by reading both ways.
        cells: the recurrences.
        readouts: the readouts.
    """

    layers: tuple[int, int] = (1, ALL_AHEAD)
    units: tuple[int, int] = (1, ALL_AHEAD)
    ahead: tuple[int, int] = (0, ALL_AHEAD)
    cells: frozenset[Cell] = CELLS
    readouts: frozenset[Readout] = READOUTS

    def __contains__(self, spec: object) -> bool:
        """Whether `spec` is one of them.

        >>> StackSpec(2, 2, num_layers=2) in Networks(layers=(2, 3)), StackSpec(2, 2) in Networks(ahead=(1, 9))
        (True, False)
        """
        if not isinstance(spec, StackSpec):
            return False
        ahead = ALL_AHEAD if spec.bidirectional else spec.look_ahead
        bounds = ((spec.num_layers, self.layers), (spec.hidden_size, self.units), (ahead, self.ahead))
        named = spec.cell in self.cells and spec.readout in self.readouts
        return named and all(low <= number <= high for number, (low, high) in bounds)


EVERY = Networks()
ONE_LAYER = Networks(layers=(1, 1))
ONE_GATED_LAYER = Networks(layers=(1, 1), cells=GATED)


@dataclass(frozen=True)
class Right:
    """The right words of one question.

    Args:
        question: the row of the sheet.
        words: those that are true.
        start: where the question starts from one of these networks; the arm that something is added to.
    """

    question: Question
    words: Words
    start: Networks = EVERY


@dataclass(frozen=True)
class KnownTask:
    """A task with a known answer.

    Args:
        name: what `leadline tasks NAME` calls it.
        title: what it is, in one line.
        draw: `draw(num_sequences, seed=0)` gives the data; its docstring holds the proof.
        sequences: how many are drawn unless a user says otherwise: enough to learn it, few enough for two minutes.
        right: the right words; questions that are not among them have no wrong answer.
        advised: the networks that may be advised.
        baseline: whether a predictor without recurrence may be advised.
        best: expected score that can be reached, in the metric's unit: % right, minus nats a step, or minus the mean
            absolute error.
        tolerance: how far below `best` the advised predictor may score on a test part of the default size: the
            margin, and three standard errors of a score on so few sequences.
    """

    name: str
    title: str
    draw: Callable[..., Sequences]
    sequences: int
    right: tuple[Right, ...]
    advised: tuple[Networks, ...]
    baseline: bool
    best: float
    tolerance: float

    def words(self, question: Question, start: StackSpec | None) -> Words:
        """The right words of a question that starts from the network `start`.

        Where the network is not known, a word is right if it is for some network.
        """
        asked = [right for right in self.right if right.question == question]
        if start is not None:
            return next((right.words for right in asked if start in right.start), ANYTHING)
        return frozenset().union(*(right.words for right in asked)) if asked and _covered(asked) else ANYTHING

    def may_advise(self, spec: StackSpec | None) -> bool:
        """Whether the network, or None for a predictor without recurrence, is among the right ones."""
        return self.baseline if spec is None else any(spec in networks for networks in self.advised)


def _covered(asked: list[Right]) -> bool:
    """Whether some answer holds whatever the network is."""
    return any(right.start == EVERY for right in asked)


def rights(words: Words, *questions: Question, start: Networks = EVERY) -> tuple[Right, ...]:
    """The same words for several questions."""
    return tuple(Right(question, words, start) for question in questions)


def solved(units: int, *questions: Question, cells: frozenset[Cell] = GATED) -> tuple[Right, ...]:
    """`SMALL` for all that could be added to a network of one or more gated layers that solves the task.

    The centre of a study lies within the margin of the best network, and that of a solved task at the best score that
    there is: nothing that is added can bring more than the margin. Networks of fewer than `units` units are left out:
    whether they solve it is not known. So are other cells than `cells`.
    """
    added: tuple[Question, ...] = ("width", "depth", "depth_equal_size", "cell", "readout", "dropout", "more_data")
    return rights(SMALL, *added, *questions, start=Networks(units=(units, ALL_AHEAD), cells=cells))
