"""What is tried or measured, and how much time is left, on standard error; nothing where that is no terminal."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from leadline.records.trial import Trial, TrialResult
from leadline.search.state import State
from leadline.spec import StackSpec

RECENT = 6


class Display:
    """A live table of the last trials and the state of the study.

    Args:
        minutes: the budget, or None.
        jobs: workers.
    """

    def __init__(self, minutes: float | None, jobs: int) -> None:
        self.minutes, self.jobs = minutes, jobs
        self.console = Console(file=sys.stderr)
        self.live = Live(console=self.console, transient=True, refresh_per_second=4)
        self.recent: list[tuple[Trial, TrialResult]] = []
        self.count = 0

    def __enter__(self) -> Display:
        if self.console.is_terminal:
            self.live.start()
            self.live.update(Text("Reading the data, training the baselines ..."))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def tell(self, state: State, trial: Trial, result: TrialResult, elapsed: float) -> None:
        """One more trial is finished."""
        if not self.console.is_terminal:
            return
        self.count += 1
        self.recent = [*self.recent, (trial, result)][-RECENT:]
        self.live.update(self._picture(state, elapsed))

    def _picture(self, state: State, elapsed: float) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False, expand=False)
        table.add_row(Text(self._clock(elapsed), style="bold"))
        for line in known(state):
            table.add_row(Text(line))
        for trial, result in self.recent:
            table.add_row(Text(_line(state, trial, result), style="dim"))
        return table

    def _clock(self, elapsed: float) -> str:
        left = "" if self.minutes is None else f", at most {_clock(self.minutes * 60 - elapsed)} left"
        return f"{self.count} trials in {_clock(elapsed)}{left}"


class Bar:
    """One line that says what is measured and how much is done; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        console = Console(file=sys.stderr)
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task("reading", total=1.0)

    def __enter__(self) -> Bar:
        self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()

    def tell(self, what: str, share: float) -> None:
        """What comes next, and the share that is done."""
        self.bar.update(self.task, description=what, completed=share)


def known(state: State) -> list[str]:
    """What the study knows by now, a line each."""
    lines = []
    if state.happened("centred"):
        lines.append(f"centre of the race: {state.happened('centred')[0].arms[0]}")
    closed = [
        f"{event.question.replace('_', ' ')}: {str(event.word).replace('_', ' ')}" for event in state.happened("closed")
    ]
    return [*lines, *closed[-RECENT:]]


def _line(state: State, trial: Trial, result: TrialResult) -> str:
    name = trial.spec.describe() if isinstance(trial.spec, StackSpec) else trial.spec.name
    short = "" if trial.recipe.max_updates == state.plan.recipe.max_updates else " (shortened)"
    return f"  {name}{short}: {state.plan.metric.loss(result.dev):.3g} {state.plan.metric.loss_unit}"


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
