"""The baselines that are trained by gradient against torch's own modules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import leadline
from leadline.baselines.bodies import ConvBody
from leadline.data import encode
from leadline.data.batch import Batch, Batcher


def batch_of(lengths: list[int], features: int, per_step: bool) -> Batch:
    random = np.random.default_rng(0)
    rows = [random.normal(size=(length, features)) for length in lengths]
    targets = [np.arange(length) % 2 for length in lengths] if per_step else np.arange(len(lengths)) % 2
    data = leadline.from_arrays(rows, targets, kind="tagging" if per_step else "classification")
    encoder = encode.fit(data, np.arange(len(data)))
    return Batcher(encode.apply(encoder, data)).batch(np.arange(len(data)))


@pytest.mark.parametrize("per_step", [False, True])
@pytest.mark.parametrize("features", [3, 64])
def test_convolutions_are_those_of_torch(features: int, per_step: bool) -> None:
    """`torch.nn.Conv1d` with the same weights, zeros on the left, added to its input where that is as wide."""
    batch = batch_of([20, 9, 3, 1], features, per_step)
    body = ConvBody(features, 2, per_step, seed=1).eval()
    with torch.no_grad():
        for parameter in body.parameters():
            parameter.normal_(std=0.3)
    values = batch.numeric.transpose(1, 2)
    for place, dense in enumerate(body.convolutions):
        gap = 2**place
        twin = nn.Conv1d(values.shape[1], dense.out_features, 3, dilation=gap)
        with torch.no_grad():
            twin.weight.copy_(dense.weight.view(dense.out_features, 3, values.shape[1]).transpose(1, 2))
            twin.bias.copy_(dense.bias)
        after = torch.relu(twin(nn.functional.pad(values, (2 * gap, 0))))
        values = after + values if features == 64 or place else after
    values = values.transpose(1, 2)
    if not per_step:
        mask = batch.mask[..., None]
        values = (values * mask).sum(1) / mask.sum(1)
    right = body.readout(values[batch.mask] if per_step else values)
    torch.testing.assert_close(body.predict(batch.numeric, batch), right, rtol=1e-5, atol=1e-5)
