"""After the search: fresh seeds of the advised network and of what it is held against, scored on the test part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from leadline.records.trial import BaselineSpec, Trial
from leadline.records.verdict import TestRow
from leadline.seeds import child
from leadline.spec import StackSpec, with_parameters
from leadline.stats import paired, tails
from leadline.study.book import Book
from leadline.study.names import baseline_description
from leadline.study.sizes import costly
from leadline.study.tuning import Steps, tune
from leadline.study.verdict import LEVEL

Role = Literal["advised", "start", "best_causal", "best_baseline"]


@dataclass(frozen=True)
class Final:
    """What is tested, in which role, by which trials."""

    role: Role
    spec: StackSpec | BaselineSpec
    trials: tuple[Trial, ...]


def finals(book: Book) -> Steps[list[Final]]:
    """Train the finals and write their test rows into the book."""
    chosen = roles(book)
    networks = [spec for _, spec in chosen if isinstance(spec, StackSpec) and spec not in book.draws]
    if networks:
        yield from tune(book, networks, always=networks)
    planned = [Final(role, spec, _trials(book, spec)) for role, spec in chosen]
    yield [trial for final in planned for trial in final.trials]
    book.tests = [_row(book, final) for final in planned]
    return planned


def roles(book: Book) -> list[tuple[Role, StackSpec | BaselineSpec]]:
    """What is tested: never the same thing twice."""
    found: list[tuple[Role, StackSpec | BaselineSpec]] = []
    best = BaselineSpec(name=book.best_baseline().name)
    found.append(("advised", best if book.baseline_enough else book.incumbent))
    found.append(("start", book.plan.start))
    streaming = best_causal(book)
    if streaming is not None and not _nearly(streaming, book.plan.start):
        found.append(("best_causal", streaming))
    if not book.baseline_enough:
        found.append(("best_baseline", best))
    kept: list[tuple[Role, StackSpec | BaselineSpec]] = []
    for role, spec in found:
        if spec not in [other for _, other in kept]:
            kept.append((role, spec))
    return kept


def best_causal(book: Book) -> StackSpec | None:
    """Of the networks that see no future and were trained in full, the best on dev."""
    scores: dict[StackSpec, list[float]] = {}
    for trial, result in book.results.items():
        spec = trial.spec
        if isinstance(spec, StackSpec) and spec in book.draws and not sees_future(spec) and in_full(book, trial):
            scores.setdefault(spec, []).append(result.dev)
    trained = [spec for spec in book.draws if spec in scores]
    return max(trained, key=lambda spec: float(np.mean(scores[spec])), default=None)


def sees_future(spec: StackSpec) -> bool:
    """Whether the network reads beyond the present step."""
    return spec.bidirectional or spec.look_ahead > 0


def evidence(book: Book, spec: StackSpec) -> list[Trial]:
    """Full-length trials on the whole train part: pairs, square and curve."""
    return [trial for trial in book.results if trial.spec == spec and in_full(book, trial)]


def in_full(book: Book, trial: Trial) -> bool:
    """Whether the trial is of a network on the whole train part, to the end: a pair, a corner or a curve's."""
    assert isinstance(trial.spec, StackSpec)
    return trial.fraction == 1 and not trial.final and trial.recipe == book.recipe(trial.spec)


def _nearly(one: StackSpec, other: StackSpec) -> bool:
    """The same network but for a few units."""
    close = abs(one.num_parameters - other.num_parameters) < 0.05 * other.num_parameters
    return close and replace(one, hidden_size=other.hidden_size) == other


def causal(spec: StackSpec) -> StackSpec:
    """The same network, at the same parameters, without sight of the future."""
    if not sees_future(spec):
        return spec
    return with_parameters(replace(spec, bidirectional=False, look_ahead=0), spec.num_parameters)


def seeds_of(book: Book, spec: StackSpec) -> int:
    """How many networks are trained for the test: one of a costly network."""
    return 1 if costly(spec) else book.plan.final_seeds


def _trials(book: Book, spec: StackSpec | BaselineSpec) -> tuple[Trial, ...]:
    if isinstance(spec, BaselineSpec):
        return (book.baseline_trial(spec.name, final=True),)
    return tuple(
        Trial(spec=spec, recipe=book.recipe(spec), seed=child(book.plan.seed, "final", i), final=True)
        for i in range(seeds_of(book, spec))
    )


def _row(book: Book, final: Final) -> TestRow:
    results = [book.results[trial] for trial in final.trials]
    sums = np.array([result.test_clusters for result in results])
    estimate = tails.interval(paired.crossed(sums, book.material.test_weights()), LEVEL)
    network = isinstance(final.spec, StackSpec)
    return TestRow(
        role=final.role,
        arm=_name(final.spec),
        description=_describe(final.spec),
        num_parameters=results[0].num_parameters if network else None,
        score=estimate.effect,
        interval=(estimate.low, estimate.high),
        seed_scores=tuple(result.test for result in results if result.test is not None),
    )


def _name(spec: StackSpec | BaselineSpec) -> str:
    return spec.describe() if isinstance(spec, StackSpec) else spec.name


def _describe(spec: StackSpec | BaselineSpec) -> str:
    return spec.describe() if isinstance(spec, StackSpec) else baseline_description(spec.name)
