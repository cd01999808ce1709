"""What breaks without a layer: is it used, and does it add anything?

Used: its states are replaced by those of another sequence at the same step (by resampling, never by zero: a layer
that gives zeros is a network that was never trained). Adds: the layer is replaced by a linear map of what it reads,
fitted to its own states on one half of the sequences and scored on the other, both ways round. Everything above runs
on, unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis import estimates
from leadline.analysis.annotations import Annotation, of_target, steps_from_start
from leadline.analysis.capture import Captured, Place
from leadline.analysis.findings import Ablation, ErrorKind
from leadline.analysis.probes import row_scores
from leadline.analysis.reading import Asked, Views, ask
from leadline.analysis.sample import Sample
from leadline.analysis.unroll import run_from
from leadline.data.encode import Encoder
from leadline.seeds import generator
from leadline.training import objective

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 3
RIDGE = 1e-5
TINY = 1e-12
FEWEST_TARGETS = 60
MOST_GROUPS = 8
MOST_CLASSES = 20
RARE = ("rarest third of the targets", "middle third", "most frequent third")


def target_scores(captured: Captured, sample: Sample, encoder: Encoder, top: Tensor | None = None) -> Floats:
    """(targets,) the network's score of each target; from `top` in the place of the top layer's states."""
    assert captured.subject.read is not None
    assert sample.batch.targets is not None
    targets = objective.flat_targets(sample.batch.targets, sample.batch.mask, encoder.kind)
    with torch.no_grad():
        outputs = captured.subject.read(captured.layers[-1] if top is None else top, sample.lengths)
        result: Floats = objective.scores(outputs, targets, encoder).double().numpy()
    return result


def clusters_of_targets(sample: Sample) -> Ints:
    """(targets,) cluster of each."""
    if sample.sequences.per_step:
        return np.repeat(sample.clusters, sample.sequences.lengths)
    return sample.clusters


def ablations(captured: Captured, sample: Sample, encoder: Encoder, seen: Views, seed: int) -> list[Ablation]:
    """Each layer's part in the score."""
    clusters = clusters_of_targets(sample)
    full = target_scores(captured, sample, encoder)
    asked = target_of(sample, seed)
    found = []
    for layer in range(1, captured.subject.spec.num_layers + 1):
        broken = [
            _rerun(captured, sample, encoder, layer, other) for other in _resampled(captured, sample, layer, seed)
        ]
        linear = _rerun(captured, sample, encoder, layer, bypass(captured, sample, layer))
        here, below = (_exit(asked, seen, number) for number in (layer, layer - 1))
        found.append(
            Ablation(
                layer=layer,
                used=estimates.mean(full - np.mean(broken, 0), clusters),
                adds=estimates.mean(full - linear, clusters),
                exit_score=None if here is None or asked is None else estimates.mean(here, asked.clusters),
                exit_gain=None
                if here is None or below is None or asked is None
                else estimates.mean(here - below, asked.clusters),
            )
        )
    return found


def _rerun(captured: Captured, sample: Sample, encoder: Encoder, layer: int, states: Tensor) -> Floats:
    """Scores where `states` stand in the place of a layer's, and the layers above read them."""
    with torch.no_grad():
        above = run_from(captured.subject.recurrent, layer, states, sample.lengths)
    return target_scores(captured, sample, encoder, above[-1] if above else states)


def _resampled(captured: Captured, sample: Sample, layer: int, seed: int) -> list[Tensor]:
    """The layer's states with sequences exchanged for others that are at least as long, or else as long as any."""
    values, count = captured.layers[layer], len(sample.sequences)
    random = generator(seed, "explain", "resample", layer)
    there = (torch.arange(values.shape[0])[:, None] < sample.lengths[None])[..., None]
    found = []
    for _ in range(DRAWS):
        longer = np.searchsorted(-sample.sequences.lengths, -sample.sequences.lengths, side="right")
        donors = np.floor(random.random(count) * np.maximum(longer, min(2, count))).astype(np.int64)
        donors = np.where(donors == np.arange(count), (donors + 1) % np.maximum(longer, min(2, count)), donors)
        found.append(torch.where(there, values[:, torch.from_numpy(donors)], torch.zeros_like(values)))
    return found


