"""The network behind `tasks.gru_teacher`: a GRU without biases whose weights are drawn once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.seeds import generator

Floats = NDArray[np.float64]


def weights(inputs: int, hidden: int, num_classes: int) -> tuple[Floats, Floats, Floats]:
    """(3 hidden, inputs), (3 hidden, hidden), (classes, hidden) weights; gates r, z, n.

    Recurrent weights have a standard deviation of 1.5 / sqrt(hidden), so that the past matters.
    """
    stream = generator(0, "tasks", "teacher", inputs, hidden, num_classes)
    weight_ih = stream.standard_normal((3 * hidden, inputs)) / np.sqrt(inputs)
    weight_hh = stream.standard_normal((3 * hidden, hidden)) * 1.5 / np.sqrt(hidden)
    return weight_ih, weight_hh, stream.standard_normal((num_classes, hidden))


def states(x: Floats, weight_ih: Floats, weight_hh: Floats) -> Floats:
    """(sequences, steps, hidden) states of a GRU without biases from h = 0."""
    size = weight_hh.shape[1]
    given = x @ weight_ih.T
    found = np.empty((*x.shape[:2], size))
    h = np.zeros((len(x), size))
    for t in range(x.shape[1]):
        carried = h @ weight_hh.T
        gates = 1.0 / (1.0 + np.exp(-(given[:, t, : 2 * size] + carried[:, : 2 * size])))
        r, z = gates[:, :size], gates[:, size:]
        h = (1.0 - z) * np.tanh(given[:, t, 2 * size :] + r * carried[:, 2 * size :]) + z * h
        found[:, t] = h
    return found
