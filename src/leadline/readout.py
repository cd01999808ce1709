"""From top states to predictions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from leadline.blank import blank
from leadline.dropout import Dropout
from leadline.spec import StackSpec


class Readout(nn.Module):
    """A linear map, or one hidden layer (ReLU) as wide as the states it reads and a linear map.

    Args:
        spec: the stack.
        random: source of the initial weights.
    """

    def __init__(self, spec: StackSpec, random: torch.Generator) -> None:
        super().__init__()
        width = spec.state_width
        self.hidden = _linear(width, width, random) if spec.readout == "mlp" else None
        self.dropout = Dropout(spec.dropout if spec.readout == "mlp" else 0.0)
        self.output = _linear(width, spec.output_size, random)

    def forward(self, states: Tensor) -> Tensor:
        """(..., state_width) to (..., output_size)."""
        if self.hidden is not None:
            states = self.dropout(torch.relu(self.hidden(states)))
        result: Tensor = self.output(states)
        return result


def pool(outputs: Tensor, lengths: Tensor, spec: StackSpec) -> Tensor:
    """One vector per sequence from the top layer.

    Args:
        outputs: (seq, batch, state_width) of the top layer, 0 at padding.
        lengths: (batch,) int64.
        spec: its `pooling` is "last" (each direction's own last state: the backward half's is at step 0),
            "mean" or "max" over the valid steps.

    Returns:
        (batch, state_width); zeros for a sequence without steps.
    """
    if spec.pooling == "mean":
        counts = lengths.clamp(min=1).to(outputs.device, outputs.dtype)
        return outputs.sum(0) / counts[:, None]
    if spec.pooling == "max":
        steps = (torch.arange(outputs.shape[0])[:, None] < lengths[None]).to(outputs.device)
        highest = outputs.masked_fill(~steps[..., None], -math.inf).amax(0)
        return torch.where(torch.isinf(highest), torch.zeros_like(highest), highest)
    return _last(outputs, lengths, spec)


def _last(outputs: Tensor, lengths: Tensor, spec: StackSpec) -> Tensor:
    """The forward half at each row's last step and the backward half at step 0."""
    batch = torch.arange(outputs.shape[1], device=outputs.device)
    final = outputs[(lengths - 1).clamp(min=0).to(outputs.device), batch]
    if not spec.bidirectional:
        return final
    hidden = spec.hidden_size
    return torch.cat([final[:, :hidden], outputs[0, :, hidden:]], -1)


def _linear(inputs: int, outputs: int, random: torch.Generator) -> nn.Linear:
    layer = blank(nn.Linear, inputs, outputs)
    with torch.no_grad():
        nn.init.xavier_uniform_(layer.weight, generator=random)
        layer.bias.zero_()
    assert isinstance(layer, nn.Linear)
    return layer
