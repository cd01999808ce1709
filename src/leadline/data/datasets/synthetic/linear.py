"""A linear autoregressive process: the best forecast is linear in two lags."""

from __future__ import annotations

import math

import numpy as np

from leadline.data.datasets.synthetic.draws import numeric_steps, random_stream
from leadline.data.datasets.synthetic.known import ONE_GATED_LAYER, SMALL, KnownTask, rights, solved
from leadline.data.sequences import Sequences

LAGS = (1.5, -0.75)
"""Roots of modulus 0.87 and a period of 12 steps: a swing that lasts, so that both lags matter."""
SMALLEST_ERROR = math.sqrt(2.0 / math.pi)
"""Mean absolute error of the median of a normal with deviation 1."""


def autoregression(num_sequences: int, length: int = 12, seed: int = 0) -> Sequences:
    """x_{t+1} = a x_t + b x_{t-1} + e_{t+1}, e ~ N(0, 1), stationary from the start; the target is x_{T+1}.

    Right: the baseline is enough: a linear model of two lags.

    Proof: given x_T and x_{T-1}, x_{T+1} is normal about a x_T + b x_{T-1} with deviation 1 and independent of all
    before, so its median is that sum, and no forecast has a smaller mean absolute error than sqrt(2 / pi) = 0.798.
    """
    stream = random_stream("autoregression", seed, num_sequences, length, shortest=2)
    x = np.empty((num_sequences, length + 1))
    variance, together = _covariances()
    x[:, 0] = np.sqrt(variance) * stream.standard_normal(num_sequences)
    left = np.sqrt(variance - together**2 / variance)
    x[:, 1] = together / variance * x[:, 0] + left * stream.standard_normal(num_sequences)
    noise = stream.standard_normal(x.shape)
    for t in range(1, length):
        x[:, t + 1] = LAGS[0] * x[:, t] + LAGS[1] * x[:, t - 1] + noise[:, t + 1]
    return numeric_steps("autoregression", "regression", x[:, :-1, None], ("value",), x[:, -1], ())


def _covariances() -> tuple[float, float]:
    """Of x_t with itself and with x_{t+1}, by the equations of Yule and Walker."""
    one = LAGS[0] / (1.0 - LAGS[1])
    two = LAGS[0] * one + LAGS[1]
    variance = 1.0 / (1.0 - LAGS[0] * one - LAGS[1] * two)
    return variance, one * variance


TASKS = (
    KnownTask(
        name="autoregression",
        title="the next value of a linear process of two lags: a linear model is exact",
        draw=autoregression,
        sequences=3000,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(SMALL, "recurrence")),
        advised=(ONE_GATED_LAYER,),
        baseline=True,
        best=-SMALLEST_ERROR,
        tolerance=0.12,
    ),
)
