"""The gated recurrent unit (Cho et al. 2014), reset after the product as in torch and cuDNN.

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
    z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
    h' = (1 - z) * n + z * h

Gate order r, z, n.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from leadline.cells import start


@dataclass(frozen=True)
class Gru:
    """Three gates, one state."""

    name: str = "gru"
    gates: int = 3
    states: int = 1

    def initialise(
        self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, random: torch.Generator
    ) -> None:
        """Fill the four tensors in place."""
        start.fill(weight_ih, weight_hh, bias_ih, bias_hh, random)
