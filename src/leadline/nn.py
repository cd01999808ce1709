"""`RNN`, `GRU`, `LSTM`: drop-in for torch.nn's, on Leadline's kernels, with lengths and every layer's outputs.

Arguments, parameters, `state_dict`, initialisation and results are those of `torch.nn`; a module of one kind loads
the other's `state_dict`. Beside it, `forward` takes `lengths=` (padding costs nothing and is never read) and
`return_layers=True`. What is not supported is an error: `proj_size`, `nonlinearity="relu"`. Where the compiled kernels
do not go (other types and devices, autocast, captured graphs), torch's own modules do the work.

>>> import torch
>>> from leadline import nn
>>> gru = nn.GRU(3, 8, num_layers=2, batch_first=True)
>>> outputs, final, layers = gru(torch.zeros(4, 7, 3), lengths=[7, 5, 1, 0], return_layers=True)
>>> outputs.shape, final.shape, [layer.shape[-1] for layer in layers]
(torch.Size([4, 7, 8]), torch.Size([2, 4, 8]), [8, 8])
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from leadline.errors import SpecError
from leadline.kernels import capture, choose
from leadline.kernels.reference import State, Weights
from leadline.lengths import checked

__all__ = ["GRU", "LSTM", "RNN"]

TORCH: dict[str, type[torch.nn.RNNBase]] = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


class _Unrolled(torch.nn.RNNBase):
    """What the three modules share: torch's arguments and parameters, Leadline's `forward`."""

    cell: ClassVar[str]

    def forward(self, input: Any, hx: Any = None, *, lengths: Any = None, return_layers: bool = False) -> Any:
        """As torch's, and `lengths`, `return_layers`; see `unrolled`."""
        return unrolled(self, self.cell, input, hx, lengths=lengths, return_layers=return_layers)

    def __prepare_scriptable__(self) -> torch.nn.RNNBase:
        """What `torch.jit.script` compiles in place of this: torch's own module, on the same parameters."""
        theirs = copy.copy(self)
        theirs.__class__ = TORCH[self.cell]  # type: ignore[assignment]
        return theirs


class RNN(_Unrolled, torch.nn.RNN):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh); see the module and `torch.nn.RNN` (Elman 1990)."""

    cell = "tanh"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.nonlinearity != "tanh":
            raise SpecError(f"nonlinearity={self.nonlinearity!r}", expected="'tanh'", next_move="Use torch.nn.RNN.")


class GRU(_Unrolled, torch.nn.GRU):
    """Three gates, reset after the product; see the module and `torch.nn.GRU` (Cho et al. 2014)."""

    cell = "gru"


class LSTM(_Unrolled, torch.nn.LSTM):
    """Four gates and a cell state; see the module and `torch.nn.LSTM` (Hochreiter & Schmidhuber 1997)."""

    cell = "lstm"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.proj_size:
            raise SpecError(f"proj_size={self.proj_size}", expected="0", next_move="Use torch.nn.LSTM.")


def unrolled(
    module: torch.nn.RNNBase,
    cell: str,
    given: Tensor | PackedSequence,
    hx: Tensor | tuple[Tensor, Tensor] | None = None,
    *,
    lengths: Any = None,
    return_layers: bool = False,
) -> tuple[Any, ...]:
    """What the three modules compute.

    Args:
        module: one of torch's.
        cell: "tanh", "gru" or "lstm".
        given: (seq, batch, feature), (batch, seq, feature) with `batch_first`, (seq, feature), or packed.
        hx: initial states, (layers * directions, batch, hidden), without batch for 2-D inputs; a pair for the LSTM.
        lengths: steps of each sequence, 0 allowed: (batch,) whole numbers in a tensor, an array or a list; all steps
            by default. Not with packed inputs.
        return_layers: give every layer's outputs as a third result, lowest first, shaped as the first; the last of
            them is the first result.

    Returns:
        outputs, final states, and the layers' outputs where they are wanted; 0 at padding. All of them may be changed
        in place before the backward pass.

    Raises:
        SpecError: sizes or types that do not fit, lengths out of range, or lengths with packed inputs.
    """
    data = given.data if isinstance(given, PackedSequence) else given
    if not isinstance(data, Tensor):
        raise SpecError(f"inputs of type {type(given).__name__}", expected="a tensor or a PackedSequence")
    if lengths is None and not return_layers and _is_torchs(module, cell, data, hx):
        result: tuple[Any, ...] = TORCH[cell].forward(module, given, hx)
        return result
    if isinstance(given, PackedSequence):
        return _packed(module, cell, given, hx, lengths, return_layers)
    steps, lone = (given.unsqueeze(1), True) if given.dim() == 2 else (given, False)
    if module.batch_first and not lone:
        steps = steps.transpose(0, 1)
    if steps.dim() != 3 or steps.shape[-1] != module.input_size:
        expected = f"(batch, seq, {module.input_size}) in torch's order, or (seq, {module.input_size})"
        raise SpecError(f"inputs of shape {tuple(given.shape)}", expected=expected)
    known = checked(lengths, steps.shape[1], steps.shape[0])
    layers, final = _layers(module, cell, steps, hx, known, lone)

    def shaped(output: Tensor) -> Tensor:
        output = _own(output)
        return output.squeeze(1) if lone else output.transpose(0, 1) if module.batch_first else output

    found = [shaped(layer) for layer in (layers if return_layers else layers[-1:])]
    final = tuple(state.squeeze(1) for state in final) if lone else final
    results = found[-1], final if cell == "lstm" else final[0]
    return (*results, found) if return_layers else results


def _is_torchs(module: torch.nn.RNNBase, cell: str, data: Tensor, hx: Any) -> bool:
    """Whether the call is one for torch's module itself: then everything is torch's, errors included."""
    states = [state for state in (hx if isinstance(hx, tuple | list) else (hx,)) if isinstance(state, Tensor)]
    weight: Any = module.weight_ih_l0
    return choose.chosen(cell, data, (*states, weight)) == "torch"


def _own(outputs: Tensor) -> Tensor:
    """What the caller may change in place: the backward pass, and that of the layer above, read the original."""
    # A captured graph does not hang on whether gradients are wanted while it is captured.
    return outputs.clone() if outputs.requires_grad or capture.capturing() else outputs


def _layers(
    module: torch.nn.RNNBase, cell: str, steps: Tensor, hx: Any, lengths: Tensor, lone: bool
) -> tuple[list[Tensor], State]:
    """Every layer's outputs, (seq, batch, feature), and the final states, (layers * directions, batch, hidden)."""
    _same_type(module, "inputs", steps)
    initial = _initial(module, cell, hx, steps, lone)
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
    return layers, tuple(torch.stack(states) for states in zip(*finals, strict=True))


