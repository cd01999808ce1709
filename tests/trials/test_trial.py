"""One trial: what of a draw reaches training."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from simulated import state_for

from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic import chains
from leadline.plan.arms import Arm
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


def test_a_trials_seed_reaches_a_table_that_draws(state: State) -> None:
    def scores(name: str, seed: int) -> tuple[float, ...]:
        trial = Trial(spec=BaselineSpec(name=name), recipe=state.plan.recipe, seed=seed)
        return trials.run(state.material, trial).result.dev_clusters

    assert scores("boosting", 1) == scores("boosting", 1) != scores("boosting", 2)
    assert scores("ngram", 1) == scores("ngram", 2)
    repeats = [fold * state.num_folds for fold in range(3)]
    pairs = {
        name: [state.trial(Arm(BaselineSpec(name=name)), index).seed for index in repeats]
        for name in ("boosting", "ngram")
    }
    assert len(set(pairs["boosting"])) == 3
    assert len(set(pairs["ngram"])) == 1


@pytest.mark.parametrize("name", ["majority", "last_value", "ngram"])
def test_steps_times_classes_are_never_in_memory(name: str) -> None:
    """300,000 steps of 64 classes are 154 MB of probabilities, and as much for every copy."""
    long = state_for(chains.markov_chain(3000, length=100, num_symbols=64))
    material = replace(long.material, causal=True)
    material.encoded(0)
    trial = Trial(spec=BaselineSpec(name=name), recipe=long.plan.recipe, seed=1)
    tracemalloc.start()
    result = trials.run(material, trial).result
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(result.dev)
    assert peak < 100e6
