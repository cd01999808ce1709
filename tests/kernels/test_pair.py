"""Both directions side by side: the same bits as one after the other, and only where there is a second core."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import pytest
import torch
from kernel_cases import Case, case, run
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import choose, native, pair, passes, reference

CELLS = ("tanh", "gru", "lstm")
pytestmark = pytest.mark.usefixtures("compiled")


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on two cores, however small the work."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(pair, "OPERATIONS", 0)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many compiled calls each pass had at once."""
    counts: list[int] = []
    right = passes.answer

    def noted(function: object, calls: list[object], work: float) -> None:
        counts.append(len(calls))
        right(function, calls, work)  # type: ignore[arg-type]

    monkeypatch.setattr(passes, "answer", noted)
    return counts


def both(cell: str, lengths: Tensor | None = None) -> tuple[Case, Case]:
    """A call of each direction over the same inputs."""
    first, second = case(cell, 11, 9, 6, 21, seed=1), case(cell, 11, 9, 6, 21, seed=2)
    shared = {"inputs": first.inputs, "lengths": first.lengths if lengths is None else lengths}
    return replace(first, **shared), replace(second, **shared)


def results(cases: tuple[Case, Case], graph: bool = False, wanted: slice = slice(None)) -> list[Tensor]:
    """All results of both directions, and the gradients of what is `wanted` among inputs, states and weights."""
    first, second = cases
    tensors = [first.inputs, *first.initial, *first.weights, *second.initial, *second.weights]
    leaves = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    states, each = len(first.initial), (len(leaves) - 1) // 2
    groups = (leaves[1 : 1 + each], leaves[1 + each :])
    outputs, finals = choose.unroll_layer(
        first.cell,
        leaves[0],
        first.lengths,
        [tuple(group[:states]) for group in groups],
        [tuple(group[states:]) for group in groups],  # type: ignore[misc]
    )
    flat = [tensor for half, final in zip(outputs.chunk(2, -1), finals, strict=True) for tensor in (half, *final)]
    weights = [*first.d_results, *second.d_results]
    value = sum((tensor * weight).sum() for tensor, weight in zip(flat, weights, strict=True))
    assert isinstance(value, Tensor)
    gradients = torch.autograd.grad(value, leaves[wanted], create_graph=graph)
    if graph:
        squares = sum(gradient.square().sum() for gradient in gradients)
        assert isinstance(squares, Tensor)
        gradients = torch.autograd.grad(squares, leaves[wanted])
    return [*(tensor.detach() for tensor in flat), *gradients]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("segment", ["0", "4"])
