"""Layers of `leadline.nn` beside torch's, a block at a time: `benchmarks/nn_fuzz.py` makes and compares them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from attacks import process
from attacks.arena import Arena
from attacks.outcome import CannotBeMade, Case, Outcome, judge, last_line

KIND = "nn"
BLOCK = 100  # comparisons of one process
FUZZER = Path(__file__).resolve().parents[1] / "nn_fuzz.py"
APART = 1_000_000  # cases between the first ones of two seeds
TOLD = re.compile(r"(\d+) (equal|both refuse|torch refuses|refused by name|different)\b")


def attack(arena: Arena, number: int) -> list[Case]:
    """A block of comparisons from `number` on, in a process of their own."""
    if not FUZZER.exists():
        raise CannotBeMade("benchmarks/nn_fuzz.py is not there")
    first = arena.seed * APART + number
    ended = process.run([sys.executable, str(FUZZER), "--from", str(first), "--cases", str(BLOCK)])
    name, said = f"comparisons {first} to {first + BLOCK - 1}", last_line(ended.text)
    counts = {word: int(count) for count, word in TOLD.findall(said)}
    if sum(counts.values()) != BLOCK:
        outcome, detail = judge(ended)
        return [Case(KIND, number, name, Outcome.ODD if outcome is Outcome.SURVIVED else outcome, detail or said)]
    different = counts.pop("different", 0)
    fine = Case(KIND, number, name, Outcome.SURVIVED, "", sum(counts.values()))
    return [fine, Case(KIND, number, name, Outcome.ODD, ended.text[:1000], different)] if different else [fine]
