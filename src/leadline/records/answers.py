"""What a study answers: questions with their words and ranges, the advice, and the arms that raced.

Every score is *higher is better*, and every effect is a difference of such scores. Codes and figures only: the English
for them lies in `leadline.report.words`.
"""

from __future__ import annotations

from typing import Literal, get_args

from leadline.records.base import Interval, Record
from leadline.spec import StackSpec

SettledWord = Literal["yes", "a_little", "at_least_a_little", "no", "worse"]
"""Words that claim something of the true effect."""

Word = Literal[SettledWord, "leaning_yes", "leaning_little", "leaning_no", "leaning_worse", "not_known"]
SETTLED: frozenset[Word] = frozenset(get_args(SettledWord))

GeneralQuestion = Literal[
    "recurrence",
    "future",
    "width",
    "depth",
    "depth_equal_size",
    "cell",
    "readout",
    "dropout",
    "more_data",
    "deep_or_both_ways",
]
"""What is asked of all data, in the order of the sheet."""

QuestionName = Literal[GeneralQuestion, "yours", "look_ahead"]
"""`look_ahead` serves the row of the future and the curve, and is no row of its own."""


class Effect(Record):
    """A mean difference with its 95 % range, looks included.

    Args:
        effect: the difference of mean scores.
        interval: its 95 % range, which pays for all looks at it.
        strict: the range that the whole study's guarantee rests on: all of them hold at once, at all looks. None
            before the race, where nothing is guaranteed.
        blocks: blocks that it rests on.
    """

    effect: float
    interval: Interval
    strict: Interval | None
    blocks: int


class Answer(Record):
    """One row of the sheet.

    Args:
        question: what was asked.
        word: the answer; words of `SETTLED` carry the guarantee of the whole study.
        of, against: arms whose difference this is; "" where no arm stands for it.
        effect: None where it was never measured.
        layers: for depth, from so many layers to so many.
        factor: for width, how many times the parameters.
        look_ahead: for the future, the smallest window that is not worse than both ways by the margin.
        look_ahead_effect: what that window brings of the effect.
        allowed: whether the user's limits allow what the question asks about; else the row is a price.
        more_trainings: trainings that would probably settle it; None where it is settled or cannot be bought.
        more_minutes: the same in minutes of this machine.
    """

    question: QuestionName
    word: Word
    of: str = ""
    against: str = ""
    effect: Effect | None = None
    layers: tuple[int, int] | None = None
    factor: float | None = None
    look_ahead: int | None = None
    look_ahead_effect: float | None = None
    allowed: bool = True
    more_trainings: int | None = None
    more_minutes: float | None = None


class ArmFacts(Record):
    """An arm that raced.

    Args:
        id: its name within the study; also what people read.
        description: in words.
        spec: the network; None for a baseline.
        baseline: name of the baseline; None for a network.
        causal: sees no future step.
        learning_rate, weight_decay, dropout: as trained.
        num_parameters: of the whole network, embeddings included.
        score: mean dev score over its blocks.
        interval: 95 % interval of that mean.
        train, tune: mean scores on the part trained on, and on the part that stopped it.
        blocks: trainings that the score rests on.
        failed: trainings that did not train, which are not in the score.
        still_improving: most trainings still improved at the cap of updates.
    """

    id: str
    description: str
    spec: StackSpec | None = None
    baseline: str | None = None
    causal: bool = True
    learning_rate: float | None = None
    weight_decay: float | None = None
    dropout: float | None = None
    num_parameters: int | None = None
    state_size: int | None = None
    operations_per_step: int | None = None
    score: float | None = None
    interval: Interval | None = None
    train: float | None = None
    tune: float | None = None
    blocks: int = 0
    failed: int = 0
    still_improving: bool = False
    seconds_per_trial: float | None = None
    microseconds_per_step: float | None = None


