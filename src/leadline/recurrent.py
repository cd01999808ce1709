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
        ways = self.spec.num_directions
        for layer in range(self.spec.num_layers):
            starts = initial[layer * ways : (layer + 1) * ways] if initial else None
            current, states = self.run_layer(layer, current, lengths, starts)
            outputs.append(current)
            finals += states
        return outputs, finals

    def run_layer(
        self, layer: int, below: Tensor, lengths: Tensor, initial: list[State] | None = None
    ) -> tuple[Tensor, list[State]]:
        """One layer's output, (seq, batch, hidden * directions), from what it reads; and its last states by direction.

        Layers count from 0 here.
        """
        ways = range(self.spec.num_directions)
        weights = [self.weights(layer, direction) for direction in ways]
        starts = initial or [self.zeros(below) for _ in ways]
        output, finals = choose.unroll_layer(self.spec.cell, below, lengths, starts, weights)
        return self.finish(layer, below, output, lengths), finals

    def finish(self, layer: int, below: Tensor, output: Tensor, lengths: Tensor) -> Tensor:
        """What upper layers see of a layer: residual connection, normalisation and dropout added."""
        if self.spec.residual and below.shape[-1] == output.shape[-1]:
            output = output + below
        if self.spec.layer_norm:
            output = self.norms[layer](output) * valid_steps(output, lengths)
        result: Tensor = self.dropout(output)
        return result

    def weights(self, layer: int, direction: int) -> Weights:
        """weight_ih, weight_hh, bias_ih, bias_hh of one layer in one direction."""
        suffix = self._suffixes(layer)[direction]
        w_ih, w_hh, b_ih, b_hh = (getattr(self, f"{name}_{suffix}") for name in _NAMES)
        return w_ih, w_hh, b_ih, b_hh

    def zeros(self, like: Tensor) -> State:
        """The state before the first step, for inputs (seq, batch, feature)."""
        start = like.new_zeros(like.shape[1], self.spec.hidden_size)
        return (start,) * self.cell.states

    def _suffixes(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"][: self.spec.num_directions]


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def valid_steps(values: Tensor, lengths: Tensor) -> Tensor:
    """(seq, batch, 1), 1 where a step exists and 0 at padding, in the dtype of `values`."""
    steps = torch.arange(values.shape[0])[:, None] < lengths[None]
    return steps.to(values.device, values.dtype)[..., None]
