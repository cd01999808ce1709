"""One trial: what of a draw reaches training."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from simulated import book_for

from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic import chains
from leadline.records.trial import BaselineSpec, Trial
from leadline.spec import StackSpec
from leadline.study import trial as trials
from leadline.study.book import Book


@pytest.fixture(scope="module")
def book() -> Book:
    return book_for(letters(600))


def dev(book: Book, spec: StackSpec | BaselineSpec, **drawn: float) -> tuple[float, ...]:
    recipe = replace(book.plan.recipe, max_updates=30, eval_every=10, **drawn)
    return trials.run(book.material, Trial(spec=spec, recipe=recipe, seed=3)).result.dev_clusters


def test_drawn_dropout_is_the_dropout_of_training(book: Book) -> None:
    """The same numbers as the arm's own dropout, whichever of both is larger."""
    start = replace(book.plan.start, hidden_size=8)
    own = dev(book, replace(start, dropout=0.25))
    assert dev(book, start, dropout=0.25) == own
    assert dev(book, replace(start, dropout=0.25), dropout=0.1) == own
    assert dev(book, start, dropout=0.1) != own
    assert dev(book, start, weight_decay=0.3) != dev(book, start)


@pytest.mark.parametrize("name", ["mlp", "convolution"])
def test_baselines_take_decay_and_dropout(book: Book, name: str) -> None:
    spec = BaselineSpec(name=name)
    found = [dev(book, spec), dev(book, spec, dropout=0.5), dev(book, spec, weight_decay=0.9)]
    assert len(set(found)) == 3


def test_a_kept_model_is_the_network_that_was_trained(book: Book) -> None:
    recipe = replace(book.plan.recipe, max_updates=5, eval_every=5, dropout=0.1, weight_decay=0.3)
    start = replace(book.plan.start, hidden_size=8)
    model = trials.run(book.material, Trial(spec=start, recipe=recipe, seed=3, final=True)).model
    assert model is not None
    assert model.spec == replace(start, dropout=0.1)
    assert model.facts["recipe"]["weight_decay"] == 0.3


def test_a_trials_seed_reaches_a_table_that_draws(book: Book) -> None:
    def scores(name: str, seed: int) -> tuple[float, ...]:
        trial = Trial(spec=BaselineSpec(name=name), recipe=book.plan.recipe, seed=seed)
        return trials.run(book.material, trial).result.dev_clusters

    assert scores("boosting", 1) == scores("boosting", 1) != scores("boosting", 2)
    assert scores("ngram", 1) == scores("ngram", 2)
    repeats = [fold * book.num_folds for fold in range(3)]
    pairs = {name: [book.baseline_pair(name, index).seed for index in repeats] for name in ("boosting", "ngram")}
    assert len(set(pairs["boosting"])) == 3
    assert len(set(pairs["ngram"])) == 1


@pytest.mark.parametrize("name", ["majority", "last_value", "ngram"])
def test_steps_times_classes_are_never_in_memory(name: str) -> None:
    """300,000 steps of 64 classes are 154 MB of probabilities, and as much for every copy."""
    long = book_for(chains.markov_chain(3000, length=100, num_symbols=64))
    material = replace(long.material, causal=True)
    material.encoded(0)
    trial = Trial(spec=BaselineSpec(name=name), recipe=long.plan.recipe, seed=1)
    tracemalloc.start()
    result = trials.run(material, trial).result
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(result.dev)
    assert peak < 100e6
