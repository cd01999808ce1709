"""How often the ranges of a race miss: scores in, ranges out, nothing is trained.

    python benchmarks/calibration.py cells                 any range outside its truth, by kind of noise
    python benchmarks/calibration.py power                 blocks until an effect of 1.5 and of 2 margins is settled
    python benchmarks/calibration.py cells --only rare     one cell

`--races` sets the number of simulated races of a cell, `--seed` their stream. Each prints a table in Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from leadline.records.answers import Policy
from leadline.search.decide import word
from leadline.stats.family import Levels, levels
from leadline.stats.race import Scores, contrast, least_variance, variances

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

ARMS = 11
POLICY = Policy()
LOOKS = POLICY.looks
FIVE = 5


def contrasts() -> Floats:
    """Ten arms against the first, depth at equal size, direction, their interaction: 14 contrasts."""
    found = np.zeros((14, ARMS))
    for i in range(10):
        found[i, i + 1], found[i, 0] = 1.0, -1.0
    for row, plus, minus in ((10, (1,), (2,)), (11, (3,), (4,)), (12, (1, 4), (2, 3)), (13, (5,), (6,))):
        found[row, list(plus)], found[row, list(minus)] = 1.0, -1.0
    return found


CONTRASTS = contrasts()


@dataclass(frozen=True)
class Cell:
    """A kind of noise.

    Args:
        training: of one training to the next, standard deviation.
        draw: its shape.
        liking: of an example's score from arm to arm.
        example: of an example's score from training to training.
        clusters: of the development data.
        loud: times the training noise of one arm.
        rate: for 0/1 scores, per cent right; None for numbers.
        uneven: weights of the clusters are lognormal with this deviation.
        neighbours: correlation of neighbouring windows, which are put into 30 stretches; None for single examples.
        rare: share of examples of a kind on which the first arm is right and all others wrong.
        collapse: share of trainings that come out 20 lower, left in.
    """

    training: float = 0.4
    draw: Draw = lambda random, shape: random.standard_normal(shape)
    liking: float = 3.0
    example: float = 4.0
    clusters: int = 500
    loud: float = 1.0
    rate: float | None = None
    uneven: float = 0.0
    neighbours: float | None = None
    rare: float = 0.0
    collapse: float = 0.0


def _lognormal(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return (np.exp(random.standard_normal(shape)) - np.exp(0.5)) / ((np.e - 1) * np.e) ** 0.5


SEEDS = {"training": 0.5, "liking": 0.5, "example": 0.5}
CELLS: dict[str, Cell] = {
    "normal, training dominates": Cell(**SEEDS),
    "normal, both": Cell(),
    "normal, examples dominate": Cell(training=0.05),
    "t, 3 degrees": Cell(draw=lambda r, s: r.standard_t(3, s) / 3**0.5, **SEEDS),
    "exponential, tail down": Cell(draw=lambda r, s: 1 - r.standard_exponential(s), **SEEDS),
    "lognormal, tail down": Cell(draw=lambda r, s: -_lognormal(r, s), **SEEDS),
    "tied: no noise but one example in 500": Cell(training=0.0, liking=0.0, example=0.0, rate=99.8),
    "one arm with thrice the deviation": Cell(loud=3.0, **SEEDS),
    "0/1 scores, 80 % right, 100 examples": Cell(training=0.3, rate=80.0, clusters=100),
    "0/1 scores, 95 % right, 500 examples": Cell(training=0.3, rate=95.0),
    "0/1 scores, 99.6 % right, 2,000 examples": Cell(training=0.05, rate=99.6, clusters=2000),
    "50 groups of unequal size": Cell(clusters=50, uneven=1.0),
    "windows of one series, neighbours .6": Cell(clusters=600, neighbours=0.6),
    "windows of one series, neighbours .9": Cell(clusters=600, neighbours=0.9),
    "a rare kind, one in 400, 400 examples": Cell(training=0.1, liking=0.5, example=0.5, clusters=400, rare=1 / 400),
    "5 % of trainings collapse, left in": Cell(collapse=0.05, **SEEDS),
}


def scores(random: np.random.Generator, cell: Cell, blocks: int) -> tuple[Floats, Floats, NDArray[np.bool_], Floats]:
    """Score sums (arms, blocks, clusters), weights, dev parts (blocks, clusters), and the arms' true means."""
    count = cell.clusters
    deviation = np.full((ARMS, 1), cell.training)
    deviation[3] *= cell.loud
    training = deviation * cell.draw(random, (ARMS, blocks))
    training -= 20.0 * (random.random((ARMS, blocks)) < cell.collapse)
    true = np.full(ARMS, -20.0 * cell.collapse)
    hard = random.normal(0, 20, count)
    likes = random.normal(0, cell.liking, (ARMS, count))
    if cell.neighbours is not None:
        likes = _smooth(likes, cell.neighbours)
    own = random.normal(0, cell.example, (ARMS, blocks, count))
    values = hard + likes[:, None] + own + training[..., None]
    if cell.rate is not None:
        values, true = _binary(random, cell, training, blocks)
    if cell.rare:
        values[0] += 100.0 * (random.random(count) < cell.rare)
        true = true.copy()
        true[0] += 100.0 * cell.rare
    weights = np.exp(random.normal(0, cell.uneven, count)) if cell.uneven else np.ones(count)
    dev = _dev(random, cell, blocks)
    if cell.neighbours is not None:
        return (*_stretched(values, dev), true)
    return values * weights, weights, dev, true


