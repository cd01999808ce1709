"""What a row gets does not depend on its company, bit for bit; and one seed gives one result."""

from __future__ import annotations

import pytest
import torch
from kernel_cases import Case, case, names, rows, run

from leadline.kernels import native

CELLS = ("tanh", "gru", "lstm")
pytestmark = pytest.mark.usefixtures("isa")


def row_results(given: Case) -> list[torch.Tensor]:
    """All that belongs to a row: results and the gradients of inputs and states."""
    return [
        value
        for name, value in zip(names(given.cell), run(native.unroll, given), strict=True)
        if "weight" not in name and "bias" not in name
    ]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("hidden", [5, 40, 64])
def test_a_row_does_not_depend_on_its_batch(cell: str, reverse: bool, hidden: int) -> None:
    whole = case(cell, 12, 23, 9, hidden, reverse=reverse, seed=3)
    expected = row_results(whole)
    for kept in ([0], [4, 7], [22, 3, 11, 0, 9], list(range(1, 23)), list(range(22, -1, -1))):
        index = torch.tensor(kept)
        found = row_results(rows(whole, index))
        for name, ours, batch in zip(names(cell), found, expected, strict=False):
            mine = batch[:, index] if batch.dim() == 3 else batch[index]
            assert torch.equal(ours, mine), f"{name} of rows {kept}"


@pytest.mark.parametrize("cell", CELLS)
def test_a_row_does_not_depend_on_padding(cell: str) -> None:
    given = case(cell, 6, 5, 4, 20, seed=4)
    longer = torch.cat([given.inputs, torch.full((3, 5, 4), float("nan"))])
    steps = torch.arange(6)[:, None]
    dirty = torch.where((steps < given.lengths)[..., None], longer[:6], torch.full_like(longer[:6], float("nan")))
    clean = native.unroll(cell, given.inputs, given.lengths, given.initial, given.weights)
    padded = native.unroll(cell, torch.cat([dirty, longer[6:]]), given.lengths, given.initial, given.weights)
    assert torch.equal(padded[0][:6], clean[0])
    assert not padded[0][6:].any()
    assert all(torch.equal(a, b) for a, b in zip(padded[1], clean[1], strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_call_gives_the_same_bits(cell: str) -> None:
    given = case(cell, 8, 30, 7, 33)
    first, second = run(native.unroll, given), run(native.unroll, given)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_without_gradients_the_results_are_the_same(cell: str) -> None:
    given = case(cell, 8, 11, 7, 33)
    with torch.no_grad():
        outputs, final = native.unroll(cell, given.inputs, given.lengths, given.initial, given.weights)
    kept = run(native.unroll, given)
    assert all(torch.equal(a, b) for a, b in zip((outputs, *final), kept, strict=False))
