"""`RNN`, `GRU`, `LSTM`: drop-in for torch.nn's, on Leadline's kernels, with lengths and every layer's outputs.

Arguments, parameters, `state_dict`, initialisation and results are those of `torch.nn`; a module of one kind loads
the other's `state_dict`. Beside it, `forward` takes `lengths=` (padding costs nothing and is never read) and
`return_layers=True`. What is not supported is an error: `proj_size`, `nonlinearity="relu"`.

>>> import torch
>>> from leadline import nn
>>> gru = nn.GRU(3, 8, num_layers=2, batch_first=True)
>>> outputs, final, layers = gru(torch.zeros(4, 7, 3), lengths=torch.tensor([7, 5, 1, 0]), return_layers=True)
>>> outputs.shape, final.shape, [layer.shape[-1] for layer in layers]
(torch.Size([4, 7, 8]), torch.Size([2, 4, 8]), [8, 8])
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from leadline.errors import SpecError
from leadline.kernels import choose
from leadline.kernels.reference import State, Weights

__all__ = ["GRU", "LSTM", "RNN"]


class RNN(torch.nn.RNN):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh); see the module and `torch.nn.RNN` (Elman 1990)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.nonlinearity != "tanh":
            raise SpecError(f"nonlinearity={self.nonlinearity!r}", expected="'tanh'", next_move="Use torch.nn.RNN.")

    def forward(self, input: Any, hx: Any = None, **more: Any) -> Any:
        """`torch.nn.RNN.forward`, and `lengths`, `return_layers`; see `unrolled`."""
        return unrolled(self, "tanh", input, hx, **more)


class GRU(torch.nn.GRU):
    """Three gates, reset after the product; see the module and `torch.nn.GRU` (Cho et al. 2014)."""

    def forward(self, input: Any, hx: Any = None, **more: Any) -> Any:
        """`torch.nn.GRU.forward`, and `lengths`, `return_layers`; see `unrolled`."""
        return unrolled(self, "gru", input, hx, **more)


class LSTM(torch.nn.LSTM):
    """Four gates and a cell state; see the module and `torch.nn.LSTM` (Hochreiter & Schmidhuber 1997)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.proj_size:
            raise SpecError(f"proj_size={self.proj_size}", expected="0", next_move="Use torch.nn.LSTM.")

    def forward(self, input: Any, hx: Any = None, **more: Any) -> Any:
        """`torch.nn.LSTM.forward`, and `lengths`, `return_layers`; see `unrolled`."""
        return unrolled(self, "lstm", input, hx, **more)


def unrolled(
    module: torch.nn.RNNBase,
    cell: str,
    given: Tensor | PackedSequence,
    hx: Tensor | tuple[Tensor, Tensor] | None = None,
    *,
    lengths: Tensor | None = None,
    return_layers: bool = False,
) -> tuple[Any, ...]:
    """What the three modules compute.

    Args:
        module: one of torch's.
        cell: "tanh", "gru" or "lstm".
        given: (seq, batch, feature), (batch, seq, feature) with `batch_first`, (seq, feature), or packed.
        hx: initial states, (layers * directions, batch, hidden), without batch for 2-D inputs; a pair for the LSTM.
        lengths: (batch,) steps of each sequence, 0 allowed; all steps by default. Not with packed inputs.
        return_layers: give every layer's outputs as a third result, lowest first, shaped as the first.

    Returns:
        outputs, final states, and the layers' outputs where they are wanted; 0 at padding.

    Raises:
        SpecError: sizes that do not fit, lengths out of range, or lengths with packed inputs.
    """
    if isinstance(given, PackedSequence):
        return _packed(module, cell, given, hx, lengths, return_layers)
    steps, lone = (given.unsqueeze(1), True) if given.dim() == 2 else (given, False)
    if module.batch_first and not lone:
        steps = steps.transpose(0, 1)
    if steps.dim() != 3 or steps.shape[-1] != module.input_size:
        expected = f"(batch, seq, {module.input_size}) in torch's order, or (seq, {module.input_size})"
        raise SpecError(f"inputs of shape {tuple(given.shape)}", expected=expected)
    initial = _initial(module, cell, hx, steps, lone)
    layers, finals = _layers(module, cell, steps, initial, _lengths(steps, lengths))

    def shaped(output: Tensor) -> Tensor:
        return output.squeeze(1) if lone else output.transpose(0, 1) if module.batch_first else output

    final = tuple(torch.stack(states) for states in zip(*finals, strict=True))
    final = tuple(state.squeeze(1) for state in final) if lone else final
    results = shaped(layers[-1]), final if cell == "lstm" else final[0]
    return (*results, [shaped(layer) for layer in layers]) if return_layers else results


