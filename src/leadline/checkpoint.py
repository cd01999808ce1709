"""`Model`: a trained predictor with everything that it needs, saved as safetensors and JSON. No pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from leadline import aside
from leadline.aside import shown
from leadline.baselines import networks, tables
from leadline.data import encode
from leadline.data.batch import Batcher
from leadline.data.encode import Encoder
from leadline.data.sequences import LABELLED, Sequences
from leadline.errors import ModelError
from leadline.network import Network, stack_network
from leadline.records.base import Record
from leadline.records.stored import parse, read_file
from leadline.spec import StackSpec

FORMAT = "leadline.model/2"
TEXT, WEIGHTS = "model.json", "model.safetensors"
MOST_BYTES = 2**40
"""Weights have no limit of their own: what does not fit into memory says so."""
AGAIN = "Train it again: the same `leadline advise` or `leadline train` command writes it."


@dataclass(frozen=True, eq=False)
class Model:
    """A trained predictor.

    Args:
        encoder: turns sequences into numbers.
        spec: the stack, or None for a baseline.
        baseline: the baseline's name, or None.
        causal: whether a baseline's window hides the future.
        arrays: the weights by name.
        config: what a baseline without gradient knows beside its arrays.
        facts: where it came from: seed, scores, fingerprint of the data.
    """

    encoder: Encoder
    spec: StackSpec | None
    baseline: str | None
    causal: bool
    arrays: dict[str, NDArray[Any]]
    config: dict[str, Any]
    facts: dict[str, Any]

    @property
    def network(self) -> Network:
        """The torch module, in evaluation mode, with the trained weights.

        Raises:
            ModelError: a baseline without gradient has none, or the saved weights are another network's or not finite.
        """
        if self.spec is not None:
            network = stack_network(self.encoder, self.spec, seed=0)
        elif self.baseline in networks.DESCRIPTIONS:
            network = networks.build(self.baseline, self.encoder, self.causal, seed=0)
        else:
            raise ModelError(f"the baseline {self.baseline!r} is a table", next_move="Use predict().")
        _require_fitting(network, self.arrays)
        _require_finite(self.arrays)
        network.load_state_dict({name: torch.from_numpy(value) for name, value in self.arrays.items()})
        return network.eval()

    def predict(self, sequences: Sequences) -> NDArray[np.float64]:
        """Probabilities of the classes, or numbers in the target's unit.

        Args:
            sequences: with the features that the model was trained on; targets are not looked at.

        Returns:
            (rows, classes) or (n, classes) probabilities; (rows,) or (n,) numbers. Rows are steps.

        Raises:
            ModelError: sequences of another kind, or weights that are NaN or infinite.
        """
        if sequences.kind != self.encoder.kind:
            raise ModelError(
                f"data of kind {sequences.kind!r}",
                where=sequences.source,
                expected=f"kind {self.encoder.kind!r}",
            )
        if self.spec is None and self.baseline not in networks.DESCRIPTIONS:
            _require_finite(self.arrays)
            return tables.restore(self.config, self.arrays).predict(sequences)
        return network_predictions(self.network, self.encoder, sequences)

    def save(self, folder: Path, also: Mapping[str, bytes] | None = None) -> None:
        """Write `model.safetensors` and `model.json` into `folder`, with a digest of both.

        Args:
            folder: made where it is not there; other files in it stay.
            also: further files that belong to the model, by name.

        Raises:
            OutputError: it cannot be written; a model that lies there already stays whole.
        """
        text = {
            "format": FORMAT,
            "spec": None if self.spec is None else asdict(self.spec),
            "baseline": self.baseline,
            "causal": self.causal,
            "encoder": self.encoder.config(),
            "config": self.config,
            "facts": self.facts,
        }
        weights = save_arrays({name: np.ascontiguousarray(value) for name, value in self.arrays.items()})
        text["digest"] = _digest(parse(json.dumps(text), dict[str, Any]), weights)
        plain = json.dumps(text, indent=1).encode()
        aside.write_files(folder, {WEIGHTS: weights, **(also or {}), TEXT: plain})


class Saved(Record):
    """What `model.json` holds; the fields are those of `Model`."""

    format: str
    spec: StackSpec | None
    baseline: str | None
    causal: bool
    encoder: Encoder
    config: dict[str, Any]
    facts: dict[str, Any]
    digest: str


def load(path: str | Path) -> Model:
    """Load what `Model.save` wrote.

    Args:
        path: a model folder, or a run folder that holds one as `model/`.

    Raises:
        ModelError: nothing there, another format, or damaged files.
    """
    folder = Path(path)
    if not os.path.exists(folder / TEXT) and os.path.exists(folder / "model" / TEXT):
        folder = folder / "model"
    if not os.path.exists(folder / TEXT):
        raise ModelError("no model.json", where=shown(Path(path)), expected="a model folder or a finished run folder")
    plain = read_file(folder / TEXT, refuse=ModelError, next_move=AGAIN)
    text = parse(plain, dict[str, Any], shown(folder / TEXT), ModelError, AGAIN)
    if text.get("format") != FORMAT:
        raise ModelError(f"format {text.get('format')!r}", where=shown(folder), expected=FORMAT, next_move=AGAIN)
    saved = parse(plain, Saved, shown(folder / TEXT), ModelError, AGAIN)
    weights = read_file(folder / WEIGHTS, refuse=ModelError, next_move=AGAIN, most=MOST_BYTES)
    if saved.digest != _digest(text, weights):
        raise ModelError(
            "damaged model (its files are not those that were written together)",
            where=shown(folder),
            expected="model.json and model.safetensors, both untouched",
            next_move=AGAIN,
        )
    arrays = load_arrays(weights)
    return Model(saved.encoder, saved.spec, saved.baseline, saved.causal, arrays, saved.config, saved.facts)


def is_whole(folder: Path) -> bool:
    """Whether a model that can be loaded lies there."""
    try:
        load(folder)
    except ModelError:
        return False
    return True


def _digest(text: dict[str, Any], weights: bytes) -> str:
    """Of both files: half a model, a flipped byte and the weights of another network are found before they are used."""
    fields = {name: value for name, value in text.items() if name != "digest"}
    canonical = json.dumps(fields, sort_keys=True).encode()
    return hashlib.blake2b(canonical + weights, digest_size=16).hexdigest()


def _require_fitting(network: Network, arrays: dict[str, NDArray[Any]]) -> None:
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    found = {name: value.shape for name, value in arrays.items()}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise ModelError(
                f"weights of another network: {name} of shape {found.get(name)}",
                expected=f"{wanted.get(name)}",
                next_move="Train it again.",
            )


def _require_finite(arrays: dict[str, NDArray[Any]]) -> None:
    """Refuse NaN and infinity: every prediction that they touch would be a number without a meaning."""
    for name, value in arrays.items():
        if np.issubdtype(value.dtype, np.inexact) and not np.isfinite(value).all():
            raise ModelError(
                f"the weights {name!r} hold values that are not finite",
                expected="a model whose training did not diverge, as it was saved",
                next_move="Train it again, with a smaller learning rate if it diverged.",
            )


def network_predictions(network: Network, encoder: Encoder, sequences: Sequences) -> NDArray[np.float64]:
    """What `Model.predict` returns, for a network."""
    batcher = Batcher(encode.apply(encoder, _without_targets(sequences)))
    per_step = sequences.per_step
    rows = int(sequences.offsets[-1]) if per_step else len(sequences)
    labelled = encoder.kind in LABELLED
    result = np.zeros((rows, encoder.output_size) if labelled else rows)
    everything = np.arange(len(sequences), dtype=np.int64)
    network.eval()
    with torch.no_grad():
        for positions in batcher.chunks(everything):
            outputs = network(batcher.batch(everything[positions])).double()
            values = torch.softmax(outputs, -1) if labelled else outputs.squeeze(-1)
            where = sequences.rows(everything[positions]) if per_step else positions
            result[where] = values.cpu().numpy()
    return result if labelled else result * encoder.target_scale + encoder.target_mean


def _without_targets(sequences: Sequences) -> Sequences:
    return replace(sequences, targets=None)
