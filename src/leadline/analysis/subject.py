"""`Subject`: a network to look into. It is a Leadline network, its untrained twin, or layers taken from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from leadline.analysis.unroll import run_from
from leadline.data.batch import Batch
from leadline.data.encode import Encoder
from leadline.errors import ModelError
from leadline.network import Network, StackBody, stack_network
from leadline.recurrent import Recurrent
from leadline.seeds import child
from leadline.spec import StackSpec
from leadline.stack import window

Embedding = Callable[[Batch], Tensor]
Reader = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Subject:
    """Recurrent layers with what comes before and after them.

    Args:
        spec: the stack's spec.
        recurrent: its layers, in evaluation mode.
        embed: a batch to (batch, seq, feature), 0 at padding.
        read: the top layer's output (seq, batch, width) and the lengths to one row per target, as
            `leadline.network.Network` gives them; None where only the layers are known.
    """

    spec: StackSpec
    recurrent: Recurrent
    embed: Embedding
    read: Reader | None = None

    def features(self, batch: Batch) -> Tensor:
        """What the stack reads, time-major, before any look-ahead window: (seq, batch, feature)."""
        with torch.no_grad():
            return self.embed(batch).transpose(0, 1)

    def layers(self, features: Tensor, lengths: Tensor) -> list[Tensor]:
        """What layer 1 reads, then every layer's output: `num_layers + 1` tensors (seq, batch, width)."""
        seen = window(features, self.spec.look_ahead)
        return [seen, *run_from(self.recurrent, 0, seen, lengths)]


def from_network(network: Network) -> Subject:
    """The subject of a network that Leadline trained.

    Raises:
        ModelError: a baseline without recurrent layers, or weights that are not numbers.
    """
    if not isinstance(network.body, StackBody):
        raise ModelError(
            "a baseline without recurrent layers",
            expected="a recurrent network: there are no layers here to look into",
            next_move="Train one with `leadline train`.",
        )
    stack = network.body.stack
    require_finite(stack.recurrent)

    def read(top: Tensor, lengths: Tensor) -> Tensor:
        if stack.spec.pooling != "step":
            return stack.read_sequences(top, lengths)
        steps = torch.arange(top.shape[0])[None] < lengths[:, None]
        result: Tensor = stack.readout(top.transpose(0, 1)[steps])
        return result

    network.eval()
    return Subject(stack.spec, stack.recurrent, network.embed, read)


def untrained(encoder: Encoder, spec: StackSpec, seed: int, number: int) -> Subject:
    """The untrained twin: the same spec with weights and embedding fresh from a seed of its own."""
    return from_network(stack_network(encoder, spec, child(seed, "untrained twin", number)))


def fresh_layers(subject: Subject, seed: int, number: int) -> Subject:
    """The twin where only the layers are known: they start anew, what comes before them stays.

    They are layers of a torch module, which start as torch's do: every number uniform within 1 / sqrt(hidden_size).
    """
    random = torch.Generator().manual_seed(child(seed, "untrained twin", number))
    layers, reach = Recurrent(subject.spec, random).eval(), subject.spec.hidden_size**-0.5
    with torch.no_grad():
        for value in layers.parameters():
            value.uniform_(-reach, reach, generator=random)
    return Subject(subject.spec, layers, subject.embed)


def require_finite(recurrent: Recurrent) -> None:
    """Refuse weights that are NaN or infinite.

    Raises:
        ModelError: names the first such tensor.
    """
    for name, value in recurrent.named_parameters():
        if not bool(torch.isfinite(value).all()):
            raise ModelError(
                f"the weights {name!r} hold values that are not finite",
                expected="a network whose training did not diverge",
                next_move="Train it again with a smaller learning rate.",
            )
