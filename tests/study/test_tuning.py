"""A learning rate comes from the longest runs there are, and is never taken back by shorter ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated import World, book_for

from leadline.data.datasets.letters import letters
from leadline.study.draws import DECAY, DROPOUT
from leadline.study.tuning import tune


@pytest.fixture
def book():
    return book_for(letters(6000))


def play(book, specs, always=()):
    """Short runs favour the largest rate, longer ones 0.006."""
    shortest = None
    world = World(lambda s: 70.0)
    for planned in tune(book, specs, always):
        shortest = shortest or min((t.recipe.max_updates for t in planned), default=None)
        for trial in planned:
            short = trial.recipe.max_updates == shortest
            score = trial.recipe.learning_rate if short else -abs(trial.recipe.learning_rate - 0.006)
            result = world.result(book.material, trial)
            book.results[trial] = result.model_copy(update={"tune": score})


def test_the_longest_rung_decides_and_stays(book):
    start, other = book.plan.start, replace(book.plan.start, hidden_size=32)
    play(book, [start], always=[start])
    assert book.draws[start].learning_rate == 0.006
    play(book, [other, start])
    assert book.draws[start].learning_rate == 0.006


@pytest.mark.parametrize("kind", ["weight_decay", "dropout"])
def test_decay_and_dropout_are_drawn(book, kind):
    """What helps on the longest rung is what the arm is trained with from then on."""
    world, start = World(lambda s: 70.0), book.plan.start
    for planned in tune(book, [start], always=[start]):
        for trial in planned:
            result = world.result(book.material, trial)
            book.results[trial] = result.model_copy(update={"tune": getattr(trial.recipe, kind)})
    pair = book.pair_trial(start, "pair-0", 0)
    assert getattr(pair.recipe, kind) == {"weight_decay": DECAY, "dropout": DROPOUT}[kind]
    assert pair.spec == start
