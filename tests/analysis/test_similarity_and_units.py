"""Similarity, dimension, saturation and units where the answer has a closed form."""

from __future__ import annotations

import math

import networks
import numpy as np
import pytest
import torch
from torch import nn

from leadline.analysis import similarity, units
from leadline.analysis.annotations import Annotation, owners


def test_cka_does_not_see_rotation_scale_or_shift():
    random = np.random.default_rng(0)
    states = random.normal(size=(200, 8))
    turned = 3.0 * states @ np.linalg.qr(random.normal(size=(8, 8)))[0] + 5.0
    assert similarity.cka(states, turned) == pytest.approx(1.0)
    assert similarity.cka(states, states * np.array([30.0] + [1.0] * 7)) < 0.7


def test_cka_of_unrelated_states_is_zero_on_average_where_the_plain_one_is_not():
    random = np.random.default_rng(0)
    pairs = [(random.normal(size=(60, 50)), random.normal(size=(60, 50))) for _ in range(30)]
    debiased = [similarity.cka(a, b) for a, b in pairs]
    assert abs(np.mean(debiased)) < 3 * np.std(debiased) / math.sqrt(30) + 0.005

    def plain(a, b):
        a, b = a - a.mean(0), b - b.mean(0)
        return ((a.T @ b) ** 2).sum() / math.sqrt(((a.T @ a) ** 2).sum() * ((b.T @ b) ** 2).sum())

    assert np.mean([plain(a, b) for a, b in pairs]) > 0.4


def test_cka_of_states_that_do_not_move_is_left_out():
    assert math.isnan(similarity.cka(np.ones((20, 3)), np.random.default_rng(0).normal(size=(20, 3))))


@pytest.mark.parametrize("active", [1, 3, 6])
def test_dimension_counts_equal_directions(active):
    states = np.zeros((20_000, 6))
    states[:, :active] = np.random.default_rng(0).normal(size=(20_000, active))
    assert similarity.dimension(states) == pytest.approx(active, rel=0.01)


def test_dead_units_and_saturated_gates_are_counted():
    gru = nn.GRU(2, 4, batch_first=True)
    with torch.no_grad():
        for value in gru.parameters():
            value.zero_()
        gru.bias_ih_l0[0:4] = 5.0
        gru.weight_ih_l0[8:10] = 1.0
    subjects, sample = networks.looked_at(gru, networks.noise(40, 6, 2), twins=1)
    (shape,) = similarity.shapes(subjects, sample)
    assert shape.dead == 2
    assert shape.saturated == {"reset": 100.0, "update": 0.0}
    assert shape.untrained_saturated["reset"] < 50


def test_a_unit_that_was_made_to_carry_a_label_is_found():
    size = 6
    w_ih = np.zeros((size, 2))
    w_ih[4, 1] = 1.0
    w_ih[1, 0] = 1.0
    rnn = networks.linear_rnn((w_ih, np.zeros((size, size))))
    inputs = networks.noise(150, 8, 2)
    inputs[..., 1] = np.sign(inputs[..., 1])
    subjects, sample = networks.looked_at(rnn, inputs, twins=2)
    label = (sample.sequences.numeric[:, 1] > 0).astype(np.int64)
    noise = np.random.default_rng(0).integers(0, 2, len(label))
    notes = [Annotation("sign", label, ("-", "+")), Annotation("noise", noise, ("a", "b"))]
    (found,) = units.gallery(subjects, sample, notes, 0)
    assert (found.annotation, found.unit, found.layer) == ("sign", 4, 1)
    assert found.share == pytest.approx(100.0)
    assert found.chance < 5
    assert len(found.examples) == units.EXAMPLES


def test_explained_is_the_correlation_ratio():
    random = np.random.default_rng(0)
    values = random.integers(0, 3, 500)
    states = random.normal(size=(500, 2)) + values[:, None] * np.array([1.0, 0.0])
    total = ((states - states.mean(0)) ** 2).sum(0)
    within = sum(((states[values == v] - states[values == v].mean(0)) ** 2).sum(0) for v in range(3))
    np.testing.assert_allclose(units.explained(states, values, 3), 100 * (1 - within / total))
    r = np.corrcoef(states[:, 0], values)[0, 1]
    assert units.explained(states, values.astype(float), 0)[0] == pytest.approx(100 * r**2)


def test_the_context_of_a_step_is_its_neighbours():
    from leadline.data.datasets.letters import letters

    words = letters(1500)
    place = words.ids.index(next(word for word in words.ids if len(word) > 6))
    word = words.ids[place]
    assert units.context(words, place, 2) == (word[:2], word[2], word[3 : 2 + 1 + units.CONTEXT])
    assert len(owners(words)) == words.offsets[-1]


def test_the_interval_of_cka_holds_the_truth_as_often_as_it_says():
    """200 draws of 300 rows: 95 % intervals hold the value of very many rows in 90 to 99 %; groups hang together."""
    random = np.random.default_rng(0)
    mix = random.normal(size=(4, 3))

    def states(groups):
        base = np.repeat(random.normal(size=(groups, 4)), 3, axis=0) + random.normal(size=(3 * groups, 4))
        return base, base @ mix + 1.5 * random.normal(size=(3 * groups, 3))

    truth = similarity.cka(*states(1500))
    inside = 0
    for _ in range(200):
        one, other = states(100)
        low, high = similarity.jackknife(similarity.gram(one), similarity.gram(other), np.repeat(np.arange(100), 3))
        assert low < similarity.cka(one, other) < high
        inside += low < truth < high
    assert 180 <= inside <= 198


def test_a_part_of_the_products_is_as_good_as_the_part_of_the_states():
    """What the jackknife leaves out may be left out of the matrices: means do not matter to the debiased estimate."""
    random = np.random.default_rng(1)
    one, other = random.normal(size=(60, 3)), random.normal(size=(60, 5)) + 2
    rows = np.arange(7, 49)
    part = [similarity.gram(states)[np.ix_(rows, rows)] for states in (one, other)]
    assert similarity.alignment(*part) == pytest.approx(similarity.cka(one[rows], other[rows]), rel=1e-9)
    assert similarity.jackknife(similarity.gram(one[:9]), similarity.gram(other[:9]), np.arange(9)) is None
