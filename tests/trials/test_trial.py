"""One trial: what of a draw reaches training."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated import state_for

from leadline.data.datasets.letters import letters
from leadline.records.trial import BaselineSpec, Trial
from leadline.search.state import State
from leadline.spec import StackSpec
from leadline.trials import trial as trials


@pytest.fixture(scope="module")
def state() -> State:
    return state_for(letters(600))


def dev(state: State, spec: StackSpec | BaselineSpec, **drawn: float) -> tuple[float, ...]:
    recipe = replace(state.plan.recipe, max_updates=30, eval_every=10, **drawn)
    return trials.run(state.material, Trial(spec=spec, recipe=recipe, seed=3)).result.dev_clusters


def test_drawn_dropout_is_the_dropout_of_training(state: State) -> None:
    """The same numbers as the arm's own dropout, whichever of both is larger."""
    start = replace(state.plan.blank, hidden_size=8)
    own = dev(state, replace(start, dropout=0.25))
    assert dev(state, start, dropout=0.25) == own
    assert dev(state, replace(start, dropout=0.25), dropout=0.1) == own
    assert dev(state, start, dropout=0.1) != own
    assert dev(state, start, weight_decay=0.3) != dev(state, start)


@pytest.mark.parametrize("name", ["mlp", "convolution"])
def test_baselines_take_decay_and_dropout(state: State, name: str) -> None:
    spec = BaselineSpec(name=name)
    found = [dev(state, spec), dev(state, spec, dropout=0.5), dev(state, spec, weight_decay=0.9)]
    assert len(set(found)) == 3


def test_a_kept_model_is_the_network_that_was_trained(state: State) -> None:
    recipe = replace(state.plan.recipe, max_updates=5, eval_every=5, dropout=0.1, weight_decay=0.3)
    start = replace(state.plan.blank, hidden_size=8)
    model = trials.run(state.material, Trial(spec=start, recipe=recipe, seed=3, role="final")).model
    assert model is not None
    assert model.spec == replace(start, dropout=0.1)
    assert model.facts["recipe"]["weight_decay"] == 0.3
