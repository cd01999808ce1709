"""Ask and tell: the driver that gives the procedure its results, from the ledger or from the executor.

Time only truncates. What was decided before the cut is what a longer run decides too; the finals are paid out of
the budget, so their time is kept back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from leadline.records.trial import BaselineSpec, Trial, TrialResult
from leadline.spec import StackSpec
from leadline.study import finals as last
from leadline.study.book import Book
from leadline.study.executors import Executor
from leadline.study.ledger import Ledger
from leadline.study.pace import Pace
from leadline.study.procedure import procedure
from leadline.study.tuning import TUNING_FOLDS, Steps

PAGE_SECONDS = 8.0
"""What comes behind the finals: the verdict, its charts and its page, on a slow core."""

OVERRUN = 0.1
"""Share of the budget by which the finals may exceed it: what was kept back for them was an estimate."""

TUNED = 3
"""Whole trainings that tuning costs: 4 of a twelfth, 2 of a fifth and 4 of a half of the updates, rounded up."""


class OutOfBudget(Exception):  # noqa: N818 - a signal, not an error
    """The next trial would not fit."""


@dataclass(eq=False)
class Driver:
    """Runs trials for a procedure.

    Args:
        book: where results go.
        ledger: finished trials, and where new ones are written.
        executor: who trains.
        jobs: workers, for the estimate of what a trial takes from the clock.
        seconds: budget of wall time, or None.
        max_trials: trials of the search, baselines and finals left out, or None.
        progress: told of each finished trial: (trial, result, elapsed seconds).
        began: moment of `time.monotonic` from which the budget counts, before the data were read.
    """

    book: Book
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
    prepared: float = 0.0

    def __post_init__(self) -> None:
        self.earlier = self.ledger.elapsed()
        self.prepared = time.monotonic() - self.began
        self.pace = Pace(self.book.material, self.jobs)

    @property
    def elapsed(self) -> float:
        """Seconds of this run and of earlier ones on the folder."""
        return self.earlier + time.monotonic() - self.began

    def drive(self, steps: Steps[object]) -> None:
        """Run a generator of trials to its end.

        Raises:
            OutOfBudget: a trial does not fit; what the generator did so far stays in the book.
        """
        for planned in steps:
            self.conduct(planned)

    def conduct(self, planned: list[Trial]) -> None:
        """Make sure that every planned trial is in the book."""
        fresh = [trial for trial in dict.fromkeys(planned) if trial not in self.book.results]
        allowed = self._within_count(fresh)
        missing = []
        for trial in allowed:
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
        if any(trial not in self.book.results for trial in planned):
            raise OutOfBudget

    def _take(self, trial: Trial, result: TrialResult) -> None:
        self.book.results[trial] = result
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
        """Seconds kept for the finals and the page."""
        if not self.book.incumbents:
            return PAGE_SECONDS
        trials = [
            Trial(spec=spec, recipe=self.book.plan.recipe, seed=i, final=True)
            for _, spec in last.roles(self.book)
            for i in range(self._finals_of(spec))
        ]
        return self.estimate(trials) + PAGE_SECONDS

    def _finals_of(self, spec: StackSpec | BaselineSpec) -> int:
        """Trials that testing takes; tuning counts as `TUNED` on each of its folds."""
        if isinstance(spec, BaselineSpec):
            return 1
        folds = min(TUNING_FOLDS, self.book.num_folds)
        return last.seeds_of(self.book, spec) + TUNED * folds * (spec not in self.book.draws)


def search(driver: Driver) -> None:
    """The search, to its end or to the end of the budget; a cut is written into the book as the reason to stop."""
    book = driver.book
    try:
        driver.drive(procedure(book))
    except OutOfBudget:
        _cut(book, "budget", _what_ended(driver))
    except KeyboardInterrupt:
        _cut(book, "interrupted", "Interrupted before every comparison was decided.")


def finish(driver: Driver) -> list[last.Final]:
    """The finals, which the search left time for; empty after an interrupt, and where there was no time for them."""
    if not driver.book.incumbents:
        return []
    driver.finishing = True
    driver.affordable = driver.seconds is None or (driver.elapsed + driver.reserve() <= driver.seconds * (1 + OVERRUN))
    planned: list[last.Final] = []

    def steps() -> Steps[None]:
        planned.extend((yield from last.finals(driver.book)))

    try:
        driver.drive(steps())
    except OutOfBudget:
        return []
    except KeyboardInterrupt:
        _cut(driver.book, "interrupted", "Interrupted during the final test.")
        return []
    return planned


def _cut(book: Book, reason: str, sentence: str) -> None:
    book.stop_reason, book.stop_sentence = reason, sentence


def _what_ended(driver: Driver) -> str:
    """Why a search was cut: what its clock was spent on, where that left no time for the first network."""
    by_count = driver.max_trials is not None and driver.searched >= driver.max_trials
    if driver.book.draws or driver.seconds is None or by_count:
        return "The budget ended before every comparison was decided."
    read, trained = driver.prepared, driver.elapsed - driver.prepared
    return (
        f"The budget ended before the first network was tuned: reading and checking the data took {read:.0f} s, "
        f"what was trained since {trained:.0f} s. A larger budget goes on from here."
    )
