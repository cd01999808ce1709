"""Compiled calls in threads of their own: side by side, and so that Ctrl-C is answered within a step.

The interpreter hears a signal between two of its own instructions, of which there are none during a call. So the main
thread waits, and tells the compiled code to end after the step it is at.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence

from leadline.kernels import library

OPERATIONS = 1e10
"""From so many floating-point operations on: a fifth of a second where a core does 50 GFLOP/s, as small layers do. A
thread costs less than a thousandth of that, but up to some milliseconds where torch's threads hold the second core."""
NARROW = ("v2", "neon")
"""Instruction sets that take about five times as long."""


def is_long(operations: float) -> bool:
    """Whether a call of so many operations could keep Ctrl-C waiting."""
    return operations >= OPERATIONS / 5 and (operations >= OPERATIONS or library.isa() in NARROW)


def heard(calls: Sequence[Callable[[], int]], stop: ctypes.c_int64) -> list[int]:
    """The statuses of `calls`, which run at the same time and look at `stop`.

    Each of `calls` keeps the memory that it writes: a second Ctrl-C leaves without waiting for its end.

    Raises:
        KeyboardInterrupt: as any other exception that comes up meanwhile, once the calls that had begun have ended.
    """
    statuses = [0] * len(calls)
    ends = [threading.Event() for _ in calls]  # `Thread.join` takes a thread for finished when it was interrupted

    def work(place: int) -> None:
        try:
            statuses[place] = calls[place]()
        finally:
            ends[place].set()

    threads = [
        threading.Thread(target=work, args=(place,), name="leadline-call", daemon=True) for place in range(len(calls))
    ]
    try:
        for thread in threads:
            thread.start()
        for end in ends:
            end.wait()
    finally:
        stop.value = 1
        for thread, end in zip(threads, ends, strict=True):
            if thread.ident is not None:
                end.wait()
    return statuses
