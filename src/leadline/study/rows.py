"""The rows of the sheet: of each question its word, effect, range and price, from the race or from the map."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

from leadline.plan.networks import GROWTH
from leadline.plan.questions import Question
from leadline.records.answers import SETTLED, Answer, Effect, GeneralQuestion, MapFactor, QuestionName, Word
from leadline.records.base import Interval
from leadline.records.trial import Trial
from leadline.search import decide, race
from leadline.search.decide import Judge
from leadline.search.race import Asked
from leadline.search.state import State
from leadline.spec import StackSpec

Minutes = Callable[[list[Trial]], float]


def answers(state: State, judged: Judge | None, minutes: Minutes) -> tuple[Answer, ...]:
    """The sheet's rows: of several questions that serve a row, the one whose arm does best."""
    if judged is None:
        return from_map(state)
    known = race.told(state, judged)
    served = ([asked for asked in known if asked.question.name == name] for name in ORDER)
    return tuple(_answer(state, judged, asked, known, minutes) for found in served if found for asked in _chosen(found))


ORDER: tuple[QuestionName, ...] = (*get_args(GeneralQuestion), "yours")
ALL_ROWS = ("depth", "depth_equal_size", "width")
"""Questions of which every one is a row: each step is one of its own."""


def _chosen(found: list[Asked]) -> list[Asked]:
    """Of the questions of one name those that are shown."""
    name = found[0].question.name
    if name in ALL_ROWS:
        return found
    if name == "recurrence":  # of the network that has won, against the best baseline: the smallest gain
        latest = [asked for asked in found if asked.question.of == found[-1].question.of]
        return [min(latest, key=lambda asked: _gain(asked, float("inf")))]
    if name == "future":  # of the network that has won, where that is known
        return [next((asked for asked in reversed(found) if asked.told.effect), found[-1])]
    return [max(found, key=lambda asked: _gain(asked, float("-inf")))]


def _gain(asked: Asked, unknown: float) -> float:
    return asked.told.effect.effect if asked.told.effect else unknown


def _answer(state: State, judged: Judge, asked: Asked, known: list[Asked], minutes: Minutes) -> Answer:
    number, question, told = asked
    extra: dict[str, object] = {}
    if question.name == "future":
        window = enough(judged, known, question)
        if window is not None:
            extra = {"look_ahead": window[0], "look_ahead_effect": window[1]}
    limits = state.plan.limits
    spec = state.arms[question.of].spec
    allowed = not isinstance(spec, StackSpec) or limits.allows(spec)
    price = None if told.word in SETTLED else _price(state, judged, question, number)
    return Answer(
        question=question.name,
        word=told.word,
        of=question.of,
        against=question.against,
        effect=told.effect,
        layers=question.layers,
        factor=question.factor,
        allowed=allowed,
        more_trainings=None if price is None else len(price),
        more_minutes=None if price is None else minutes(price),
        **extra,
    )


def _price(state: State, judged: Judge, question: Question, number: int) -> list[Trial] | None:
    """Trainings that would probably settle a question, if any number that the policy allows would."""
    policy = state.plan.policy
    look = decide.blocks_to_settle(judged, question, race.levels_at(state, number), policy)
    if look is None:
        return None
    wanted = [state.trial(state.arms[name], block) for name in sorted(question.arms) for block in range(look)]
    return [trial for trial in wanted if trial not in state.results] or None


def enough(judged: Judge, known: list[Asked], future: Question) -> tuple[int, float] | None:
    """The smallest window that is not worse than both ways by the margin, and what it brings."""
    for _, question, told in known:
        if question.look_ahead and question.of == future.of and told.word in ("no", "a_little", "worse"):
            gain = judged.contrast(((question.against, 1.0), (future.against, -1.0)))
            return question.look_ahead, gain.effect
    return None


FACTORS: tuple[QuestionName, ...] = ("future", "width", "depth", "cell", "readout", "dropout")
"""Rows that a factor of the map's regression stands for, by the same name."""

SETTLES_NOTHING: Interval = (float("-inf"), float("inf"))
WIDER = math.log2(GROWTH)
"""The regression's unit is a doubling; the row's is the race's own step."""


def from_map(state: State) -> tuple[Answer, ...]:
    """Before the race: what the regression over the map leans to. No word of it is settled."""
    found = {one.factor: one for one in state.factors}
    return (*_recurrence(state), *(_leaning(state, name, found[name]) for name in FACTORS if name in found))


def _leaning(state: State, name: QuestionName, one: MapFactor) -> Answer:
    scale = WIDER if name == "width" else 1.0
    word, effect = _leans(state, one.effect * scale, one.error * scale)
    layers, factor = (1, 2) if name == "depth" else None, GROWTH if name == "width" else None
    return Answer(question=name, word=word, effect=effect, layers=layers, factor=factor)


def _recurrence(state: State) -> list[Answer]:
    """The centre against the best baseline, both on tune, with the noise of the map's networks."""
    rest = next((one.error for one in state.factors if one.factor == "rest"), None)
    centre = state.centre()
    best = max(state.baselines, key=lambda facts: facts.tune, default=None)
    if rest is None or best is None or centre is None or centre.score is None:
        return []
    word, effect = _leans(state, centre.score - best.tune, rest)
    return [Answer(question="recurrence", word=word, of=centre.description, against=best.name, effect=effect)]


def _leans(state: State, effect: float, error: float) -> tuple[Word, Effect]:
    interval: Interval = effect - 2 * error, effect + 2 * error
    word = decide.word(interval, SETTLES_NOTHING, state.margin)
    return word, Effect(effect=effect, interval=interval, strict=None, blocks=0)
