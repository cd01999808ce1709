"""A short walk of the fuzzer (`benchmarks/fuzz_reading.py`): files are read, or refused by a `LeadlineError`."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path

from fuzz_reading import outcome
from fuzz_seeds import Made, mutated, seeds


def test_sound_seeds_are_read(tmp_path: Path) -> None:
    found = {seed.name: outcome(Made(f"x{seed.suffix}", seed.data, seed.options), tmp_path) for seed in seeds()}
    assert {name: what for name, (what, _) in found.items() if what != "read"} == {}


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    """Without Parquet, whose process takes a third of a second a file."""
    all_seeds = [seed for seed in seeds() if seed.suffix != ".parquet"]
    counts: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(600):
            made = mutated(number, 7, all_seeds)
            what, why = outcome(made, tmp_path)
            assert what in ("read", "refused"), (made.name, made.options, why)
            counts[what] += 1
    assert min(counts["read"], counts["refused"]) > 50
