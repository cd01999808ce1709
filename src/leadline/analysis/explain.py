"""From a subject and data to `Findings`: every analysis once, in order, told of as it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from leadline.analysis import ablation, estimates, gradients, history, interactions, memory, similarity, stored, units
from leadline.analysis import sample as sampling
from leadline.analysis.annotations import Annotation, derived, lagged, require_fitting
from leadline.analysis.capture import Captured, capture
from leadline.analysis.cores import one_thread_a_call
from leadline.analysis.findings import Findings, Looked, Probe, Unit
from leadline.analysis.lasting import Reach, Spectrum
from leadline.analysis.letters_notes import annotate, is_letters
from leadline.analysis.measured import Direction
from leadline.analysis.reading import CONTROL_SEEDS, Asked, Views, ask, probe, views
from leadline.analysis.sample import Sample
from leadline.analysis.sentences import sentences
from leadline.analysis.subject import Subject, fresh_layers, untrained
from leadline.data.encode import Encoder
from leadline.data.sequences import Sequences
from leadline.training.objective import metric_of

TWINS = 5
TWINS_OF_MEMORY = 3
LAG_SHARE = 0.5
LONGEST_LAG = 32

Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Question:
    """What is looked into.

    Args:
        subject: the network.
        encoder: what turns the data into its inputs.
        sequences: the data.
        among: sequences that may be drawn; all by default.
        annotations: the user's own, one value per step or per sequence of `sequences`.
        seed: of sample, twins and controls.
        most_steps: size of the sample.
    """

    subject: Subject
    encoder: Encoder
    sequences: Sequences
    among: NDArray[np.int64] | None = None
    annotations: Sequence[Annotation] = ()
    seed: int = 0
    most_steps: int = sampling.MOST_STEPS


@one_thread_a_call()
def explain(question: Question, progress: Progress | None = None) -> Findings:
    """Look into a network.

    Args:
        question: network and data.
        progress: called with what comes next and the share that is done.
    """
    tell = progress or _silent
    for annotation in question.annotations:
        require_fitting(annotation, question.sequences)
    tell("states", 0.0)
    sample = sampling.draw(
        question.sequences, question.encoder, question.seed, question.among, most_steps=question.most_steps
    )
    subjects = [capture(subject, sample) for subject in [question.subject, *_twins(question)]]
    seen = views(subjects, sample)
    annotations = all_annotations(question, sample)
    asked = [ask(one, sample, question.seed) for one in annotations]
    probes = _probes(asked, seen, question.seed, tell)
    tell("half-lives", 0.62)
    few = subjects[: 1 + TWINS_OF_MEMORY]
    remembered = [*memory.driven(few, sample, question.seed), *memory.own(few, sample, question.seed)]
    tell("gradients", 0.78)
    reaches, spectra = _gradients(subjects, sample, question.seed)
    tell("what breaks", 0.82)
    outcome = _outcome(subjects[0], sample, question, seen, annotations)
    tell("what is combined", 0.87)
    found = Findings(
        looked=_looked(question, subjects, sample, seen),
        probes=tuple(probes),
        shares=tuple(interactions.shares(subjects, sample, question.seed)),
        memory=tuple(remembered),
        gradients=tuple(reaches),
        spectra=tuple(spectra),
        **outcome,
        similarity=tuple(similarity.similarities(subjects, sample, question.seed)),
        shapes=tuple(similarity.shapes(subjects, sample)),
        units=_units(subjects, sample, annotations, question.seed, tell),
        reader=stored.reader(subjects[0], sample, question.seed),
        notes=_all_notes(question, sample, [a.name for a, kept in zip(annotations, asked, strict=True) if not kept]),
        versions={name: metadata.version(name) for name in ("leadline", "torch", "numpy")},
    )
    tell("done", 1.0)
    return found.model_copy(update={"sentences": sentences(found)})


def all_annotations(question: Question, sample: Sample) -> list[Annotation]:
    """The user's, the data set's, and those that any data have."""
    own = [_of_sample(annotation, sample) for annotation in question.annotations]
    known = annotate(sample.sequences) if is_letters(sample.sequences) else []
    return [*own, *known, *derived(sample.sequences)]


def _of_sample(annotation: Annotation, sample: Sample) -> Annotation:
    kept = sample.which if annotation.per_sequence else sample.rows
    distances = None if annotation.distances is None else annotation.distances[kept]
    return Annotation(
        annotation.name, annotation.values[kept], annotation.classes, annotation.per_sequence, "file", distances
    )


def _twins(question: Question) -> list[Subject]:
    if question.subject.read is not None:
        return [untrained(question.encoder, question.subject.spec, question.seed, n) for n in range(TWINS)]
    return [fresh_layers(question.subject, question.seed, n) for n in range(TWINS)]


def _probes(annotations: Sequence[Asked | None], seen: Views, seed: int, tell: Progress) -> list[Probe]:
    sequences = seen.sample.sequences
    furthest = min(LONGEST_LAG, int(np.quantile(sequences.lengths, LAG_SHARE)) - 1)
    lags = [ask(one, seen.sample, seed) for one in lagged(sequences, furthest)] if furthest > 0 else []
    every = [asked for asked in (*annotations, *lags) if asked is not None]
    tests = max(1, len(annotations) * seen.places[-1].layer)
    found: list[Probe] = []
    for number, asked in enumerate(every):
        tell(f"probes: {asked.annotation.name}", 0.05 + 0.57 * number / len(every))
        ways: tuple[Direction, ...] = ("all",) if asked.annotation.origin == "lag" else ("all", "forward", "backward")
        found += probe(asked, seen, seed, tests, ways)
    return found


def _gradients(subjects: Sequence[Captured], sample: Sample, seed: int) -> tuple[list[Reach], list[Spectrum]]:
    few = sampling.part(sample, sample.first(gradients.JACOBIAN_SEQUENCES))
    spectra = gradients.spectra([capture(c.subject, few) for c in subjects[:2]], few)
    if subjects[0].subject.read is None or sample.batch.targets is None:
        return [], spectra
    some = sampling.part(sample, sample.first(gradients.SEQUENCES))
    return gradients.reaches([capture(c.subject, some) for c in subjects[:2]], some, seed), spectra


def _outcome(
    captured: Captured, sample: Sample, question: Question, seen: Views, annotations: Sequence[Annotation]
) -> dict[str, tuple[object, ...]]:
    kinds = tuple(ablation.error_kinds(seen, annotations, question.seed))
    if captured.subject.read is None or sample.batch.targets is None:
        return {"errors": kinds}
    return {
        "errors": kinds,
        "ablation": tuple(ablation.ablations(captured, sample, question.encoder, seen, question.seed)),
        "history": tuple(history.histories(captured, sample, question.encoder, question.seed)),
    }


def _units(
    subjects: Sequence[Captured], sample: Sample, annotations: Sequence[Annotation], seed: int, tell: Progress
) -> tuple[Unit, ...]:
    tell("units", 0.9)
    return tuple(units.gallery(subjects, sample, annotations, seed))


def _looked(question: Question, subjects: Sequence[Captured], sample: Sample, seen: Views) -> Looked:
    spec, score = question.subject.spec, None
    if question.subject.read is not None and sample.batch.targets is not None:
        values = ablation.target_scores(subjects[0], sample, question.encoder)
        score = estimates.mean(values, ablation.clusters_of_targets(sample))
    return Looked(
        network=spec.describe(),
        data=sample.sequences.name,
        kind=sample.sequences.kind,
        cell=spec.cell,
        num_layers=spec.num_layers,
        hidden_size=spec.hidden_size,
        bidirectional=spec.bidirectional,
        sequences=len(sample.sequences),
        steps=int(sample.sequences.offsets[-1]),
        components=seen.components,
        twins=len(subjects) - 1,
        seed=question.seed,
        score_unit=metric_of(question.sequences).unit,
        score=score,
        fingerprint=question.sequences.fingerprint(),
    )


def _all_notes(question: Question, sample: Sample, left_out: Sequence[str]) -> tuple[str, ...]:
    notes = list(sample.notes)
    if left_out:
        few = "fewer than 40 places or the same everywhere"
        notes.append(f"Not probed, because known in {few}: {', '.join(left_out)}.")
    if int(sample.sequences.lengths.max()) < 2:
        notes.append("Every sequence has one step: nothing can be said about memory.")
    if question.subject.read is None:
        notes.append("Only the recurrent layers are known: what breaks without them was not measured.")
    notes.append(f"Random labels: {CONTROL_SEEDS} labellings. Intervals are for 95 %, over sequences and twins.")
    return tuple(notes)


def _silent(what: str, share: float) -> None:
    return None
