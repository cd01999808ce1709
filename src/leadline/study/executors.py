"""Who runs the trials: this process, or spawned workers. Both map `trial.run`; results come in planned order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Protocol

import torch

from leadline.records.trial import Trial
from leadline.study import trial as trials
from leadline.study.material import Material
from leadline.study.trial import Outcome


class Executor(Protocol):
    """Runs trials. `start` is asked before each trial; where it says no, that trial and all later ones stay out."""

    def outcomes(self, planned: Sequence[Trial], start: Callable[[Trial], bool]) -> Iterator[tuple[Trial, Outcome]]:
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

    def outcomes(self, planned: Sequence[Trial], start: Callable[[Trial], bool]) -> Iterator[tuple[Trial, Outcome]]:
        """Outcomes in planned order."""
        for trial in planned:
            if not start(trial):
                return
            yield trial, trials.run(self.material, trial)

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


PATIENCE = 5.0


class Workers:
    """Spawned processes with one thread each.

    Args:
        material: data and split, sent to each worker once.
        jobs: number of workers.
    """

    def __init__(self, material: Material, jobs: int) -> None:
        self.jobs = jobs
        self._pool = ProcessPoolExecutor(
            jobs, mp_context=get_context("spawn"), initializer=_prepare, initargs=(material,)
        )

    def outcomes(self, planned: Sequence[Trial], start: Callable[[Trial], bool]) -> Iterator[tuple[Trial, Outcome]]:
        """Outcomes in planned order; at most `jobs` trials are begun ahead of the one that is waited for."""
        waiting: list[tuple[Trial, Future[Outcome]]] = []
        queue = list(planned)
        while queue or waiting:
            running = sum(not future.done() for _, future in waiting)
            while queue and running < self.jobs:
                if not start(queue[0]):
                    queue.clear()
                    break
                trial = queue.pop(0)
                with _sheltered():
                    waiting.append((trial, self._pool.submit(_run, trial)))
                running += 1
            if waiting:
                trial, future = waiting[0]
                if not _ready(future, [f for _, f in waiting]):
                    continue
                waiting.pop(0)
                yield trial, future.result()

    def close(self) -> None:
        """Stop the workers, also in the middle of a trial.

        The pool's own thread has to end before the interpreter does, which otherwise may write to a closed pipe.
        """
        processes = list((self._pool._processes or {}).values())
        manager: Any = self._pool._executor_manager_thread
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        if manager is not None:
            manager.join(PATIENCE)


@contextmanager
def _sheltered() -> Iterator[None]:
    """Ctrl-C waits: a worker that is begun here inherits that, and is not torn out of its imports."""
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


_material: Material | None = None


def _prepare(material: Material) -> None:
    global _material
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    _material = material


def _die_with(parent: int) -> None:
    """A worker whose study was killed would wait for work for ever."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _run(trial: Trial) -> Outcome:
    assert _material is not None
    return trials.run(_material, trial)


def _ready(first: Future[Outcome], all_waiting: list[Future[Outcome]]) -> bool:
    """Wait until any is done; whether the first is."""
    if first.done():
        return True
    wait([f for f in all_waiting if not f.done()], return_when=FIRST_COMPLETED)
    return first.done()
