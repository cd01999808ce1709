"""Gradients and Jacobian products against matrix powers."""

from __future__ import annotations

import networks
import numpy as np
import pytest
import torch
from torch import nn

from leadline.analysis import gradients
from leadline.analysis.lasting import Reach
from leadline.analysis.subject import Subject


def spectrum(values: tuple[float, ...], seed: int = 0) -> np.ndarray:
    """A symmetric matrix with these eigenvalues."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    return axes @ np.diag(values) @ axes.T


def test_jacobian_products_of_a_linear_network_are_matrix_powers():
    weight = spectrum((0.95, 0.7, 0.4))
    rnn = networks.linear_rnn((1e-5 * np.eye(3), weight))
    subjects, sample = networks.looked_at(rnn, networks.noise(4, 12, 3), twins=0)
    (found,) = gradients.spectra(subjects, sample)
    assert [lag for lag, _, _ in found.values] == list(range(1, 12))
    for lag, high, low in found.values:
        assert high == pytest.approx(0.95**lag, rel=1e-4)
        assert low == pytest.approx(0.4**lag, rel=1e-4)


@pytest.mark.parametrize("both", [False, True])
def test_jacobian_products_of_a_sheared_network(both):
    """A matrix that is not symmetric: its singular values are not its eigenvalues, and powers do not just scale."""
    weight = np.array([[0.9, 0.8, 0.0], [0.0, 0.7, 0.5], [0.1, 0.0, 0.6]])
    rnn = networks.linear_rnn((1e-5 * np.eye(3), weight), both=both)
    if both:
        with torch.no_grad():
            rnn.weight_hh_l0_reverse.mul_(0.5)
    subjects, sample = networks.looked_at(rnn, networks.noise(4, 9, 3), twins=0)
    for found, scale in zip(gradients.spectra(subjects, sample), (1.0, 0.5), strict=False):
        for lag, high, low in found.values:
            values = np.linalg.svd(np.linalg.matrix_power(scale * weight, lag), compute_uv=False)
            assert high == pytest.approx(values[0], rel=1e-4)
            assert low == pytest.approx(values[-1], rel=1e-4)


def test_both_directions_are_read_in_their_own_order():
    rnn = networks.linear_rnn((1e-5 * np.eye(2), spectrum((0.9, 0.5))), both=True)
    subjects, sample = networks.looked_at(rnn, networks.noise(4, 6, 2), twins=0)
    forward, backward = gradients.spectra(subjects, sample)
    assert (forward.direction, backward.direction) == ("forward", "backward")
    assert forward.values[-1][1] == pytest.approx(backward.values[-1][1], rel=1e-4)


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
def test_jacobians_agree_with_finite_differences(cell):
    layer = cell(2, 3, batch_first=True).double()
    own = [getattr(layer, f"{name}_l0").detach() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    random = torch.Generator().manual_seed(0)
    count = 2 if cell is nn.LSTM else 1
    state = tuple(torch.randn(1, 3, generator=random, dtype=torch.float64) for _ in range(count))
    inputs = torch.randn(1, 2, generator=random, dtype=torch.float64)
    found = gradients.jacobians("lstm" if count == 2 else "gru", inputs, state, tuple(own))[0]
    joined, step = torch.cat(state, 1), 1e-6

    def after(values: torch.Tensor) -> torch.Tensor:
        parts = [part[None] for part in values.split(3, 1)]
        _, end = layer(inputs[:, None], tuple(parts) if count == 2 else parts[0])
        return torch.cat([e[0] for e in end], 1) if count == 2 else end[0]

    with torch.no_grad():
        for column in range(joined.shape[1]):
            nudge = torch.zeros_like(joined)
            nudge[0, column] = step
            slope = (after(joined + nudge) - after(joined - nudge))[0] / (2 * step)
            torch.testing.assert_close(found[:, column], slope, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(("rate", "reading"), [(0.99, "healthy"), (0.5, "vanishing"), (1.9, "exploding")])
def test_the_gradient_by_lag_is_a_matrix_power(rate, reading):
    rnn = networks.linear_rnn((1e-12 * np.eye(2), rate * np.eye(2)))
    subjects, sample = networks.looked_at(rnn, networks.noise(80, 14, 2), twins=0)
    found = reaches(subjects[0], sample)
    assert found.reading == reading
    for lag, left in found.norms:
        assert left == pytest.approx(rate**lag, rel=1e-3)


def reaches(captured, sample) -> Reach:
    """As if a linear readout and targets were there."""
    from dataclasses import replace

    from leadline.analysis.capture import Captured

    read = nn.Linear(2, 2)

    def rows(top: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        return read(top.transpose(0, 1)[torch.arange(top.shape[0])[None] < lengths[:, None]])

    subject = captured.subject
    known = Subject(subject.spec, subject.recurrent, subject.embed, rows)
    targets = torch.zeros(sample.batch.mask.shape, dtype=torch.int64)
    labelled = replace(sample, batch=replace(sample.batch, targets=targets))
    (found,) = gradients.reaches([Captured(known, captured.features, captured.layers)], labelled, 0)
    return found
