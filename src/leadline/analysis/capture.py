"""Every layer's states on the sample, as tensors and as the matrices that probes read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis.measured import Direction
from leadline.analysis.sample import Sample
from leadline.analysis.subject import Subject
from leadline.errors import ModelError
from leadline.readout import pool

Floats = NDArray[np.float64]


class Place(NamedTuple):
    """A layer, 0 for what layer 1 reads, and the direction whose states are meant."""

    layer: int
    direction: Direction = "all"


@dataclass(frozen=True, eq=False)
class Captured:
    """States of one subject on one sample.

    Args:
        subject: the network.
        features: (seq, batch, feature) before any look-ahead window.
        layers: what layer 1 reads, then each layer's output, (seq, batch, width).
    """

    subject: Subject
    features: Tensor
    layers: list[Tensor]


def capture(subject: Subject, sample: Sample) -> Captured:
    """Run the subject on the sample, without gradients.

    Raises:
        ModelError: states that are not finite.
    """
    features = subject.features(sample.batch)
    with torch.no_grad():
        layers = subject.layers(features, sample.lengths)
    for number, values in enumerate(layers):
        if not bool(torch.isfinite(values).all()):
            raise ModelError(
                f"states of layer {number} are not finite",
                expected="numbers",
                next_move="Look for NaN or infinite values in the weights and in the data.",
            )
    return Captured(subject, features, layers)


def places(subject: Subject) -> list[Place]:
    """The input, every layer, and each direction of every layer where there are two."""
    halves: tuple[Direction, ...] = ("forward", "backward") if subject.spec.bidirectional else ()
    layers = range(1, subject.spec.num_layers + 1)
    return [Place(0), *(Place(layer, way) for layer in layers for way in ("all", *halves))]


def of_place(captured: Captured, place: Place) -> Tensor:
    """(seq, batch, width) of a layer, or of one direction of it."""
    return half(captured.layers[place.layer], place.direction, captured.subject.spec.hidden_size)


def half(values: Tensor, direction: Direction, hidden: int) -> Tensor:
    """The units of one direction, out of (..., hidden * directions)."""
    if direction == "forward":
        return values[..., :hidden]
    return values[..., hidden:] if direction == "backward" else values


def step_rows(captured: Captured, sample: Sample, place: Place) -> Floats:
    """(rows, width) states of the steps, in the order of the sample's rows."""
    result: Floats = sample.flat(of_place(captured, place)).double().numpy()
    return result


def sequence_rows(captured: Captured, sample: Sample, place: Place) -> Floats:
    """(n, width): each direction's own last state; the mean over steps for what layer 1 reads."""
    values, spec = captured.layers[place.layer], captured.subject.spec
    if place.layer == 0:
        result: Floats = (values.sum(0) / sample.lengths.clamp(min=1)[:, None]).double().numpy()
        return result
    last = pool(values, sample.lengths, replace(spec, pooling="last"))
    found: Floats = half(last, place.direction, spec.hidden_size).double().numpy()
    return found
