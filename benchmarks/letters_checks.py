"""What letters to sounds yields without a network: majority label of the longest seen context.

    python benchmarks/letters_checks.py

prints, for each growth of the context, the share of letters and of whole words that come out right on word
families that training never saw, and the same for the stress digit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.contexts import Context, keys
from leadline.baselines.ngram import NO_CONTEXT, count, find, refine
from leadline.data.datasets.letters import letters, stress
from leadline.data.sequences import Sequences
from leadline.seeds import generator

NEARLY_NONE = 1e-6
HELD_BACK = 0.1
WINDOWS: dict[str, list[tuple[int, int]]] = {
    "letter only": [(0, 0)],
    "left 8": [(n, 0) for n in range(9)],
    "right 8": [(0, n) for n in range(9)],
    "both 4": [(n // 2, (n + 1) // 2) for n in range(9)],
}


def split_families(data: Sequences, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(train, held back) indices of sequences: a tenth of the families is held back."""
    assert data.groups is not None
    families = generator(seed, "letters checks").permutation(np.unique(data.groups))
    held_back = np.isin(data.groups, families[: round(HELD_BACK * len(families))])
    return np.flatnonzero(~held_back), np.flatnonzero(held_back)


def back_off(train: Sequences, held_back: Sequences, windows: list[tuple[int, int]]) -> NDArray[np.int64]:
    """(rows of `held_back`,) the majority label of the longest context that training saw."""
    assert train.targets is not None
    p = np.full((len(held_back.categories), train.num_classes), 1.0 / train.num_classes)
    for context in [NO_CONTEXT, *(Context(left, right) for left, right in windows)]:
        level = count(keys(train, (0,), context), train.targets, train.num_classes)
        refine(p, level, find(level, keys(held_back, (0,), context)), NEARLY_NONE)
    return np.asarray(p.argmax(axis=1), dtype=np.int64)


def scores(data: Sequences, windows: list[tuple[int, int]], seed: int = 0) -> tuple[float, float]:
    """(share of letters right, share of whole words right) on unseen families."""
    past, unseen = (data.take(part) for part in split_families(data, seed))
    right = back_off(past, unseen, windows) == unseen.targets
    return float(right.mean()), float(np.logical_and.reduceat(right, unseen.offsets[:-1]).mean())


def main() -> None:
    """Print the table."""
    sounds = letters()
    digits = replace(sounds, targets=stress(sounds).astype(np.int64) + 1, classes=("-", "0", "1", "2"))
    print(f"{'context':<12} {'letters':>8} {'words':>8} {'stress':>8}")
    for name, windows in WINDOWS.items():
        right, words = scores(sounds, windows)
        print(f"{name:<12} {right:>8.3f} {words:>8.3f} {scores(digits, windows)[0]:>8.3f}")


if __name__ == "__main__":
    main()
