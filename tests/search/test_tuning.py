"""Learning rates: who tries which, who shares, and what decay and dropout are chosen by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated import World, state_for

from leadline.data.datasets.letters import letters
from leadline.plan.draws import Draw
from leadline.plan.networks import seeing, with_layers
from leadline.records.trial import Trial
from leadline.search.state import State
from leadline.search.tuning import regularisation, tune
from leadline.spec import StackSpec


@pytest.fixture
def state() -> State:
    found = state_for(letters(2000))
    found.margin = 1.0
    return found


def asked(state: State, world: World, steps) -> list[Trial]:
    """Run a part of the procedure; the trials that it asked for."""
    trials: list[Trial] = []
    for planned in steps:
        for trial in planned:
            if trial not in state.results:
                state.results[trial] = world.result(state.material, trial)
                trials.append(trial)
    return trials


def quiet(truth=lambda spec: 70.0) -> World:
    return World(truth, training=0.0, example=0.0, liking=0.0)


def test_arms_that_differ_in_sight_or_dropout_share_a_rate(state: State) -> None:
    centre = replace(state.plan.blank, bidirectional=True)
    alike = [seeing(centre, 0), seeing(centre, 4), replace(centre, dropout=0.25)]
    trials = asked(state, quiet(), tune(state, [centre, *alike, with_layers(centre, 2)]))
    assert {trial.spec for trial in trials} == {centre, with_layers(centre, 2)}
    assert {state.draws[spec] for spec in alike} == {state.draws[centre]}


@pytest.mark.parametrize("change", [{"cell": "lstm"}, {"num_layers": 3}, {"hidden_size": 150}, {"readout": "mlp"}])
def test_another_cell_depth_size_or_readout_has_a_rate_of_its_own(state: State, change) -> None:
    centre = state.plan.blank
    other = replace(centre, **change)
    trials = asked(state, quiet(), tune(state, [centre, other]))
    assert {trial.spec for trial in trials} == {centre, other}


def test_around_the_centres_rate_three_are_tried(state: State) -> None:
    trials = asked(state, quiet(), tune(state, [state.plan.blank], Draw(0.0025, 0.3, 0.1)))
    short = min(trial.recipe.max_updates for trial in trials)
    first = [trial.recipe for trial in trials if trial.recipe.max_updates == short]
    assert [recipe.learning_rate for recipe in first] == [0.001, 0.0025, 0.006]
    assert {(recipe.weight_decay, recipe.dropout) for recipe in first} == {(0.3, 0.1)}


def test_a_rate_that_is_ahead_by_the_margin_needs_no_second_rung(state: State) -> None:
    state.margin = 0.2  # a step of the grid costs 0.3 points in the simulated world
    trials = asked(state, quiet(), tune(state, [state.plan.blank]))
    assert len({trial.recipe.max_updates for trial in trials}) == 1
    assert state.draws[state.plan.blank].learning_rate == 0.006
    state.margin = 1.0
    other = replace(state.plan.blank, cell="lstm")
    assert len({trial.recipe.max_updates for trial in asked(state, quiet(), tune(state, [other]))}) == 2


def test_decay_and_dropout_are_chosen_by_whole_trainings(state: State) -> None:
    """What keeps a network from learning by heart shows at the end of training, not in its first third."""
    centre: StackSpec = state.plan.blank
    trials = asked(state, quiet(), regularisation(state, centre))
    whole = [trial for trial in trials if trial.recipe.max_updates == state.plan.recipe.max_updates]
    recipes = {(trial.recipe.weight_decay, trial.recipe.dropout) for trial in whole}
    assert recipes == {(0.0, 0.0), (0.3, 0.0), (0.0, 0.1)}
    assert {trial.fold for trial in whole} == {0, 1}
    assert state.draws[centre] == Draw(0.006), "where nothing helps the plain draw stays"
