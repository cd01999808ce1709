"""Mutated data files of all formats, a block at a time: `benchmarks/fuzz_reading.py` makes and reads them."""

from __future__ import annotations

import importlib
from typing import Any

from attacks.arena import Arena
from attacks.outcome import CannotBeMade, Case, Outcome

KIND = "files"
BLOCK = 500  # files of a block; all that are read in a second or so
# The words of the other script. An error that lacks its place or its next move is refused, yet not as it should be.
OUTCOMES = {
    "read": Outcome.SURVIVED,
    "refused": Outcome.SURVIVED,
    "raw": Outcome.TRACEBACK,
    "bare": Outcome.ODD,
    "hang": Outcome.HANG,
    "abort": Outcome.ABORT,
}


def attack(arena: Arena, number: int) -> list[Case]:
    """A block of files from `number` on."""
    try:
        fuzz: Any = importlib.import_module("fuzz_reading")
    except ImportError as error:
        raise CannotBeMade("benchmarks/fuzz_reading.py is not there") from error
    counts = fuzz.run(BLOCK, arena.seed, arena.folder / "kept" / f"files-{arena.seed}", number)
    name = f"files {number} to {number + BLOCK - 1}"
    return [Case(KIND, number, name, OUTCOMES[what], "see kept/", count) for what, count in counts.items() if count]
