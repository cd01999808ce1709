"""One trial: the one place where data, stack and training meet. Pure: the same trial gives the same result."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leadline.baselines import networks, tables
from leadline.checkpoint import Model
from leadline.data.batch import Batcher
from leadline.data.encode import Encoder
from leadline.data.sequences import Sequences
from leadline.network import Network, stack_network
from leadline.records.trial import Trial, TrialResult
from leadline.seeds import child
from leadline.spec import StackSpec
from leadline.training import loop, objective
from leadline.training.by_torch import sequence_scores
from leadline.training.trainee import trainee as make
from leadline.trials.material import Material

SHARES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
TIMED_STEPS = 64


@dataclass(frozen=True)
class Clocks:
    """When a trial began: on the clock, and in processor time of this process."""

    wall: float = field(default_factory=time.perf_counter)
    processor: float = field(default_factory=time.process_time)

    def spent(self) -> dict[str, float]:
        """Seconds since then, as `TrialResult` has them."""
        return {"seconds": time.perf_counter() - self.wall, "cpu_seconds": time.process_time() - self.processor}


@dataclass(frozen=True, eq=False)
class Outcome:
    """A result, and for a final trial the trained model."""

    result: TrialResult
    model: Model | None


def run(material: Material, trial: Trial) -> Outcome:
    """Train and score one arm.

    Args:
        material: data and split.
        trial: what to train.
    """
    start = Clocks()
    if not isinstance(trial.spec, StackSpec) and trial.spec.name not in networks.DESCRIPTIONS:
        return _run_table(material, trial, start)
    encoder, batcher = material.encoded(trial.fold)
    network = _network(encoder, material, trial)
    train = material.train(trial.fold, trial.fraction)
    tune = material.fold(trial.fold).tune
    seed = child(trial.seed, "training")
    trainee = make(network, encoder, batcher, trial.recipe, seed)
    fitted = loop.fit(trainee, batcher, train, tune, trial.recipe, seed)
    result = _scored(material, trial, trainee.scores, batcher).model_copy(
        update={
            "status": "diverged" if fitted.diverged else "finished",
            "looks": fitted.looks,
            "updates": fitted.updates,
            "still_improving": fitted.still_improving,
            "num_parameters": sum(p.numel() for p in network.parameters()),
            **start.spent(),
        }
    )
    if not trial.final:
        kept = trial.keep and trial.fraction == 1
        return Outcome(result, _network_model(material, trial, network, encoder, result) if kept else None)
    extras = {
        "microseconds_per_step": _step_time(network),
        "reading_curve": _reading(material, trial, network),
    }
    return Outcome(result.model_copy(update=extras), _network_model(material, trial, network, encoder, result))


def _network(encoder: Encoder, material: Material, trial: Trial) -> Network:
    if not isinstance(trial.spec, StackSpec):
        return networks.build(trial.spec.name, encoder, material.causal, trial.seed, trial.recipe.dropout)
    return stack_network(encoder, trial.recipe.as_trained(trial.spec), trial.seed)


def _run_table(material: Material, trial: Trial, start: Clocks) -> Outcome:
    assert not isinstance(trial.spec, StackSpec)
    encoder, batcher = material.encoded(trial.fold)
    table = tables.make(trial.spec.name, material.causal, child(trial.seed, "table"))
    table.fit(material.sequences, material.train(trial.fold, trial.fraction), material.fold(trial.fold).tune)

    def sums(indices: NDArray[np.int64]) -> NDArray[np.float64]:
        return _table_scores(table, material.sequences.take(indices))

    result = _scored(material, trial, sums, batcher)
    result = result.model_copy(update=start.spent())
    if not trial.final:
        return Outcome(result, None)
    facts = _facts(material, trial, result)
    arrays, config = table.arrays(), table.config()
    return Outcome(result, Model(encoder, None, trial.spec.name, material.causal, arrays, config, facts))


def _table_scores(table: tables.Table, part: Sequences) -> NDArray[np.float64]:
    """(n,) score sums by sequence of a table's answers, which are never all in memory."""
    assert part.targets is not None
    scores = np.empty(len(part.targets))
    start = 0
    for answers in table.blocks(part):
        rows = slice(start, start + len(answers))
        scores[rows] = objective.answer_scores(answers, part.targets[rows], part.kind)
        start = rows.stop
    if not part.per_step:
        return scores
    owners = np.repeat(np.arange(len(part)), part.lengths)
    return np.bincount(owners, weights=scores, minlength=len(part)).astype(np.float64)


def _scored(material: Material, trial: Trial, sums: Any, batcher: Batcher) -> TrialResult:
    fold = material.fold(trial.fold)
    parts = {"tune": fold.tune, "dev": fold.dev, "train": material.train_sample(trial.fold, trial.fraction)}
    if trial.final:
        parts["test"] = material.split.test
    values = {name: sums(indices) for name, indices in parts.items()}
    means = {
        name: float(value.sum() / loop.target_counts(batcher, parts[name]).sum()) for name, value in values.items()
    }
    clusters = {
        f"{name}_clusters": tuple(material.by_cluster(parts[name], values[name]).round(6).tolist())
        for name in ("dev", "test")
        if name in parts
    }
    return TrialResult(status="finished", **means, **clusters)


def _step_time(network: Network) -> float:
    """Microseconds per step of the body at batch 1, median of five unrolls."""
    width = network.embed.spec.output_size
    features = torch.zeros(1, TIMED_STEPS, width)
    stack = getattr(network.body, "stack", None)
    times = []
    with torch.no_grad():
        for _ in range(6):
            start = time.perf_counter()
            if stack is not None:
                stack(features)
            times.append(time.perf_counter() - start)
    return float(np.median(times[1:]) / TIMED_STEPS * 1e6)


def _reading(material: Material, trial: Trial, network: Network) -> tuple[tuple[float, float], ...]:
    """Dev score against the share of the sequence read, for a classifier that reads one way."""
    spec = trial.spec
    if material.sequences.kind != "classification" or not isinstance(spec, StackSpec):
        return ()
    if spec.bidirectional or spec.look_ahead:
        return ()
    encoder, batcher = material.encoded(trial.fold)
    dev = material.fold(trial.fold).dev
    return tuple((share, float(sequence_scores(network, encoder, batcher, dev, share).mean())) for share in SHARES)


def _network_model(material: Material, trial: Trial, network: Network, encoder: Encoder, result: TrialResult) -> Model:
    arrays = {name: value.detach().cpu().clone().numpy() for name, value in network.state_dict().items()}
    spec = trial.recipe.as_trained(trial.spec) if isinstance(trial.spec, StackSpec) else None
    name = None if isinstance(trial.spec, StackSpec) else trial.spec.name
    return Model(encoder, spec, name, material.causal, arrays, {}, _facts(material, trial, result))


def _facts(material: Material, trial: Trial, result: TrialResult) -> dict[str, Any]:
    return {
        "data": material.sequences.name,
        "fingerprint": material.sequences.fingerprint(),
        "seed": trial.seed,
        "dev_score": result.dev,
        "test_score": result.test,
        "recipe": trial.recipe.__dict__,
    }
