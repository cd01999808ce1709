"""`Book`: what a study knows while it runs. Trials and results go in; score sums, screening scores and facts come out.

The procedure writes its decisions here as records; the verdict page is made from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from leadline.records.evidence import (
    BaselineFacts,
    Comparison,
    CurvePoint,
    Diagnosis,
    Effect,
    SizeControl,
    Square,
)
from leadline.records.trial import BaselineSpec, Metric, Trial, TrialResult
from leadline.records.verdict import TestRow
from leadline.seeds import child
from leadline.spec import Recipe, StackSpec
from leadline.study.draws import Draw
from leadline.study.material import Material
from leadline.study.moves import Candidate, Limits
from leadline.study.names import is_drawn
from leadline.study.verdict import Dev

KEPT_PARAMETERS = 1_500_000
FEWEST_KEPT, MOST_KEPT = 3, 6


@dataclass(frozen=True)
class Plan:
    """What is fixed before the first trial.

    Args:
        seed: of the study.
        recipe: how every arm is trained, but for what is drawn.
        limits: what moves are allowed.
        start: the first incumbent.
        metric: how targets are scored.
        baselines: names, the trivial one first.
        margin: in the metric's unit; None for 1 % of the way from the trivial baseline to perfect.
        final_seeds: networks trained for the test part.
    """

    seed: int
    recipe: Recipe
    limits: Limits
    start: StackSpec
    metric: Metric
    baselines: tuple[str, ...]
    margin: float | None
    final_seeds: int = 3


@dataclass(frozen=True)
class Match:
    """A candidate and the arm that it is compared with: the incumbent, but for a retry."""

    candidate: Candidate
    against: StackSpec


@dataclass(eq=False)
class Book:
    """See the module.

    Args:
        plan: what was fixed beforehand.
        material: data and split (for weights and sizes; nothing is trained here).
        moves: comparisons of the stages that came to their end.
        candidates: the moves of the present stage.
        opened: where each comparison of the present stage stands after its latest look.
        fresh: effects on fresh seeds of moves that were taken, by their place in `moves`.
        controls: the same for what a less deep network of the size of a deeper one does.
    """

    plan: Plan
    material: Material
    results: dict[Trial, TrialResult] = field(default_factory=dict)
    draws: dict[StackSpec, Draw] = field(default_factory=dict)
    baseline_draws: dict[str, Draw] = field(default_factory=dict)
    margin: float = 0.0
    incumbents: list[StackSpec] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    climbed: str = ""
    moves: list[Comparison] = field(default_factory=list)
    candidates: tuple[Candidate, ...] = ()
    opened: dict[Match, Comparison] = field(default_factory=dict)
    fresh: dict[int, Effect] = field(default_factory=dict)
    controls: dict[int, SizeControl] = field(default_factory=dict)
    baselines: list[BaselineFacts] = field(default_factory=list)
    square: Square | None = None
    curve: list[CurvePoint] = field(default_factory=list)
    diagnosis: list[Diagnosis] = field(default_factory=list)
    tests: list[TestRow] = field(default_factory=list)
    stop_reason: str = ""
    stop_sentence: str = ""
    recurrence: Comparison | None = None
    baseline_enough: str | None = None

    @property
    def incumbent(self) -> StackSpec:
        """The best spec that evidence supports so far."""
        return self.incumbents[-1]

    @property
    def num_folds(self) -> int:
        """1, or the number of re-splits."""
        return len(self.material.split.folds)

    def recipe(self, spec: StackSpec) -> Recipe:
        """The recipe with what was tuned for `spec`."""
        return self.draws[spec].put_into(self.plan.recipe)

    def pair_trial(self, spec: StackSpec, stage: str, index: int) -> Trial:
        """The `index`-th trial of `spec` with the seed that all arms of `stage` share."""
        seed = child(self.plan.seed, stage, index)
        keep = index < min(MOST_KEPT, max(FEWEST_KEPT, KEPT_PARAMETERS // spec.num_parameters))
        return Trial(spec=spec, recipe=self.recipe(spec), seed=seed, fold=index % self.num_folds, keep=keep)

    def baseline_pair(self, name: str, index: int) -> Trial:
        """The baseline's half of the `index`-th pair: a seed of its own where it depends on one."""
        repeat = index // self.num_folds if is_drawn(name) else 0
        return self.baseline_trial(name, index % self.num_folds, repeat)

    def baseline_trial(self, name: str, fold: int = 0, repeat: int = 0, final: bool = False) -> Trial:
        """The `repeat`-th trial of a baseline on a fold."""
        seed = child(self.plan.seed, "baseline", fold + repeat * self.num_folds)
        draw = self.baseline_draws.get(name)
        recipe = self.plan.recipe if draw is None else draw.put_into(self.plan.recipe)
        return Trial(spec=BaselineSpec(name=name), recipe=recipe, seed=seed, fold=fold, final=final)

    def devs(self, trials: Sequence[Trial]) -> list[Dev]:
        """Score sums of finished trials."""
        return [self.dev(trial) for trial in trials]

    def dev(self, trial: Trial) -> Dev:
        """Score sums of a finished trial."""
        fold = self.material.fold(trial.fold)
        return Dev(
            trial.fold,
            np.array(self.results[trial].dev_clusters),
            self.material.weights(trial.fold),
            len(fold.dev) / max(len(fold.train), 1),
        )

    def best_baseline(self) -> BaselineFacts:
        """The baseline with the best dev score."""
        return max(self.baselines, key=lambda b: b.dev)
