"""Words inside sequences: two levels of time."""

from __future__ import annotations

from functools import partial

import numpy as np

from leadline.data.datasets.synthetic.draws import digit_names, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import ALL_AHEAD, GATED, YES, KnownTask, Networks, rights
from leadline.data.sequences import Sequences

WORD_BITS = 4
WORD_VALUES = (0, 2, 1, 1, 2, 0, 0, 1, 2, 1, 0, 2, 1, 2, 0, 1)
"""Value of each 4-bit word, first bit highest: a table without a rule, so that all four bits must be in."""


def hierarchy(num_sequences: int, words: int = 20, seed: int = 0) -> Sequences:
    """Words of 4 bits with a value of 0, 1 or 2 from a fixed table; y_t sums all words ended, mod 3.

    Right: deeper at equal parameters: a fast layer reads the word, a slow one keeps the sum, and layer 2's
    half-life is at least 4 times layer 1's. Accuracy 1.0.

    No proof that one layer cannot: a finite automaton of 45 states does it, and one layer holds any. That it does
    not learn it is measured, 12 words, 3,000 sequences, % right: 55.9 for a GRU of 1 x 32 and 52.5 for 1 x 64,
    100.0 for 2 x 22 and for 2 x 41. That recurrence is needed is proved: a word that ended before a window shifts
    the sum by 0, 1 or 2.
    """
    stream = random_stream("hierarchy", seed, num_sequences, words)
    x = stream.integers(2, size=(num_sequences, words, WORD_BITS))
    values = np.array(WORD_VALUES)[x @ (1 << np.arange(WORD_BITS)[::-1])]
    ended = np.cumsum(values, axis=1) % 3
    y = np.repeat(np.hstack([np.zeros((num_sequences, 1), dtype=np.int64), ended]), WORD_BITS, axis=1)
    y = y[:, 1 : 1 + words * WORD_BITS]
    return named("hierarchy", "tagging", x.reshape(num_sequences, -1), symbols(2), y, digit_names(3))


TASKS = (
    KnownTask(
        name="hierarchy",
        title="words of 4 bits whose values are summed mod 3: deeper at equal size",
        draw=partial(hierarchy, words=12),
        sequences=3000,
        right=(
            *rights(YES, "recurrence"),
            *rights(YES, "depth", "depth_equal_size", start=Networks(layers=(1, 1), units=(16, 64), ahead=(0, 0))),
        ),
        advised=(Networks(layers=(2, ALL_AHEAD), cells=GATED),),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
)
