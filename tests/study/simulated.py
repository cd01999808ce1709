"""A study without training: results drawn from a formula, so that the whole procedure runs in milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.records.trial import BaselineSpec, Trial, TrialResult
from leadline.seeds import child, generator
from leadline.spec import Recipe, StackSpec
from leadline.study import setup
from leadline.study.book import Book
from leadline.study.material import Material
from leadline.study.moves import Limits
from leadline.study.procedure import procedure
from leadline.study.trial import Outcome

Truth = Callable[[StackSpec], float]


@dataclass
class World:
    """True mean scores by spec; a trial adds noise of the seed and of each example; how hard an example is they share.

    Args:
        truth: true score, in per cent right.
        baseline: score of every baseline but the trivial one, which has 10.
        seed_noise, example_noise: standard deviations of the noise of a trial.
        starved: what training on a share of the data costs.
        train: training score of a spec; by default 1 above its truth.
        diverges: specs whose training breaks.
        still_improving: specs that still improve at the cap of updates.
        collapses: trials that come out 50 points lower, in training and on dev.
        seconds: what a trial takes.
        drawn: what weight decay and dropout of the recipe are worth on tune.
    """

    truth: Truth
    baseline: float = 30.0
    seed_noise: float = 0.05
    example_noise: float = 0.7
    starved: Callable[[float], float] = lambda fraction: 0.0 if fraction == 1 else 0.2
    train: Truth | None = None
    diverges: Callable[[StackSpec], bool] = lambda spec: False
    still_improving: Callable[[StackSpec], bool] = lambda spec: False
    collapses: Callable[[Trial], bool] = lambda trial: False
    drawn: Callable[[Recipe], float] = lambda recipe: 0.0
    seconds: Callable[[Trial], float] = lambda trial: 1.0
    asked: list[Trial] = field(default_factory=list)

    def result(self, material: Material, trial: Trial) -> TrialResult:
        self.asked.append(trial)
        weights = material.weights(trial.fold)
        mean = self._mean(trial)
        shared = generator(trial.fold, "difficulty").normal(0, 10, len(weights))
        own = generator(
            child(
                trial.seed, trial.spec.model_dump_json() if isinstance(trial.spec, BaselineSpec) else repr(trial.spec)
            )
        )
        scores = mean + own.normal(0, self.seed_noise) + own.normal(0, self.example_noise, len(weights))
        scores += shared - (shared * weights).sum() / weights.sum()
        dev = float((scores * weights).sum() / weights.sum())
        train = mean + 1 if self.train is None or isinstance(trial.spec, BaselineSpec) else self.train(trial.spec)
        network = isinstance(trial.spec, StackSpec)
        broken = network and self.diverges(trial.spec)
        if self.collapses(trial):
            scores, dev, train = scores - 50.0, dev - 50.0, train - 50.0
        return TrialResult(
            status="diverged" if broken else "finished",
            train=train,
            tune=dev + self.drawn(trial.recipe),
            dev=dev,
            test=dev if trial.final else None,
            dev_clusters=tuple((scores * weights).tolist()),
            test_clusters=tuple(np.full(len(material.test_weights()), dev) * material.test_weights())
            if trial.final
            else (),
            updates=trial.recipe.max_updates,
            num_parameters=trial.spec.num_parameters if isinstance(trial.spec, StackSpec) else 0,
            seconds=self.seconds(trial),
            still_improving=network and self.still_improving(trial.spec),
        )

    def _mean(self, trial: Trial) -> float:
        if isinstance(trial.spec, BaselineSpec):
            return 10.0 if trial.spec.name in ("majority", "median") else self.baseline
        rate = abs(np.log(trial.recipe.learning_rate / 0.006))
        return self.truth(trial.spec) - rate - self.starved(trial.fraction)


def book_for(sequences: Sequences, limits: Limits | None = None, seed: int = 0, **options: object) -> Book:
    parts = split(sequences, 0)
    limits = limits or Limits(sequences.kind)
    plan = setup.plan(sequences, parts, seed, limits, **options)  # type: ignore[arg-type]
    return Book(plan, Material(sequences, parts, limits.causal))


def play(book: Book, world: World) -> Book:
    for planned in procedure(book):
        for trial in planned:
            if trial not in book.results:
                book.results[trial] = world.result(book.material, trial)
    return book


def cut(book: Book, world: World, most: int) -> Book:
    """Played through until `most` trials are done."""
    for planned in procedure(book):
        fresh = [trial for trial in dict.fromkeys(planned) if trial not in book.results]
        left = most - len(book.results)
        book.results |= {trial: world.result(book.material, trial) for trial in fresh[:left]}
        if len(fresh) > left:
            break
    return book


@dataclass
class SimulatedExecutor:
    """The executor's contract, answered from a `World`."""

    material: Material
    world: World

    def outcomes(self, planned, start):
        for trial in planned:
            if not start(trial):
                return
            yield trial, Outcome(self.world.result(self.material, trial), None)

    def close(self) -> None: ...
