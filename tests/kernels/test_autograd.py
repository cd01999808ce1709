"""The compiled kernels inside torch: what asks for more than one derivative gets it, or another routine."""

from __future__ import annotations

import threading

import pytest
import torch
from kernel_cases import Case, case, rows, run
from torch import Tensor

from leadline import nn
from leadline.kernels import choose, memory, native, reference

CELLS = ("tanh", "gru", "lstm")
pytestmark = pytest.mark.usefixtures("compiled")


def second_derivatives(routine: choose.Routine, given: Case) -> list[Tensor]:
    """Of the squared norm of the first ones, with respect to all that can be differentiated."""
    leaves = [t.detach().clone().requires_grad_() for t in (given.inputs, *given.initial, *given.weights)]
    states = len(given.initial)
    outputs, final = routine(
        given.cell, leaves[0], given.lengths, tuple(leaves[1 : 1 + states]), tuple(leaves[1 + states :]), given.reverse
    )
    value = outputs.square().sum() + sum(state.square().sum() for state in final)
    first = torch.autograd.grad(value, leaves, create_graph=True)
    return list(torch.autograd.grad(sum(g.square().sum() for g in first), leaves))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_second_derivatives_are_the_plain_loops(cell: str, reverse: bool) -> None:
    given = case(cell, 3, 4, 2, 5, reverse=reverse)
    ours, right = second_derivatives(native.unroll, given), second_derivatives(reference.unroll, given)
    assert all(gradient.abs().max() > 0 for gradient in right)
    for mine, theirs in zip(ours, right, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_second_derivatives_of_strided_inputs(cell: str) -> None:
    given = case(cell, 3, 4, 2, 5)
    leaf = given.inputs.transpose(0, 1).contiguous().requires_grad_()
    outputs, _ = native.unroll(cell, leaf.transpose(0, 1), given.lengths, given.initial, given.weights)
    (first,) = torch.autograd.grad(outputs.square().sum(), leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), leaf)
    assert second.abs().max() > 0


@pytest.mark.parametrize("cell", CELLS)
def test_the_graph_can_be_kept(cell: str) -> None:
    given = case(cell, 3, 4, 2, 5)
    inputs = given.inputs.clone().requires_grad_()
    outputs, _ = native.unroll(cell, inputs, given.lengths, given.initial, given.weights)
    once = torch.autograd.grad(outputs.sum(), inputs, retain_graph=True)[0]
    again = torch.autograd.grad(outputs.sum(), inputs)[0]
    assert torch.equal(once, again)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(outputs.sum(), inputs)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("wanted", ["inputs", "initial", "weights", "final state only"])
