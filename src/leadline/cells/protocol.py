"""What a recurrence has to say for itself."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Cell(Protocol):
    """One recurrence: its size and how its weights start.

    The equations live in `leadline.kernels.reference`, which is their specification; a cell names them.

    Attributes:
        name: as in `StackSpec.cell`.
        gates: blocks of `hidden_size` rows in each weight matrix, in torch's order.
        states: 1 for (h,), 2 for (h, c).
    """

    @property
    def name(self) -> str: ...
    @property
    def gates(self) -> int: ...
    @property
    def states(self) -> int: ...

    def initialise(
        self, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, random: torch.Generator
    ) -> None:
        """Fill the four tensors in place."""
        ...
