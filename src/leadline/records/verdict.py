"""`Verdict`: what a study found, for people and programs; `verdict.json` is this record.

Every score is *higher is better*.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leadline.records.base import Interval, Record
from leadline.records.evidence import BaselineFacts, Comparison, CurvePoint, Diagnosis, Scores, Screened, Square
from leadline.records.stored import parse
from leadline.records.trial import Kind
from leadline.spec import StackSpec

SCHEMA = "leadline.verdict/1"

StopReason = Literal[
    "nothing_more_pays",
    "baseline_is_enough",
    "noise_floor",
    "more_data",
    "undecided",
    "budget",
    "interrupted",
    "failed_to_train",
]


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


class ArmFacts(Record):
    """A row of the table of arms. `num_parameters` counts the whole network, embeddings included."""

    name: str
    description: str
    spec: StackSpec
    learning_rate: float
    weight_decay: float
    dropout: float
    num_parameters: int
    state_size: int
    operations_per_step: int
    train: float | None
    tune: float | None
    dev: Scores | None
    seconds_per_trial: float | None
    microseconds_per_step: float | None
    still_improving: bool = False
    failed: int = 0


class Recommendation(Record):
    """What to use. Either `baseline` names a predictor without recurrence, or the rest describes a network."""

    baseline: str | None = None
    cell: str | None = None
    num_layers: int | None = None
    hidden_size: int | None = None
    bidirectional: bool | None = None
    look_ahead: int | None = None
    readout: str | None = None
    pooling: str | None = None
    dropout: float | None = None
    residual: bool | None = None
    layer_norm: bool | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    num_parameters: int | None = None
    state_size: int | None = None
    operations_per_step: int | None = None
    microseconds_per_step: float | None = None
    description: str = ""


class TestRow(Record):
    """A final score on the test part, by fresh seeds."""

    __test__ = False

    role: Literal["advised", "start", "best_causal", "best_baseline"]
    arm: str
    description: str
    num_parameters: int | None
    score: float
    interval: Interval
    seed_scores: tuple[float, ...]


class Budget(Record):
    """What was allowed and what was spent."""

    minutes: float | None
    max_trials: int | None
    trials: int
    seconds: float
    jobs: int


class Verdict(Record):
    """The whole answer; `verdict.json` is this record."""

    schema_: Annotated[str, Field(alias="schema")] = SCHEMA
    data: DataFacts
    metric: str
    unit: str
    loss_unit: str
    perfect: float
    recommendation: Recommendation
    path: tuple[str, ...]
    incumbents: tuple[str, ...]
    stop_reason: StopReason
    stop_sentence: str
    moves: tuple[Comparison, ...]
    screening: tuple[Screened, ...] = ()
    square: Square | None
    look_ahead_curve: tuple[CurvePoint, ...]
    reading_curve: tuple[tuple[float, float], ...]
    diagnosis: tuple[Diagnosis, ...]
    baselines: tuple[BaselineFacts, ...]
    arms: tuple[ArmFacts, ...]
    test: tuple[TestRow, ...]
    causal: bool
    max_look_ahead: int | None
    margin: float
    alpha: float
    budget: Budget
    seed: int
    command: str = ""
    warnings: tuple[str, ...]
    versions: dict[str, str]

    @property
    def steps(self) -> tuple[tuple[str, str, str], ...]:
        """(move, network before, network after) of each step of the path."""
        return tuple(zip(self.path, self.incumbents, self.incumbents[1:], strict=False))

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
