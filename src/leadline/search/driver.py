"""Ask and tell: the driver that gives the procedure its results, from the ledger or from the executor.

Time only truncates. What was decided before the cut is what a longer run decides too; the finals are paid out of
the budget, so their time is kept back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from leadline.records.trial import BaselineSpec, Trial, TrialResult
from leadline.records.verdict import StopReason
from leadline.search import finals as last
from leadline.search import race
from leadline.search.procedure import procedure
from leadline.search.state import Spec, State, Steps
from leadline.trials.executors import Executor
from leadline.trials.ledger import Ledger
from leadline.trials.pace import Pace

PAGE_SECONDS = 8.0
"""What comes behind the finals: the verdict, its charts and its page, on a slow core."""

RECKONED = 8
"""Trials after which the reserve is reckoned anew: the pace moves slowly, and telling who is ahead takes a while."""

OVERRUN = 0.1
"""Share of the budget by which the finals may exceed it: what was kept back for them was an estimate."""


class OutOfBudget(Exception):  # noqa: N818 - a signal, not an error
    """The next trial would not fit."""


@dataclass(eq=False)
class Driver:
    """Runs trials for a procedure.

    Args:
        state: where results go.
        ledger: finished trials, and where new ones are written.
        executor: who trains.
        jobs: workers, for the estimate of what a trial takes from the clock.
        seconds: budget of wall time, or None.
        max_trials: trials of the search, baselines and finals left out, or None.
        progress: told of each finished trial: (trial, result, elapsed seconds).
        began: moment of `time.monotonic` from which the budget counts, before the data were read.
    """

    state: State
    ledger: Ledger
    executor: Executor
    jobs: int
    seconds: float | None
    max_trials: int | None
    progress: Callable[[Trial, TrialResult, float], None]
    searched: int = 0
    began: float = field(default_factory=time.monotonic)
    finishing: bool = False
    affordable: bool = True
    earlier: float = 0.0

    def __post_init__(self) -> None:
        self.earlier = self.ledger.elapsed()
        self.pace = Pace(self.state.material, self.jobs)
        self.kept = (0, 0), PAGE_SECONDS

    @property
    def elapsed(self) -> float:
        """Seconds of this run and of earlier ones on the folder."""
        return self.earlier + time.monotonic() - self.began

    def drive(self, steps: Steps[object]) -> None:
        """Run a generator of trials to its end.

        Raises:
            OutOfBudget: a trial does not fit; what the generator did so far stays in the state.
        """
        for planned in steps:
            self.conduct(planned)

    def conduct(self, planned: list[Trial]) -> None:
        """Make sure that every planned trial is in the state."""
        fresh = [trial for trial in dict.fromkeys(planned) if trial not in self.state.results]
        missing = []
        for trial in self._within_count(fresh):
            known = self.ledger.find(trial)
            if known is not None:
                self._take(trial, known)
            else:
                missing.append(trial)
        for trial, outcome in self.executor.outcomes(missing, self._fits):
            self._take(trial, outcome.result)
            if outcome.model is not None:
                outcome.model.save(self.ledger.model_folder(trial))
            self.ledger.add(trial, outcome.result, self.elapsed)
            self.progress(trial, outcome.result, self.elapsed)
        if any(trial not in self.state.results for trial in planned):
            raise OutOfBudget

    def _take(self, trial: Trial, result: TrialResult) -> None:
        self.state.results[trial] = result
        self.pace.learn(trial, result)

    def _within_count(self, fresh: list[Trial]) -> list[Trial]:
        """The first of the fresh trials, in planned order, as far as `max_trials` goes."""
        if self.max_trials is None or self.finishing:
            return fresh
        kept = []
        for trial in fresh:
            if not isinstance(trial.spec, BaselineSpec):
                if self.searched >= self.max_trials:
                    break
                self.searched += 1
            kept.append(trial)
        return kept

    def _fits(self, trial: Trial) -> bool:
        """Whether the trial and what is kept back fit into what is left of the clock."""
        if self.seconds is None:
            return True
        if self.finishing:
            return self.affordable
        return self.elapsed + self.estimate([trial]) + self.reserve() <= self.seconds

    def estimate(self, trials: list[Trial]) -> float:
        """Seconds of the clock that trials take on all workers."""
        alone = [self.pace.seconds(trial) for trial in trials]
        return max(sum(alone) / self.jobs, max(alone, default=0.0))

    def reserve(self) -> float:
        """Seconds kept for the finals, for what is looked into, and for the page; reckoned anew now and then."""
        moment = len(self.state.log), len(self.state.results) // RECKONED
        if self.kept[0] != moment:
            self.kept = moment, self._reserve()
        return self.kept[1]

    def _reserve(self) -> float:
        look = race.last_look(self.state)
        spec = last.advise(self.state, race.judge_at(self.state, look) if look else None)
        if spec is None:
            return PAGE_SECONDS
        trials = [trial for _, one in last.roles(self.state, spec) for trial in last.trials(self.state, one)]
        looked = [trial for trial in last.look_trials(self.state, spec) if trial not in trials]
        return self.estimate([*trials, *looked]) + PAGE_SECONDS


def search(driver: Driver) -> StopReason:
    """The search, to its end or to the end of the budget.

    Returns:
        The reason why it stopped.
    """
    state = driver.state
    try:
        driver.drive(procedure(state))
    except OutOfBudget:
        return "budget"
    except KeyboardInterrupt:
        return "interrupted"
    return "settled" if state.log[-1].reason == "settled" else "spent"


def finish(driver: Driver, advised: Spec) -> list[last.Final] | None:
    """The finals and what is looked into, which the search left time for.

    Returns:
        What was tested; empty where there was no time for it, None after an interrupt.
    """
    driver.finishing = True
    driver.affordable = driver.seconds is None or (driver.elapsed + driver.reserve() <= driver.seconds * (1 + OVERRUN))
    planned: list[last.Final] = []

    def steps() -> Steps[None]:
        planned.extend((yield from last.finals(driver.state, advised)))
        yield from last.looks(driver.state, advised)

    try:
        driver.drive(steps())
    except OutOfBudget:
        return []
    except KeyboardInterrupt:
        return None
    return planned


def minutes(driver: Driver, trials: list[Trial]) -> float:
    """Minutes of the clock that trials would take."""
    return driver.estimate(trials) / 60