@pytest.mark.parametrize("wanted", [slice(None), slice(1, None), slice(0, 1)], ids=["all", "weights", "inputs"])
def test_two_threads_give_the_bits_of_one(
    cell: str, segment: str, wanted: slice, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv(choose.SEGMENT_VARIABLE, segment)
    cases = both(cell)
    one = results(cases, wanted=wanted)
    request.getfixturevalue("two_threads")
    two = results(cases, wanted=wanted)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_second_derivatives_are_the_plain_loops(
    cell: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    cases = both(cell)
    monkeypatch.setenv(choose.VARIABLE, "reference")
    right = results(cases, graph=True)
    monkeypatch.delenv(choose.VARIABLE)
    request.getfixturevalue("two_threads")
    found = results(cases, graph=True)
    for ours, plain in zip(found, right, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("used", [0, 1], ids=["forward", "reverse"])
@pytest.mark.parametrize("way", ["plain", "create_graph", "batched"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_loss_on_one_directions_last_states_reaches_the_inputs(
    cell: str, way: str, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = both(cell)
    inputs = first.inputs.clone().requires_grad_()

    def gradient() -> Tensor:
        starts, weights = [first.initial, second.initial], [first.weights, second.weights]
        state = choose.unroll_layer(cell, inputs, first.lengths, starts, weights)[1][used][0]
        if way == "batched":
            downs = torch.stack([torch.ones_like(state)] * 2)
            return torch.autograd.grad(state, inputs, downs, is_grads_batched=True)[0][1]
        return torch.autograd.grad(state.sum(), inputs, create_graph=way == "create_graph")[0].detach()

    found = gradient()
    monkeypatch.setenv(choose.VARIABLE, "reference")
    torch.testing.assert_close(found, gradient(), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("two_threads")
def test_both_directions_run_in_threads_of_their_own(seen: list[int]) -> None:
    results(both("gru"))
    assert seen == [2, 2]


def test_one_thread_and_small_work_stay_on_one_core(monkeypatch: pytest.MonkeyPatch, seen: list[int]) -> None:
    results(both("gru"))  # one thread: conftest
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    results(both("gru"))  # too small
    assert seen == [1] * 8
    monkeypatch.setattr(pair, "OPERATIONS", 0)
    monkeypatch.setenv(choose.VARIABLE, "torch")
    results(both("gru"))  # another routine
    assert seen == [1] * 8
    monkeypatch.delenv(choose.VARIABLE)
    results(both("gru"))
    assert seen == [1] * 8 + [2, 2]


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("segment", ["0", "4"])
@pytest.mark.parametrize("hidden", [1, 21, 32])
def test_side_by_side_has_the_bits_of_each_alone(
    cell: str, segment: str, hidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(choose.SEGMENT_VARIABLE, segment)
    first, second = case(cell, 11, 9, 6, hidden, seed=1), case(cell, 11, 9, 6, hidden, seed=2)
    second = replace(second, inputs=first.inputs, lengths=first.lengths)
    found = results((first, second))
    alone = [run(native.unroll, replace(given, reverse=place == 1)) for place, given in enumerate((first, second))]
    states = len(first.initial)
    right = [tensor for one in alone for tensor in one[: 1 + states]]
    right.append(alone[0][1 + states] + alone[1][1 + states])
    right += [tensor for one in alone for tensor in one[2 + states :]]
    assert len(found) == len(right)
    for place, (ours, expected) in enumerate(zip(found, right, strict=True)):
        assert torch.equal(ours, expected), place


@pytest.mark.usefixtures("two_threads")
def test_without_gradients_the_results_are_the_same() -> None:
    first, second = both("lstm", torch.tensor([11, 3, 0, 7, 11, 1, 2, 9, 14]))
    with torch.no_grad():
        outputs, finals = choose.unroll_layer(
            "lstm", first.inputs, first.lengths, [first.initial, second.initial], [first.weights, second.weights]
        )
    halves = zip(outputs.chunk(2, -1), finals, strict=True)
    for found, given, reverse in zip(halves, (first, second), (False, True), strict=True):
        right = reference.unroll("lstm", given.inputs, given.lengths, given.initial, given.weights, reverse)
        torch.testing.assert_close(found, right)


@pytest.mark.usefixtures("two_threads", "hears_interrupts")
def test_ctrl_c_ends_both() -> None:
    seq = 10_000
    weights = [tuple(w.detach() for w in torch.nn.GRU(8, 256).parameters()) for _ in range(2)]
    states = (torch.zeros(64, 256),)
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            choose.unroll_layer("gru", torch.zeros(seq, 64, 8), torch.full((64,), seq), [states] * 2, weights)  # type: ignore[arg-type]
    finally:
        interrupt.cancel()
        interrupt.join()


def test_directions_of_unequal_width_are_an_error() -> None:
    first, second = case("gru", 11, 9, 6, 8, seed=1), case("gru", 11, 9, 6, 16, seed=2)
    starts, weights = [first.initial, second.initial], [first.weights, second.weights]
    with pytest.raises(KernelError, match=r"directions of \[8, 16\] units"):
        choose.unroll_layer("gru", first.inputs, first.lengths, starts, weights)
