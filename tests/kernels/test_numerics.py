"""The compiled kernels against the plain loop in double precision, gradients included."""

from __future__ import annotations

import pytest
import torch
from kernel_cases import Case, case, error, names, run

from leadline.kernels import aten, native, reference

CELLS = ("tanh", "gru", "lstm")
SHAPES = (  # seq, batch, feature, hidden
    (1, 1, 1, 1),
    (2, 3, 5, 5),
    (9, 17, 1, 16),
    (7, 64, 33, 33),
    (5, 9, 16, 128),
    (3, 2, 7, 300),
    (100, 3, 4, 20),
)
pytestmark = pytest.mark.usefixtures("isa")


def check(given: Case, bound: float) -> None:
    exact = run(reference.unroll, given, torch.float64)
    found = run(native.unroll, given)
    torchs = run(aten.unroll, given)
    for name, ours, theirs, right in zip(names(given.cell), found, torchs, exact, strict=True):
        worst = error(ours, right)
        assert worst <= bound, f"{name}: {worst:.1e} with lengths {given.lengths.tolist()}"
        assert worst <= 4 * max(error(theirs, right), 1.2e-7), f"{name}: {worst:.1e}, torch {error(theirs, right):.1e}"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("ragged", [False, True], ids=["even", "ragged"])
def test_agrees_with_the_plain_loop(cell: str, shape: tuple[int, int, int, int], reverse: bool, ragged: bool) -> None:
    check(case(cell, *shape, reverse=reverse, ragged=ragged), 2e-6 if shape[0] == 1 else 1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_agrees_over_a_thousand_steps(cell: str) -> None:
    check(case(cell, 1000, 3, 5, 16, seed=1), 1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_more_rows_than_a_chunk_holds(cell: str) -> None:
    check(case(cell, 4, 300, 6, 20, seed=2), 1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_rows_without_steps_hand_their_state_through(cell: str, reverse: bool) -> None:
    given = case(cell, 4, 5, 3, 6, reverse=reverse)
    given.lengths[:] = torch.tensor([0, 4, 0, 2, 0])
    outputs, *rest = run(native.unroll, given)
    states = len(given.initial)
    empty = given.lengths == 0
    assert not outputs[:, empty].any()
    assert not outputs[2:, 3].any()
    for place in range(states):
        assert torch.equal(rest[place][empty], given.initial[place][empty])
        d_initial = rest[states + 1 + place]
        assert torch.equal(d_initial[empty], given.d_results[1 + place][empty])
    assert not rest[states][:, empty].any(), "gradients of padding"


@pytest.mark.parametrize("cell", CELLS)
def test_all_rows_empty(cell: str) -> None:
    given = case(cell, 3, 4, 2, 5)
    given.lengths[:] = 0
    outputs, *rest = run(native.unroll, given)
    assert not outputs.any()
    assert torch.equal(rest[0], given.initial[0])
    assert all(not gradient.any() for gradient in rest[-4:])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("scale", [1e-4, 30.0])
def test_small_and_saturating_inputs(cell: str, scale: float) -> None:
    given = case(cell, 3, 4, 6, 8)
    given.inputs.mul_(scale)
    exact, found = run(reference.unroll, given, torch.float64), run(native.unroll, given)
    assert error(found[0], exact[0]) <= 2e-6
    assert found[0].abs().max() <= max(1.0, given.initial[0].abs().max().item())


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("place", ["inputs", "initial", "weight_ih", "bias_hh"])
def test_what_is_not_finite_goes_where_the_plain_loop_sends_it(cell: str, value: float, place: str) -> None:
    given = case(cell, 4, 5, 3, 6, ragged=False)
    target = {
        "inputs": given.inputs[1, 2],
        "initial": given.initial[0][3],
        "weight_ih": given.weights[0][1],
        "bias_hh": given.weights[3],
    }[place]
    target[2] = value
    exact = reference.unroll(cell, given.inputs, given.lengths, given.initial, given.weights)
    found = native.unroll(cell, given.inputs, given.lengths, given.initial, given.weights)
    for ours, right in zip((found[0], *found[1]), (exact[0], *exact[1]), strict=True):
        assert torch.equal(ours.isnan(), right.isnan())
        assert torch.equal(ours.isinf(), right.isinf())
        torch.testing.assert_close(ours, right, equal_nan=True, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_gradient_that_is_not_finite_stays_visible(cell: str) -> None:
    given = case(cell, 4, 5, 3, 6, ragged=False)
    given.d_results[0][3, 2, 1] = float("nan")
    d_inputs = run(native.unroll, given)[1 + len(given.initial)]
    assert d_inputs[:, 2].isnan().all()
    assert not d_inputs[:, :2].isnan().any()
