"""What weight decay and dropout as further axes of the tuning grid add to the learning rate.

    python benchmarks/tuning_draws.py [FILE] [--test FILE] [--channels N] [--arms gru:1x64 ...] [--seeds 5]

Every arm is trained at the rates of the study's grid with each regularisation below, `--seeds` seeds each, to the end,
one worker per core; without a file on the embedded data. Each regularisation is held against none, both at the rate
that the tune part chose: the difference of dev scores with a 95 % interval over seeds and examples, in the metric's
unit. The last column is what the tune part would choose among all draws.
"""

from __future__ import annotations

import argparse
import os

import numpy as np

from leadline.data.options import ReadOptions
from leadline.data.split import split
from leadline.loading import load_settled
from leadline.records.trial import Trial, TrialResult
from leadline.seeds import child
from leadline.spec import StackSpec
from leadline.study import setup, verdict
from leadline.study.draws import DECAY, DROPOUT, RATES, Draw
from leadline.study.executors import executor
from leadline.study.material import Material
from leadline.study.moves import parse_start
from leadline.study.verdict import Dev

ARMS = ("gru:1x64", "gru:1x42:both", "gru:2x66:both")
KINDS = ((0.0, 0.0), (0.03, 0.0), (DECAY, 0.0), (0.0, DROPOUT), (0.0, 0.25), (DECAY, DROPOUT))
"""Weight decay and dropout; none of both first."""
Results = dict[Trial, TrialResult]


def trials(material: Material, spec: StackSpec, draw: Draw, seeds: int) -> list[Trial]:
    """The same seeds for every draw."""
    recipe = draw.put_into(setup.recipe_for(material.sequences, material.split))
    return [Trial(spec=spec, recipe=recipe, seed=child(seed, "draws")) for seed in range(seeds)]


def trained(material: Material, asked: list[Trial]) -> Results:
    """All trials, on all cores."""
    workers = executor(material, os.cpu_count() or 1)
    try:
        return {trial: outcome.result for trial, outcome in workers.outcomes(asked, lambda _: True)}
    finally:
        workers.close()


def row(material: Material, results: Results, spec: StackSpec, seeds: int) -> str:
    """A line of the table."""

    def tune(draw: Draw) -> float:
        return float(np.mean([results[t].tune for t in trials(material, spec, draw, seeds)]))

    def devs(draw: Draw) -> list[Dev]:
        found = [results[t] for t in trials(material, spec, draw, seeds)]
        return [Dev(0, np.array(result.dev_clusters), material.weights(0), 0.0) for result in found]

    chosen = [max((Draw(rate, *kind) for rate in RATES), key=tune) for kind in KINDS]
    plain, best = devs(chosen[0]), max(chosen, key=tune)
    cells = [spec.describe(), f"{verdict.mean(plain).score:.2f} at {chosen[0].learning_rate}"]
    for draw in (*chosen[1:], best):
        found = verdict.difference(devs(draw), plain)
        low, high = found.interval
        cells.append(f"{found.effect:+.2f} ({low:+.2f} to {high:+.2f}) at {draw.learning_rate}")
    return f"| {' | '.join(cells)}, {best.weight_decay}, {best.dropout} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--test")
    parser.add_argument("--channels", type=int)
    parser.add_argument("--arms", nargs="+", default=list(ARMS))
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    options = ReadOptions(channels=given.channels) if given.channels else None
    sequences, _ = load_settled(given.file, read_options=options, test=given.test)
    material = Material(sequences, split(sequences, 0), causal=False)
    blank = setup.blank_spec(sequences, material.split)
    specs = [parse_start(arm, blank) for arm in given.arms]
    draws = [Draw(rate, *kind) for rate in RATES for kind in KINDS]
    asked = [t for spec in specs for draw in draws for t in trials(material, spec, draw, given.seeds)]
    results = trained(material, asked)
    print(
        "| network | neither, dev score | "
        + " | ".join(f"decay {d}, dropout {p}" for d, p in KINDS[1:])
        + " | chosen |"
    )
    print("|---" * (2 + len(KINDS)) + "|")
    for spec in specs:
        print(row(material, results, spec, given.seeds), flush=True)


if __name__ == "__main__":
    main()
