"""Layers of `leadline.nn` beside torch's, a block at a time: `benchmarks/nn_fuzz.py` makes and compares them."""

from __future__ import annotations

import importlib
from typing import Any

from attacks.arena import Arena
from attacks.outcome import CannotBeMade, Case, Outcome

KIND = "nn"
BLOCK = 50


def attack(arena: Arena, number: int) -> list[Case]:
    """A block of comparisons from `number` on: those that are equal or refused by name, and those that are not."""
    try:
        fuzz: Any = importlib.import_module("nn_fuzz")
    except ImportError as error:
        raise CannotBeMade("benchmarks/nn_fuzz.py is not there") from error
    failures: list[str] = fuzz.run(BLOCK, arena.seed, number)
    name = f"comparisons {number} to {number + BLOCK - 1}"
    fine = Case(KIND, number, name, Outcome.SURVIVED, "", BLOCK - len(failures))
    return [fine, *(Case(KIND, number, name, Outcome.ODD, failure) for failure in failures)]
