"""Seconds of processor time of one trial of each trained baseline: compiled code against torch, in one run.

    OMP_NUM_THREADS=1 python benchmarks/trained_baselines.py

A trial is 500 updates and the scores of every part, dev and train among them: on the embedded data, which have a target
for each step, and on the generated task `recall`, which has one for each sequence.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np
import torch

from leadline.baselines import networks
from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic.memory import recall
from leadline.data.split import split
from leadline.plan import setup
from leadline.plan.networks import Limits
from leadline.training import compiled, loop
from leadline.training.by_torch import ByTorch
from leadline.training.trainee import trainee
from leadline.trials.material import Material

UPDATES, ROUNDS = 500, 3


def seconds(material: Material, name: str, by_torch: bool) -> float:
    """One trial."""
    encoder, batcher = material.encoded(0)
    recipe = setup.plan(material.sequences, material.split, 0, Limits(material.sequences.kind)).recipe
    recipe = replace(recipe, max_updates=UPDATES, eval_every=UPDATES, learning_rate=0.006)
    start = time.process_time()
    make = ByTorch if by_torch else trainee
    pupil = make(networks.build(name, encoder, False, 1), encoder, batcher, recipe, 1)
    loop.fit(pupil, batcher, material.train(0, 1.0), material.fold(0).tune, recipe, 1)
    for part in (material.fold(0).dev, material.train_sample(0, 1.0)):
        pupil.scores(part)
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("| data | baseline | Leadline | torch | ratio |\n|---|---|---|---|---|")
    for sequences in (letters(), recall(6000)):
        material = Material(sequences, split(sequences, 0), causal=False)
        encoder, batcher = material.encoded(0)
        for name in networks.names_for(sequences.kind):
            assert compiled.refusal(networks.build(name, encoder, False, 1), batcher) == ""
            rounds = [(seconds(material, name, False), seconds(material, name, True)) for _ in range(ROUNDS)]
            ours, theirs = (statistics.median(column) for column in np.transpose(rounds))
            told = f"{ours:.2f} s | {theirs:.2f} s | **{theirs / ours:.1f}x**"
            print(f"| {sequences.name} | {name} | {told} |", flush=True)


if __name__ == "__main__":
    main()
