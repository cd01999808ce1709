"""The recurrent layers of somebody else's torch module, taken over with their weights and with what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from leadline.analysis.subject import Subject, require_finite
from leadline.data.batch import Batch
from leadline.data.encode import Encoder
from leadline.data.sequences import Sequences
from leadline.errors import ModelError
from leadline.recurrent import Recurrent
from leadline.spec import Cell, StackSpec

LAYERS: dict[type[nn.Module], Cell] = {nn.RNN: "tanh", nn.GRU: "gru", nn.LSTM: "lstm"}


@dataclass(frozen=True, eq=False)
class Taken:
    """Layers of a module and what they read.

    Args:
        subject: the layers; there is no readout.
        encoder: passes features on as they are.
        features: (batch, seq, feature) what the layers read.
        lengths: (batch,).
    """

    subject: Subject
    encoder: Encoder
    features: NDArray[np.float32]
    lengths: NDArray[np.int64]


def take_over(module: nn.Module, inputs: Any, name: str | None = None, lengths: Any = None) -> Taken:
    """Run a module once and take over its recurrent layers.

    Args:
        module: contains, or is, a `torch.nn.RNN`, `GRU` or `LSTM`. It is run in evaluation mode, without gradients,
            and left in the mode that it was in.
        inputs: what the module is called with: one tensor or array, or a tuple of them.
        name: of the recurrent layer, as in `module.named_modules()`; may be left out where there is one.
        lengths: (batch,) steps of each sequence; all by default, or those of a packed sequence.

    Raises:
        ModelError: no such layer, or one that cannot be taken over.

    >>> taken = take_over(torch.nn.LSTM(3, 8, num_layers=2, batch_first=True), torch.zeros(4, 5, 3))
    >>> taken.subject.spec.describe(), taken.features.shape
    ('LSTM 2 x 8', (4, 5, 3))
    """
    layer = find(module, name)
    subject = _subject(layer)
    read = _read_by(module, layer, inputs)
    features, packed = _padded(layer, read)
    steps = packed if packed is not None else _steps(features, lengths)
    return Taken(subject, _encoder(features.shape[-1]), features.detach().float().cpu().numpy(), steps)


def find(module: nn.Module, name: str | None) -> nn.RNNBase:
    """The recurrent layer of that name, or the only one."""
    found: dict[str, nn.RNNBase] = {
        key: part
        for key, part in module.named_modules()
        if isinstance(part, nn.RNNBase) and isinstance(part, tuple(LAYERS))
    }
    if not found:
        raise ModelError(
            f"{type(module).__name__} holds no recurrent layer",
            expected="a torch.nn.RNN, torch.nn.GRU or torch.nn.LSTM somewhere in it",
            next_move="Other layers have no states over steps to look into.",
        )
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    if name not in found:
        raise ModelError(
            f"no recurrent layer named {name!r}" if name is not None else "more than one recurrent layer",
            expected="one of " + ", ".join(repr(key) for key in found),
            next_move="Give its name as `layers`.",
        )
    return found[name]


def _cell(layer: nn.RNNBase) -> Cell:
    """Also of a subclass, such as a parametrised layer or `leadline.nn`'s."""
    return next(cell for kind, cell in LAYERS.items() if isinstance(layer, kind))


