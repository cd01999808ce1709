"""`Verdict`: what a study found, for people and programs; `verdict.json` is this record.

Every score is *higher is better*.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leadline.records.answers import (
    Advice,
    Answer,
    ArmFacts,
    BaselineFacts,
    Event,
    LookAheadPoint,
    MapFactor,
    MapPoint,
    Policy,
)
from leadline.records.base import Interval, Record
from leadline.records.stored import parse
from leadline.records.trial import Kind

SCHEMA = "leadline.verdict/2"

StopReason = Literal["settled", "spent", "budget", "interrupted"]
"""`settled`: every question has its word. `spent`: all blocks that the policy allows are used. Else the run was cut."""


class DataFacts(Record):
    """What the verdict is about."""

    name: str
    source: str
    fingerprint: str
    kind: Kind
    num_sequences: int
    num_steps: int
    longest: int
    features: tuple[str, ...]
    target: str
    classes: tuple[str, ...]
    parts: dict[str, int]
    split_by: str
    folds: int
    notes: tuple[str, ...]


class TestRow(Record):
    """A final score on the test part, by fresh seeds.

    Args:
        against_advised: paired difference, advised minus this one, on the same test examples.
    """

    __test__ = False

    role: Literal["advised", "start", "yours", "best_streaming", "best_baseline"]
    arm: str
    description: str
    num_parameters: int | None
    score: float
    interval: Interval
    seed_scores: tuple[float, ...]
    against_advised: tuple[float, float, float] | None = None


class Budget(Record):
    """What was allowed and what was spent."""

    minutes: float | None
    max_trials: int | None
    trials: int
    trainings: int
    seconds: float
    jobs: int


class Verdict(Record):
    """The whole answer; `verdict.json` is this record.

    Args:
        answers: the sheet, in its order.
        advice: what to use.
        arms: every arm that raced.
        baselines: every baseline that was tried.
        map, factors: the map and what its regression says.
        streaming: the look-ahead curve.
        reading_curve: for a causal classifier, (share of the sequence read, score).
        deep, twin: ids of the best deep arm and of its one-layer twin of equal size, which are looked into beside the
            advised one.
        floor: loss that no predictor avoids, where repeated inputs measure it.
        log: what happened, in order. A shorter budget's log is the beginning of a longer one's, up to its last events.
    """

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    data: DataFacts
    metric: str
    unit: str
    loss_unit: str
    perfect: float
    trivial: float
    margin: float
    answers: tuple[Answer, ...]
    advice: Advice
    arms: tuple[ArmFacts, ...]
    baselines: tuple[BaselineFacts, ...]
    map: tuple[MapPoint, ...]
    factors: tuple[MapFactor, ...]
    streaming: tuple[LookAheadPoint, ...]
    reading_curve: tuple[tuple[float, float], ...]
    test: tuple[TestRow, ...]
    deep: str = ""
    twin: str = ""
    floor: float | None = None
    stop_reason: StopReason
    causal: bool
    max_look_ahead: int | None
    policy: Policy
    budget: Budget
    seed: int
    split_seed: int = 0
    command: str = ""
    warnings: tuple[str, ...]
    versions: dict[str, str]
    log: tuple[Event, ...]

    def arm(self, name: str) -> ArmFacts | None:
        """The arm of that id."""
        return next((arm for arm in self.arms if arm.id == name), None)

    def answer(self, question: str) -> Answer | None:
        """The first answer to a question."""
        return next((answer for answer in self.answers if answer.question == question), None)

    def to_json(self) -> str:
        """The text of `verdict.json`."""
        return self.model_dump_json(by_alias=True, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Verdict:
        """Read what `to_json` wrote.

        Raises:
            RunFolderError: it is something else.
        """
        return parse(text, cls)
