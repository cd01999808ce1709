"""A verdict as a study leaves it, from simulated scores: what the tests of words and pages read."""

from __future__ import annotations

from functools import cache

import numpy as np
from simulated import SimulatedExecutor, World, play, state_for

from leadline.data.datasets.letters import letters
from leadline.records.verdict import Budget, Verdict
from leadline.search import finals
from leadline.search.state import State
from leadline.spec import StackSpec
from leadline.study.assemble import assemble, latest


def letters_truth(spec: StackSpec) -> float:
    """Per cent right, about as networks do on letters to sounds."""
    value = 74 + 0.4 * float(np.log2(spec.num_parameters / 19_000))
    value += 14.6 * spec.bidirectional + 13.0 * (spec.look_ahead > 0)
    value += 1.6 * (spec.num_layers > 1 and spec.bidirectional)
    return value + 0.3 * (spec.readout == "mlp")


def finish(state: State, world: World) -> State:
    """Run the finals."""
    advised = finals.advise(state, latest(state))
    assert advised is not None
    for steps in (finals.finals(state, advised), finals.looks(state, advised)):
        for planned in steps:
            state.results |= {t: world.result(state.material, t) for t in planned if t not in state.results}
    return state


def verdict_of(state: State, stop: str = "settled", **others: object) -> Verdict:
    """The record of a state."""
    budget = Budget(minutes=15.0, max_trials=None, trials=len(state.results), trainings=200, seconds=580.0, jobs=2)
    advised = finals.advise(state, latest(state))
    return assemble(state, stop, advised, budget, (), lambda trials: len(trials) / 10, **others)  # type: ignore[arg-type]


@cache
def letters_study() -> tuple[State, World]:
    """A finished study, with the user's own network in it."""
    world = World(letters_truth, baseline=86.0)
    state = play(state_for(letters(8000), network="lstm:3x64:both"), world)
    return finish(state, world), world


@cache
def letters_to_sounds() -> Verdict:
    """Its verdict."""
    return verdict_of(letters_study()[0], command="leadline advise --seed 0")


__all__ = ["SimulatedExecutor", "finish", "letters_study", "letters_to_sounds", "letters_truth", "verdict_of"]
