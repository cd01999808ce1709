"""The plain loop that defines every recurrence. Slow, any dtype, any device, differentiable twice.

Shapes are time-major here: inputs (seq, batch, feature), states (seq, batch, hidden). Sequences start at step 0 and are
padded at the end; a step at or beyond a row's length leaves its state as it was and gives output 0. With
`reverse` a row is read from its own last step back to step 0. Gate order and biases are torch's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from leadline.errors import KernelError

State = tuple[Tensor, ...]
Weights = tuple[Tensor, Tensor, Tensor, Tensor]


def unroll(
    cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights, reverse: bool = False
) -> tuple[Tensor, State]:
    """All steps of one layer in one direction.

    Args:
        cell: "tanh", "gru" or "lstm".
        inputs: (seq, batch, feature).
        lengths: (batch,) int64 on the CPU; 0 is allowed.
        initial: (h_0,), or (h_0, c_0) for the LSTM, each (batch, hidden).
        weights: weight_ih (g * hidden, feature), weight_hh (g * hidden, hidden), bias_ih, bias_hh (g * hidden).
        reverse: read each row from its own last step.

    Returns:
        (seq, batch, hidden) outputs, 0 at padding, and the state after each row's last step read.
    """
    steps = _STEPS.get(cell)
    if steps is None:
        raise KernelError(f"no recurrence named {cell!r}", expected="one of " + ", ".join(_STEPS))
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    valid = torch.arange(inputs.shape[0])[:, None] < lengths[None, :]
    valid = valid.to(inputs.device)[..., None]
    state, outputs = initial, [inputs.new_zeros(0)] * inputs.shape[0]
    order = range(inputs.shape[0])
    for t in reversed(order) if reverse else order:
        gates_i = torch.nn.functional.linear(inputs[t], weight_ih, bias_ih)
        gates_h = torch.nn.functional.linear(state[0], weight_hh, bias_hh)
        new = steps(gates_i, gates_h, state)
        state = tuple(torch.where(valid[t], after, before) for after, before in zip(new, state, strict=True))
        outputs[t] = torch.where(valid[t], state[0], torch.zeros_like(state[0]))
    if not outputs:
        return inputs.new_zeros(0, inputs.shape[1], weight_hh.shape[1]), state
    return torch.stack(outputs), state


def _tanh(gates_i: Tensor, gates_h: Tensor, state: State) -> State:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman 1990)."""
    return (torch.tanh(gates_i + gates_h),)


def _gru(gates_i: Tensor, gates_h: Tensor, state: State) -> State:
    """r, z = sigmoid; n = tanh(i_n + r * h_n); h' = (1 - z) n + z h (Cho et al. 2014, reset after the product)."""
    i_r, i_z, i_n = gates_i.chunk(3, -1)
    h_r, h_z, h_n = gates_h.chunk(3, -1)
    r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
    n = torch.tanh(i_n + r * h_n)
    return ((1 - z) * n + z * state[0],)


def _lstm(gates_i: Tensor, gates_h: Tensor, state: State) -> State:
    """c' = f c + i g; h' = o tanh(c') (Hochreiter & Schmidhuber 1997; forget gate of Gers et al. 2000)."""
    i, f, g, o = (gates_i + gates_h).chunk(4, -1)
    c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


_STEPS = {"tanh": _tanh, "gru": _gru, "lstm": _lstm}
