"""A compiled call of more than a moment, in a thread of its own, so that Ctrl-C is answered within a step.

The interpreter hears a signal between two of its own instructions, of which there are none during a call. So the main
thread waits, and tells the compiled code to end after the step it is at.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable

OPERATIONS = 2e9
"""From so many floating-point operations on: a fifth of a second where a core does 10 GFLOP/s, and a thread costs
less than a thousandth of that."""


def heard(call: Callable[[], int], stop: ctypes.c_int64) -> int:
    """The status of `call`, which looks at `stop`.

    Raises:
        KeyboardInterrupt: as any other exception that comes up while waiting, once the call has ended.
    """
    statuses: list[int] = []
    done = threading.Event()  # `Thread.join` takes a thread for finished when it was interrupted itself

    def work() -> None:
        try:
            statuses.append(call())
        finally:
            done.set()

    threading.Thread(target=work, name="leadline-call", daemon=True).start()
    try:
        done.wait()
    finally:
        stop.value = 1
        _outwait(done)
    return statuses[0]


def _outwait(done: threading.Event) -> None:
    """Wait, whatever else comes: the memory that the call writes must not go before it has ended."""
    while not done.is_set():
        try:
            done.wait()
        except KeyboardInterrupt:
            continue
