"""leadline.nn where no compiled kernel goes: tensors without numbers, captured graphs, autocast. As torch.nn."""

from __future__ import annotations

import io

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from leadline import nn
from leadline.errors import SpecError
from leadline.kernels import choose

KINDS = ("RNN", "GRU", "LSTM")
JIT = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's own, of its scripts and traces


@pytest.fixture(autouse=True)
def _nothing_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(choose.VARIABLE, raising=False)


EXPORT = pytest.mark.filterwarnings("ignore:The tensor attributes self._flat_weights")  # torch's own, of its modules


def pair(kind: str, **options: object) -> tuple[torch.nn.RNNBase, torch.nn.RNNBase]:
    ours, theirs = (getattr(space, kind)(3, 5, num_layers=2, **options) for space in (nn, torch.nn))
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def flat(results: object) -> list[Tensor]:
    return [results] if isinstance(results, Tensor) else [tensor for part in results for tensor in flat(part)]


def same(ours: object, right: object) -> None:
    for mine, exact in zip(flat(ours), flat(right), strict=True):
        assert mine.dtype == exact.dtype
        torch.testing.assert_close(mine, exact, rtol=2e-5, atol=2e-5)


class Reader(torch.nn.Module):
    """A module around the layers, as networks have them."""

    def __init__(self, layers: torch.nn.RNNBase) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, inputs: Tensor) -> Tensor:
        outputs, _ = self.layers(inputs)
        return outputs.sum(-1)


class Ragged(Reader):
    """With lengths."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        return self.layers(inputs, lengths=lengths, return_layers=True)[2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", [{}, {"lengths": [4, 2]}, {"return_layers": True}], ids=str)
def test_tensors_without_numbers(kind: str, more: dict[str, object]) -> None:
    real = getattr(nn, kind)(3, 5, bidirectional=True)
    shapes = [tensor.shape for tensor in flat(real(torch.zeros(4, 2, 3), **more))]
    meta = getattr(nn, kind)(3, 5, bidirectional=True, device="meta")
    found = flat(meta(torch.zeros(4, 2, 3, device="meta"), **more))
    assert [tensor.shape for tensor in found] == shapes
    assert all(tensor.is_meta for tensor in found)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        assert [tensor.shape for tensor in flat(real(mode.from_tensor(torch.zeros(4, 2, 3)), **more))] == shapes
    with FakeTensorMode():
        fake = getattr(nn, kind)(3, 5, bidirectional=True)
        assert [tensor.shape for tensor in flat(fake(torch.zeros(4, 2, 3), **more))] == shapes


@EXPORT
@pytest.mark.parametrize(
    ("kind", "strict"), [*((kind, False) for kind in KINDS), pytest.param("GRU", True, marks=pytest.mark.slow)]
)
def test_torch_export(kind: str, strict: bool) -> None:
    ours, theirs = pair(kind, bidirectional=True, batch_first=True)
    inputs = torch.randn(2, 4, 3)
    many = torch.export.Dim("many")
    exported = torch.export.export(ours, (inputs,), dynamic_shapes=({0: many},), strict=strict)
    wider = torch.randn(7, 4, 3)
    same(exported.module()(wider), theirs(wider))


@EXPORT
@pytest.mark.parametrize("kind", KINDS)
def test_torch_export_with_lengths(kind: str) -> None:
    """Every step is in the graph, and other lengths go in than those that it was captured with."""
    ours, _ = pair(kind, bidirectional=True)
    inputs = torch.randn(3, 2, 3)
    exported = torch.export.export(Ragged(ours), (inputs, torch.tensor([3, 2])))
    for lengths in (torch.tensor([1, 3]), torch.tensor([0, 2])):
        same(exported.module()(inputs, lengths), ours(inputs, lengths=lengths, return_layers=True)[2])


@JIT
@pytest.mark.parametrize("kind", KINDS)
def test_torch_jit_script(kind: str) -> None:
    """The script holds torch's module, on the same parameters; it is saved and loaded without Leadline."""
    ours, theirs = pair(kind)
    inputs, reader = torch.randn(4, 2, 3), Reader(ours)
    right = Reader(theirs)(inputs)
    script = torch.jit.script(reader)
    same(script(inputs), right)
    buffer = io.BytesIO()
    torch.jit.save(script, buffer)
    buffer.seek(0)
    same(torch.jit.load(buffer)(inputs), right)
    weights = dict(script.named_parameters())
    assert weights["layers.weight_hh_l1"].data_ptr() == ours.weight_hh_l1.data_ptr()
    assert type(ours) is getattr(nn, kind)