def _binary(random: np.random.Generator, cell: Cell, training: Floats, blocks: int) -> tuple[Floats, Floats]:
    """Right or wrong: each example is as hard for one arm as for the next, but for a part of its own."""
    assert cell.rate is not None
    shared = random.standard_normal(cell.clusters)
    own = random.standard_normal((ARMS, blocks, cell.clusters))
    level = np.quantile(
        0.8 * random.standard_normal(400_000) + 0.6 * random.standard_normal(400_000), 1 - cell.rate / 100
    )
    drift = training[..., None] / max(10.0, cell.training)
    right = 100.0 * (0.8 * shared + 0.6 * own + drift > level)
    return right, np.zeros(ARMS)


def _smooth(values: Floats, correlation: float) -> Floats:
    found = values.copy()
    for i in range(1, values.shape[-1]):
        found[:, i] = correlation * found[:, i - 1] + (1 - correlation**2) ** 0.5 * values[:, i]
    return found


def _dev(random: np.random.Generator, cell: Cell, blocks: int) -> NDArray[np.bool_]:
    """Two divisions into fifths, taken in turns; contiguous for a series."""
    place = np.arange(cell.clusters)
    orders = (
        [place, np.roll(place, cell.clusters // 10)]
        if cell.neighbours is not None
        else [random.permutation(cell.clusters) for _ in range(2)]
    )
    found = np.zeros((blocks, cell.clusters), dtype=np.bool_)
    for block in range(blocks):
        fifths = np.array_split(orders[block // FIVE % 2], FIVE)
        found[block, fifths[block % FIVE]] = True
    return found


def _stretched(values: Floats, dev: NDArray[np.bool_]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Sums over 30 stretches of time, as a study of one series has them."""
    owner = np.arange(values.shape[-1]) * 30 // values.shape[-1]
    sums = np.add.reduceat(values, np.flatnonzero(np.diff(owner, prepend=-1)), axis=-1)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    return sums, np.bincount(owner).astype(np.float64), dev[:, first]


def gathered(sums: Floats, weights: Floats, dev: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Means and Gram matrix of `stats.race.Scores`."""
    held = dev * weights
    total = held.sum(-1, keepdims=True)
    means = (sums * dev).sum(-1) / total[:, 0]
    rho = np.where(dev, (sums - means[..., None] * weights) / ((1 - held / total) * total), 0.0)
    flat = rho.reshape(-1, rho.shape[-1])
    return means, flat @ flat.T


def race(
    random: np.random.Generator, cell: Cell, margin: float, reach: float = 100.0
) -> Iterator[tuple[int, Scores, Floats]]:
    """(look, evidence, true means) of one race."""
    blocks = LOOKS[-1]
    sums, weights, dev, true = scores(random, cell, blocks)
    means, gram = gathered(sums, weights, dev)
    clusters = weights.sum() ** 2 / (weights**2).sum()
    binary = cell.rate is not None or cell.rare > 0
    least = least_variance(reach, cell.clusters, FIVE) if binary else 0.0
    unseen = reach / len(weights) if binary else 0.0
    for look in LOOKS:
        keep = (np.arange(ARMS)[:, None] * blocks + np.arange(look)).ravel()
        yield look, Scores(means[:, :look], gram[np.ix_(keep, keep)], clusters, least, unseen), true


def misses(random: np.random.Generator, cell: Cell, at: Levels) -> tuple[bool, NDArray[np.bool_]]:
    """Whether any range of all questions misses at any look, and which single ones miss theirs."""
    family, row = False, np.zeros(len(CONTRASTS), dtype=np.bool_)
    for _, found, true in race(random, cell, 1.0):
        known = variances(found)
        for i, terms in enumerate(CONTRASTS):
            one, effect = contrast(found, terms, known), float(terms @ true)
            family |= not one.lower(at.family) <= effect <= one.upper(at.family)
            row[i] |= not one.lower(at.row) <= effect <= one.upper(at.row)
    return family, row


def upper(errors: int, count: int, level: float = 0.95) -> float:
    """Clopper and Pearson's (1934) one-sided upper bound of a rate."""
    return 1.0 if errors == count else float(beta.ppf(level, errors + 1, count - errors))


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cells(races: int, seed: int, only: str) -> None:
    """Simultaneous misses, in per cent."""
    at = levels(CONTRASTS, LOOKS, POLICY.alpha, 1 - POLICY.row_level)
    rows = []
    for name, cell in CELLS.items():
        if only in name:
            random = np.random.default_rng(seed)
            found = [misses(random, cell, at) for _ in range(races)]
            errors = sum(family for family, _ in found)
            worst = np.mean([row for _, row in found], axis=0).max()
            rows.append(
                [name, f"{100 * errors / races:.1f}", f"{100 * upper(errors, races):.1f}", f"{100 * worst:.1f}"]
            )
            print(rows[-1], flush=True)
    print(table(["noise", "any range outside, %", "upper 95 % bound", "worst single question, %"], rows))


LETTERS = Cell(training=0.16, liking=7.0, example=13.0, clusters=2000)
MARGIN = 0.82
"""Of the embedded data: training 0.16 points from one training to the next, 0.8 points for a fifth of the examples."""


def power(races: int, seed: int) -> None:
    """Blocks until an effect of the second arm is settled, and the share that is open after all blocks."""
    at = levels(CONTRASTS, LOOKS, POLICY.alpha, 1 - POLICY.row_level)
    rows = []
    for margins in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0):
        random = np.random.default_rng(seed)
        settled = [_settled(random, margins * MARGIN, at) for _ in range(races)]
        closed = [blocks for blocks in settled if blocks is not None]
        middle = f"{np.median(closed):.0f}" if closed else "-"
        rows.append([f"{margins:g}", middle, f"{100 * (1 - len(closed) / races):.0f}"])
    print(table(["effect, margins", "blocks, median where settled", "open after 24, %"], rows))


def _settled(random: np.random.Generator, effect: float, at: Levels) -> int | None:
    for look, found, _ in race(random, LETTERS, MARGIN):
        means = found.means.copy()
        means[1] += effect
        one = contrast(Scores(means, found.gram, found.clusters, found.least, 100 / 5400), CONTRASTS[0])
        said = word((one.lower(at.row), one.upper(at.row)), (one.lower(at.family), one.upper(at.family)), MARGIN)
        if said in ("yes", "no", "a_little", "worse"):
            return look
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cells", "power"))
    parser.add_argument("--races", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    if given.what == "cells":
        cells(given.races, given.seed, given.only)
    else:
        power(given.races, given.seed)


if __name__ == "__main__":
    main()
