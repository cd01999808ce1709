"""Where the time of a study went: by what was trained, and inside one training.

    python benchmarks/where_time_goes.py RUN

RUN is a run folder of the embedded data. The first table adds up the seconds of its trials, which its ledger holds, and
sets them beside the time of the clock. The second trains the advised network once more, on one thread, and takes
the time of the parts.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from leadline.data.datasets.letters import letters
from leadline.data.split import split
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import Verdict
from leadline.spec import StackSpec
from leadline.training.compiled import Compiled
from leadline.trials import trial as trials
from leadline.trials.ledger import read_trials
from leadline.trials.material import Material


def kind(trial: Trial) -> str:
    """What a trial was for."""
    who = "networks" if isinstance(trial.spec, StackSpec) else "baselines"
    what = {"map": "map and tuning", "race": "race", "look": "to look into", "final": "final test"}[trial.role]
    return f"{who}, {what}" + (", on less data" if trial.fraction < 1 else "")


def by_kind(found: list[tuple[Trial, TrialResult]], verdict: Verdict) -> None:
    """Core seconds by what was trained."""
    seconds: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for trial, result in found:
        seconds[kind(trial)] += result.seconds
        counts[kind(trial)] += 1
    total, budget = sum(seconds.values()), verdict.budget
    print("| what | trainings | core seconds | share |\n| --- | --- | --- | --- |")
    for name, spent in seconds.most_common():
        print(f"| {name} | {counts[name]} | {spent:,.0f} | {spent / total:.0%} |")
    filled = total / budget.seconds / budget.jobs
    print(f"| together | {len(found)} | {total:,.0f} | |\n")
    print(f"{budget.seconds:,.0f} s of the clock on {budget.jobs} cores, of which trainings fill {filled:.0%}.\n")


@contextmanager
def timed(place: type, name: str, part: str, spent: Counter[str]) -> Iterator[None]:
    """Add the time of a method up as long as this is open."""
    before = getattr(place, name)

    def run(*arguments: Any) -> Any:
        start = time.perf_counter()
        found = before(*arguments)
        spent[part] += time.perf_counter() - start
        return found

    setattr(place, name, run)
    try:
        yield
    finally:
        setattr(place, name, before)


def inside(trial: Trial, seed: int) -> None:
    """The parts of one training."""
    torch.set_num_threads(1)
    data = letters()
    material = Material(data, split(data, seed), causal=False)
    material.encoded(0)
    spent: Counter[str] = Counter()
    start = time.perf_counter()
    with (
        timed(Compiled, "train", "updates", spent),
        timed(Compiled, "scores", "scores of tune, dev and train", spent),
    ):
        result = trials.run(material, trial).result
    spent["the rest: first weights, order of the data, records"] = time.perf_counter() - start - sum(spent.values())
    total = sum(spent.values())
    assert isinstance(trial.spec, StackSpec)
    print(f"{trial.spec.describe()}, {result.updates:,} updates and {len(result.looks)} looks:\n")
    print("| part of a training | seconds | share |\n| --- | --- | --- |")
    for name, seconds in spent.most_common():
        print(f"| {name} | {seconds:.2f} | {seconds / total:.0%} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    run = parser.parse_args().run
    verdict = Verdict.from_json((run / "verdict.json").read_text(encoding="utf-8"))
    found = read_trials(run)
    by_kind(found, verdict)
    whole = (t for t, _ in found if isinstance(t.spec, StackSpec) and t.role == "race" and t.fraction == 1)
    inside(next(t for t in whole if t.spec.describe() == verdict.advice.arm), verdict.split_seed)


if __name__ == "__main__":
    main()