def test_gradients_of_some(cell: str, wanted: str) -> None:
    given = case(cell, 4, 6, 3, 7)
    everything = run(reference.unroll, given)
    states = len(given.initial)
    leaves = [t.clone() for t in (given.inputs, *given.initial, *given.weights)]
    asked = {"inputs": [0], "initial": list(range(1, 1 + states)), "weights": [1 + states, 4 + states]}.get(
        wanted, [0, 1, 1 + states]
    )
    for place in asked:
        leaves[place].requires_grad_()
    outputs, final = native.unroll(
        cell, leaves[0], given.lengths, tuple(leaves[1 : 1 + states]), tuple(leaves[1 + states :])
    )
    results, given_d = [outputs, *final], list(given.d_results)
    if wanted == "final state only":
        results, given_d = results[1:2], given_d[1:2]
        zero = tuple(torch.zeros_like(d) if i != 1 else d for i, d in enumerate(given.d_results))
        everything = run(reference.unroll, Case(**{**given.__dict__, "d_results": zero}))
    found = torch.autograd.grad(results, [leaves[place] for place in asked], given_d)
    for place, gradient in zip(asked, found, strict=True):
        torch.testing.assert_close(gradient, everything[1 + states + place], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_tensors_that_are_not_contiguous(cell: str) -> None:
    given = case(cell, 5, 6, 3, 7)
    plain = run(native.unroll, given)

    def strided(tensor: Tensor) -> Tensor:
        return torch.stack([tensor, torch.full_like(tensor, 7.0)], -1)[..., 0]

    odd = Case(
        cell,
        given.inputs.transpose(0, 1).contiguous().transpose(0, 1),
        torch.stack([given.lengths, given.lengths], 1)[:, 0],
        tuple(map(strided, given.initial)),
        tuple(map(strided, given.weights)),
        False,
        tuple(map(strided, given.d_results)),
    )
    assert not odd.inputs.is_contiguous()
    assert all(torch.equal(a, b) for a, b in zip(run(native.unroll, odd), plain, strict=True))
    summed = torch.autograd.grad(
        native.unroll(cell, leaf := given.inputs.clone().requires_grad_(), *_rest(given))[0].sum(), leaf
    )[0]
    ones = Case(**{**given.__dict__, "d_results": (torch.ones(5, 6, 7), *map(torch.zeros_like, given.d_results[1:]))})
    assert torch.equal(summed, run(native.unroll, ones)[1 + len(given.initial)])


def _rest(given: Case) -> tuple[object, ...]:
    return given.lengths, given.initial, given.weights


def test_a_negated_view_is_read_right() -> None:
    given = case("gru", 2, 3, 4, 5)
    view = torch._neg_view(given.inputs)
    assert view.is_neg()
    ours = native.unroll("gru", view, *_rest(given))[0]
    assert torch.equal(ours, native.unroll("gru", -given.inputs, *_rest(given))[0])


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's own, at the first jvp
@pytest.mark.parametrize("cell", CELLS)
def test_transforms_take_the_plain_loop(cell: str) -> None:
    given = case(cell, 3, 4, 2, 5)

    def total(inputs: Tensor) -> Tensor:
        return choose.unroll(cell, inputs, *_rest(given))[0].square().sum()

    inputs = given.inputs.clone().requires_grad_()
    (expected,) = torch.autograd.grad(total(inputs), inputs)
    torch.testing.assert_close(torch.func.grad(total)(given.inputs), expected)
    many = torch.stack([given.inputs, 2 * given.inputs])
    torch.testing.assert_close(torch.vmap(total)(many), torch.stack([total(many[0]), total(many[1])]))
    _, slope = torch.func.jvp(total, (given.inputs,), (torch.ones_like(given.inputs),))
    torch.testing.assert_close(slope, expected.sum(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_many_gradients_at_once(cell: str, bidirectional: bool) -> None:
    """`is_grads_batched`, `torch.vmap` over a backward pass, and a jacobian: the gradients that come one by one."""
    kind = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    layer = kind(3, 4, bidirectional=bidirectional)
    inputs = torch.randn(5, 2, 3, requires_grad=True)
    leaves = [inputs, *layer.parameters()]
    outputs = layer(inputs)[0]
    many = torch.randn(3, *outputs.shape)
    one_by_one = [torch.autograd.grad(outputs, leaves, one, retain_graph=True) for one in many]
    right = [torch.stack(gradients) for gradients in zip(*one_by_one, strict=True)]
    batched = torch.autograd.grad(outputs, leaves, many, is_grads_batched=True, retain_graph=True)
    mapped = torch.vmap(lambda one: torch.autograd.grad(outputs, leaves, one, retain_graph=True))(many)
    for found in (batched, mapped):
        for ours, exact in zip(found, right, strict=True):
            torch.testing.assert_close(ours, exact, rtol=1e-5, atol=1e-6)
    slow, fast = (
        torch.autograd.functional.jacobian(lambda one: layer(one)[0].sum(0), inputs.detach(), vectorize=vectorize)
        for vectorize in (False, True)
    )
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-6)


def test_a_changed_weight_is_noticed() -> None:
    given = case("gru", 3, 4, 2, 5)
    weights = tuple(weight.clone().requires_grad_() for weight in given.weights)
    outputs, _ = native.unroll("gru", given.inputs, given.lengths, given.initial, weights)
    with torch.no_grad():
        weights[1].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        outputs.sum().backward()


@pytest.mark.parametrize("cell", CELLS)
def test_threads_do_not_disturb_each_other(cell: str) -> None:
    given = [case(cell, 9, 20, 8, 24, seed=seed) for seed in range(4)]
    alone = [run(native.unroll, one) for one in given]
    found: dict[int, list[list[Tensor]]] = {place: [] for place in range(4)}

    def work(place: int) -> None:
        found[place] = [run(native.unroll, given[place]) for _ in range(5)]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for place in range(4):
        assert len(found[place]) == 5
        assert all(torch.equal(a, b) for once in found[place] for a, b in zip(once, alone[place], strict=True))


def test_the_float_mode_is_left_as_it_was() -> None:
    """Denormal numbers are flushed inside a call and nowhere else."""
    given = case("gru", 3, 4, 2, 5)
    tiny = torch.full((64,), 1e-39)
    native.unroll("gru", given.inputs, *_rest(given))
    assert (tiny * 0.5 > 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_memory_kept_for_the_backward_pass(cell: str) -> None:
    """Six vectors of hidden units per valid step at most (torch keeps more), and none for padding."""
    kept: list[Tensor] = []
    given = case(cell, 20, 16, 8, 32)
    weights = tuple(weight.requires_grad_() for weight in given.weights)

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        native.unroll(cell, given.inputs, given.lengths, given.initial, weights)
    owned = [given.inputs, *given.initial, *weights]
    extra = [t for t in kept if not any(t.data_ptr() == mine.data_ptr() for mine in owned)]
    floats = sum(tensor.numel() for tensor in extra if tensor.is_floating_point())
    saved = {"tanh": 0, "gru": 4, "lstm": 6}[cell]
    assert floats == 20 * 16 * 32 + saved * 32 * int(given.lengths.sum())


def test_rows_helper_keeps_the_rows() -> None:
    given = case("lstm", 3, 4, 2, 5)
    assert torch.equal(rows(given, torch.tensor([2])).inputs[:, 0], given.inputs[:, 2])


@pytest.mark.usefixtures("compiled")
def test_a_graph_of_gradients_counts_a_carried_state_once() -> None:
    """The second call starts from the first one's state; both share their weights."""
    module = nn.GRU(4, 5)
    right = torch.nn.GRU(4, 5).double()
    right.load_state_dict(module.state_dict())
    inputs = torch.randn(6, 3, 4)
    found = []
    for layer, steps in ((module, inputs), (right, inputs.double())):
        _, state = layer(steps[:3])
        outputs, _ = layer(steps[3:], state)
        found.append(torch.autograd.grad(outputs.square().sum(), list(layer.parameters()), create_graph=True))
    for ours, exact in zip(*found, strict=True):
        torch.testing.assert_close(ours.double(), exact, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("compiled")
def test_the_default_dtype_is_not_the_kernels_own() -> None:
    module, inputs = nn.GRU(8, 32), torch.randn(50, 16, 8)
    right = torch.autograd.grad(module(inputs)[0].sum(), list(module.parameters()))
    torch.set_default_dtype(torch.float64)
    try:
        found = torch.autograd.grad(module(inputs)[0].sum(), list(module.parameters()))
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(torch.equal(a, b) for a, b in zip(found, right, strict=True))
    assert memory.floats(5).dtype is torch.float32
