"""A table without a rule, to be learned by heart: what asks for parameters and for data."""

from __future__ import annotations

from functools import partial

import numpy as np

from leadline.data.datasets.synthetic.draws import digit_names, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import GATED, SMALL, YES, KnownTask, Networks, rights
from leadline.data.sequences import Sequences
from leadline.seeds import generator


def lookup(
    num_sequences: int, length: int = 40, num_symbols: int = 100, num_classes: int = 8, seed: int = 0
) -> Sequences:
    """y_t = A[x_{t-1}, x_t], x_t uniform over V symbols, A a (V, V) table of labels drawn once.

    Before the first step stands the first symbol of the alphabet. The table does not depend on `seed`.

    Right: no recurrence, and more data where few pairs have been seen.

    Proof: a table of counts of pairs is exact for every pair it has seen once. Labels of different pairs are
    independent, so for a pair that was not seen every predictor is right in 1/K of the cases, and the best
    accuracy after n steps is `lookup_coverage(n)`: from 13,440 steps to twice as many it rises by 17 points.

    Width: the table holds V^2 log2(K) bits, and a trained network stores about 5 a parameter (Collins,
    Sohl-Dickstein & Sussillo 2017). Measured with V = 64 and 6,000 sequences of 20, % right at 64 and 104 GRU
    units: 83.9, 90.9; with V = 40 at 16, 32, 64 and 104 units: 57.7, 90.1, 99.3, 99.8.
    """
    stream = random_stream("lookup", seed, num_sequences, length)
    x = stream.integers(num_symbols, size=(num_sequences, length))
    before = np.hstack([np.zeros((num_sequences, 1), dtype=np.int64), x[:, :-1]])
    table = generator(0, "tasks", "lookup", num_symbols).integers(num_classes, size=(num_symbols, num_symbols))
    return named("lookup", "tagging", x, symbols(num_symbols), table[before, x], digit_names(num_classes))


def lookup_coverage(steps: int, num_symbols: int = 100, num_classes: int = 8) -> float:
    """Best expected accuracy after `steps` steps of training: q + (1 - q) / K, q = 1 - (1 - 1 / V^2)^steps.

    >>> round(lookup_coverage(13_440), 3), round(lookup_coverage(26_880), 3)
    (0.772, 0.94)
    """
    seen = 1.0 - (1.0 - 1.0 / num_symbols**2) ** steps
    return seen + (1.0 - seen) / num_classes


FEW, TRAINED_ON = 600, 0.56
"""Few sequences are crossed: 20 % test, and of the rest 7/10 train."""

TASKS = (
    KnownTask(
        name="lookup_few",
        title="a table of 10,000 pairs without a rule, of which 3 in 4 have been seen: more data",
        draw=lookup,
        sequences=FEW,
        right=(*rights(YES, "more_data"), *rights(SMALL, "recurrence")),
        advised=(),
        baseline=True,
        best=100.0 * lookup_coverage(round(FEW * 40 * TRAINED_ON)),
        tolerance=6.0,
    ),
    KnownTask(
        name="lookup",
        title="a table of 4,096 pairs without a rule, each seen often: wider, or a table of counts",
        draw=partial(lookup, length=20, num_symbols=64),
        sequences=6000,
        right=(
            *rights(SMALL, "recurrence"),
            *rights(YES, "width", start=Networks(layers=(1, 1), units=(8, 64), cells=GATED)),
        ),
        advised=(Networks(cells=GATED),),
        baseline=True,
        best=100.0,
        tolerance=2.5,
    ),
)
