"""How long trials take, told from those that were trained.

What a trial costs is counted in steps that its network passes: those it learns from, and those it is scored on, which
for small networks and large data are the more. What a step takes is processor time, times what the machine gives of
it: a trial that lay still for minutes on a machine that did so too says nothing about the next one.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from statistics import median, median_low

from leadline.baselines.names import is_trained
from leadline.records.trial import Trial, TrialResult
from leadline.spec import StackSpec
from leadline.trials.material import Material

OVERHEAD = 4_000
"""Operations that a step costs whatever the network: gathering it, its loss, its share of an update."""

NEAREST = 5
"""Trials of like cost whose median pace counts. Large networks run faster, so others say little."""

LEARNED = 3
"""Passes that an update takes: forward, and back, which is twice as much."""

FINAL_READING = 3
"""Passes over dev of a final trial: a classifier is scored on 10 to 100 % of each sequence, 2.9 sequences in all."""

FIRST_NETWORK = 4e-11
"""Seconds per operation and step while no network was trained: twice what 64 GRU units take on a core of 2.5 GHz."""

FIRST_BASELINE = 25_000 * FIRST_NETWORK
"""Seconds per step of a baseline that is trained, while it was not: the dearest, the convolutions, count 25,000."""

FIRST_TABLE = 2.5e-6
"""Seconds per step of a table that was not fitted yet: what the slowest, naive Bayes on 6 million steps, takes."""


@dataclass(eq=False)
class Pace:
    """What trials took so far.

    Args:
        material: for the sizes of the parts.
        jobs: workers; what is trained side by side stands still side by side.
    """

    material: Material
    jobs: int
    networks: list[tuple[float, float]] = field(default_factory=list)
    baselines: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waits: deque[float] = field(init=False)
    length: float = field(init=False)

    def __post_init__(self) -> None:
        self.length = float(self.material.sequences.lengths.mean())
        self.waits = deque(maxlen=2 * self.jobs + 1)

    def learn(self, trial: Trial, result: TrialResult) -> None:
        """Take in what a trial took."""
        if result.seconds <= 0:
            return
        worked = result.cpu_seconds or result.seconds
        self.waits.append(result.seconds / worked)
        if isinstance(trial.spec, StackSpec):
            self.networks.append((_cost(trial.spec), worked / (self.steps(trial) * _cost(trial.spec))))
        else:
            self.baselines[trial.spec.name].append(worked / self.steps(trial))

    def seconds(self, trial: Trial) -> float:
        """Seconds of the clock that a trial takes, about."""
        if isinstance(trial.spec, StackSpec):
            return self._of_network(trial.spec) * self.steps(trial) * self._wait()
        known = self.baselines.get(trial.spec.name)
        first = FIRST_BASELINE if is_trained(trial.spec.name) else FIRST_TABLE
        return (median(known[-NEAREST:]) if known else first) * self.steps(trial) * self._wait()

    def steps(self, trial: Trial) -> float:
        """Steps that are passed in learning and in scoring; a table passes all of them."""
        if not isinstance(trial.spec, StackSpec) and not is_trained(trial.spec.name):
            return float(self.material.sequences.offsets[-1])
        fold, recipe = self.material.fold(trial.fold), trial.recipe
        looks = math.ceil(recipe.max_updates / recipe.eval_every)
        learned = LEARNED * recipe.max_updates * recipe.batch_size
        scored = (looks + 1) * len(fold.tune) + len(fold.dev)
        if trial.final:
            scored += len(self.material.split.test) + FINAL_READING * len(fold.dev)
        return self.length * (learned + scored)

    def _of_network(self, spec: StackSpec) -> float:
        """Seconds per step: the median of the networks that are nearest in cost."""
        near = sorted(self.networks, key=lambda known: abs(math.log(known[0] / _cost(spec))))[:NEAREST]
        return _cost(spec) * (median(pace for _, pace in near) if near else FIRST_NETWORK)

    def _wait(self) -> float:
        """Seconds of the clock for a second of work. It counts as 1 until more trials than workers say otherwise."""
        return median_low([*[1.0] * self.jobs, *self.waits])


def _cost(spec: StackSpec) -> float:
    return float(spec.operations_per_step + OVERHEAD)
