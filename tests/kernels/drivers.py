"""What the two C drivers, `sanitize.c` and `sanitize_network.c`, are given and should say."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from kernel_cases import STATES, case, run

from leadline.kernels import passes, reference

SHAPES = ((1, 1, 1, 1), (3, 2, 5, 5), (4, 17, 3, 16), (2, 9, 33, 33), (3, 260, 4, 7), (2, 3, 40, 100))
NETWORKS = "192 networks\n"


def write_calls(path: Path) -> int:
    """All calls with what the plain loop says in double precision; how many there are."""
    calls = [
        case(cell, *shape, reverse=reverse, seed=seed)
        for cell, (seed, shape), reverse in itertools.product(passes.CELLS, enumerate(SHAPES), (False, True))
    ]
    with path.open("wb") as file:
        for given in calls:
            seq, batch, feature = given.inputs.shape
            head = [passes.CELLS[given.cell], given.reverse, seq, batch, feature, given.weights[1].shape[1], 0, 0]
            file.write(torch.tensor([*head, *given.lengths.tolist()]).numpy().tobytes())
            exact = run(reference.unroll, given, torch.float64)
            arrays = (given.inputs, *given.initial, *given.weights, *given.d_results, *exact)
            assert len(arrays) == 7 + 4 * STATES[given.cell] + 5
            for array in arrays:
                file.write(array.float().contiguous().numpy().tobytes())
    return len(calls)