def _subject(layer: nn.RNNBase) -> Subject:
    if getattr(layer, "nonlinearity", "tanh") != "tanh" or layer.proj_size:
        raise ModelError(
            f"a {type(layer).__name__} with " + ("a projection" if layer.proj_size else "ReLU"),
            expected="tanh, and no projection",
            next_move="Such layers cannot be taken over.",
        )
    spec = StackSpec(
        input_size=layer.input_size,
        output_size=1,
        cell=_cell(layer),
        hidden_size=layer.hidden_size,
        num_layers=layer.num_layers,
        bidirectional=layer.bidirectional,
    )
    recurrent = Recurrent(spec, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for key, value in recurrent.named_parameters():
            value.copy_(_weight(layer, key, value))
    require_finite(recurrent)
    return Subject(spec, recurrent.eval(), pass_on)


def _weight(layer: nn.RNNBase, key: str, like: Tensor) -> Tensor:
    """The weight that the layer computes with, also under weight normalisation; zeros for a bias that it has not."""
    own = getattr(layer, key, None)
    if own is None and not layer.bias and key.startswith("bias"):
        return torch.zeros_like(like)
    if not isinstance(own, Tensor):
        raise ModelError(
            f"the layer has no {key!r}", expected="the weights of torch's own layers", next_move="Copy them into one."
        )
    return own.detach().float().cpu()


def pass_on(batch: Batch) -> Tensor:
    """Features as they are, 0 at padding."""
    return batch.numeric * batch.mask[..., None]


def _read_by(module: nn.Module, layer: nn.RNNBase, inputs: Any) -> Any:
    """What the layer is called with when the module is run."""
    caught: list[Any] = []
    starts: list[Any] = []

    def catch(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        caught.append(given[0] if given else named["input"])
        starts.append(given[1] if len(given) > 1 else named.get("hx"))

    modes = {part: part.training for part in module.modules()}
    handle = layer.register_forward_pre_hook(catch, with_kwargs=True)
    try:
        with torch.no_grad():
            module.eval()(*_tensors(inputs))
    finally:
        handle.remove()
        for part, mode in modes.items():
            part.training = mode
    if not caught:
        raise ModelError("the module never called its recurrent layer", next_move="Check the name and the inputs.")
    if len(caught) > 1 or starts[0] is not None:
        raise ModelError(
            f"the module calls its recurrent layer {len(caught)} times" if len(caught) > 1 else "initial states",
            expected="one call on whole sequences, from zero states",
            next_move="Give the layer itself, with what it reads.",
        )
    return caught[0]


def _tensors(inputs: Any) -> Sequence[Any]:
    given = inputs if isinstance(inputs, tuple) and not isinstance(inputs, PackedSequence) else (inputs,)
    return [torch.as_tensor(one) if isinstance(one, np.ndarray) else one for one in given]


def _padded(layer: nn.RNNBase, read: Any) -> tuple[Tensor, NDArray[np.int64] | None]:
    """(batch, seq, feature), and the lengths of a packed sequence."""
    if isinstance(read, PackedSequence):
        features, lengths = pad_packed_sequence(read, batch_first=True)
        return features, lengths.numpy().astype(np.int64)
    if read.dim() != 3:
        raise ModelError(
            f"the layer reads a tensor of shape {tuple(read.shape)}",
            expected="a batch of sequences, three axes",
            next_move="Call it with a batch.",
        )
    return (read if layer.batch_first else read.transpose(0, 1)), None


def _steps(features: Tensor, lengths: Any) -> NDArray[np.int64]:
    batch, seq = features.shape[:2]
    if lengths is None:
        return np.full(batch, seq, dtype=np.int64)
    steps = np.asarray(lengths, dtype=np.int64)
    if steps.shape != (batch,) or not (steps.min() >= 1 and steps.max() <= seq):
        raise ModelError(f"lengths of shape {steps.shape}", expected=f"{batch} whole numbers from 1 to {seq}")
    return steps


def _encoder(features: int) -> Encoder:
    return Encoder(
        numeric_names=tuple(f"feature {i + 1}" for i in range(features)),
        means=(0.0,) * features,
        scales=(1.0,) * features,
        indicators=(),
        columns=(),
        kind="tagging",
        classes=(),
        target_name="",
        target_mean=0.0,
        target_scale=1.0,
    )


def as_sequences(taken: Taken, name: str = "inputs of the layer") -> Sequences:
    """What the layers read, as sequences without targets."""
    rows = np.concatenate([one[:steps] for one, steps in zip(taken.features, taken.lengths.tolist(), strict=True)])
    return Sequences(
        kind="tagging",
        offsets=np.concatenate([[0], np.cumsum(taken.lengths)]).astype(np.int64),
        numeric=rows.astype(np.float32),
        categories=np.zeros((len(rows), 0), dtype=np.int32),
        numeric_names=taken.encoder.numeric_names,
        category_columns=(),
        targets=None,
        target_name="",
        classes=(),
        ids=tuple(str(i) for i in range(len(taken.lengths))),
        name=name,
    )
