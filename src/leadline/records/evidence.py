"""What a study finds out while it runs: comparisons, square, curves, baselines, diagnosis.

Every score is *higher is better*, and every effect is a difference of such scores.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from leadline.records.base import Interval, Record

Decision = Literal["better", "not_worth_it", "undecided", "not_pursued", "failed_to_train"]


class Scores(Record):
    """A mean score with its interval and what it rests on."""

    score: float
    interval: Interval
    seeds: int


class Effect(Record):
    """A mean paired difference with its interval."""

    effect: float
    interval: Interval
    pairs: int


class SizeControl(Record):
    """A network with a layer more, held against one with a layer less at the same number of parameters.

    `arm` and `num_parameters` are those of the less deep one; `effect` is deep minus less deep, on the fresh seeds of
    the step. A step deeper also adds parameters; what is left of its gain here is depth's.
    """

    arm: str
    num_parameters: int
    effect: Effect


class Comparison(Record):
    """One move from an incumbent, and what came of it.

    Args:
        source: name of the incumbent's arm ("from" in JSON).
        move: "wider", "deeper", ... (`leadline.study.moves.MOVES`).
        to: name of the candidate's arm.
        against: name of the arm that the effect is measured against.
        decision: the outcome.
        effect: mean paired difference of dev scores, candidate minus `against`; None when never paired.
        interval: its confidence interval at `level`.
        level: confidence of each bound of that interval, over all looks: 1 minus this comparison's share of alpha.
        pairs: pairs trained.
        seconds: training time that the comparison cost.
        screening: score difference of the screening run, one seed, shortened; None where one of them did not train.
        reason: one sentence.
        pairs_to_close: pairs that would probably settle an open comparison; None where it is closed, or where no
            number of pairs would.
        minutes_to_close: what they would cost.
        dev_to_close: where pairs alone would not settle it, how many times the dev part (in groups, where it is split
            by group) probably would with all pairs that are allowed; None where that would not either.
        rule: "t" where errors look normal, "bet" where the differences lean to a side and a bound is the bet's.
        collapsed: runs of the candidate and of `against` that did not train; their pairs are not in the effect, but
            where more than a third of those of `against` diverged.
        example_correlation: of both arms' scores over the examples: what pairing by example achieved.
        seed_correlation: of both arms' scores over the pairs: what sharing seed and split achieved.
        fresh: for a move that was taken, its effect on seeds that did not choose it: the figure to quote.
        size_control: for a step deeper that was taken, what a less deep network of its size does.
    """

    source: Annotated[str, Field(alias="from")]
    move: str
    to: str
    against: str
    decision: Decision
    effect: float | None = None
    interval: Interval | None = None
    level: float | None = None
    pairs: int = 0
    seconds: float = 0.0
    screening: float | None = None
    reason: str = ""
    pairs_to_close: int | None = None
    minutes_to_close: float | None = None
    dev_to_close: int | None = None
    rule: Literal["t", "bet"] | None = None
    collapsed: tuple[int, int] = (0, 0)
    example_correlation: float | None = None
    seed_correlation: float | None = None
    fresh: Effect | None = None
    size_control: SizeControl | None = None


class Screened(Record):
    """A move that was screened and not paired, because the study was cut: an order of moves, and no evidence.

    `score` and `against_score` are tune scores after `updates` updates, one seed (the mean over two re-splits), the
    best of as many draws for both networks.
    """

    source: Annotated[str, Field(alias="from")]
    move: str
    to: str
    score: float
    against_score: float
    updates: int


class Corner(Record):
    """One corner of the square."""

    num_layers: int
    bidirectional: bool
    arm: str
    num_parameters: int
    dev: Scores


class Square(Record):
    """{one layer, deep} x {one way, both ways} at equal parameters.

    `depth_one_way` is deep minus shallow while the future is hidden, `depth_both_ways` the same once it is
    seen; `direction_shallow` and `direction_deep` are both ways minus one way. `linear` is the square with a linear
    readout in every corner, where that is another one: an MLP readout may do what a second layer would.
    """

    readout: str
    num_parameters: int
    corners: tuple[Corner, ...]
    depth_one_way: Effect | None
    depth_both_ways: Effect | None
    direction_shallow: Effect | None
    direction_deep: Effect | None
    linear: Square | None = None


class CurvePoint(Record):
    """A point of the look-ahead curve: `steps` is a number of next inputs, or "all" for both directions."""

    steps: int | Literal["all"]
    score: float
    interval: Interval
    seeds: int
    arm: str
    num_parameters: int


class BaselineFacts(Record):
    """A baseline's scores on the same split. `causal` is False where it sees future steps."""

    name: str
    description: str
    dev: float
    tune: float
    test: float | None = None
    causal: bool = True
    seconds: float = 0.0


class DataPoint(Record):
    """A point of the learning curve: the score after training as long on a share of the data."""

    fraction: float
    sequences: int
    score: float
    interval: Interval
    seeds: int


class Diagnosis(Record):
    """Where an incumbent stands.

    `learning_curve` and `gain_of_doubling` are measured once, at the last incumbent of the climb; `floor` is the
    loss that no predictor avoids, where repeated inputs measure it.

    `findings` holds any of: bias, variance, more_data, baseline_enough, noise_floor, no_arm_helps, healthy.
    `words` says the same in sentences with the numbers.
    """

    incumbent: str
    train: float
    tune: float
    dev: float
    best_baseline: str | None
    baseline_dev: float | None
    half_data_dev: float | None
    findings: tuple[str, ...]
    words: tuple[str, ...]
    learning_curve: tuple[DataPoint, ...] = ()
    gain_of_doubling: Effect | None = None
    floor: float | None = None
