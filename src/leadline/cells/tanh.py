"""The tanh recurrence: h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman 1990)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from leadline.cells import start


@dataclass(frozen=True)
class Tanh:
    """One gate, one state. Its memory fades or explodes with the powers of W_hh."""

    name: str = "tanh"
    gates: int = 1
    states: int = 1

    def initialise(
        self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, random: torch.Generator
    ) -> None:
        """Fill the four tensors in place."""
        start.fill(weight_ih, weight_hh, bias_ih, bias_hh, random)
