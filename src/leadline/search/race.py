"""The race: all arms at once, block by block, looked at as the policy says, until every question has its word.

A generator that asks for trials and writes events into the log. It is a pure function of the plan and of results: no
clock, no order of completion. Cut short, its log is the beginning of a longer run's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from leadline.plan import arms as arms_
from leadline.plan import questions as questions_
from leadline.plan.arms import Arm
from leadline.plan.draws import Draw
from leadline.plan.questions import Question
from leadline.records.answers import Event
from leadline.search import decide
from leadline.search.decide import Judge, Standing, Told
from leadline.search.evidence import gather
from leadline.search.state import Round, State, Steps
from leadline.search.tuning import regularisation, tune
from leadline.spec import StackSpec
from leadline.stats.family import Levels

LOST = 1
"""Blocks of the first look that a question may lack, where a training failed."""


def race(state: State, centre: StackSpec, baselines: Sequence[str]) -> Steps[None]:
    """Race around a centre, grow around what beats it, and ask the side questions of the network that has won.

    Dropout, more data, look-ahead and "deep or both ways" are questions about what is advised, so they wait until it is
    known: a small centre, which trains fast, would answer them for a network that nobody is told to use.
    """
    plan, policy = state.plan, state.plan.policy
    shared = yield from regularisation(state, centre)
    around = arms_.around(centre, plan.limits)
    joined = state.add_arms(arms_.main(around, plan.limits, plan.blank, baselines, plan.yours))
    asked = _registered(state, questions_.main(around, baselines, plan.yours), policy.main_share)
    for wave in (0, 1):
        yield from _start(state, [arm for arm in joined if arm.wave == wave], shared)
    for share in policy.growth_shares:
        grown = _grown(state, centre, asked)
        if not grown:
            break
        centre, added, asked = grown
        state.say(Event(kind="grew", round=len(state.rounds), arms=tuple(arm.id for arm in added)))
        _registered(state, asked, share)
        yield from _start(state, added, shared)
    yield from _aside(state, _won(state, centre), baselines, shared)
    yield from _on(state)


def _aside(state: State, won: StackSpec, baselines: Sequence[str], shared: Draw) -> Steps[None]:
    """The side questions, around the network that has won."""
    around = arms_.around(won, state.plan.limits)
    added = state.add_arms(arms_.aside(around, state.plan.limits))
    _registered(state, questions_.aside(around, baselines), state.plan.policy.side_share)
    yield from _start(state, added, shared)


def _won(state: State, centre: StackSpec) -> StackSpec:
    """The network that would be advised now; the centre where it is a baseline."""
    found = stand(state, judge_at(state, state.plan.policy.looks[0]))
    spec = state.arms[found.arm].spec if found is not None else centre
    return spec if isinstance(spec, StackSpec) else centre


def _registered(state: State, asked: Sequence[Question], share: float) -> tuple[Question, ...]:
    """Write down the questions whose arms are all there, with their share of alpha; none is asked twice."""
    number, known = len(state.rounds), state.questions()
    fresh = [question for question in asked if question.arms <= set(state.arms) and question not in known]
    state.rounds.append(Round(tuple(fresh), share))
    state.say(Event(kind="registered", round=number, arms=tuple(state.arms)))
    return state.rounds[-1].questions


def _start(state: State, joined: Sequence[Arm], shared: Draw) -> Steps[None]:
    """Tune arms that join and bring them to the first look."""
    yield from tune(state, [arm.spec for arm in joined], shared)
    first = state.plan.policy.looks[0]
    yield [state.trial(arm, block) for block in range(first) for arm in _dearest_first(joined)]
    _look(state, first)


def _on(state: State) -> Steps[None]:
    """The looks after the first: arms that are still needed get more blocks."""
    looks = state.plan.policy.looks
    for before, look in pairwise(looks):
        live = needed(state, before)
        if not live:
            return
        yield [state.trial(arm, block) for block in range(look) for arm in _dearest_first(live)]
        _look(state, look)


def _dearest_first(arms: Sequence[Arm]) -> list[Arm]:
    """The last trainings of a batch are short, so that no worker waits long for another."""
    return sorted(arms, key=lambda arm: (-arm.operations * arm.fraction, arm.id))


def needed(state: State, look: int) -> list[Arm]:
    """Arms of questions that are not final, and of the advice where it is not yet within the margin."""
    judged = judge_at(state, look)
    open_arms: set[str] = set()
    for asked in told(state, judged):
        if not decide.is_final(asked.told, state.plan.policy):
            open_arms |= asked.question.arms
    found = stand(state, judged)
    if found is not None and found.at_most > state.margin:
        open_arms |= {found.arm, *found.contenders}
    return [arm for arm in state.arms.values() if arm.id in open_arms]


def last_look(state: State) -> int:
    """Blocks of the last look; 0 before the first."""
    return max((event.block for event in state.happened("looked")), default=0)


def judge_at(state: State, blocks: int) -> Judge:
    """A judge of the first `blocks` blocks; the same one until more is known."""
    known = blocks, len(state.results), len(state.arms)
    if state.judged is None or state.judged[0] != known:
        state.judged = known, decide.judge(gather(state, blocks), state.margin, state.plan.policy.looks[0] - LOST)
    judge: Judge = state.judged[1]
    return judge


class Asked(NamedTuple):
    """A registered question with its answer."""

    round: int
    question: Question
    told: Told


def told(state: State, judged: Judge) -> list[Asked]:
    """Every registered question: as it was answered when it closed, else as it stands."""
    closed = _closed(state)
    return [
        Asked(number, question, closed.get(_key(number, question)) or judged.ask(question, at))
        for number, one in enumerate(state.rounds)
        if one.questions
        for at in [levels_at(state, number)]
        for question in one.questions
    ]


def _closed(state: State) -> dict[tuple[object, ...], Told]:
    """What was settled: a word that was written down stays."""
    return {(e.round, e.question, e.arms): Told(e.word or "not_known", e.effect) for e in state.happened("closed")}


def _key(number: int, question: Question) -> tuple[object, ...]:
    return number, question.name, (question.of, question.against)


def levels_at(state: State, number: int) -> Levels:
    """Levels of a round."""
    asked, share = state.rounds[number]
    names = sorted({name for question in asked for name in question.arms})
    return decide.levels_of(names, asked, state.plan.policy, share)


def stand(state: State, judged: Judge) -> Standing | None:
    """What may be advised now."""
    costs = {arm.id: arm.operations for arm in state.arms.values()}
    eligible = [arm.id for arm in state.arms.values() if arm.eligible]
    return decide.standing(judged, eligible, costs, state.plan.policy)


def _look(state: State, look: int) -> None:
    """Write down what closed and what left."""
    judged = judge_at(state, look)
    state.say(Event(kind="looked", block=look, arms=tuple(state.arms)))
    closed = _closed(state)
    for number, question, said in told(state, judged):
        if _key(number, question) not in closed and decide.is_final(said, state.plan.policy):
            arms = question.of, question.against
            found = {"question": question.name, "word": said.word, "effect": said.effect}
            state.say(Event(kind="closed", block=look, round=number, arms=arms, **found))
    _drop(state, look)


def _drop(state: State, look: int) -> None:
    gone = {name for event in state.happened("dropped") for name in event.arms}
    live = {arm.id for arm in needed(state, look)}
    leaving = tuple(name for name in state.arms if name not in live | gone and _started(state, name, look))
    if leaving:
        state.say(Event(kind="dropped", block=look, arms=leaving))


def _started(state: State, name: str, look: int) -> bool:
    return state.done(state.arms[name], look) >= state.plan.policy.looks[0]


def _grown(
    state: State, centre: StackSpec, asked: Sequence[Question]
) -> tuple[StackSpec, list[Arm], tuple[Question, ...]] | None:
    """New arms around a network that is better than the centre by more than the margin; None where none is."""
    judged = judge_at(state, state.plan.policy.looks[0])
    better: dict[StackSpec, float] = {}
    for question in asked:
        arm = state.arms[question.of]
        if question.against == Arm(centre).id and isinstance(arm.spec, StackSpec) and arm.eligible:
            gain = judged.contrast(question.terms).effect
            if gain > state.margin:
                better[arm.spec] = gain
    if not better:
        return None
    best = max(better, key=lambda spec: better[spec])
    joining = arms_.growth(centre, best, state.plan.limits, better)
    added = state.add_arms(joining)
    return (best, added, questions_.growth(best, joining)) if added else None
