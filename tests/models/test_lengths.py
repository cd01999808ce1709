"""Which lengths are taken, by modules and stacks, and what is said about the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from leadline import nn
from leadline.errors import SpecError
from leadline.spec import StackSpec
from leadline.stack import Stack

ROWS = [4, 0, 2]


@pytest.mark.parametrize(
    "lengths",
    [
        ROWS,
        tuple(ROWS),
        np.array(ROWS),
        np.array(ROWS, dtype=np.uint8),
        torch.tensor(ROWS),
        torch.tensor(ROWS, dtype=torch.int16),
        torch.tensor([ROWS, ROWS]).T[:, 0],
    ],
    ids=["list", "tuple", "array", "uint8", "tensor", "int16", "strided"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_whole_numbers_in_any_form(lengths: Any, dtype: torch.dtype) -> None:
    layers, inputs = nn.GRU(3, 5, bidirectional=True, dtype=dtype), torch.randn(4, 3, 3, dtype=dtype)
    right = layers(inputs, lengths=torch.tensor(ROWS))
    found = layers(inputs, lengths=lengths)
    assert torch.equal(found[0], right[0])
    assert torch.equal(found[1], right[1])


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        ([4.0, 0.0, 2.0], r"lengths of type torch\.float32; expected 3 whole numbers from 0 to 4.*lengths\.long"),
        (torch.tensor([4.0, 0.5, 2.0]), r"lengths of type torch\.float32"),
        (np.array([4.0, 0.5, np.nan]), r"lengths of type torch\.float64"),
        (torch.tensor([True, False, True]), r"lengths of type torch\.bool.*mask\.sum"),
        ([True, False, True], r"lengths of type torch\.bool"),
        (torch.tensor([1j, 0, 2]), r"lengths of type torch\.complex64"),
        ([4, -1, 2], r"lengths with -1 at place 1; expected 3 whole numbers from 0 to 4, one for each sequence"),
        ([4, 0, 5], "lengths with 5 at place 2"),
        ([4, 0], r"lengths of shape \(2,\); expected \(3,\)"),
        (4, r"lengths of shape \(\)"),
        ([[4], [0], [2]], r"lengths of shape \(3, 1\)"),
        ([], r"lengths of shape \(0,\)"),
        ([4, None, 2], r"lengths \[4, None, 2\]; expected"),
        ("402", "lengths '402'"),
        ([2**70, 0, 2], "lengths"),
        ({4: 0}, "lengths {4: 0}"),
        (torch.tensor(ROWS, device="meta"), 'the device "meta"'),
    ],
    ids=lambda value: str(value)[:30],
)
def test_anything_else_is_refused_by_name(lengths: Any, said: str) -> None:
    inputs = torch.randn(4, 3, 3)
    with pytest.raises(SpecError, match=said):
        nn.LSTM(3, 5)(inputs, lengths=lengths)
    with pytest.raises(SpecError, match=said):
        nn.LSTM(3, 5).double()(inputs.double(), lengths=lengths)
    with pytest.raises(SpecError, match=said):
        Stack(StackSpec(input_size=3, output_size=2, hidden_size=5), seed=0)(inputs.transpose(0, 1), lengths)


def test_no_rows_have_no_lengths() -> None:
    outputs, final = nn.GRU(3, 5)(torch.zeros(4, 0, 3), lengths=[])
    assert (outputs.shape, final.shape) == ((4, 0, 5), (1, 0, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_rows_without_steps_still_belong_to_the_graph(kind: str, dtype: torch.dtype) -> None:
    layers = getattr(nn, kind)(3, 5, bidirectional=True, dtype=dtype)
    outputs, _ = layers(torch.randn(4, 2, 3, dtype=dtype), lengths=[0, 0])
    outputs.sum().backward()
    assert not any(weight.grad.any() for weight in layers.parameters())


def test_other_arguments_of_the_wrong_kind_are_refused_by_name() -> None:
    gru, lstm, inputs = nn.GRU(3, 5), nn.LSTM(3, 5), torch.randn(4, 2, 3)
    some, state = {"lengths": [4, 1]}, torch.zeros(1, 2, 5)
    for module, given, hx, said in (
        (gru, [[1.0, 2.0, 3.0]], None, "inputs of type list"),
        (gru, np.zeros((4, 2, 3)), None, "inputs of type ndarray"),
        (gru, inputs.double(), None, r"inputs of type torch\.float64, weights of torch\.float32; expected"),
        (gru, inputs.long(), None, r"inputs of type torch\.int64"),
        (gru, inputs, state.double(), r"initial states of type torch\.float64"),
        (gru, inputs, (state,), r"initial states of shapes \['tuple'\]"),
        (gru, inputs[:, 0], state, r"expected 1 of \(layers \* directions, hidden\) = \(1, 5\)"),
        (lstm, inputs, state, r"shapes \[\(1, 2, 5\)\]; expected 2 of"),
        (lstm, inputs, (state, None), "NoneType"),
    ):
        with pytest.raises(SpecError, match=said):
            module(given, hx, **({"lengths": [4]} if np.ndim(given) == 2 and module is gru else some))
