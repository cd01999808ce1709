"""`Network`: embedding of the encoded features, then a body that predicts. The body is a `Stack`, or a baseline.

Whatever the body, `forward(batch)` gives one row per target: for one target per step the valid steps of the
batch, sequence after sequence; else one row per sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from leadline.blank import blank
from leadline.data.batch import Batch
from leadline.data.encode import BUCKETS, Encoder
from leadline.dropout import Dropout
from leadline.seeds import child
from leadline.spec import StackSpec
from leadline.stack import Stack

FORGET = 0.01


@dataclass(frozen=True)
class EmbedSpec:
    """Sizes of the embedding.

    Args:
        numeric_size: numeric columns, passed on as they are.
        names: names seen in training, for each category column.
        widths: features that each category column becomes.
        words: whether a column's character n-grams are added.
    """

    numeric_size: int
    names: tuple[int, ...]
    widths: tuple[int, ...]
    words: tuple[bool, ...]

    @property
    def output_size(self) -> int:
        """Features per step."""
        return self.numeric_size + sum(self.widths)

    @property
    def num_parameters(self) -> int:
        """Trainable numbers."""
        tables = sum((n + 1) * w for n, w in zip(self.names, self.widths, strict=True))
        grams = sum((BUCKETS + 1) * w for w, word in zip(self.widths, self.words, strict=True) if word)
        return tables + grams


def embed_spec(encoder: Encoder) -> EmbedSpec:
    """Sizes for an encoder's columns."""
    names = tuple(len(column.vocabulary) for column in encoder.columns)
    widths = tuple(column.width for column in encoder.columns)
    words = tuple(column.form == "word" for column in encoder.columns)
    return EmbedSpec(encoder.numeric_size, names, widths, words)


class Embed(nn.Module):
    """Encoded features to one vector per step, (batch, seq, output_size), 0 at padding.

    A category's vector is learned; that of index 0 (unseen or missing) is trained: in training each
    name is replaced by 0 with probability `FORGET`, so that the place of the unseen is not random. A word's vector is
    its own plus the mean of its n-grams'.
    """

    def __init__(self, spec: EmbedSpec, seed: int) -> None:
        super().__init__()
        self.spec = spec
        self.forget = Dropout(FORGET)
        random = torch.Generator().manual_seed(seed)
        self.tables = nn.ModuleList()
        self.grams = nn.ModuleList()
        for names, width, word in zip(spec.names, spec.widths, spec.words, strict=True):
            self.tables.append(_table(blank(nn.Embedding, names + 1, width), random))
            bag = _bag(width) if word else nn.Identity()
            self.grams.append(_table(bag, random) if isinstance(bag, nn.EmbeddingBag) else bag)

    def forward(self, batch: Batch) -> Tensor:
        """(batch, seq, output_size)."""
        parts = [batch.numeric]
        for i, (table, bag) in enumerate(zip(self.tables, self.grams, strict=True)):
            codes = batch.codes[..., i]
            vectors: Tensor = table(self._forgotten(codes))
            buckets = batch.grams[i]
            if buckets is not None:
                distinct, inverse = torch.unique(batch.names[..., i], return_inverse=True)
                vectors = vectors + bag(buckets[distinct])[inverse]
            parts.append(vectors)
        together = torch.cat(parts, -1) if len(parts) > 1 else parts[0]
        masked: Tensor = together * batch.mask[..., None]
        return masked

    def _forgotten(self, codes: Tensor) -> Tensor:
        kept = self.forget(torch.ones_like(codes, dtype=torch.float32))
        heard: Tensor = codes * (kept > 0)
        return heard


class Body(Protocol):
    """What comes after the embedding."""

    def predict(self, features: Tensor, batch: Batch) -> Tensor:
        """(batch, seq, feature) to one row per target."""
        ...


class StackBody(nn.Module):
    """A `Stack` that reads out valid steps only.

    Args:
        spec: the stack.
        seed: of the initial weights.
    """

    def __init__(self, spec: StackSpec, seed: int) -> None:
        super().__init__()
        self.stack = Stack(spec, seed)

    def predict(self, features: Tensor, batch: Batch) -> Tensor:
        """One row per target."""
        outputs, _ = self.stack.unroll(features, batch.lengths)
        if self.stack.spec.pooling != "step":
            return self.stack.read_sequences(outputs[-1], batch.lengths)
        result: Tensor = self.stack.readout(outputs[-1].transpose(0, 1)[batch.mask])
        return result


class Network(nn.Module):
    """Embedding and body.

    Args:
        embed: sizes of the embedding.
        body: a module with `predict(features, batch)`.
        seed: of the embedding's initial weights.
    """

    def __init__(self, embed: EmbedSpec, body: nn.Module, seed: int) -> None:
        super().__init__()
        self.embed = Embed(embed, child(seed, "embedding"))
        self.body = body

    def forward(self, batch: Batch) -> Tensor:
        """One row of outputs per target."""
        result: Tensor = self.body.predict(self.embed(batch), batch)  # type: ignore[operator]
        return result


def stack_network(encoder: Encoder, spec: StackSpec, seed: int) -> Network:
    """The network of an arm: embedding of `encoder`'s features, then the stack."""
    return Network(embed_spec(encoder), StackBody(spec, child(seed, "stack")), seed)


def _bag(width: int) -> nn.Module:
    bag: nn.Module = blank(nn.EmbeddingBag, BUCKETS + 1, width, mode="mean", padding_idx=0)
    return bag


def _table(module: nn.Module, random: torch.Generator) -> nn.Module:
    assert isinstance(module, nn.Embedding | nn.EmbeddingBag)
    with torch.no_grad():
        module.weight.normal_(0.0, 0.5, generator=random)
        if module.padding_idx is not None:
            module.weight[module.padding_idx].zero_()
    return module
