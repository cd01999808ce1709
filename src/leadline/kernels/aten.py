"""torch's own fused loops, one layer and one direction at a time, with the contract of `reference.unroll`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from leadline.kernels import capture, reference
from leadline.kernels.reference import State, Weights


def unroll(
    cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights, reverse: bool = False
) -> tuple[Tensor, State]:
    """See `leadline.kernels.reference.unroll`. Rows of length 0 and empty batches are taken out beforehand.

    Packing looks at the lengths. Where nothing may (`capture.blind`), the plain loop runs: every step is a part of the
    captured graph.
    """
    if capture.blind(inputs) or capture.blind(lengths):
        return reference.unroll(cell, inputs, lengths, initial, weights, reverse)
    seq, batch = inputs.shape[:2]
    alive = torch.nonzero(lengths > 0).squeeze(-1)
    if seq == 0 or (batch and len(alive) == 0):  # torch takes neither, and results still belong to the graph
        return reference.unroll(cell, inputs, lengths, initial, weights, reverse)
    if len(alive) < batch:
        kept = alive.to(inputs.device)
        outputs, final = unroll(
            cell, inputs[:, kept], lengths[alive], tuple(s[kept] for s in initial), weights, reverse
        )
        whole = outputs.new_zeros(seq, batch, outputs.shape[-1]).index_copy(1, kept, outputs)
        # Under autocast the results are of another type than what was given.
        return whole, tuple(s.to(f.dtype).index_copy(0, kept, f) for s, f in zip(initial, final, strict=True))
    if reverse:
        outputs, final = unroll(cell, _flip(inputs, lengths), lengths, initial, weights)
        return _flip(outputs, lengths), final
    return _forward(cell, inputs, lengths, initial, weights)


def _forward(cell: str, inputs: Tensor, lengths: Tensor, initial: State, weights: Weights) -> tuple[Tensor, State]:
    if bool((lengths == len(inputs)).all()):
        outputs, final = _run(cell, (inputs,), tuple(state[None] for state in initial), weights, False)
        return outputs, tuple(state[0] for state in final)
    packed = pack_padded_sequence(inputs, lengths, enforce_sorted=False)
    order = packed.sorted_indices
    start = tuple(state.index_select(0, order)[None] if order is not None else state[None] for state in initial)
    data, final = _run(cell, (packed.data, packed.batch_sizes), start, weights)
    outputs, _ = pad_packed_sequence(
        PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices),
        total_length=inputs.shape[0],
    )
    back = packed.unsorted_indices
    return outputs, tuple(f[0] if back is None else f[0].index_select(0, back) for f in final)


def _run(
    cell: str, given: tuple[Tensor, ...], start: State, weights: Weights, *batch_first: bool
) -> tuple[Tensor, State]:
    """One of torch's loops: over (seq, batch, feature), with `batch_first`, or over packed steps and their sizes."""
    run: Any = {"lstm": torch._VF.lstm, "gru": torch._VF.gru, "tanh": torch._VF.rnn_tanh}[cell]
    state = start if cell == "lstm" else start[0]
    outputs, *final = run(*given, state, [*weights], True, 1, 0.0, False, False, *batch_first)
    return outputs, tuple(final)


def _flip(values: Tensor, lengths: Tensor) -> Tensor:
    """Each row reversed within its own length; padding stays where it is."""
    seq = values.shape[0]
    steps = torch.arange(seq)[:, None]
    index = torch.where(steps < lengths[None], lengths[None] - 1 - steps, steps).to(values.device)
    return values.gather(0, index[..., None].expand_as(values))
