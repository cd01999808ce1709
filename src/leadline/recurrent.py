"""The recurrent layers of a stack, one after another, every layer's states kept.

Parameter names, shapes and gate order are those of `torch.nn.RNN`, `GRU` and `LSTM`, so a `state_dict` goes
both ways: `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, with `_reverse` for the backward direction.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadline.cells.catalogue import CELLS
from leadline.dropout import Dropout
from leadline.kernels import choose
from leadline.kernels.reference import State, Weights
from leadline.spec import StackSpec


class Recurrent(nn.Module):
    """Layers of one cell, in one or both directions.

    Args:
        spec: the stack.
        random: source of the initial weights.
    """

    def __init__(self, spec: StackSpec, random: torch.Generator) -> None:
        super().__init__()
        self.spec = spec
        self.cell = CELLS[spec.cell]
        rows = self.cell.gates * spec.hidden_size
        for layer in range(spec.num_layers):
            for suffix in self._suffixes(layer):
                shapes = ((rows, spec.layer_input_size(layer)), (rows, spec.hidden_size), (rows,), (rows,))
                weights = [torch.empty(shape) for shape in shapes]
                self.cell.initialise(weights[0], weights[1], weights[2], weights[3], random)
                for name, weight in zip(_NAMES, weights, strict=True):
                    self.register_parameter(f"{name}_{suffix}", nn.Parameter(weight))
        width = spec.state_width
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(spec.num_layers if spec.layer_norm else 0))
        self.dropout = Dropout(spec.dropout)

    def forward(
        self, inputs: Tensor, lengths: Tensor, initial: list[State] | None = None
    ) -> tuple[list[Tensor], list[State]]:
        """Unroll all layers.

        Args:
            inputs: (seq, batch, feature), 0 at padding.
            lengths: (batch,) int64 on the CPU.
            initial: for each layer and direction, in torch's order, (h_0,) or (h_0, c_0); zeros by default.

        Returns:
            Each layer's output, (seq, batch, hidden * directions), 0 at padding; and the state after the last
            step read, for each layer and direction in torch's order.
        """
        outputs: list[Tensor] = []
        finals: list[State] = []
        current = inputs
        for layer in range(self.spec.num_layers):
            weights = [self._weights(suffix) for suffix in self._suffixes(layer)]
            ways = len(weights)
            starts = initial[len(finals) : len(finals) + ways] if initial else [self._zeros(current)] * ways
            halves = choose.unroll_ways(self.spec.cell, current, lengths, starts, weights)
            finals += [final for _, final in halves]
            output = halves[0][0] if ways == 1 else torch.cat([half for half, _ in halves], -1)
            current = self._finish(layer, current, output, lengths)
            outputs.append(current)
        return outputs, finals

    def _finish(self, layer: int, below: Tensor, output: Tensor, lengths: Tensor) -> Tensor:
        if self.spec.residual and below.shape[-1] == output.shape[-1]:
            output = output + below
        if self.spec.layer_norm:
            output = self.norms[layer](output) * valid_steps(output, lengths)
        result: Tensor = self.dropout(output)
        return result

    def _weights(self, suffix: str) -> Weights:
        w_ih, w_hh, b_ih, b_hh = (getattr(self, f"{name}_{suffix}") for name in _NAMES)
        return w_ih, w_hh, b_ih, b_hh

    def _zeros(self, like: Tensor) -> State:
        zeros = like.new_zeros(like.shape[1], self.spec.hidden_size)
        return (zeros,) * self.cell.states

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: self.spec.num_directions]


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def valid_steps(values: Tensor, lengths: Tensor) -> Tensor:
    """(seq, batch, 1), 1 where a step exists and 0 at padding, in the dtype of `values`."""
    steps = torch.arange(values.shape[0])[:, None] < lengths[None]
    return steps.to(values.device, values.dtype)[..., None]