def bypass(captured: Captured, sample: Sample, layer: int) -> Tensor:
    """The layer's states as a linear map of what it reads: W = argmin |X W - H|^2 + ridge, on the other half."""
    below, own = captured.layers[layer - 1], captured.layers[layer]
    read = sample.flat(below).double()
    read = (read - read.mean(0)) / read.std(0).clamp(min=TINY)
    wide = torch.cat([read, torch.ones(len(read), 1, dtype=torch.float64)], 1)
    wanted = sample.flat(own).double()
    half = torch.from_numpy(np.repeat(sample.clusters, sample.sequences.lengths) % 2)
    guess = torch.zeros_like(wanted)
    for part in (0, 1):
        fit, use = half != part, half == part
        if not bool(fit.any()):
            fit = use
        gram = wide[fit].T @ wide[fit]
        gram = gram + RIDGE * float(fit.sum()) * torch.eye(len(gram), dtype=torch.float64)
        guess[use] = wide[use] @ torch.linalg.solve(gram, wide[fit].T @ wanted[fit])
    result = torch.zeros(own.shape[1], own.shape[0], own.shape[2])
    result[sample.batch.mask] = guess.float()
    return result.transpose(0, 1)


def target_of(sample: Sample, seed: int) -> Asked | None:
    annotation = of_target(sample.sequences)
    return None if annotation is None else ask(annotation, sample, seed)


def _exit(asked: Asked | None, seen: Views, layer: int) -> Floats | None:
    if asked is None:
        return None
    states = (seen.wholes if asked.annotation.per_sequence else seen.steps)[0]
    scores: Floats = row_scores(states[Place(layer)][asked.rows], asked.answers, asked.folds)[0]
    return scores


def error_kinds(seen: Views, annotations: Sequence[Annotation], seed: int) -> list[ErrorKind]:
    """Which errors a linear readout of each layer no longer makes, against one of the layer below."""
    sample = seen.sample
    asked = target_of(sample, seed)
    if asked is None or not asked.answers.classes:
        return []
    exits = [_exit(asked, seen, place.layer) for place in seen.places if place.direction == "all"]
    found = []
    for layer in range(1, len(exits)):
        below, here = exits[layer - 1], exits[layer]
        assert below is not None
        assert here is not None
        for grouping, names, groups in groupings(asked, sample, annotations):
            kinds = [
                error_kind(layer, grouping, name, groups == number, below, here, asked.clusters)
                for number, name in enumerate(names)
            ]
            known = [kind for kind in kinds if kind is not None]
            known.sort(key=lambda kind: -abs(kind.removed.value) * kind.rows)
            found += known[:MOST_GROUPS]
    return found


def error_kind(
    layer: int, grouping: str, name: str, rows: NDArray[np.bool_], below: Floats, here: Floats, clusters: Ints
) -> ErrorKind | None:
    if rows.sum() < FEWEST_TARGETS:
        return None
    removed = estimates.mean(here[rows] - below[rows], clusters[rows])
    return ErrorKind(
        layer=layer,
        grouping=grouping,
        group=name,
        rows=int(rows.sum()),
        below=100.0 - float(below[rows].mean()),
        here=100.0 - float(here[rows].mean()),
        removed=removed,
    )


def rarity(counts: Ints) -> Ints:
    """(classes,) third of the targets that a class lies in by the middle of its own, rarest classes first.

    >>> rarity(np.array([50, 10, 30, 10])).tolist()
    [2, 0, 1, 0]
    """
    order = np.argsort(counts, kind="stable")
    middles = np.cumsum(counts[order]) - counts[order] / 2
    thirds = np.empty(len(counts), dtype=np.int64)
    thirds[order] = np.minimum(3 * middles // max(int(counts.sum()), 1), 2)
    return thirds


def groupings(
    asked: Asked, sample: Sample, annotations: Sequence[Annotation]
) -> list[tuple[str, tuple[str, ...], Ints]]:
    """(name, names of the groups, (rows,) group of each target) by class, rarity, position and annotation."""
    labels = asked.answers.values[0].astype(np.int64)
    counts = np.bincount(labels, minlength=asked.answers.classes)
    found = [("class", asked.annotation.classes, labels), ("rarity", RARE, rarity(counts)[labels])]
    if asked.annotation.per_sequence:
        return found
    length = np.repeat(sample.sequences.lengths, sample.sequences.lengths)
    place = np.minimum(3 * steps_from_start(sample.sequences) // np.maximum(length, 1), 2)
    found.append(("position", ("first third", "middle third", "last third"), place[asked.rows]))
    own = (one for one in annotations if one.classes and not one.per_sequence and one.origin in ("data set", "file"))
    few = (one for one in own if len(one.classes) <= MOST_CLASSES)
    return [*found, *((one.name, one.classes, one.values.astype(np.int64)[asked.rows]) for one in few)]