class Advice(Record):
    """What to use.

    Args:
        arm: id of the arm; "" before any was scored.
        spec: the network as trained; None where a baseline is advised.
        baseline: its name; None where a network is advised.
        description: in words.
        best: id of the arm with the best mean.
        behind: how far the advised arm's mean lies behind that.
        at_most: upper 95 % bound of its distance to the best of all arms that raced (Hsu 1984).
        within_margin: that bound is within the margin.
        raced, tried: arms in the race, and networks in the map and the race together.
        by_map: chosen by the map alone, which is no evidence.
    """

    arm: str = ""
    spec: StackSpec | None = None
    baseline: str | None = None
    description: str = ""
    best: str = ""
    behind: float = 0.0
    at_most: float | None = None
    within_margin: bool = False
    raced: int = 0
    tried: int = 0
    by_map: bool = True
    learning_rate: float | None = None
    weight_decay: float | None = None
    num_parameters: int | None = None
    state_size: int | None = None
    operations_per_step: int | None = None
    microseconds_per_step: float | None = None


class MapPoint(Record):
    """A network of the map: what a short training reached on tune. An order of networks, no evidence.

    Args:
        short_score: on the first rung, which all networks have.
        score: on the longest rung that it reached; None where it did not train.
        updates: of that run.
        rung: how far it came, from 0.
    """

    spec: StackSpec
    description: str
    learning_rate: float
    weight_decay: float
    dropout: float
    num_parameters: int
    short_score: float | None
    score: float | None
    updates: int
    rung: int


class MapFactor(Record):
    """Effect of one factor in the regression over the map, others held equal; `error` is its standard error.

    That of the factor "rest" is the deviation of single networks from the regression.
    """

    factor: str
    effect: float
    error: float


class LookAheadPoint(Record):
    """A window of the look-ahead curve beside both ways: `steps` next inputs, or "all"."""

    steps: int | Literal["all"]
    arm: str
    score: float
    interval: Interval
    behind: Effect | None = None
    num_parameters: int


class BaselineFacts(Record):
    """A baseline's scores on the first folds. `raced` is whether it was good enough for the race."""

    name: str
    description: str
    dev: float
    tune: float
    test: float | None = None
    causal: bool = True
    seconds: float = 0.0
    raced: bool = False


class Policy(Record):
    """Every number that decides, with its reason. Stored in the verdict.

    Args:
        alpha: chance of any false settled word in the whole study.
        row_level: confidence of the printed ranges, each over its looks.
        main_share, growth_shares, side_share: shares of alpha of the first race, of each time that arms join around a
            better one, and of the side questions: by the number of questions that each asks.
        looks: blocks after which questions are looked at. The first is never below 4: with 2 or 3 blocks noise is
            known so badly that nothing closes, and what closes is luck.
        margin_share: the default margin, as a share of the way from the trivial baseline to perfect.
        map_rungs: divisors of the cap of updates in the map.
        map_kept: share of the map's networks that reach the next rung.
        tune_rungs: divisors of the cap of updates in tuning an arm's learning rate.
        tune_rates: learning rates that every arm is tuned among.
        tune_kept: rates that reach the next rung.
        final_seeds: networks trained for the test part.
        raced_baselines: baselines that race.
    """

    alpha: float = 0.05
    row_level: float = 0.95
    main_share: float = 0.4
    growth_shares: tuple[float, ...] = (0.15, 0.1)
    side_share: float = 0.35
    looks: tuple[int, ...] = (4, 6, 8, 12, 16, 24)
    margin_share: float = 0.01
    map_rungs: tuple[int, ...] = (8, 3)
    map_kept: float = 1 / 3
    tune_rungs: tuple[int, ...] = (8, 3)
    tune_rates: tuple[float, ...] = (0.001, 0.0025, 0.006, 0.015)
    tune_kept: int = 2
    final_seeds: int = 3
    raced_baselines: int = 2


class Event(Record):
    """One line of the study's log.

    Args:
        kind: what happened.
        block: blocks that were complete.
        round: of the race, from 0.
        arms: ids that it is about.
        question: of a `closed` event.
        word: likewise.
        effect: likewise.
        reason: code of a `stopped` event.
    """

    kind: Literal["mapped", "centred", "registered", "looked", "closed", "dropped", "grew", "advised", "stopped"]
    block: int = 0
    round: int = 0
    arms: tuple[str, ...] = ()
    question: str = ""
    word: Word | None = None
    effect: Effect | None = None
    reason: str = ""