def _weights(module: torch.nn.RNNBase, suffix: str, like: Tensor) -> Weights:
    w_ih, w_hh = getattr(module, f"weight_ih_{suffix}"), getattr(module, f"weight_hh_{suffix}")
    if not module.bias:
        zeros = like.new_zeros(len(w_ih), dtype=w_ih.dtype)
        return w_ih, w_hh, zeros, zeros
    return w_ih, w_hh, getattr(module, f"bias_ih_{suffix}"), getattr(module, f"bias_hh_{suffix}")


def _same_type(module: torch.nn.RNNBase, name: str, tensor: Tensor) -> None:
    """Refuse what the weights' type does not go with; under autocast what torch cannot put side by side."""
    device, wanted = tensor.device.type, module.weight_ih_l0.dtype
    autocast = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    right = {torch.float32, torch.float64, torch.get_autocast_dtype(device)} if autocast else {wanted}
    if {wanted, tensor.dtype} - right:
        under = f" under autocast to {torch.get_autocast_dtype(device)}" if autocast else ""
        wide = f"{torch.float32} for both" if autocast else f"{wanted}, as the weights"
        move = f"Convert {name} or the module with .to()."
        raise SpecError(f"{name} of type {tensor.dtype}, weights of {wanted}{under}", expected=wide, next_move=move)


def _initial(module: torch.nn.RNNBase, cell: str, hx: Any, steps: Tensor, lone: bool) -> list[State]:
    count, batch, hidden = module.num_layers * (1 + module.bidirectional), steps.shape[1], module.hidden_size
    states = 2 if cell == "lstm" else 1
    if hx is None:
        zeros = steps.new_zeros(batch, hidden)
        return [(zeros,) * states] * count
    given = tuple(hx) if states == 2 and isinstance(hx, tuple | list) else (hx,)
    shapes = [tuple(state.shape) if isinstance(state, Tensor) else type(state).__name__ for state in given]
    shape = (count, hidden) if lone else (count, batch, hidden)
    if shapes != [shape] * states:
        raise SpecError(
            f"initial states of shapes {shapes}",
            expected=f"{states} of (layers * directions, {'' if lone else 'batch, '}hidden) = {shape}",
        )
    for state in given:
        _same_type(module, "initial states", state)
    whole = [state.unsqueeze(1) if lone else state for state in given]
    return [tuple(state[place] for state in whole) for place in range(count)]


def _packed(
    module: torch.nn.RNNBase, cell: str, given: PackedSequence, hx: Any, lengths: Any, return_layers: bool
) -> tuple[Any, ...]:
    """As torch does it: packed in, packed out, in the order of the caller."""
    if lengths is not None:
        raise SpecError("lengths with packed inputs", expected="one of the two", next_move="Drop lengths.")
    steps, sizes = pad_packed_sequence(given)
    if steps.dim() != 3 or steps.shape[-1] != module.input_size:
        expected = f"(steps of all sequences, {module.input_size})"
        raise SpecError(f"packed inputs of shape {tuple(given.data.shape)}", expected=expected)
    layers, final = _layers(module, cell, steps, hx, sizes, lone=False)

    def packed(output: Tensor) -> PackedSequence:
        whole = pack_padded_sequence(output, sizes, enforce_sorted=given.sorted_indices is None)
        return PackedSequence(whole.data, given.batch_sizes, given.sorted_indices, given.unsorted_indices)

    found = [packed(layer) for layer in (layers if return_layers else layers[-1:])]
    results = found[-1], final if cell == "lstm" else final[0]
    return (*results, found) if return_layers else results
