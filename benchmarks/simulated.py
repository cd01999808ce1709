"""A study without training: results drawn from a formula, so that the whole procedure runs in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.plan import setup
from leadline.plan.networks import Limits
from leadline.records.trial import BaselineSpec, Trial, TrialResult
from leadline.search.procedure import procedure
from leadline.search.state import State
from leadline.seeds import child, generator
from leadline.spec import Recipe, StackSpec
from leadline.trials.material import Material
from leadline.trials.trial import Outcome

Truth = Callable[[StackSpec], float]


@dataclass
class World:
    """True mean scores by spec; a trial adds noise of its training, of each example, and of examples times arms.

    Args:
        truth: true score, in per cent right.
        baseline, trivial: scores of baselines, and of the trivial one.
        training: standard deviation of the mean score from one training to the next.
        example: of one example's score from one training to the next.
        liking: of one example's score from one network to the next, whatever the training.
        starved: what training on a share of the data costs.
        collapses: trials that come out 50 points lower.
        seconds: what a trial takes.
    """

    truth: Truth
    baseline: float = 30.0
    trivial: float = 10.0
    training: float = 0.15
    example: float = 3.0
    liking: float = 2.0
    starved: Callable[[float], float] = lambda fraction: 0.0 if fraction == 1 else 0.2
    collapses: Callable[[Trial], bool] = lambda trial: False
    seconds: Callable[[Trial], float] = lambda trial: 1.0
    asked: list[Trial] = field(default_factory=list)

    def result(self, material: Material, trial: Trial) -> TrialResult:
        self.asked.append(trial)
        weights = material.weights(trial.fold)
        clusters = material.dev(trial.fold)[0]
        everyone = int(material.split.clusters.max()) + 1
        hard = generator(0, "difficulty").normal(0, 10, everyone)[clusters]
        name = trial.spec.model_dump_json() if isinstance(trial.spec, BaselineSpec) else repr(trial.spec)
        likes = generator(0, "likes", name).normal(0, self.liking, everyone)
        likes -= likes.mean()
        own = generator(child(trial.seed, trial.fold, name, repr(trial.fraction), repr(trial.recipe)))
        mean = self._mean(trial) + own.normal(0, self.training)
        scores = mean + hard + likes[clusters] + own.normal(0, self.example, len(weights))
        if self.collapses(trial):
            scores = scores - 50.0
        dev = float((scores * weights).sum() / weights.sum())
        test = np.full(len(material.test_weights()), dev) + own.normal(0, self.example, len(material.test_weights()))
        return TrialResult(
            status="finished",
            train=mean + 1,
            tune=mean + own.normal(0, self.training),
            dev=dev,
            test=dev if trial.final else None,
            dev_clusters=tuple((scores * weights).tolist()),
            test_clusters=tuple(test * material.test_weights()) if trial.final else (),
            updates=trial.recipe.max_updates,
            num_parameters=trial.spec.num_parameters if isinstance(trial.spec, StackSpec) else 0,
            seconds=self.seconds(trial),
        )

    @staticmethod
    def rate_cost(recipe: Recipe) -> float:
        """What another learning rate than the best costs."""
        return 0.3 * abs(float(np.log(recipe.learning_rate / 0.006)))

    def _mean(self, trial: Trial) -> float:
        if isinstance(trial.spec, BaselineSpec):
            return self.trivial if trial.spec.name in ("majority", "median") else self.baseline
        rate = self.rate_cost(trial.recipe)
        short = 0.0 if trial.role != "map" else 2.0
        return self.truth(trial.spec) - rate - short - self.starved(trial.fraction)


def state_for(sequences: Sequences, limits: Limits | None = None, seed: int = 0, **options: object) -> State:
    parts = split(sequences, 0)
    limits = limits or Limits(sequences.kind)
    plan = setup.plan(sequences, parts, seed, limits, **options)  # type: ignore[arg-type]
    return State(plan, Material(sequences, parts, limits.causal))


def play(state: State, world: World) -> State:
    for planned in procedure(state):
        for trial in planned:
            if trial not in state.results:
                state.results[trial] = world.result(state.material, trial)
    return state


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
