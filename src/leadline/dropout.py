"""Dropout that draws from its own generator, so that the global one is never touched."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadline.seeds import child


class Dropout(nn.Module):
    """In training, y = x * b / (1 - p) with b Bernoulli(1 - p); else y = x (Srivastava et al. 2014).

    Args:
        probability: p, of dropping a number.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability
        self.random: torch.Generator | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Same shape as `values`."""
        if not self.training or self.probability == 0:
            return values
        kept = 1.0 - self.probability
        return values * torch.empty_like(values).bernoulli_(kept, generator=self._generator(values)).div_(kept)

    def _generator(self, values: Tensor) -> torch.Generator:
        if self.random is None:
            self.random = torch.Generator(values.device).manual_seed(0)
        return self.random


def reseed(network: nn.Module, seed: int) -> None:
    """Start the generator of every `Dropout` in `network` at a stream of its own."""
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    for name, module in network.named_modules():
        if isinstance(module, Dropout):
            module.random = torch.Generator(device).manual_seed(child(seed, "dropout", name))
