"""Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate of Gers, Schmidhuber, Cummins 2000).

    i, f, o = sigmoid(...);  g = tanh(...)        each of W_i. x + b_i. + W_h. h + b_h.
    c' = f * c + i * g
    h' = o * tanh(c')

Gate order i, f, g, o.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from leadline.cells import start


@dataclass(frozen=True)
class Lstm:
    """Four gates, two states."""

    name: str = "lstm"
    gates: int = 4
    states: int = 2

    def initialise(
        self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, random: torch.Generator
    ) -> None:
        """Fill the four tensors in place; the forget gate starts open, bias 1 (Jozefowicz et al. 2015)."""
        start.fill(weight_ih, weight_hh, bias_ih, bias_hh, random)
        hidden = weight_hh.shape[1]
        with torch.no_grad():
            bias_ih[hidden : 2 * hidden].fill_(1.0)
