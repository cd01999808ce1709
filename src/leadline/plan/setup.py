"""From data to a plan: recipe, first network, metric, baselines. A function of the data and the options alone."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.baselines.names import baseline_names
from leadline.data import encode
from leadline.data.folds import Split
from leadline.data.sequences import Sequences
from leadline.network import embed_spec
from leadline.plan.networks import SMALL, Limits, parse_network, require_allowed
from leadline.records.answers import Policy
from leadline.records.trial import Metric
from leadline.spec import Pooling, Recipe, StackSpec
from leadline.training.objective import metric_of

STEPS_PER_BATCH = 768
"""Enough steps for the kernels to run near their peak, few enough for hundreds of updates a pass."""

PASSES = 14
FEWEST_UPDATES = 600
MOST_STEPS = 2_500_000
"""Caps of a training: passes for data of middling size, updates for small data, steps for large."""

LOOKS_PER_RUN = 14
"""Looks at tune in a training: a pass each, so that early stopping sees every one."""


@dataclass(frozen=True)
class Plan:
    """What is fixed before the first trial.

    Args:
        seed: of the study.
        stream: what else names its random streams: two studies that differ in what they ask share no training.
        recipe: how every arm is trained, but for what is tuned.
        limits: what is allowed.
        blank: input, output and pooling of the data, as one small GRU layer.
        yours: the network that the user named; None without.
        metric: how targets are scored.
        baselines: names, the trivial one first.
        margin: in the metric's unit; None for a share of the way from the trivial baseline to perfect.
        policy: every number that decides.
    """

    seed: int
    stream: str
    recipe: Recipe
    limits: Limits
    blank: StackSpec
    yours: StackSpec | None
    metric: Metric
    baselines: tuple[str, ...]
    margin: float | None
    policy: Policy


def plan(
    sequences: Sequences,
    split: Split,
    seed: int,
    limits: Limits,
    network: str | None = None,
    margin: float | None = None,
    max_updates: int | None = None,
    policy: Policy | None = None,
) -> Plan:
    """What is fixed before the first trial."""
    blank = blank_spec(sequences, split)
    return Plan(
        seed=seed,
        stream=f"{limits.causal} {limits.max_look_ahead} {margin}",
        recipe=recipe_for(sequences, split, max_updates),
        limits=limits,
        blank=blank,
        yours=require_allowed(parse_network(network, blank), limits) if network else None,
        metric=metric_of(sequences),
        baselines=baseline_names(sequences, limits.causal),
        margin=margin,
        policy=policy or Policy(),
    )


def blank_spec(sequences: Sequences, split: Split) -> StackSpec:
    """The default start: one small GRU layer that reads one way."""
    encoder = encode.fit(sequences, split.folds[0].train, split.folds[0].everything)
    pooling: Pooling = "step" if sequences.per_step else "last"
    return StackSpec(
        input_size=embed_spec(encoder).output_size,
        output_size=encoder.output_size,
        hidden_size=SMALL,
        pooling=pooling,
    )


def recipe_for(sequences: Sequences, split: Split, max_updates: int | None = None) -> Recipe:
    """Batch size and cap of updates from the size of the train part.

    A batch holds about `STEPS_PER_BATCH` steps, at least 8 sequences and at most a tenth of the train part. The cap
    is `PASSES` passes over the train part, at least `FEWEST_UPDATES` updates and at most `MOST_STEPS` steps.
    """
    train = split.folds[0].train
    length = max(1.0, float(sequences.lengths[train].mean()))
    size = _power_of_two(min(max(STEPS_PER_BATCH / length, 8), 128, max(len(train) / 10, 4)))
    updates = max(FEWEST_UPDATES, round(PASSES * len(train) / size))
    updates = max(min(updates, round(MOST_STEPS / (size * length))), min(FEWEST_UPDATES, updates))
    cap = max_updates or updates
    return Recipe(batch_size=size, max_updates=cap, eval_every=max(1, cap // LOOKS_PER_RUN))


def _power_of_two(number: float) -> int:
    return 1 << max(0, int(number).bit_length() - 1)
