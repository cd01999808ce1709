"""From two networks, each in several seeds, to a `Contrast`: scores of the same targets, probes and half-lives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from leadline.analysis import ablation, contrast_words, estimates, memory
from leadline.analysis import sample as sampling
from leadline.analysis.annotations import derived, owners, steps_from_start
from leadline.analysis.capture import Captured, Place, capture, sequence_rows, step_rows
from leadline.analysis.contrast import Contrast, Example, Held, Kind, Lasting
from leadline.analysis.letters_notes import annotate, is_letters
from leadline.analysis.measured import Against, Measured, Side
from leadline.analysis.probes import row_scores, whitened
from leadline.analysis.reading import COMPONENTS, Asked, ask
from leadline.analysis.sample import Sample
from leadline.analysis.subject import Subject
from leadline.analysis.units import context
from leadline.data.encode import Encoder
from leadline.data.sequences import LABELLED, Sequences
from leadline.stats import paired, tails
from leadline.stats.discovery import discoveries

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Progress = Callable[[str, float], None]

MOST_SEQUENCES = 6000
MOST_STEPS = 40_000
LOOKED_STEPS = 5000
LOOKED_SEEDS = 6
EXAMPLES = 12
MOSTLY = 2 / 3
FEWEST_TARGETS = 60
RATE = 0.05


@dataclass(frozen=True, eq=False)
class Arms:
    """Two networks, each in the same seeds.

    Args:
        names: of the two.
        seeds: of the pairs.
        first, second: the trained networks, one for each seed.
    """

    names: tuple[str, str]
    seeds: tuple[int, ...]
    first: Sequence[Subject]
    second: Sequence[Subject]


def contrast(
    arms: Arms, encoder: Encoder, sequences: Sequences, among: Ints, seed: int, unit: str, tell: Progress
) -> Contrast:
    """What differs between two networks on sequences that neither was trained on.

    Args:
        arms: the networks.
        encoder: what turns the data into their inputs.
        sequences: the data.
        among: the sequences that may be looked at.
        seed: of the samples.
        unit: of the score.
        tell: called with what comes next and the share that is done.
    """
    drawn = sampling.draw(sequences, encoder, seed, among, MOST_SEQUENCES, MOST_STEPS)
    tell("errors of both", 0.0)
    scores, answers = _scored(arms, drawn, encoder)
    clusters = ablation.clusters_of_targets(drawn)
    labelled = sequences.kind in LABELLED and sequences.kind != "next_step"
    right = scores[0] > 0, scores[1] > 0
    made = Contrast(
        first=arms.names[0],
        second=arms.names[1],
        seeds=arms.seeds,
        targets=scores[0].shape[1],
        score_unit=unit,
        gain=estimates.mean(scores[1] - scores[0], clusters),
        removed=_share(right[1] & ~right[0], clusters) if labelled else None,
        added=_share(right[0] & ~right[1], clusters) if labelled else None,
        exchanged=exchanged(right[0]) if labelled else None,
        kinds=_kinds(drawn, scores, seed) if labelled else (),
        fixed=_examples(drawn, right, answers, fixed=True) if labelled else (),
        broken=_examples(drawn, right, answers, fixed=False) if labelled else (),
    )
    few = sampling.draw(sequences, encoder, seed, among, most_steps=LOOKED_STEPS)
    captured = [[capture(subject, few) for subject in side[:LOOKED_SEEDS]] for side in (arms.first, arms.second)]
    tell("probes of both", 0.3)
    held = _held(captured, few, seed)
    tell("half-lives of both", 0.8)
    found = made.model_copy(update={"held": held, "lasting": _lasting(captured, few, seed)})
    return found.model_copy(update={"sentences": contrast_words.sentences(found)})


def _scored(arms: Arms, sample: Sample, encoder: Encoder) -> tuple[tuple[Floats, Floats], tuple[Ints, Ints]]:
    """(seeds, targets) scores and answers of each; a network's states are let go before the next one runs."""
    scores: list[list[Floats]] = [[], []]
    answers: list[list[Ints]] = [[], []]
    for number, side in enumerate((arms.first, arms.second)):
        for subject in side:
            captured = capture(subject, sample)
            scores[number].append(ablation.target_scores(captured, sample, encoder))
            answers[number].append(_answers(captured, sample))
    return (np.stack(scores[0]), np.stack(scores[1])), (np.stack(answers[0]), np.stack(answers[1]))


