"""The whole experiment as one generator: baselines, map, race. It asks for trials and writes down what happened."""

from __future__ import annotations

from leadline.records.answers import Event
from leadline.search.baselines import baselines
from leadline.search.map import survey
from leadline.search.race import last_look, needed, race
from leadline.search.state import State, Steps


def procedure(state: State) -> Steps[None]:
    """From the first baseline until the sheet is settled or all blocks are spent.

    It is a pure function of the plan and of earlier results. Cut short, it leaves the beginning of a longer run's log.
    """
    racing = yield from baselines(state)
    centre = yield from survey(state)
    yield from race(state, centre, racing)
    look = last_look(state)
    state.say(Event(kind="stopped", block=look, reason="spent" if needed(state, look) else "settled"))
