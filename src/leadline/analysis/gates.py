"""Gates of a layer: their values, and the half-life that they promise."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from leadline.analysis.capture import Captured
from leadline.analysis.sample import Sample
from leadline.analysis.unroll import before, states

Floats = NDArray[np.float64]

GATES = {"tanh": (), "gru": ("reset", "update"), "lstm": ("input", "forget", "", "output")}


def gate_half_life(captured: Captured, sample: Sample, layer: int, direction: int) -> float | None:
    """Half-life that the mean gate promises: ln 2 / -ln(mean f), f the forget gate, or the GRU's update gate.

    What a gate keeps is carried on as it is; what the state recomputes from itself is not counted, so this is a
    promise, not a measurement. None for a cell without such a gate.
    """
    kept = gates(captured, sample, layer, direction).get("forget")
    if kept is None:
        kept = gates(captured, sample, layer, direction).get("update")
    if kept is None or not kept.size:
        return None
    mean = float(np.clip(kept.mean(), 1e-6, 1 - 1e-6))
    return math.log(2) / -math.log(mean)


def gates(captured: Captured, sample: Sample, layer: int, direction: int) -> dict[str, Floats]:
    """(rows, hidden) values of each gate on the steps that exist, by name."""
    names = GATES[captured.subject.spec.cell]
    if not names:
        return {}
    recurrent = captured.subject.recurrent
    below = captured.layers[layer - 1]
    w_ih, w_hh, b_ih, b_hh = recurrent.weights(layer - 1, direction)
    with torch.no_grad():
        found = states(recurrent, layer - 1, direction, below, sample.lengths)
        earlier = torch.stack([state[0] for state in before(found, recurrent.zeros(below), direction)])
        sums = torch.nn.functional.linear(below, w_ih, b_ih) + torch.nn.functional.linear(earlier, w_hh, b_hh)
        parts = sums.split(captured.subject.spec.hidden_size, -1)
        return {
            name: sample.flat(torch.sigmoid(part)).double().numpy()
            for name, part in zip(names, parts, strict=False)
            if name
        }
