"""Half-lives of networks whose memory is known."""

from __future__ import annotations

import math

import networks
import numpy as np
import pytest
import torch
from torch import nn

from leadline.analysis import decay, gates, memory

DECAYS = (0.6, 0.8, 0.95)


def expected(rate: float) -> float:
    return math.log(2) / -math.log(rate)


@pytest.mark.parametrize("rate", DECAYS)
def test_a_leaky_integrator_forgets_at_its_rate(rate):
    rnn = networks.linear_rnn((0.01 * np.eye(2), rate * np.eye(2)))
    subjects, sample = networks.looked_at(rnn, networks.noise(200, 60, 2))
    (driven,) = memory.driven(subjects, sample, 0)
    (own,) = memory.own(subjects, sample, 0)
    for found in (driven, own):
        assert found.half_life == pytest.approx(expected(rate), rel=0.05)
        assert found.interval[0] <= found.half_life <= found.interval[1]
    assert driven.differs
    assert own.gates is None


def test_units_of_different_decay_fall_into_their_bins():
    rnn = networks.linear_rnn((0.01 * np.eye(3), np.diag(DECAYS)))
    subjects, sample = networks.looked_at(rnn, networks.noise(200, 60, 3))
    (own,) = memory.own(subjects, sample, 0)
    assert dict(own.units) == {
        "0 to 1": 0,
        "1 to 2": 1,
        "2 to 4": 1,
        "4 to 8": 0,
        "8 to 16": 1,
        "16 to 32": 0,
        "32 or more": 0,
    }


def test_two_layers_are_apart_by_the_factor_that_was_built_in():
    slow = (np.eye(2), 0.95 * np.eye(2))
    rnn = networks.linear_rnn((1e-4 * np.eye(2), 0.5 * np.eye(2)), slow)
    subjects, sample = networks.looked_at(rnn, networks.noise(200, 60, 2))
    first, second = memory.own(subjects, sample, 0)
    assert second.half_life / first.half_life == pytest.approx(expected(0.95) / expected(0.5), rel=0.05)
    assert second.interval[0] > first.interval[1]


def test_what_is_never_forgotten_is_said_to_outlast_the_sequence():
    rnn = networks.linear_rnn((0.001 * np.eye(2), np.eye(2)))
    subjects, sample = networks.looked_at(rnn, networks.noise(100, 20, 2))
    (found,) = memory.driven(subjects, sample, 0)
    assert found.half_life is None
    assert found.beyond >= 15
    assert math.isinf(found.interval[1])


def test_the_backward_half_looks_ahead():
    rnn = networks.linear_rnn((0.01 * np.eye(2), 0.8 * np.eye(2)), both=True)
    subjects, sample = networks.looked_at(rnn, networks.noise(200, 40, 2))
    back, ahead = memory.driven(subjects, sample, 0)
    assert (back.side, back.direction, ahead.side, ahead.direction) == ("back", "forward", "ahead", "backward")
    assert back.half_life == pytest.approx(expected(0.8), rel=0.05)
    assert ahead.half_life == pytest.approx(expected(0.8), rel=0.05)


def test_the_gates_promise_is_that_of_the_update_gate():
    gru = nn.GRU(2, 3, batch_first=True)
    with torch.no_grad():
        for value in gru.parameters():
            value.zero_()
        gru.bias_ih_l0[3:6] = math.log(0.9 / 0.1)
    subjects, sample = networks.looked_at(gru, networks.noise(60, 12, 2))
    assert gates.gate_half_life(subjects[0], sample, 1, 0) == pytest.approx(expected(0.9), rel=1e-4)


def test_an_lstm_keeps_its_cell_by_the_forget_gate():
    lstm = nn.LSTM(2, 3, batch_first=True)
    with torch.no_grad():
        for value in lstm.parameters():
            value.zero_()
        lstm.bias_ih_l0[3:6] = math.log(0.8 / 0.2)
        lstm.bias_ih_l0[6:9] = 0.3
    subjects, sample = networks.looked_at(lstm, networks.noise(100, 40, 2))
    assert gates.gate_half_life(subjects[0], sample, 1, 0) == pytest.approx(expected(0.8), rel=1e-4)
    cells = memory._moved(subjects[0], sample, memory.draw_swap(sample, 0), 1, 0, 0)[..., 3:]
    assert decay.half_life(decay.curve(np.linalg.norm(cells, axis=-1))) == pytest.approx(expected(0.8), rel=0.02)


def test_a_replaced_input_is_another_one():
    inputs = networks.noise(50, 8, 1).round()
    _, sample = networks.looked_at(nn.GRU(1, 4, batch_first=True), inputs)
    swap = memory.draw_swap(sample, 3)
    rows = sample.sequences.offsets[:-1] + swap.steps
    assert (sample.sequences.numeric[rows] != sample.sequences.numeric[swap.donors]).all()
    assert (swap.steps < sample.sequences.lengths).all()


def test_sequences_of_unequal_length_do_not_bend_the_curve():
    random = np.random.default_rng(0)
    sizes = random.exponential(size=300)
    differences = sizes[:, None] * 0.7 ** np.arange(20)[None]
    ends = np.where(sizes > np.median(sizes), 5, 20)
    differences[np.arange(20)[None] >= ends[:, None]] = np.nan
    np.testing.assert_allclose(decay.curve(differences), 0.7 ** np.arange(20))


def test_a_lag_that_few_sequences_reach_is_left_out():
    differences = np.full((40, 6), 0.5)
    differences[10:, 3:] = np.nan
    assert decay.reached(decay.curve(differences)) == 2


def test_a_unit_that_never_moves_has_no_half_life():
    differences = np.zeros((40, 5, 2))
    differences[..., 1] = 0.5 ** np.arange(5)
    lives = decay.unit_half_lives(differences)
    assert np.isnan(lives[0])
    assert lives[1] == pytest.approx(1.0)
    assert decay.half_life(decay.curve(np.zeros((40, 5)))) is None
    assert decay.half_life(np.zeros(5)) is None


def test_a_difference_that_comes_late_is_followed_from_where_it_comes():
    left = decay.curve(np.tile([0.0, 1.0, 0.5, 0.25, 0.125], (40, 1)))
    np.testing.assert_allclose(left, [0.0, 1.0, 0.5, 0.25, 0.125])
    assert decay.half_life(left) == pytest.approx(2.0)
