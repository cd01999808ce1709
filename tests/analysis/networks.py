"""Networks with weights set by hand, and the tools to look at them."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from leadline.analysis import modules, sample
from leadline.analysis.capture import Captured, capture
from leadline.analysis.sample import Sample
from leadline.analysis.subject import Subject, fresh_layers
from leadline.data.sequences import Sequences


def linear_rnn(*layers: tuple[np.ndarray, np.ndarray], both: bool = False) -> nn.RNN:
    """A tanh RNN with these (weight_ih, weight_hh) and no biases; with small inputs it is linear."""
    inputs, hidden = layers[0][0].shape[1], layers[0][1].shape[0]
    rnn = nn.RNN(inputs, hidden, num_layers=len(layers), batch_first=True, bidirectional=both)
    with torch.no_grad():
        for value in rnn.parameters():
            value.zero_()
        for number, (w_ih, w_hh) in enumerate(layers):
            for suffix in ("", "_reverse")[: 1 + both]:
                getattr(rnn, f"weight_ih_l{number}{suffix}").copy_(torch.from_numpy(w_ih))
                getattr(rnn, f"weight_hh_l{number}{suffix}").copy_(torch.from_numpy(w_hh))
    return rnn


def looked_at(
    module: nn.Module, inputs: np.ndarray, twins: int = 2, **options: object
) -> tuple[list[Captured], Sample]:
    """The network and its twins captured on all inputs."""
    taken = modules.take_over(module, inputs.astype(np.float32), **options)  # type: ignore[arg-type]
    return captured(taken.subject, modules.as_sequences(taken), taken.encoder, twins)


def captured(subject: Subject, sequences: Sequences, encoder, twins: int = 2) -> tuple[list[Captured], Sample]:
    drawn = sample.draw(sequences, encoder, 0, most=len(sequences), most_steps=10**9)
    subjects = [subject, *(fresh_layers(subject, 0, n) for n in range(twins))]
    return [capture(one, drawn) for one in subjects], drawn


def noise(sequences: int, steps: int, features: int, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    return scale * np.random.default_rng(seed).normal(size=(sequences, steps, features))
