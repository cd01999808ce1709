"""A GRU with fixed random weights whose labels are to be learned: little data or much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.datasets.synthetic.draws import digit_names, numeric_steps, random_stream
from leadline.data.datasets.synthetic.known import EVERY, YES, KnownTask, rights
from leadline.data.sequences import Sequences
from leadline.seeds import generator

Floats = NDArray[np.float64]


def gru_teacher(
    num_sequences: int,
    length: int = 30,
    inputs: int = 4,
    hidden: int = 8,
    num_classes: int = 4,
    seed: int = 0,
) -> Sequences:
    """y_t = argmax(V h_t), h_t a GRU with fixed random weights over x_t ~ N(0, I).

        r = s(W_r x + U_r h)    z = s(W_z x + U_z h)    n = tanh(W_n x + r * (U_n h))    h' = (1 - z) n + z h

    Right: with 50-100 sequences more data (or regularise), with 5,000 one layer closes the gap. Accuracy
    1.0 in the limit. The teacher does not depend on `seed`.

    Proof of the limit: the teacher is itself one GRU layer of 8 units. The rest is measured, % right of a GRU of 1
    x 32: 79.4 from 100 sequences, 82.7 from 200, 94.8 from 2,000.
    """
    stream = random_stream("gru_teacher", seed, num_sequences, length)
    x = stream.standard_normal((num_sequences, length, inputs))
    weight_ih, weight_hh, readout = weights(inputs, hidden, num_classes)
    y = (states(x, weight_ih, weight_hh) @ readout.T).argmax(axis=2)
    names = tuple(f"input {i + 1}" for i in range(inputs))
    return numeric_steps("gru_teacher", "tagging", x, names, y, digit_names(num_classes))


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


TASKS = (
    KnownTask(
        name="gru_teacher",
        title="labels of a fixed random GRU, 100 sequences: more data",
        draw=gru_teacher,
        sequences=100,
        right=rights(YES, "more_data"),
        advised=(EVERY,),
        baseline=False,
        best=100.0,
        tolerance=30.0,
    ),
)
