"""Scores one sequence of 10,000 steps among 2,000 short ones, within a gigabyte beside what is taken already."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import torch

import leadline
from leadline.baselines import networks
from leadline.data import encode
from leadline.data.batch import Batcher
from leadline.network import embed_spec, stack_network
from leadline.spec import Recipe, StackSpec
from leadline.training.compiled import Compiled

ROOM = 10**9


def main() -> None:
    """Print the number of sequences that each network scored."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    steps = [random.normal(size=(length, 3)) for length in [10_000] + [10] * 2000]
    data = leadline.from_arrays(steps, np.arange(len(steps)) % 3, kind="classification")
    encoder = encode.fit(data, np.arange(len(data)))
    batcher = Batcher(encode.apply(encoder, data))
    stack = StackSpec(embed_spec(encoder).output_size, encoder.output_size, pooling="last", num_layers=2)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, resource.RLIM_INFINITY))
    for network in (networks.build("convolution", encoder, False, 0), stack_network(encoder, stack, 0)):
        print(len(Compiled(network, encoder, batcher, Recipe(), 0).scores(np.arange(len(data)))))


if __name__ == "__main__":
    main()
