"""`State`: what a study knows while it runs. Results and events are only ever added."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from leadline.baselines.names import baseline_description, is_drawn
from leadline.plan.arms import Arm
from leadline.plan.draws import Draw
from leadline.plan.questions import Question
from leadline.plan.setup import Plan
from leadline.records.answers import BaselineFacts, Event, MapFactor, MapPoint
from leadline.records.trial import BaselineSpec, Trial, TrialResult
from leadline.records.verdict import TestRow
from leadline.seeds import child
from leadline.spec import Recipe, StackSpec
from leadline.trials.material import Material

T = TypeVar("T")
Steps = Generator[list[Trial], None, T]
"""A part of the procedure: it asks for trials, and goes on when their results are in the state."""

Spec = StackSpec | BaselineSpec


def described(spec: Spec) -> str:
    """What people read: a network's name, a baseline in words."""
    return spec.describe() if isinstance(spec, StackSpec) else baseline_description(spec.name)


class Round(NamedTuple):
    """Questions that were registered together, and their share of alpha."""

    questions: tuple[Question, ...]
    share: float


@dataclass(eq=False)
class State:
    """See the module.

    Args:
        plan: what was fixed beforehand.
        material: data and split (for weights and sizes; nothing is trained here).
        results: of every finished trial.
        draws: what tuning chose for each network and trained baseline.
        arms: by id, in the order in which they joined.
        rounds: what was asked, each registered before its first block.
        log: what happened.
        judged: the latest judge with what it had seen; several questions are asked of the same evidence.
        margin, trivial: frozen after the baselines; the trivial baseline's dev score.
    """

    plan: Plan
    material: Material
    results: dict[Trial, TrialResult] = field(default_factory=dict)
    draws: dict[Spec, Draw] = field(default_factory=dict)
    arms: dict[str, Arm] = field(default_factory=dict)
    rounds: list[Round] = field(default_factory=list)
    baselines: list[BaselineFacts] = field(default_factory=list)
    map: list[MapPoint] = field(default_factory=list)
    factors: list[MapFactor] = field(default_factory=list)
    tests: list[TestRow] = field(default_factory=list)
    log: list[Event] = field(default_factory=list)
    judged: tuple[tuple[int, int, int], Any] | None = None
    margin: float = 0.0
    trivial: float = 0.0

    @property
    def num_folds(self) -> int:
        """Folds that blocks rotate over."""
        return len(self.material.split.folds)

    def centre(self) -> MapPoint | None:
        """The network of the map around which the race is held; None before it was chosen, or where none trained."""
        chosen = self.happened("centred")
        return next((point for point in self.map if chosen and point.description == chosen[0].arms[0]), None)

    def say(self, event: Event) -> None:
        """Append to the log."""
        self.log.append(event)

    def happened(self, kind: str) -> list[Event]:
        """Events of a kind."""
        return [event for event in self.log if event.kind == kind]

    def recipe(self, spec: Spec) -> Recipe:
        """The recipe with what was tuned for an arm; the plain one before that."""
        draw = self.draws.get(spec)
        return self.plan.recipe if draw is None else draw.put_into(self.plan.recipe)

    def stream(self, *names: str | int) -> int:
        """A seed of this study: other options, other seeds."""
        return child(self.plan.seed, self.plan.stream, *names)

    def trial(self, arm: Arm, block: int) -> Trial:
        """The arm's training in a block. All arms of a block share its fold and its seed.

        A baseline that draws nothing has no seed: its trials on a fold are one and the same.
        """
        fold = block % self.num_folds
        counted = isinstance(arm.spec, BaselineSpec) and not is_drawn(arm.spec.name)
        return Trial(
            spec=arm.spec,
            recipe=self.recipe(arm.spec),
            seed=self.stream("block", fold if counted else block),
            fold=fold,
            fraction=arm.fraction,
            role="race",
        )

    def done(self, arm: Arm, most: int) -> int:
        """Blocks that the arm has finished, of the first `most`, without a gap."""
        return next((block for block in range(most) if self.trial(arm, block) not in self.results), most)

    def questions(self) -> tuple[Question, ...]:
        """Every registered question."""
        return tuple(question for one in self.rounds for question in one.questions)

    def add_arms(self, arms: Iterable[Arm]) -> list[Arm]:
        """Arms that join; those that are there already stay as they are."""
        added = [arm for arm in arms if arm.id not in self.arms]
        self.arms |= {arm.id: arm for arm in added}
        return added

    def parameters(self, arm: Arm) -> int | None:
        """How many the trained network has, embeddings included; None before it was trained."""
        known = (r.num_parameters for t, r in self.results.items() if t.spec == arm.spec and r.num_parameters)
        return next(known, None)
