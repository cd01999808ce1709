"""Training a network by compiled code: `leadline.kernels.whole` for a plain `Stack` and for the trained baselines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from leadline.baselines.bodies import ENDS, BagBody, ConvBody, WindowBody
from leadline.data.batch import Batcher
from leadline.data.encode import BUCKETS, Encoder
from leadline.data.sequences import LABELLED
from leadline.kernels import choose, library, passes
from leadline.kernels.whole import Data, Layout, Machine
from leadline.network import FORGET, EmbedSpec, Network, StackBody
from leadline.spec import Recipe, StackSpec

POOLINGS = {"step": 0, "last": 1, "mean": 2, "max": 3, "ends": 4, "bag": 5}
ACCURACY, LIKELIHOOD, ERROR = 0, 1, 2
CROSS_ENTROPY, SMOOTH_L1 = 0, 1
SEED_BITS = 64
CALL_OPERATIONS = 1e10


def refusal(network: Network, batcher: Batcher) -> str:
    """Why compiled code cannot train this network; "" where it can."""
    reason = _unknown(network.body)
    if reason:
        return reason
    if batcher.device != "cpu":
        return "compiled training is for the CPU only"
    if any(p.dtype is not torch.float32 or not p.is_cpu for p in network.parameters()):
        return "compiled training is for float32 on the CPU only"
    if os.environ.get(choose.VARIABLE, "native") != "native":
        return f"{choose.VARIABLE} forces another routine"
    found = library.load()
    return found.reason if isinstance(found, library.Missing) else ""


def _unknown(body: nn.Module) -> str:
    """Why the compiled code does not know such a body; "" where it does."""
    if isinstance(body, WindowBody | BagBody | ConvBody):
        return ""
    if not isinstance(body, StackBody):
        return "the body is no stack and no baseline"
    cell = body.stack.spec.cell
    return "" if cell in passes.CELLS else f"there is no compiled kernel for {cell!r}"


class Compiled:
    """See `leadline.training.trainee.Trainee`; the arguments are those of `trainee`."""

    def __init__(self, network: Network, encoder: Encoder, batcher: Batcher, recipe: Recipe, seed: int) -> None:
        self.network, self.batcher = network, batcher
        self.scale = 1.0 if encoder.kind in LABELLED else encoder.target_scale
        weights = parameters_to_vector(network.parameters()).detach().numpy().copy()
        layout = _layout(network.body, encoder, recipe, seed)
        self.machine = Machine(layout, _data(network.embed.spec, encoder, batcher), weights)
        self.kept = weights.copy()

    def train(self, done: int, batches: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
        """Losses of the updates `done + 1`, ...; they end behind the first that is not finite."""
        losses = np.zeros(0)
        for part in self._calls(batches):
            fresh = self.machine.train(done + len(losses), part)
            losses = np.concatenate([losses, fresh])
            if len(fresh) < len(part) or not np.isfinite(fresh[-1]):
                break
        return losses

    def scores(self, indices: NDArray[np.int64]) -> NDArray[np.float64]:
        """(len(indices),) score sums by sequence, by the averaged weights."""
        positions = list(self.batcher.chunks(indices))
        parts = self._calls([indices[chunk] for chunk in positions])
        found = [self.machine.scores(self.machine.average, part) for part in parts]
        sums = np.zeros(len(indices))
        if positions:
            sums[np.concatenate(positions)] = np.concatenate(found) * self.scale
        return sums

    def finite(self) -> bool:
        """Whether the averaged weights are."""
        return bool(np.isfinite(self.machine.average).all())

    def keep(self) -> None:
        """Remember the averaged weights."""
        self.kept = self.machine.average.copy()

    def restore(self) -> None:
        """Put what was remembered into the network, and where the average was."""
        self.machine.average[:] = self.kept
        with torch.no_grad():
            vector_to_parameters(torch.from_numpy(self.kept), self.network.parameters())

    def _calls(self, batches: Sequence[NDArray[np.int64]]) -> Iterator[Sequence[NDArray[np.int64]]]:
        """The batches in calls of a fraction of a second, so that Ctrl-C is heard between them."""
        steps = sum(int(self.batcher.lengths(batch).sum()) for batch in batches) / max(len(batches), 1)
        size = max(1, int(CALL_OPERATIONS / max(6 * steps * len(self.kept), 1)))
        for start in range(0, len(batches), size):
            yield batches[start : start + size]


def _layout(body: nn.Module, encoder: Encoder, recipe: Recipe, seed: int) -> Layout:
    labelled = encoder.kind in LABELLED
    return Layout(
        **_shape(body),
        objective=CROSS_ENTROPY if labelled else SMOOTH_L1,
        score=ERROR if not labelled else LIKELIHOOD if encoder.kind == "next_step" else ACCURACY,
        outputs=encoder.output_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        clip=recipe.clip,
        averaging=recipe.averaging,
        forget=FORGET,
        seed=seed % (1 << SEED_BITS),
    )


NOTHING = {
    **{"cell": 0, "layers": 0, "hidden": 0, "directions": 1, "residual": False, "layer_norm": False},
    **{"past": 0, "look_ahead": 0, "convolutions": 0, "channels": 0, "ends": 0, "mlp": 0, "pooling": POOLINGS["step"]},
}


def _shape(body: nn.Module) -> dict[str, Any]:
    """What `body` has of all that a network may have."""
    if isinstance(body, WindowBody) and body.per_step:
        part = {"past": body.past, "look_ahead": body.future, "mlp": body.hidden, "dropout": body.dropout}
    elif isinstance(body, WindowBody):
        part = {"ends": ENDS, "pooling": POOLINGS["ends"], "mlp": body.hidden, "dropout": body.dropout}
    elif isinstance(body, BagBody):
        part = {"pooling": POOLINGS["bag"], "mlp": body.hidden, "dropout": body.dropout}
    elif isinstance(body, ConvBody):
        part = {"convolutions": len(body.convolutions), "channels": body.channels, "dropout": body.dropout.probability}
        part["pooling"] = POOLINGS["step" if body.per_step else "mean"]
    else:
        assert isinstance(body, StackBody)
        part = _stack(body.stack.spec)
    return NOTHING | part


def _stack(spec: StackSpec) -> dict[str, Any]:
    return {
        "cell": passes.CELLS[spec.cell],
        "layers": spec.num_layers,
        "hidden": spec.hidden_size,
        "directions": spec.num_directions,
        "residual": spec.residual,
        "layer_norm": spec.layer_norm,
        "look_ahead": spec.look_ahead,
        "mlp": spec.state_width if spec.readout == "mlp" else 0,
        "pooling": POOLINGS[spec.pooling],
        "dropout": spec.dropout,
    }


def _data(embed: EmbedSpec, encoder: Encoder, batcher: Batcher) -> Data:
    assert batcher.targets is not None
    targets = batcher.targets.numpy()
    labelled = encoder.kind in LABELLED
    return Data(
        offsets=batcher.offsets.numpy(),
        values=batcher.numeric.numpy(),
        codes=batcher.codes.numpy(),
        names=batcher.names.numpy(),
        sizes=np.array(embed.names, dtype=np.int64) + 1,
        widths=np.array(embed.widths, dtype=np.int64),
        buckets=np.array([(BUCKETS + 1) * word for word in embed.words], dtype=np.int64),
        grams=tuple(None if grams is None else grams.numpy() for grams in batcher.grams),
        labels=targets if labelled else None,
        targets=None if labelled else targets.astype(np.float32, copy=False),
        per_step=batcher.per_step,
    )
