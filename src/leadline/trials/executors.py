"""Executors: run trials in this process or in workers. Both map `attempt`; workers change no result."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import replace
from queue import SimpleQueue
from typing import Protocol

import torch

from leadline.errors import WorkerError
from leadline.records.trial import Trial
from leadline.trials import worker
from leadline.trials.attempt import ALONE, LESS, attempt, naming
from leadline.trials.material import Material
from leadline.trials.trial import Outcome

Start = Callable[[Trial], bool]
Done = tuple[Trial, Outcome]


class Executor(Protocol):
    """Runs trials. `start` is asked before each trial; where it says no, that trial and all later ones stay out."""

    def outcomes(self, planned: Sequence[Trial], start: Start) -> Iterator[Done]:
        """Outcomes in planned order."""
        ...

    def close(self) -> None:
        """Stop at once."""
        ...


class InProcess:
    """One trial after another in this process, on one thread.

    Args:
        material: data and split.
    """

    def __init__(self, material: Material) -> None:
        self.material = material
        self._threads = torch.get_num_threads()
        torch.set_num_threads(1)

    def outcomes(self, planned: Sequence[Trial], start: Start) -> Iterator[Done]:
        """Outcomes in planned order."""
        return self.completed(planned, start)

    def completed(self, planned: Iterable[Trial], start: Start) -> Iterator[Done]:
        """Outcomes as they end, which is in planned order here."""
        for trial in planned:
            if not start(trial):
                return
            yield trial, attempt(self.material, trial, ALONE)

    def close(self) -> None:
        """Give torch its threads back."""
        torch.set_num_threads(self._threads)


def run_alone(material: Material, trial: Trial) -> Outcome:
    """One trial in this process, to the bits of any worker: the first weights hang on the number of threads."""
    executor = InProcess(material)
    try:
        return next(outcome for _, outcome in executor.outcomes([trial], lambda _: True))
    finally:
        executor.close()


class Workers:
    """Processes with one thread each, begun when they are first needed.

    A thread of this process waits for each of them, so that every answer, and every death, is known to be of one worker
    and of one trial.

    Args:
        material: data and split, sent to each worker once.
        jobs: number of workers.
    """

    def __init__(self, material: Material, jobs: int) -> None:
        self.jobs = jobs
        self._data = worker.pack(replace(material))  # a new one: what was derived from the data stays here
        self._all: list[_Worker] = []
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._threads = ThreadPoolExecutor(jobs)

    def outcomes(self, planned: Sequence[Trial], start: Start) -> Iterator[Done]:
        """Outcomes in planned order. No worker waits for a slow trial: those behind it are trained meanwhile."""
        begun: deque[Trial] = deque()
        ended: dict[Trial, Outcome] = {}

        def noted(trial: Trial) -> bool:
            allowed = start(trial)
            if allowed:
                begun.append(trial)
            return allowed

        for trial, outcome in self.completed(planned, noted):
            ended[trial] = outcome
            while begun and begun[0] in ended:
                first = begun.popleft()
                yield first, ended.pop(first)

    def completed(self, planned: Iterable[Trial], start: Start) -> Iterator[Done]:
        """Outcomes as they end. The next trial is taken from `planned` when a worker is free for it, not before."""
        queue = iter(planned)
        running: dict[Future[Outcome], Trial] = {}
        while True:
            while len(running) < self.jobs and (trial := next(queue, None)) is not None:
                if not start(trial):
                    queue = iter(())
                    break
                running[self._begin(trial, len(running))] = trial
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()

    def close(self) -> None:
        """Stop the workers, also in the middle of a trial, and wait until they are gone."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for each in self._all:
            each.process.kill()
        self._threads.shutdown()  # the threads end with the pipes that they read
        for each in self._all:
            each.close()

    def _begin(self, trial: Trial, busy: int) -> Future[Outcome]:
        with naming(trial), _sheltered():
            if len(self._all) <= busy:
                self._all.append(_Worker(self._data))
                self._idle.put(self._all[-1])
            return self._threads.submit(self._train, trial)

    def _train(self, trial: Trial) -> Outcome:
        taken = self._idle.get()
        try:
            with naming(trial):
                return taken.train(trial)
        finally:
            self._idle.put(taken)


class _Worker:
    """This process's end of one worker.

    Args:
        data: the packed material, its first message.
    """

    def __init__(self, data: worker.Parts) -> None:
        code = worker.command([path for path in sys.path if isinstance(path, str)], os.getpid())
        try:
            self.process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise WorkerError(f"no worker could be started ({error})", next_move=LESS) from error
        assert self.process.stdin
        assert self.process.stdout
        self._to, self._from = self.process.stdin, self.process.stdout
        self._unsent: worker.Parts | None = data

    def train(self, trial: Trial) -> Outcome:
        """The outcome of one trial, or the exception that it ended with."""
        with suppress(BrokenPipeError):  # it is gone: what it said last, or nothing, is then read
            if self._unsent is not None:
                worker.write(self._to, self._unsent)
                self._unsent = None
            worker.write(self._to, worker.pack(trial))
        try:
            answer = worker.read(self._from)
        except EOFError:
            raise _ended(self.process.wait()) from None
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Outcome)
        return answer

    def close(self) -> None:
        """Nothing of it is left: no process, no pipe."""
        self.process.wait()
        self._from.close()
        with suppress(BrokenPipeError):  # half a message to a process that was killed
            self._to.close()


MEMORY_SIGNALS = {
    "SIGKILL": ", probably because memory ran out",  # how Linux ends a process when memory is full
    "SIGABRT": ", perhaps because memory ran out",  # C++ code that could not allocate
    "SIGBUS": ", perhaps because memory ran out",  # pages that cannot be had when they are touched
    "SIGSEGV": ", perhaps because memory ran out",  # C code that did not look at what malloc gave
}


def _ended(status: int) -> WorkerError:
    """What to say of a worker that ended in the middle of a trial; a negative status is the signal that ended it."""
    how = f"with status {status}"
    if status < 0:
        name = next((number.name for number in signal.Signals if number == -status), "a signal")
        how = f"by {name} (signal {-status})" + MEMORY_SIGNALS.get(name, "")
    return WorkerError(f"the worker that trained it ended {how}", next_move=LESS)


@contextmanager
def _sheltered() -> Iterator[None]:
    """Ctrl-C waits: a worker that is begun here inherits that, and never hears what the terminal sends to all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def executor(material: Material, jobs: int) -> Executor:
    """This process for one job, else workers."""
    return InProcess(material) if jobs == 1 else Workers(material, jobs)
