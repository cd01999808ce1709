"""What a measurement stands on: processor time, the time inside the compiled functions, and the core's peak.

All figures are processor time, so that other programs on a shared machine count less, and sides take turns, so that
what is left of their influence falls on all of them.
"""

from __future__ import annotations

import ctypes
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch

from leadline.kernels import choose, library

Step = Callable[[], object]
PEAK_ROUNDS = 20_000


def timed(step: Step) -> float:
    """Seconds of processor time of one step."""
    start = time.process_time()
    step()
    return time.process_time() - start


def in_turns(
    sides: Mapping[str, Step], budget: float, least: int, most: int, between: Step | None = None
) -> dict[str, list[float]]:
    """Seconds of every step of every side.

    Args:
        sides: what is measured, by name; each once before it counts.
        budget: seconds of processor time for all of them together.
        least, most: rounds.
        between: runs after every round.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side()
    end, rounds = time.process_time() + budget, 0
    while rounds < least or (time.process_time() < end and rounds < most):
        for name, side in sides.items():
            times[name].append(timed(side))
        if between is not None:
            between()
        rounds += 1
    return times


class Peak:
    """The core's multiply-adds per second on registers alone, sampled between the steps."""

    def __init__(self) -> None:
        self.run = library.functions().leadline_peak
        self.run.argtypes, self.run.restype = (ctypes.c_int64,), ctypes.c_int64
        self.samples: list[float] = []

    def sample(self) -> None:
        """One more."""
        start = time.process_time()
        done = self.run(PEAK_ROUNDS)
        self.samples.append(done / (time.process_time() - start) / 1e9)

    def gflops(self) -> float:
        """The 90th percentile of the samples, in GFLOP/s; two operations per multiply-add."""
        while len(self.samples) < 2:
            self.sample()
        return statistics.quantiles(self.samples, n=10)[-1]


class Inside:
    """The compiled functions, with the processor time that the recurrences' two passes take."""

    def __init__(self, calls: ctypes.CDLL) -> None:
        self.calls, self.seconds = calls, 0.0

    def __getattr__(self, name: str) -> object:
        function = getattr(self.calls, name)
        return self._timed(function) if name in ("leadline_forward", "leadline_backward") else function

    def _timed(self, function: Callable[[object], int]) -> Callable[[object], int]:
        def run(call: object) -> int:
            start = time.process_time()
            status = function(call)
            self.seconds += time.process_time() - start
            return status

        return run


@contextmanager
def watched() -> Iterator[Inside]:
    """Count the time inside the compiled functions as long as this is open."""
    before = library.functions
    inside = Inside(before())
    library.functions = lambda: inside  # type: ignore[assignment, return-value]
    try:
        yield inside
    finally:
        library.functions = before


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread as long as this is open."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def facts() -> dict[str, str]:
    """The machine, the versions, and which routine runs and why."""
    choice = choose.choose("gru", torch.empty(0))
    return {
        "machine": platform.processor() or platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "routine": choice.name,
        "reason": choice.reason,
        "instruction_set": library.isa(),
    }
