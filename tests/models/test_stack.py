"""`Stack` against torch.nn, and the contract that padding never leaks."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from leadline.errors import SpecError
from leadline.spec import StackSpec, with_parameters
from leadline.stack import Stack, window

TORCH = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
LENGTHS = torch.tensor([7, 7, 4, 1])


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize(("layers", "both"), [(1, False), (1, True), (3, False), (2, True)])
class TestAgreementWithTorch:
    def pair(self, cell, layers, both):
        spec = StackSpec(3, 2, cell=cell, hidden_size=5, num_layers=layers, bidirectional=both)
        stack = Stack(spec, seed=1)
        theirs = TORCH[cell](3, 5, layers, bidirectional=both, batch_first=True)
        return stack, theirs

    def test_weights_go_both_ways(self, cell, layers, both):
        stack, theirs = self.pair(cell, layers, both)
        theirs.load_state_dict(stack.recurrent.state_dict())
        stack.recurrent.load_state_dict(TORCH[cell](3, 5, layers, bidirectional=both).state_dict())
        assert list(theirs.state_dict()) == list(stack.recurrent.state_dict())

    def test_outputs_and_gradients(self, cell, layers, both):
        stack, theirs = self.pair(cell, layers, both)
        theirs.load_state_dict(stack.recurrent.state_dict())
        inputs = torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(0))
        ours, other = inputs.clone().requires_grad_(), inputs.clone().requires_grad_()
        top = stack.layer_states(ours, LENGTHS)[-1]
        packed, _ = theirs(pack_padded_sequence(other, LENGTHS, batch_first=True))
        expected, _ = pad_packed_sequence(packed, batch_first=True)
        torch.testing.assert_close(top, expected, rtol=1e-5, atol=1e-6)
        top.square().sum().backward()
        expected.square().sum().backward()
        torch.testing.assert_close(ours.grad, other.grad, rtol=1e-4, atol=1e-5)
        for name, weight in theirs.named_parameters():
            mine = stack.recurrent.get_parameter(name)
            torch.testing.assert_close(mine.grad, weight.grad, rtol=1e-4, atol=1e-5)


def specs():
    return st.builds(
        lambda cell, layers, sight, readout, pooling, norm, residual: StackSpec(
            2,
            3,
            cell=cell,
            hidden_size=4,
            num_layers=layers,
            bidirectional=sight == "both",
            look_ahead=sight if isinstance(sight, int) else 0,
            readout=readout,
            pooling=pooling,
            layer_norm=norm,
            residual=residual,
        ),
        st.sampled_from(["tanh", "gru", "lstm"]),
        st.integers(1, 3),
        st.sampled_from([0, 1, 3, "both"]),
        st.sampled_from(["linear", "mlp"]),
        st.sampled_from(["step", "last", "mean", "max"]),
        st.booleans(),
        st.booleans(),
    )


@settings(max_examples=60, deadline=None)
@given(spec=specs(), lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_a_sequence_alone_and_in_a_padded_batch_give_the_same_numbers(spec, lengths, seed):
    stack = Stack(spec, seed).eval()
    random = torch.Generator().manual_seed(seed)
    inputs = torch.randn(len(lengths), 8, 2, generator=random)
    inputs[:, 6:] = torch.nan  # padding may hold anything
    together = stack(inputs, torch.tensor(lengths))
    for i, length in enumerate(lengths):
        alone = stack(inputs[i : i + 1, :length], torch.tensor([length]))
        mine = together[i : i + 1, :length] if spec.pooling == "step" else together[i : i + 1]
        torch.testing.assert_close(mine, alone, rtol=1e-5, atol=1e-6)
    if spec.pooling == "step":
        padding = torch.arange(8)[None] >= torch.tensor(lengths)[:, None]
        assert (together[padding] == 0).all()


@settings(max_examples=40, deadline=None)
@given(spec=specs())
def test_num_parameters_is_what_torch_counts(spec):
    assert spec.num_parameters == sum(p.numel() for p in Stack(spec).parameters())


@settings(max_examples=40, deadline=None)
@given(spec=specs(), target=st.integers(50, 50_000))
def test_the_width_for_a_number_of_parameters_is_the_closest(spec, target):
    found = with_parameters(spec, target)
    off = abs(found.num_parameters - target)
    for width in (found.hidden_size - 1, found.hidden_size + 1):
        if width >= 1:
            from dataclasses import replace

            assert abs(replace(spec, hidden_size=width).num_parameters - target) >= off


def test_each_direction_reads_out_its_own_last_state():
    """Reversing the input swaps the halves of the pooled vector when both directions have the same weights."""
    spec = StackSpec(2, 3, hidden_size=4, bidirectional=True, pooling="last")
    stack = Stack(spec).eval()
    state = stack.recurrent.state_dict()
    for name in list(state):
        if not name.endswith("_reverse"):
            state[f"{name}_reverse"] = state[name]
    stack.recurrent.load_state_dict(state)
    stack.readout = torch.nn.Identity()
    inputs = torch.randn(1, 6, 2, generator=torch.Generator().manual_seed(0))
    ahead, behind = stack(inputs)[0].split(4), stack(inputs.flip(1))[0].split(4)
    torch.testing.assert_close(ahead[0], behind[1])
    torch.testing.assert_close(ahead[1], behind[0])
    assert not torch.allclose(ahead[0], ahead[1])


def test_a_step_depends_on_exactly_its_window():
    stack = Stack(StackSpec(2, 3, hidden_size=4, look_ahead=2)).eval()
    inputs = torch.randn(1, 9, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    stack(inputs)[0, 4].sum().backward()
    touched = inputs.grad[0].abs().sum(-1) > 0
    assert touched.tolist() == [True] * 7 + [False] * 2


def test_window_holds_the_next_steps_and_zeros_beyond_the_end():
    steps = torch.arange(1.0, 4.0)[:, None, None]
    assert window(steps, 2).squeeze(1).tolist() == [[1, 2, 3], [2, 3, 0], [3, 0, 0]]


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_acts_on_every_layer_the_top_one_included(layers):
    stack = Stack(StackSpec(2, 3, hidden_size=64, num_layers=layers, dropout=0.5))
    states = stack.train().layer_states(torch.ones(1, 5, 2))
    for layer in states:
        assert 0.3 < (layer == 0).float().mean() < 0.7
    assert all((layer != 0).all() for layer in stack.eval().layer_states(torch.ones(1, 5, 2)))


def test_the_global_generator_is_not_touched():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    stack = Stack(StackSpec(2, 3, hidden_size=8, dropout=0.5), seed=5)
    stack.train()(torch.ones(1, 5, 2))
    assert torch.equal(before, torch.get_rng_state())


def test_the_same_seed_gives_the_same_weights():
    spec = StackSpec(2, 3, hidden_size=8)
    one, same, other = (Stack(spec, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["recurrent.weight_ih_l0"], other["recurrent.weight_ih_l0"])


def test_empty_batch_and_empty_sequences():
    for pooling, shape in (("step", (0, 4, 3)), ("last", (0, 3))):
        stack = Stack(StackSpec(2, 3, hidden_size=4, pooling=pooling))
        assert stack(torch.zeros(0, 4, 2)).shape == shape
    assert Stack(StackSpec(2, 3, pooling="last"))(torch.zeros(2, 0, 2)).shape == (2, 3)
    assert Stack(StackSpec(2, 3, bidirectional=True))(torch.zeros(2, 0, 2)).shape == (2, 0, 3)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"hidden_size": 0}, "hidden_size"),
        ({"num_layers": 1.5}, "num_layers"),
        ({"cell": "elman"}, "tanh, gru, lstm"),
        ({"dropout": 1.0}, "dropout"),
        ({"bidirectional": True, "look_ahead": 2}, "whole sequence"),
        ({"readout": "attention"}, "linear, mlp"),
        ({"look_ahead": -1}, "look_ahead"),
        ({"layer_norm": 1}, "True or False"),
    ],
)
def test_a_spec_is_checked_at_birth(fields, word):
    with pytest.raises(SpecError, match=word):
        StackSpec(2, 3, **fields)


def test_wrong_inputs_say_what_was_expected():
    stack = Stack(StackSpec(2, 3))
    with pytest.raises(SpecError, match=r"\(batch, seq, 2\)"):
        stack(torch.zeros(1, 4, 5))
    with pytest.raises(SpecError, match="from 0 to 4"):
        stack(torch.zeros(2, 4, 2), torch.tensor([5, 1]))