@JIT
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # torch's, about checks that are not captured
@pytest.mark.parametrize("kind", KINDS)
def test_torch_jit_trace(kind: str) -> None:
    ours, theirs = pair(kind, bidirectional=True)
    inputs = torch.randn(4, 2, 3)
    same(torch.jit.trace(ours, (inputs,))(inputs), theirs(inputs))
    trace = torch.jit.trace(Ragged(ours), (inputs, torch.tensor([4, 2])))
    lengths = torch.tensor([1, 4])
    same(trace(inputs, lengths), ours(inputs, lengths=lengths, return_layers=True)[2])


@pytest.mark.parametrize("kind", KINDS)
def test_torch_compile(kind: str) -> None:
    ours, theirs = pair(kind)
    inputs = torch.randn(4, 2, 3)
    compiled = torch.compile(Reader(ours), backend="eager")
    same(compiled(inputs), Reader(theirs)(inputs))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_autocast(kind: str, dtype: torch.dtype) -> None:
    """The types and numbers that torch gives, to the bit; gradients too."""
    ours, theirs = pair(kind)
    inputs = torch.randn(4, 2, 3)
    found = []
    for module in (ours, theirs):
        leaf = inputs.clone().requires_grad_()
        try:
            with torch.autocast("cpu", dtype=dtype):
                results = flat(module(leaf))
        except RuntimeError as error:
            found.append(str(error))  # oneDNN has no half-precision LSTM on some processors
            continue
        results[0].float().square().sum().backward()
        found.append([*results, leaf.grad, *(weight.grad for weight in module.parameters())])
    if isinstance(found[1], str):
        assert found[0] == found[1]
        return
    for mine, right in zip(*found, strict=True):
        assert mine.dtype == right.dtype
        assert torch.equal(mine, right)


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_with_lengths(kind: str) -> None:
    ours, theirs = pair(kind, bidirectional=True)
    inputs = torch.randn(4, 3, 3)
    lengths = torch.tensor([4, 0, 2])
    alive = lengths.nonzero().squeeze(-1)
    packed = pack_padded_sequence(inputs[:, alive], lengths[alive])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, (right, final) = flat(ours(inputs, lengths=lengths)), theirs(packed)
    padded, _ = pad_packed_sequence(right)
    for mine, exact in zip(found, [padded, *flat(final)], strict=True):
        assert mine.dtype == exact.dtype
        torch.testing.assert_close(mine[:, alive].float(), exact.float(), rtol=2e-2, atol=2e-2)
        assert not mine[:, 1].any()


def test_a_second_derivative_outside_of_autocast_is_not_rounded() -> None:
    ours = nn.GRU(3, 5)
    inputs = torch.randn(4, 2, 3, requires_grad=True)
    right = torch.autograd.grad(ours(inputs)[0].square().sum(), inputs, create_graph=True)[0]
    loss = ours(inputs)[0].square().sum()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = torch.autograd.grad(loss, inputs, create_graph=True)[0]
    assert torch.equal(found, right)


def test_half_weights_under_another_autocast_are_refused_by_name() -> None:
    layers = nn.GRU(3, 5, dtype=torch.float16)
    with torch.autocast("cpu", dtype=torch.bfloat16), pytest.raises(SpecError, match=r"autocast to torch\.bfloat16"):
        layers(torch.zeros(4, 2, 3, dtype=torch.float16), lengths=[4, 1])
