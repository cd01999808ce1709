"""From the book of a study, finished or cut short, to the `Verdict` record."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib import metadata

from leadline.kernels import choose
from leadline.records.evidence import Scores
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import ArmFacts, Budget, DataFacts, Recommendation, Verdict
from leadline.spec import StackSpec
from leadline.study import stage, verdict
from leadline.study.book import Book
from leadline.study.finals import causal, evidence
from leadline.study.material import Material
from leadline.study.names import baseline_description
from leadline.study.verdict import ALPHA


def assemble(book: Book, budget: Budget, warnings: Sequence[str], command: str = "") -> Verdict:
    """Everything that the verdict says."""
    metric = book.plan.metric
    return Verdict(
        data=data_facts(book.material),
        metric=metric.name,
        unit=metric.unit,
        loss_unit=metric.loss_unit,
        perfect=metric.perfect,
        recommendation=recommendation(book),
        path=tuple(book.path),
        incumbents=tuple(spec.describe() for spec in book.incumbents),
        stop_reason=book.stop_reason,
        stop_sentence=book.stop_sentence,
        moves=(*stage.rows(book), *([book.recurrence] if book.recurrence else [])),
        screening=tuple(stage.screening(book)),
        square=book.square,
        look_ahead_curve=tuple(book.curve),
        reading_curve=_reading(book),
        diagnosis=tuple(book.diagnosis),
        baselines=_baselines(book),
        arms=tuple(_arm(book, spec) for spec in book.draws),
        test=tuple(book.tests),
        causal=book.plan.limits.causal,
        max_look_ahead=book.plan.limits.max_look_ahead,
        margin=book.margin,
        alpha=ALPHA,
        budget=budget,
        seed=book.plan.seed,
        command=command,
        warnings=tuple(warnings),
        versions=versions(),
    )


def data_facts(material: Material) -> DataFacts:
    """What the verdict is about."""
    data, split = material.sequences, material.split
    fold = split.folds[0]
    parts = {"train": fold.train, "tune": fold.tune, "dev": fold.dev, "test": split.test}
    return DataFacts(
        name=data.name,
        source=data.source,
        fingerprint=data.fingerprint(),
        kind=data.kind,
        num_sequences=len(data),
        num_steps=int(data.offsets[-1]),
        longest=int(data.lengths.max()),
        features=(*data.numeric_names, *(column.name for column in data.category_columns)),
        target=data.target_name,
        classes=data.classes,
        parts={name: len(indices) for name, indices in parts.items()},
        split_by=split.by,
        folds=len(split.folds),
        notes=(*data.notes, *split.notes),
    )


def recommendation(book: Book) -> Recommendation:
    """What to use."""
    if book.baseline_enough or not book.incumbents:
        name = book.baseline_enough or (book.best_baseline().name if book.baselines else None)
        return Recommendation(baseline=name, description=baseline_description(name) if name else "nothing yet")
    spec, draw = book.incumbent, book.draws.get(book.incumbent)
    recipe = draw.put_into(book.plan.recipe) if draw else None
    finished = _results(book, spec)
    timed = [r.microseconds_per_step for r in finished if r.microseconds_per_step is not None]
    return Recommendation(
        cell=spec.cell,
        num_layers=spec.num_layers,
        hidden_size=spec.hidden_size,
        bidirectional=spec.bidirectional,
        look_ahead=spec.look_ahead,
        readout=spec.readout,
        pooling=spec.pooling,
        dropout=recipe.as_trained(spec).dropout if recipe else spec.dropout,
        residual=spec.residual,
        layer_norm=spec.layer_norm,
        learning_rate=recipe.learning_rate if recipe else None,
        weight_decay=recipe.weight_decay if recipe else None,
        num_parameters=finished[0].num_parameters if finished else spec.num_parameters,
        state_size=spec.state_size,
        operations_per_step=spec.operations_per_step,
        microseconds_per_step=timed[0] if timed else None,
        description=spec.describe(),
    )


def versions() -> dict[str, str]:
    """Versions of what the figures depend on."""
    found = {name: metadata.version(name) for name in ("leadline", "torch", "numpy", "scipy")}
    return {**found, "python": platform.python_version(), "machine": platform.machine(), "kernels": choose.routine()}


def _results(book: Book, spec: StackSpec) -> list[TrialResult]:
    return [result for trial, result in book.results.items() if trial.spec == spec]


def _arm(book: Book, spec: StackSpec) -> ArmFacts:
    trials, recipe = evidence(book, spec), book.recipe(spec)
    results = [book.results[trial] for trial in trials]
    everything = _results(book, spec)
    timed = [r.microseconds_per_step for r in everything if r.microseconds_per_step is not None]

    def average(part: str) -> float | None:
        return sum(getattr(r, part) for r in results) / len(results) if results else None

    return ArmFacts(
        name=spec.describe(),
        description=spec.describe(),
        spec=spec,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        dropout=recipe.as_trained(spec).dropout,
        num_parameters=everything[0].num_parameters if everything else spec.num_parameters,
        state_size=spec.state_size,
        operations_per_step=spec.operations_per_step,
        train=average("train"),
        tune=average("tune"),
        dev=_dev_scores(book, trials),
        seconds_per_trial=average("seconds"),
        microseconds_per_step=timed[0] if timed else None,
        still_improving=sum(r.still_improving for r in results) * 2 > len(results),
        failed=sum(r.status == "diverged" for r in results),
    )


def _dev_scores(book: Book, trials: Sequence[Trial]) -> Scores | None:
    if not trials:
        return None
    return verdict.mean(book.devs(trials))


def _baselines(book: Book) -> tuple:  # type: ignore[type-arg]
    tested = {row.arm: row.score for row in book.tests}
    return tuple(b.model_copy(update={"test": tested.get(b.name)}) for b in book.baselines)


def _reading(book: Book) -> tuple[tuple[float, float], ...]:
    wanted = [causal(book.incumbent), book.plan.start] if book.incumbents else []
    found = (r.reading_curve for spec in wanted for t, r in book.results.items() if t.final and t.spec == spec)
    return next((curve for curve in found if curve), ())