def _layers(
    module: torch.nn.RNNBase, cell: str, steps: Tensor, initial: list[State], lengths: Tensor
) -> tuple[list[Tensor], list[State]]:
    layers: list[Tensor] = []
    finals: list[State] = []
    for layer in range(module.num_layers):
        suffixes = (f"l{layer}", f"l{layer}_reverse")[: 1 + module.bidirectional]
        weights = [_weights(module, suffix, steps) for suffix in suffixes]
        starts = initial[len(finals) : len(finals) + len(weights)]
        outputs, states = choose.unroll_layer(cell, steps, lengths, starts, weights)
        finals += states
        layers.append(outputs)
        drops = module.dropout if module.training and layer + 1 < module.num_layers else 0.0
        steps = torch.nn.functional.dropout(layers[-1], drops) if drops else layers[-1]
    return layers, finals


def _weights(module: torch.nn.RNNBase, suffix: str, like: Tensor) -> Weights:
    w_ih, w_hh = getattr(module, f"weight_ih_{suffix}"), getattr(module, f"weight_hh_{suffix}")
    if not module.bias:
        zeros = like.new_zeros(len(w_ih), dtype=w_ih.dtype)
        return w_ih, w_hh, zeros, zeros
    return w_ih, w_hh, getattr(module, f"bias_ih_{suffix}"), getattr(module, f"bias_hh_{suffix}")


def _initial(module: torch.nn.RNNBase, cell: str, hx: Any, steps: Tensor, lone: bool) -> list[State]:
    count, batch, hidden = module.num_layers * (1 + module.bidirectional), steps.shape[1], module.hidden_size
    states = 2 if cell == "lstm" else 1
    if hx is None:
        zeros = steps.new_zeros(batch, hidden)
        return [(zeros,) * states] * count
    given = tuple(hx) if cell == "lstm" else (hx,)
    given = tuple(state.unsqueeze(1) if lone else state for state in given)
    if [state.shape for state in given] != [(count, batch, hidden)] * states:
        raise SpecError(
            f"initial states of shapes {[tuple(state.shape) for state in given]}",
            expected=f"{states} of (layers * directions, batch, hidden) = {(count, batch, hidden)}",
        )
    return [tuple(state[place] for state in given) for place in range(count)]


def _lengths(steps: Tensor, lengths: Tensor | None) -> Tensor:
    seq, batch = steps.shape[:2]
    if lengths is None:
        return torch.full((batch,), seq, dtype=torch.int64)
    lengths = torch.as_tensor(lengths).to("cpu", torch.int64)
    if lengths.shape != (batch,) or (batch and not 0 <= int(lengths.min()) <= int(lengths.max()) <= seq):
        raise SpecError(f"lengths {lengths.tolist()}", expected=f"{batch} whole numbers from 0 to {seq}")
    return lengths


def _packed(
    module: torch.nn.RNNBase, cell: str, given: PackedSequence, hx: Any, lengths: Tensor | None, return_layers: bool
) -> tuple[Any, ...]:
    """As torch does it: packed in, packed out, in the order of the caller."""
    if lengths is not None:
        raise SpecError("lengths with packed inputs", expected="one of the two", next_move="Drop lengths.")
    steps, sizes = pad_packed_sequence(given, batch_first=module.batch_first)
    outputs, final, layers = unrolled(module, cell, steps, hx, lengths=sizes, return_layers=True)

    def packed(output: Tensor) -> PackedSequence:
        whole = pack_padded_sequence(output, sizes, module.batch_first, enforce_sorted=given.sorted_indices is None)
        return PackedSequence(whole.data, given.batch_sizes, given.sorted_indices, given.unsorted_indices)

    results = packed(outputs), final
    return (*results, [packed(layer) for layer in layers]) if return_layers else results
