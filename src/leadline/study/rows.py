"""The rows of the sheet: of each question its word, effect, range and price, from the race or from the map."""

from __future__ import annotations

import math
from collections.abc import Callable

from leadline.plan.networks import GROWTH
from leadline.plan.questions import Question
from leadline.records.answers import SETTLED, Answer, Effect, MapFactor, QuestionName, Word
from leadline.records.base import Interval
from leadline.records.trial import Trial
from leadline.search import decide, race
from leadline.search.decide import Judge, Told
from leadline.search.state import State
from leadline.spec import StackSpec

Minutes = Callable[[list[Trial]], float]


def answers(state: State, judged: Judge | None, minutes: Minutes) -> tuple[Answer, ...]:
    """The sheet's rows: of several questions that serve a row, the one whose arm does best."""
    if judged is None:
        return from_map(state)
    known = told(state, judged)
    rows: list[Answer] = []
    for name in ORDER:
        found = [(question, one, number) for question, one, number in known if question.name == name]
        rows += _rows(state, judged, name, found, minutes)
    return tuple(rows)


ORDER = (
    "recurrence",
    "future",
    "width",
    "depth",
    "depth_equal_size",
    "cell",
    "readout",
    "dropout",
    "more_data",
    "deep_or_both_ways",
    "yours",
)
ALL_ROWS = ("depth", "depth_equal_size", "width")
"""Questions of which every one is a row: each step is one of its own."""


def told(state: State, judged: Judge) -> list[tuple[Question, Told, int]]:
    """Every question with its answer: as it was when it closed, else as it stands."""
    closed = {(e.round, e.question, e.arms): Told(e.word or "not_known", e.effect) for e in state.happened("closed")}
    found = []
    for number, asked in enumerate(state.rounds):
        at = race.levels_at(state, number) if asked else None
        for question in asked:
            key = (number, question.name, (question.of, question.against))
            if at is not None:
                found.append((question, closed.get(key) or judged.ask(question, at), number))
    return found


def _rows(
    state: State, judged: Judge, name: str, found: list[tuple[Question, Told, int]], minutes: Minutes
) -> list[Answer]:
    if not found:
        return []
    if name in ALL_ROWS:
        chosen = found
    elif name == "recurrence":  # of the network that has won, against the best baseline: the smallest gain
        latest = [row for row in found if row[0].of == found[-1][0].of]
        chosen = [min(latest, key=lambda row: row[1].effect.effect if row[1].effect else float("inf"))]
    elif name == "future":  # of the network that has won, where that is known
        chosen = [next((row for row in reversed(found) if row[1].effect), found[-1])]
    else:
        chosen = [max(found, key=lambda row: row[1].effect.effect if row[1].effect else float("-inf"))]
    return [_answer(state, judged, question, told, number, minutes) for question, told, number in chosen]


def _answer(state: State, judged: Judge, question: Question, told: Told, number: int, minutes: Minutes) -> Answer:
    extra: dict[str, object] = {}
    if question.name == "future":
        window = enough(state, judged, question.of)
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


def enough(state: State, judged: Judge, both: str) -> tuple[int, float] | None:
    """The smallest window that is not worse than both ways by the margin, and what it brings."""
    for question, one, _ in told(state, judged):
        if question.name == "look_ahead" and question.of == both and one.word in ("no", "a_little", "worse"):
            assert question.look_ahead is not None
            one_way = next((q.against for q in state.questions() if q.name == "future" and q.of == both), "")
            gain = judged.contrast(((question.against, 1.0), (one_way, -1.0))) if one_way else None
            return question.look_ahead, gain.effect if gain is not None else 0.0
    return None


FACTORS: dict[str, QuestionName] = {
    "future": "future",
    "width": "width",
    "depth": "depth",
    "cell": "cell",
    "readout": "readout",
    "dropout": "dropout",
}
SETTLES_NOTHING: Interval = (float("-inf"), float("inf"))
WIDER = math.log2(GROWTH)
"""The regression's unit is a doubling; the row's is the race's own step."""


def from_map(state: State) -> tuple[Answer, ...]:
    """Before the race: what the regression over the map leans to. No word of it is settled."""
    rows = [_leaning(state, one) for one in state.factors if one.factor in FACTORS]
    return tuple(sorted([*_recurrence(state), *rows], key=lambda row: ORDER.index(row.question)))


def _leaning(state: State, one: MapFactor) -> Answer:
    scale = WIDER if one.factor == "width" else 1.0
    word, effect = _leans(state, one.effect * scale, one.error * scale)
    return Answer(
        question=FACTORS[one.factor],
        word=word,
        effect=effect,
        layers=(1, 2) if one.factor == "depth" else None,
        factor=GROWTH if one.factor == "width" else None,
    )


def _recurrence(state: State) -> list[Answer]:
    """The centre against the best baseline, both on tune, with the noise of the map's networks."""
    rest = next((one.error for one in state.factors if one.factor == "rest"), None)
    centred = state.happened("centred")
    centre = next((p for p in state.map if centred and p.description == centred[0].arms[0]), None)
    best = max(state.baselines, key=lambda facts: facts.tune, default=None)
    if rest is None or best is None or centre is None or centre.score is None:
        return []
    word, effect = _leans(state, centre.score - best.tune, rest)
    return [Answer(question="recurrence", word=word, of=centre.description, against=best.name, effect=effect)]


def _leans(state: State, effect: float, error: float) -> tuple[Word, Effect]:
    interval: Interval = effect - 2 * error, effect + 2 * error
    word = decide.word(interval, SETTLES_NOTHING, state.margin)
    return word, Effect(effect=effect, interval=interval, strict=None, blocks=0)
