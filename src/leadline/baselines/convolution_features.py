"""Random convolutions: how often each of many fixed patterns is found in a sequence of numbers.

After MiniRocket (Dempster, Schmidt & Webb 2021). A kernel has nine taps, six of weight -1 and three of weight 2, so
there are 84 of them and all sum to 0: what is added to a feature changes nothing. With dilation d and the sum x of some
of the features, drawn for each dilation,

    c_t = sum_{j=-4..4} w_j x_{t+jd},

zeros beyond the ends, and a figure is the share of the steps with c_t > b. The thresholds b are quantiles of c over
training steps drawn at random. Unlike the paper's, features are drawn per dilation and not per kernel, so that
all kernels share their taps; the number of figures is bounded, so that it takes seconds; sequences may have any length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.last_value import position_of
from leadline.data.sequences import Sequences
from leadline.seeds import generator

Singles = NDArray[np.float32]

TAPS, HEAVY = 9, 3
KERNELS = tuple(combinations(range(TAPS), HEAVY))
"""The heavy taps of each kernel."""
MOST_DRAWS = 24
"""Dilations with their features and thresholds: 84 figures each, 2,016 in all. The paper has 9,996."""
WORK = 1.5e9
"""Steps of all the data times figures: about five seconds on one core of 2020."""
FEWEST_DRAWS = 4
MOST_TOGETHER = 9
"""Features summed into one series, as in the paper."""
BLOCK = 8_192
"""Steps at once: 3 MB of convolutions."""
QUANTILES_FROM, QUANTILE_STEPS = 200, 2_000
"""Sequences and steps that thresholds are quantiles of; the paper takes one sequence for each."""
GOLDEN = (5.0**0.5 - 1.0) / 2.0
"""Multiples of the golden ratio fill the unit interval evenly, however many there are: the paper's sequence."""


@dataclass(frozen=True)
class Convolutions:
    """A number of draws, each with 84 figures.

    Args:
        numbers: the numeric features.
        means, scales: (features,) of the train part; missing values become the mean.
        mixed: (draws, features) 1 where the draw sums the feature.
        dilations: (draws,) steps between taps.
        thresholds: (draws, 84).
    """

    numbers: tuple[str, ...]
    means: NDArray[np.float64]
    scales: NDArray[np.float64]
    mixed: Singles
    dilations: NDArray[np.int64]
    thresholds: Singles

    def of(self, data: Sequences) -> Singles:
        """(n, figures) shares, 0 for a sequence without steps."""
        values = scaled(self, data)
        figures = (self._shares(data, mixture(values, self.mixed[draw]), draw) for draw in range(len(self.dilations)))
        return np.concatenate(list(figures), axis=1)

    def _shares(self, data: Sequences, series: Singles, draw: int) -> Singles:
        counts = np.zeros((len(data), len(KERNELS)))
        for first, last in _runs(data):
            owner = np.repeat(np.arange(first, last), data.lengths[first:last])
            starts = np.flatnonzero(np.diff(owner, prepend=-1))
            taps = taps_of(series, data.offsets[first : last + 1], int(self.dilations[draw]))
            above = convolved(taps) > self.thresholds[draw][:, None]
            if len(starts):
                counts[owner[starts]] = np.add.reduceat(above, starts, axis=1, dtype=np.int32).T
        return (counts / np.maximum(data.lengths, 1)[:, None]).astype(np.float32)


def scaled(drawn: Convolutions, data: Sequences) -> Singles:
    """(features, rows) standardised, 0 where missing."""
    values = data.numeric[:, [position_of(data, name) for name in drawn.numbers]]
    return np.ascontiguousarray(np.nan_to_num((values - drawn.means) / drawn.scales).astype(np.float32).T)


def mixture(values: Singles, mixed: Singles) -> Singles:
    """(rows,) the sum of the features that a draw takes; one after another, so that no sum depends on other rows."""
    total = np.zeros(values.shape[1], dtype=np.float32)
    for feature in np.flatnonzero(mixed).tolist():
        total += values[feature]
    return total


