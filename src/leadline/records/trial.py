"""Trials: what the half that decides asks of the half that trains, and what comes back.

Every score is *higher is better*, in the metric's own unit. `Metric.loss` turns a score into the figure that people
usually quote (per cent wrong, nats, mean absolute error): `perfect - score`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadline.records.base import Record
from leadline.spec import Recipe, StackSpec

Kind = Literal["classification", "regression", "tagging", "step_regression", "next_step"]


Role = Literal["map", "race", "look", "final"]


class Metric(Record):
    """How a kind of target is scored.

    `loss_unit` is the unit of `perfect - score`, for instance "% of labels wrong".
    """

    name: Literal["accuracy", "negative_nats", "negative_mean_absolute_error"]
    unit: str
    loss_unit: str
    perfect: float

    def loss(self, score: float) -> float:
        """`perfect - score`: lower is better."""
        return self.perfect - score


class BaselineSpec(Record):
    """A predictor without recurrence; `name` is a key of `DESCRIPTIONS` in `baselines.tables` or `networks`."""

    name: str


class Trial(Record):
    """One arm to be trained with one seed on one fold: what the executor maps.

    Args:
        spec: a network, or a baseline.
        recipe: how to train it.
        seed: the random stream of initial weights, dropout and order; two trials of a pair share it.
        fold: which re-split of the development data (0 where there is one).
        fraction: share of the train part that is used, the same subset for the same fold.
        role: what it is for. `map`: an order of networks; `race`: evidence; `look`: a network to look into; `final`:
            the test part is scored, too, and the trained model kept.
        keep: keep the trained model, so that the pair can be looked into; it decides nothing and is not written down.
    """

    spec: StackSpec | BaselineSpec
    recipe: Recipe
    seed: int
    fold: int = 0
    fraction: float = 1.0
    role: Role = "race"
    keep: bool = Field(default=False, exclude=True)

    @property
    def final(self) -> bool:
        """Whether the test part is scored."""
        return self.role == "final"

    def describe(self) -> str:
        """What is trained, for a message: "GRU 1 x 64, seed 5, fold 0"."""
        name = self.spec.describe() if isinstance(self.spec, StackSpec) else f"baseline {self.spec.name}"
        return f"{name}, seed {self.seed}, fold {self.fold}" + (", final" if self.final else "")


class Look(Record):
    """One look at the tune part during training."""

    update: int
    train_loss: float
    tune_score: float


class TrialResult(Record):
    """What a trial found.

    Args:
        status: "diverged" when the loss stopped being finite; scores are then those of the last finite look.
        train, tune, dev, test: mean scores; `train` on a fixed sample of the train part; `test` for final trials.
        dev_clusters: score sums by cluster of the dev part (group, or sequence), in the fold's cluster order:
            divided by the cluster weights of the fold they give `dev` again.
        test_clusters: likewise for the test part.
        looks: the tune curve.
        still_improving: the best look was among the last `patience` when the cap of updates came.
        updates: updates made.
        seconds: wall time of the training.
        cpu_seconds: processor time of it, which a machine that stands still does not add to; 0 where it is not known.
        microseconds_per_step: measured time of one step of one sequence at inference, streaming batch of 1.
        reading_curve: for a causal classifier, (share of the sequence read, dev score).
    """

    status: Literal["finished", "diverged"]
    train: float
    tune: float
    dev: float
    test: float | None = None
    dev_clusters: tuple[float, ...] = ()
    test_clusters: tuple[float, ...] = ()
    looks: tuple[Look, ...] = ()
    still_improving: bool = False
    updates: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    microseconds_per_step: float | None = None
    reading_curve: tuple[tuple[float, float], ...] = ()
    num_parameters: int = 0
