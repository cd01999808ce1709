"""What a module gives back may be changed in place before the backward pass, as torch.nn's may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from leadline import nn
from leadline.kernels import choose
from leadline.spec import StackSpec
from leadline.stack import Stack

KINDS = ("RNN", "GRU", "LSTM")
CHANGES: dict[str, Callable[[Tensor], object]] = {
    "relu_": Tensor.relu_,
    "mul_": lambda tensor: tensor.mul_(0.5),
    "set": lambda tensor: tensor.__setitem__(0, 3.0),
    "dropout": lambda tensor: torch.nn.functional.dropout(tensor, 1.0, inplace=True),
    "of a view": lambda tensor: tensor[..., 0].add_(1.0),
}


def gradients(kind: str, space: object, options: dict[str, object], change: Callable[[list[Tensor]], object]) -> object:
    """Of every input and weight, after `change` of all results, and the results."""
    torch.manual_seed(0)
    module = getattr(space, kind)(3, 5, **options).double().float()
    count = module.num_layers * (1 + module.bidirectional)
    leaves = [torch.randn(4, 4, 3), *(torch.randn(count, 4, 5) for _ in range(2 if kind == "LSTM" else 1))]
    leaves = [leaf.requires_grad_() for leaf in leaves]
    outputs, final = module(leaves[0], tuple(leaves[1:]) if kind == "LSTM" else leaves[1])
    results = [outputs, *(final if kind == "LSTM" else (final,))]
    change(results)
    sum(result.square().sum() for result in results).backward()
    return [*results, *(leaf.grad for leaf in leaves), *(weight.grad for weight in module.parameters())]


@pytest.mark.parametrize("routine", ["", "reference", "torch"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True, "batch_first": True}], ids=str)
def test_results_are_the_callers(
    routine: str, kind: str, name: str, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    if routine:
        monkeypatch.setenv(choose.VARIABLE, routine)
    if kind == "LSTM" and routine == "torch":
        pytest.skip("torch's own LSTM raises, and that routine is torch's own module")

    def change(results: list[Tensor]) -> None:
        for result in results:
            CHANGES[name](result)

    def copies(results: list[Tensor]) -> None:
        results[:] = [result.clone() for result in results]
        change(results)

    ours = gradients(kind, nn, options, change)
    right = gradients(kind, torch.nn, options, copies)  # torch's LSTM raises without the copies
    for mine, exact in zip(ours, right, strict=True):
        torch.testing.assert_close(mine, exact, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
def test_every_layers_outputs_are_the_callers(kind: str, packed: bool) -> None:
    module = getattr(nn, kind)(3, 5, num_layers=3, bidirectional=True)
    inputs = torch.randn(6, 4, 3)
    lengths = torch.tensor([6, 5, 3, 1])

    def found(change: bool) -> list[Tensor]:
        module.zero_grad()
        if packed:
            layers = module(pack_padded_sequence(inputs, lengths), return_layers=True)[2]
            layers = [layer.data for layer in layers]
        else:
            layers = module(inputs, lengths=lengths, return_layers=True)[2]
        kept = layers if change else [layer.clone() for layer in layers]
        loss = torch.zeros(())
        for layer in kept:
            layer.mul_(2.0)
            loss = loss + layer.square().sum()
        loss.backward()
        return [weight.grad.clone() for weight in module.parameters()]

    assert all(torch.equal(mine, right) for mine, right in zip(found(True), found(False), strict=True))


def test_the_states_of_a_stacks_layers_are_the_callers() -> None:
    stack = Stack(StackSpec(input_size=3, output_size=2, hidden_size=5, num_layers=2), seed=0)
    inputs = torch.randn(4, 6, 3)
    loss = sum(states.relu_().sum() for states in stack.layer_states(inputs))
    loss.backward()
    mine = [weight.grad.clone() for weight in stack.recurrent.parameters()]
    stack.zero_grad()
    sum(states.relu().sum() for states in stack.layer_states(inputs)).backward()
    assert all(torch.equal(one, weight.grad) for one, weight in zip(mine, stack.recurrent.parameters(), strict=True))


def test_nothing_is_copied_where_no_gradient_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    module, inputs = nn.GRU(3, 5), torch.randn(6, 4, 3)
    copied: list[Tensor] = []
    plain = Tensor.clone
    monkeypatch.setattr(Tensor, "clone", lambda tensor, **options: copied.append(tensor) or plain(tensor, **options))
    with torch.no_grad():
        module(inputs)
    assert copied == []
    module(inputs)
    assert len(copied) == 1


def test_a_changed_input_is_noticed() -> None:
    """torch says so as well: its backward pass reads the inputs."""
    for space in (nn, torch.nn):
        inputs = torch.randn(6, 4, 3)
        outputs, _ = space.GRU(3, 5)(inputs)
        inputs.relu_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            outputs.sum().backward()