def taps_of(series: Singles, offsets: NDArray[np.int64], dilation: int) -> Singles:
    """(9, rows) what each step's taps lie on, 0 beyond its sequence; for the sequences that `offsets` bound."""
    first, last = int(offsets[0]), int(offsets[-1])
    lengths = np.diff(offsets)
    rows = np.arange(first, last)
    starts, ends = np.repeat(offsets[:-1], lengths), np.repeat(offsets[1:], lengths)
    found = np.zeros((TAPS, last - first), dtype=np.float32)
    for tap in range(TAPS):
        at = rows + (tap - TAPS // 2) * dilation
        inside = (at >= starts) & (at < ends)
        found[tap, inside] = series[at[inside]]
    return found


def convolved(taps: Singles) -> Singles:
    """(84, rows) every kernel: three times its heavy taps less the sum of all nine, as the paper computes it."""
    total = taps.sum(axis=0)
    return np.stack([3.0 * (taps[a] + taps[b] + taps[c]) - total for a, b, c in KERNELS])


def _runs(data: Sequences) -> list[tuple[int, int]]:
    """Whole sequences, as many as have about `BLOCK` steps: (first, one past the last)."""
    block = data.offsets[:-1] // BLOCK
    starts = np.flatnonzero(np.diff(block, prepend=-1)).tolist()
    return list(zip(starts, [*starts[1:], len(data)], strict=True))


def learn(train: Sequences, steps: int, seed: int) -> Convolutions:
    """Draw the convolutions, and their thresholds from the train part.

    Args:
        train: the train part.
        steps: of all the data, which bound the number of draws.
        seed: of features, dilations and thresholds.
    """
    random = generator(seed, "convolutions")
    draws = int(min(MOST_DRAWS, max(FEWEST_DRAWS, WORK / (max(steps, 1) * len(KERNELS)))))
    columns = len(train.numeric_names)
    known = ~np.isnan(train.numeric)
    counts = np.maximum(known.sum(0), 1)
    filled = np.where(known, train.numeric, 0.0).astype(np.float64)
    means = filled.sum(0) / counts
    scales = np.sqrt((np.where(known, filled - means, 0.0) ** 2).sum(0) / counts)
    mixed = np.zeros((draws, columns), dtype=np.float32)
    for draw in range(draws):
        many = int(2.0 ** random.uniform(0.0, np.log2(min(columns, MOST_TOGETHER) + 1.0)))
        mixed[draw, random.permutation(columns)[:many]] = 1.0
    # The longest kernel just fits into a sequence of median length; dilations are spread evenly over the powers below.
    longest = max(0.0, np.log2(max(float(np.median(train.lengths)) - 1.0, 1.0) / (TAPS - 1)))
    dilations = np.floor(2.0 ** (longest * np.arange(draws) / max(draws - 1, 1))).astype(np.int64)
    drawn = Convolutions(
        train.numeric_names,
        means,
        np.where(scales > 1e-8, scales, 1.0),
        mixed,
        random.permutation(dilations),
        np.zeros((draws, len(KERNELS)), dtype=np.float32),
    )
    return _with_thresholds(drawn, train, random)


def _with_thresholds(drawn: Convolutions, train: Sequences, random: np.random.Generator) -> Convolutions:
    """Thresholds at quantiles that are spread evenly, as the paper spreads them."""
    chosen = train.take(random.permutation(len(train))[:QUANTILES_FROM])
    values = scaled(drawn, chosen)
    levels = np.modf(np.arange(1, drawn.thresholds.size + 1) * GOLDEN)[0].reshape(drawn.thresholds.shape)
    found = np.zeros_like(drawn.thresholds)
    for draw, dilation in enumerate(drawn.dilations.tolist()):
        taps = taps_of(mixture(values, drawn.mixed[draw]), chosen.offsets, dilation)
        if taps.shape[1]:
            some = convolved(taps[:, random.permutation(taps.shape[1])[:QUANTILE_STEPS]])
            found[draw] = [np.quantile(row, level) for row, level in zip(some, levels[draw], strict=True)]
    return replace(drawn, thresholds=found)
