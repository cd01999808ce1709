"""leadline.nn against torch.nn: the same arguments, state_dict, results and gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from leadline import nn
from leadline.errors import SpecError

KINDS = ("RNN", "GRU", "LSTM")
OPTIONS = (
    {},
    {"num_layers": 3, "bidirectional": True, "batch_first": True},
    {"num_layers": 2, "bias": False},
    {"bidirectional": True, "dtype": torch.float64},
)


def both(kind, *sizes, **options):
    """Ours and torch's with the same weights, by way of `state_dict`, once in each direction."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, kind)(*sizes, **options)
    torch.manual_seed(0)
    ours = getattr(nn, kind)(*sizes, **options)
    for name, value in theirs.state_dict().items():
        assert torch.equal(value, ours.state_dict()[name]), "another initialisation"
    theirs.load_state_dict(ours.state_dict())
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def flat(results):
    return [t for r in results for t in (r if isinstance(r, tuple) and not isinstance(r, PackedSequence) else (r,))]


def agree(ours, theirs, inputs, *states):
    results = []
    for module in (ours, theirs):
        module.zero_grad()
        leaves = [x.detach().clone().requires_grad_() for x in (inputs, *states)]
        hx = None if not states else leaves[1] if len(states) == 1 else tuple(leaves[1:])
        found = flat(module(leaves[0], hx))
        sum((t * torch.arange(t.numel()).reshape(t.shape).cos()).sum() for t in found).backward()
        results.append([*found, *(x.grad for x in leaves), *(p.grad for p in module.parameters())])
    for mine, right in zip(*results, strict=True):
        assert mine.shape == right.shape
        assert mine.dtype == right.dtype
        torch.testing.assert_close(mine, right, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (9, 17)], ids=str)
def test_results_and_gradients(kind, options, shape):
    ours, theirs = both(kind, 4, 6, **options)
    dtype = options.get("dtype", torch.float32)
    steps = shape[::-1] if options.get("batch_first") else shape
    layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    states = [torch.randn(layers, shape[1], 6, dtype=dtype) for _ in range(2 if kind == "LSTM" else 1)]
    inputs = torch.randn(*steps, 4, dtype=dtype)
    agree(ours, theirs, inputs)
    agree(ours, theirs, inputs, *states)
    agree(ours, theirs, torch.randn(7, 4, dtype=dtype), *(state[:, 0] for state in states))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("enforce_sorted", [False, True])
def test_packed_sequences(kind, batch_first, enforce_sorted):
    ours, theirs = both(kind, 4, 6, num_layers=2, bidirectional=True, batch_first=batch_first)
    lengths = torch.tensor([7, 5, 5, 1] if enforce_sorted else [5, 1, 7, 5])
    inputs = torch.randn(*((4, 7) if batch_first else (7, 4)), 4)
    packed = pack_padded_sequence(inputs, lengths, batch_first, enforce_sorted)
    found, right = flat(ours(packed)), flat(theirs(packed))
    assert isinstance(found[0], PackedSequence)
    torch.testing.assert_close(found[0].data, right[0].data, rtol=2e-5, atol=2e-5)
    assert torch.equal(found[0].batch_sizes, right[0].batch_sizes)
    for mine, theirs_too in zip(found[1:], right[1:], strict=True):
        torch.testing.assert_close(mine, theirs_too, rtol=2e-5, atol=2e-5)
    layers = ours(packed, return_layers=True)[2]
    assert torch.equal(layers[-1].data, found[0].data)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_are_packing_without_the_packing(kind):
    ours, theirs = both(kind, 4, 6, num_layers=2, bidirectional=True, batch_first=True)
    lengths = torch.tensor([5, 1, 7, 5])
    inputs = torch.randn(4, 7, 4)
    inputs[1, 1:] = torch.nan
    found = flat(ours(inputs, lengths=lengths))
    right = flat(theirs(pack_padded_sequence(inputs.nan_to_num(), lengths, True, False)))
    again, _ = torch.nn.utils.rnn.pad_packed_sequence(right[0], batch_first=True)
    torch.testing.assert_close(found[0], again, rtol=2e-5, atol=2e-5)
    for mine, other in zip(found[1:], right[1:], strict=True):
        torch.testing.assert_close(mine, other, rtol=2e-5, atol=2e-5)
    empty, final = ours(inputs[1:2], lengths=torch.tensor([0]))
    assert not empty.any()
    assert not (final[0] if kind == "LSTM" else final).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_every_layer_on_request(kind, batch_first):
    ours, theirs = both(kind, 4, 6, num_layers=3, batch_first=batch_first)
    inputs = torch.randn(5, 5, 4)
    outputs, _, layers = ours(inputs, return_layers=True)
    assert len(layers) == 3
    assert torch.equal(layers[-1], outputs)
    first = getattr(torch.nn, kind)(4, 6, batch_first=batch_first)
    first.load_state_dict({name: value for name, value in theirs.state_dict().items() if name.endswith("l0")})
    torch.testing.assert_close(layers[0], first(inputs)[0], rtol=2e-5, atol=2e-5)


def test_dropout_between_layers_as_in_torch():
    ours, theirs = both("GRU", 4, 6, num_layers=2, dropout=0.5)
    inputs = torch.randn(5, 3, 4)
    assert not torch.equal(ours(inputs)[0], ours(inputs)[0])
    torch.testing.assert_close(ours.eval()(inputs)[0], theirs.eval()(inputs)[0], rtol=2e-5, atol=2e-5)
    kept = ours.train()(inputs, return_layers=True)[2][0]
    torch.testing.assert_close(kept, ours.eval()(inputs, return_layers=True)[2][0])


def test_what_is_not_supported_is_an_error():
    with pytest.raises(SpecError, match="nonlinearity='relu'"):
        nn.RNN(3, 4, nonlinearity="relu")
    with pytest.raises(SpecError, match="proj_size=2"):
        nn.LSTM(3, 4, proj_size=2)
    gru = nn.GRU(3, 4)
    with pytest.raises(SpecError, match="inputs of shape"):
        gru(torch.zeros(5, 2, 2))
    with pytest.raises(SpecError, match="initial states"):
        gru(torch.zeros(5, 2, 3), torch.zeros(1, 3, 4))
    with pytest.raises(SpecError, match="lengths"):
        gru(torch.zeros(5, 2, 3), lengths=torch.tensor([6, 1]))
    with pytest.raises(SpecError, match="packed"):
        gru(pack_padded_sequence(torch.zeros(5, 2, 3), torch.tensor([5, 1])), lengths=torch.tensor([5, 1]))
    with pytest.raises(TypeError):
        gru(torch.zeros(5, 2, 3), windows=2)