def _answers(captured: Captured, sample: Sample) -> Ints:
    assert captured.subject.read is not None
    with torch.no_grad():
        best: Ints = captured.subject.read(captured.layers[-1], sample.lengths).argmax(-1).numpy()
    return best


def _share(which: NDArray[np.bool_], clusters: Ints) -> Measured:
    return estimates.mean(100.0 * which.astype(np.float64), clusters)


def exchanged(right: NDArray[np.bool_]) -> float | None:
    """Per cent of targets that one of two seeds has right and the other has not, mean over pairs of seeds, one way.

    With q the share of the n seeds that have a target right, this is n / (n - 1) * mean of q (1 - q).

    Args:
        right: (seeds, targets).

    >>> exchanged(np.array([[True, False, True, True], [True, True, True, False]]))
    25.0
    """
    seeds = len(right)
    if seeds < 2:
        return None
    often = right.mean(0)
    return float(100.0 * seeds / (seeds - 1) * (often * (1 - often)).mean())


def _kinds(sample: Sample, scores: tuple[Floats, Floats], seed: int) -> tuple[Kind, ...]:
    asked = ablation.target_of(sample, seed)
    if asked is None or len(asked.rows) != scores[0].shape[1]:
        return ()
    notes = annotate(sample.sequences) if is_letters(sample.sequences) else []
    found: list[Kind] = []
    chances: list[float] = []
    for grouping, names, groups in ablation.groupings(asked, sample, notes):
        for number, name in enumerate(names):
            rows = groups == number
            if rows.sum() < FEWEST_TARGETS:
                continue
            before, after, whose = scores[0][:, rows], scores[1][:, rows], asked.clusters[rows]
            found.append(_kind(grouping, name, before, after, whose))
            chances.append(estimates.chance(after - before, whose))
    ways = _ways([kind.removed for kind in found], chances)
    told = [kind.model_copy(update={"sure": way}) for kind, way in zip(found, ways, strict=True)]
    overall = float((scores[1] - scores[0]).mean())
    return tuple(sorted(told, key=lambda kind: -abs(kind.removed.value - overall) * kind.targets))


def _kind(grouping: str, group: str, before: Floats, after: Floats, clusters: Ints) -> Kind:
    removed = estimates.mean(after - before, clusters)
    ends = None if removed.interval is None else (max(removed.interval[0], -100.0), min(removed.interval[1], 100.0))
    return Kind(
        grouping=grouping,
        group=group,
        targets=before.shape[1],
        first=100.0 - float(before.mean()),
        second=100.0 - float(after.mean()),
        removed=Measured(value=removed.value, interval=ends),
    )


def _ways(differences: Sequence[Measured], chances: Sequence[float]) -> list[Against]:
    """What each difference says where at most `RATE` of those that say something may be false."""
    sure = discoveries(np.array(chances), RATE)
    return [
        "open" if not stands else "more" if one.value > 0 else "less"
        for one, stands in zip(differences, sure, strict=True)
    ]


def _examples(
    sample: Sample, right: tuple[NDArray[np.bool_], ...], answers: tuple[Ints, Ints], *, fixed: bool
) -> tuple[Example, ...]:
    """Targets that most seeds of one have right and most of the other have not, spread over the sample."""
    often = [side.mean(0) for side in right]
    good, poor = (often[1], often[0]) if fixed else (often[0], often[1])
    changed = np.flatnonzero((good >= MOSTLY) & (poor <= 1 - MOSTLY))
    said = [_most_frequent(side[:, changed]) for side in answers]
    assert sample.sequences.targets is not None
    true = sample.sequences.targets[changed]
    plain = np.flatnonzero((said[0] != said[1]) & (said[1 if fixed else 0] == true))
    chosen = plain[np.unique(np.linspace(0, len(plain) - 1, min(EXAMPLES, len(plain))).astype(np.int64))]
    return tuple(
        _example(sample.sequences, int(changed[i]), (int(said[0][i]), int(said[1][i]))) for i in chosen.tolist()
    )


def _most_frequent(answers: Ints) -> Ints:
    """(rows,) the most frequent of (seeds, rows) answers."""
    return np.array([np.bincount(column).argmax() for column in answers.T], dtype=np.int64)


