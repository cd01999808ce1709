"""The whole experiment as one generator: baselines, map, race. It asks for trials and writes down what happened."""

from __future__ import annotations

from leadline.records.answers import Event
from leadline.search.baselines import baselines
from leadline.search.map import survey
from leadline.search.race import race
from leadline.search.state import State, Steps


def procedure(state: State) -> Steps[None]:
    """From the first baseline until the sheet is settled or all blocks are spent.

    It is a pure function of the plan and of earlier results. Cut short, it leaves the beginning of a longer run's log.
    """
    racing = yield from baselines(state)
    centre = yield from survey(state)
    yield from race(state, centre, racing)
    state.say(Event(kind="stopped", block=_blocks(state), reason="settled" if _settled(state) else "spent"))


def _blocks(state: State) -> int:
    return max((event.block for event in state.happened("looked")), default=0)


def _settled(state: State) -> bool:
    closed = {(event.round, event.question, event.arms) for event in state.happened("closed")}
    every = {
        (number, question.name, (question.of, question.against))
        for number, asked in enumerate(state.rounds)
        for question in asked
    }
    return every <= closed
