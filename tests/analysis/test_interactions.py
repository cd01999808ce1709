"""Shares of functions whose parts are known."""

from __future__ import annotations

import networks
import numpy as np
import pytest
import torch
from torch import nn

from leadline.analysis import interactions


def states_of(function, factors: int, pairs: int = 4000, seed: int = 0) -> np.ndarray:
    """(2^d, pairs, 1) values of a function of independent standard normal factors, one swapped after the other."""
    random = np.random.default_rng(seed)
    one, two = random.normal(size=(2, factors, pairs))
    found = []
    for index in range(2**factors):
        bits = (index >> np.arange(factors) & 1).astype(bool)[:, None]
        found.append(function(*np.where(bits, two, one)))
    return np.stack(found)[..., None]


def by_order(effects: np.ndarray) -> np.ndarray:
    means = effects.mean(1)
    orders = np.array([index.bit_count() for index in range(len(means))])
    return np.array([means[orders == order].sum() for order in range(orders.max() + 1)])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x, y, z: 2 * x + y, (0, 5, 0, 0)),
        (lambda x, y, z: x * y, (0, 0, 1, 0)),
        (lambda x, y, z: x * y * z, (0, 0, 0, 1)),
        (lambda x, y, z: x + 2 * x * y, (0, 1, 4, 0)),
    ],
)
def test_the_variance_of_each_order_is_that_of_the_function(function, expected):
    np.testing.assert_allclose(by_order(interactions.components(states_of(function, 3))), expected, atol=0.25)


def test_what_adds_up_has_no_interactions_at_all():
    effects = interactions.components(states_of(lambda x, y, z: x + y**3 - z, 3))
    orders = np.array([index.bit_count() for index in range(8)])
    assert np.abs(effects[orders > 1]).max() < 1e-10


def test_the_parts_of_a_network_add_up_to_all_of_it():
    subjects, sample = networks.looked_at(nn.GRU(2, 6, batch_first=True), 3 * networks.noise(120, 9, 2))
    own, twin = interactions.shares(subjects, sample, 0)
    for share in (own, twin):
        assert sum(getattr(share, name).value for name in interactions.GROUPS) == pytest.approx(100.0)
    assert (own.untrained, twin.untrained, own.window) == (False, True, (4, 0))


def test_a_linear_network_only_adds():
    rnn = networks.linear_rnn((1e-3 * np.eye(2), 0.5 * np.eye(2)))
    subjects, sample = networks.looked_at(rnn, networks.noise(120, 9, 2))
    share = interactions.shares(subjects, sample, 0)[0]
    assert share.pairs.value + share.triples.value + share.more.value == pytest.approx(0.0, abs=0.01)
    halved = [0.25**lag for lag in range(5)]
    assert share.current.value == pytest.approx(100 / sum(halved), rel=0.1)


def test_a_conjunction_in_the_second_layer_is_found_there_and_not_below():
    """Layer 1 holds x_t and x_{t-1}; layer 2 gives 1 where both are 1, else -1: a third of its variance each."""
    small = 1e-3
    rnn = networks.linear_rnn(
        (np.array([[small], [0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])),
        (np.full((2, 2), 20 / small), np.zeros((2, 2))),
    )
    with torch.no_grad():
        rnn.bias_ih_l1.fill_(-20.0)
    subjects, sample = networks.looked_at(rnn, np.sign(networks.noise(400, 8, 1)), twins=0)
    below, above = interactions.shares(subjects, sample, 0)
    assert below.pairs.value == pytest.approx(0.0, abs=0.01)
    assert below.current.value == pytest.approx(50.0, abs=6)
    for part in (above.current, above.others, above.pairs):
        assert part.value == pytest.approx(100 / 3, abs=6)
    assert above.triples.value + above.more.value == pytest.approx(0.0, abs=0.1)


def test_sequences_of_one_step_have_one_factor():
    subjects, sample = networks.looked_at(nn.GRU(2, 3, batch_first=True), networks.noise(60, 1, 2))
    share = interactions.shares(subjects, sample, 0)[0]
    assert share.current.value == pytest.approx(100.0)