def _example(sequences: Sequences, row: int, answers: tuple[int, int]) -> Example:
    assert sequences.targets is not None
    if sequences.per_step:
        before, here, after = context(sequences, int(owners(sequences)[row]), int(steps_from_start(sequences)[row]))
    else:
        before, here, after = "", sequences.ids[row], ""
    names = sequences.classes
    return Example(
        before=before,
        here=here,
        after=after,
        target=names[int(sequences.targets[row])],
        first=names[answers[0]],
        second=names[answers[1]],
    )


def _held(captured: list[list[Captured]], sample: Sample, seed: int) -> tuple[Held, ...]:
    notes = annotate(sample.sequences) if is_letters(sample.sequences) else []
    every = [ask(one, sample, seed) for one in [*notes, *derived(sample.sequences)]]
    components = min(COMPONENTS, *(side[0].subject.spec.hidden_size for side in captured))
    found: list[Held] = []
    chances: list[float] = []
    for whole in (False, True):
        asked = [one for one in every if one is not None and one.annotation.per_sequence == whole]
        if not asked:
            continue
        scores = [_layer_scores(side, sample, asked, components, whole) for side in captured]
        for one, first, second in zip(asked, *scores, strict=True):
            found.append(_side_by_side(one, first, second))
            chances.append(estimates.chance(second[-1] - first[-1], one.clusters))
    ways = _ways([held.gain for held in found], chances)
    told = [held.model_copy(update={"sure": way}) for held, way in zip(found, ways, strict=True)]
    return tuple(sorted(told, key=lambda held: -abs(held.gain.value)))


def _layer_scores(
    side: list[Captured], sample: Sample, asked: Sequence[Asked], components: int, whole: bool
) -> list[list[Floats]]:
    """[annotation][layer from 1] (seeds, rows) scores."""
    rows = sequence_rows if whole else step_rows
    found: list[list[list[Floats]]] = []
    for layer in range(1, side[0].subject.spec.num_layers + 1):
        states = [whitened(rows(one, sample, Place(layer)), components) for one in side]
        found.append([[row_scores(s[one.rows], one.answers, one.folds)[0] for s in states] for one in asked])
    return [[np.stack(layer[number]) for layer in found] for number in range(len(asked))]


def _side_by_side(asked: Asked, first: list[Floats], second: list[Floats]) -> Held:
    return Held(
        annotation=asked.annotation.name,
        unit="% right" if asked.answers.classes else "% of variance",
        rows=len(asked.rows),
        first=tuple(estimates.mean(scores, asked.clusters) for scores in first),
        second=tuple(estimates.mean(scores, asked.clusters) for scores in second),
        gain=estimates.mean(second[-1] - first[-1], asked.clusters),
    )


def _lasting(captured: list[list[Captured]], sample: Sample, seed: int) -> tuple[Lasting, ...]:
    swap = memory.draw_swap(sample, seed)
    lives = [[memory.driven_half_lives(one, sample, swap) for one in side] for side in captured]
    found = []
    for side in ("back", "ahead"):
        known = [_by_layer(networks, side) for networks in lives]
        if not all(known):
            continue
        one, two = known[0][-1], known[1][-1]
        gain = None if one is None or two is None else _over_seeds(two - one)
        first, second = (tuple(None if v is None else _over_seeds(v) for v in layers) for layers in known)
        found.append(Lasting(side=side, first=first, second=second, gain=gain))
    return tuple(found)


def _by_layer(networks: list[dict[tuple[Side, int], float | None]], side: Side) -> list[Floats | None]:
    """(seeds,) half-lives of each layer; None where a network never came down to half."""
    layers = sorted(layer for at, layer in networks[0] if at == side)
    each = [[network[side, layer] for network in networks] for layer in layers]
    return [None if any(value is None for value in values) else np.array(values, dtype=float) for values in each]


def _over_seeds(values: Floats) -> Measured:
    """The mean with its 95 % interval over seeds (Student's t)."""
    if len(values) < 2:
        return Measured(value=float(values.mean()))
    found = tails.interval(paired.resplit(values, 0.0), estimates.LEVEL)
    return Measured(value=found.effect, interval=(found.low, found.high))
