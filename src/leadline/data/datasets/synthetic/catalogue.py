"""All tasks with a known answer, in the order in which they are listed."""

from __future__ import annotations

import difflib
from itertools import chain

from leadline.data.datasets.synthetic import (
    both_sides,
    chains,
    counters,
    ends,
    hidden_bit,
    hierarchy,
    linear,
    lookup,
    memory,
    moved,
    noise,
    registers,
    sounds,
    teacher,
)
from leadline.data.datasets.synthetic.known import KnownTask
from leadline.errors import OptionError

FILES = (noise, chains, linear, ends, registers, counters, memory, moved, hidden_bit, both_sides, hierarchy)
TASKS: tuple[KnownTask, ...] = tuple(chain.from_iterable(file.TASKS for file in (*FILES, lookup, teacher, sounds)))


def task(name: str) -> KnownTask:
    """The task of that name.

    Raises:
        OptionError: there is none.

    >>> task("parity").best
    100.0
    """
    found = next((known for known in TASKS if known.name == name), None)
    if found is None:
        names = [known.name for known in TASKS]
        close = difflib.get_close_matches(name, names, 1)
        raise OptionError(
            f"there is no task '{name}'",
            expected="one of " + ", ".join(names),
            next_move=f"Did you mean '{close[0]}'?" if close else "`leadline tasks` lists them.",
        )
    return found
