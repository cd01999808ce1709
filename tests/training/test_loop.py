"""Training: the same seed, the same numbers; a short run is the beginning of a long one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from leadline.data import encode
from leadline.data.batch import Batcher
from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic.memory import adding
from leadline.data.datasets.synthetic.moved import shifted
from leadline.network import embed_spec, stack_network
from leadline.spec import Recipe, StackSpec
from leadline.training import loop, objective
from leadline.training.by_torch import sequence_scores
from leadline.training.trainee import trainee

RECIPE = Recipe(max_updates=40, eval_every=10, batch_size=16, learning_rate=0.01)


@pytest.fixture(scope="module")
def words():
    data = letters(300)
    order = np.arange(len(data))
    train, tune = order[: len(order) * 2 // 3], order[len(order) * 2 // 3 :]
    encoder = encode.fit(data, train)
    return data, encoder, Batcher(encode.apply(encoder, data)), train, tune


@pytest.fixture(params=["native", "torch"], autouse=True)
def routine(request, monkeypatch):
    """Every promise of the loop holds for compiled training and for torch's."""
    monkeypatch.setenv("LEADLINE_KERNELS", request.param)


def fit(network, encoder, batcher, train, tune, recipe, seed):
    pupil = trainee(network, encoder, batcher, recipe, seed)
    return pupil, loop.fit(pupil, batcher, train, tune, recipe, seed)


def trained(words, recipe=RECIPE, seed=0, **fields):
    _, encoder, batcher, train, tune = words
    spec = StackSpec(embed_spec(encoder).output_size, encoder.output_size, hidden_size=12, **fields)
    network = stack_network(encoder, spec, seed)
    return network, fit(network, encoder, batcher, train, tune, recipe, seed)[1]


def mean_score(network, words, part):
    _, encoder, batcher, *_ = words
    return sequence_scores(network, encoder, batcher, part).sum() / loop.target_counts(batcher, part).sum()


def test_the_same_seed_trains_the_same_network(words):
    first, second = trained(words, dropout=0.3), trained(words, dropout=0.3)
    assert first[1].looks == second[1].looks
    assert all(torch.equal(a, b) for a, b in zip(first[0].parameters(), second[0].parameters(), strict=True))
    assert trained(words, seed=1)[1].looks != first[1].looks


def test_a_short_run_is_the_beginning_of_a_long_one(words):
    short = trained(words, replace(RECIPE, max_updates=20))[1]
    long = trained(words)[1]
    assert short.looks == long.looks[: len(short.looks)]


def test_training_learns(words):
    _, fitted = trained(words, replace(RECIPE, max_updates=200, patience=20))
    assert fitted.looks[-1].tune_score > fitted.looks[0].tune_score + 10
    assert fitted.looks[-1].train_loss < fitted.looks[0].train_loss / 1.5


def test_patience_stops_and_the_best_look_is_kept(words):
    network, fitted = trained(words, replace(RECIPE, max_updates=4000, eval_every=20, patience=2, learning_rate=0.05))
    assert fitted.updates < 4000
    assert not fitted.still_improving
    best = max(look.tune_score for look in fitted.looks)
    assert mean_score(network, words, words[-1]) == pytest.approx(best)


def test_a_run_cut_by_the_cap_says_that_it_was_still_improving(words):
    assert trained(words, replace(RECIPE, max_updates=30))[1].still_improving


def test_a_diverged_run_is_reported_and_its_last_finite_look_kept(words):
    network, fitted = trained(words, replace(RECIPE, learning_rate=1e38, clip=1e38, averaging=0.0))
    assert fitted.diverged
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_sequence_scores_do_not_depend_on_the_batch(words):
    _, encoder, batcher, train, tune = words
    spec = StackSpec(embed_spec(encoder).output_size, encoder.output_size, hidden_size=12)
    pupil, fitted = fit(stack_network(encoder, spec, 0), encoder, batcher, train, tune, RECIPE, 0)
    sums = pupil.scores(tune)
    counts = loop.target_counts(batcher, tune)
    assert sums.sum() / counts.sum() == pytest.approx(max(look.tune_score for look in fitted.looks))
    alone = [pupil.scores(tune[i : i + 1])[0] for i in range(20)]
    np.testing.assert_allclose(alone, sums[:20], atol=1e-3)
    assert len(pupil.scores(tune[:0])) == 0


def test_mean_absolute_error_is_in_the_unit_of_the_target():
    data = adding(60, length=5, seed=0)
    encoder = encode.fit(data, np.arange(60))
    outputs = torch.zeros(60, 1)
    targets = torch.from_numpy(encode.apply(encoder, data).targets)
    values = objective.scores(outputs, targets, encoder)
    expected = -np.abs(data.targets - data.targets.mean())
    np.testing.assert_allclose(values.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_batches_cover_every_sequence_once_a_pass(words):
    data, _, batcher, train, _ = words
    stream = batcher.shuffled(train, 16, np.random.default_rng(0))
    seen = np.concatenate([next(stream) for _ in range(-(-len(train) // 16))])
    assert sorted(seen.tolist()) == sorted(train.tolist())
    chunks = list(batcher.chunks(train))
    assert sorted(np.concatenate(chunks).tolist()) == list(range(len(train)))
    batch = batcher.batch(train[:3])
    assert batch.mask.sum(1).tolist() == data.lengths[train[:3]].tolist()


def test_shift_needs_sight_of_the_future():
    """y_t = x_{t+1}: chance without look-ahead, nearly perfect with it."""
    data = shifted(300, length=12, shift=1, seed=0)
    order = np.arange(300)
    encoder = encode.fit(data, order[:200])
    batcher = Batcher(encode.apply(encoder, data))
    best = {}
    for look_ahead in (0, 1):
        width = embed_spec(encoder).output_size
        spec = StackSpec(width, encoder.output_size, hidden_size=16, look_ahead=look_ahead)
        network = stack_network(encoder, spec, 0)
        recipe = replace(RECIPE, max_updates=200, eval_every=50)
        fitted = fit(network, encoder, batcher, order[:200], order[200:], recipe, 0)[1]
        best[look_ahead] = max(look.tune_score for look in fitted.looks)
    assert best[1] > 85
    assert best[0] < 70
