"""Half-lives of differences that are followed from a step on."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis.estimates import resamples
from leadline.records.base import Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 100
FEWEST_AT_LAG = 20
GONE = 1e-9


def aligned(values: Tensor, lengths: Tensor, steps: Ints, furthest: int, sign: int) -> Floats:
    """Values by distance from a step of each sequence.

    Args:
        values: (seq, batch, ...) one for each step.
        lengths: (batch,).
        steps: (batch,) the step of each sequence that counts as distance 0.
        furthest: largest distance K.
        sign: 1 for later steps, -1 for earlier ones.

    Returns:
        (batch, K + 1, ...), NaN beyond the ends of a sequence.
    """
    at = torch.from_numpy(steps)[:, None] + sign * torch.arange(furthest + 1)[None]
    inside = (at >= 0) & (at < lengths[:, None])
    rows = torch.arange(values.shape[1])[:, None].expand_as(at)
    found = values[at.clamp(0, values.shape[0] - 1), rows].double()
    shape = inside.shape + (1,) * (found.dim() - 2)
    result: Floats = torch.where(inside.reshape(shape), found, torch.full_like(found, math.nan)).numpy()
    return result


def curve(differences: Floats, counts: Floats | None = None) -> Floats:
    """What is left of a difference at each distance, over sequences of unequal length.

    A sequence that ends early says nothing about later steps, so neighbours are compared, and the ratios
    multiplied, each over the sequences that reach it:

        s(k) = s(k - 1) * sum_i d_i(k) / sum_i d_i(k - 1)

    from s = 1 at the first distance at which there is a difference at all; before it, and where there never is
    one, s = 0.

    Args:
        differences: (sequences, K + 1), or (sequences, K + 1, units); NaN beyond the end.
        counts: (sequences,) how often each sequence counts; once by default.

    Returns:
        (K + 1,) or (K + 1, units); it ends early, with NaN, where fewer than 20 sequences reach.

    >>> curve(0.5 ** np.arange(4) * np.ones((30, 1))).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    there = np.isfinite(differences)
    amounts = np.where(there, differences, 0.0)
    number = np.ones(len(differences)) if counts is None else counts
    later = np.einsum("n,nk...->k...", number, amounts[:, 1:])
    earlier = np.einsum("n,nk...->k...", number, np.where(there[:, 1:], amounts[:, :-1], 0.0))
    reached = there[:, 1:].sum(0) >= FEWEST_AT_LAG
    at_first = np.einsum("n,n...->...", number, amounts[:, 0])
    left = [np.where(at_first > 0, 1.0, 0.0)]
    for now, before, seen in zip(later, earlier, reached, strict=True):
        started = np.where((left[-1] == 0) & (before <= 0) & (now > 0), 1.0, 0.0)
        following = np.where(before > 0, left[-1] * now / np.maximum(before, 1e-300), started)
        left.append(np.where(seen, following, np.nan))
    return np.stack(left)


def half_life(left: Floats) -> float | None:
    """Steps until a curve has fallen to half of its largest value; straight lines between logarithms.

    >>> round(half_life(0.8 ** np.arange(10.0)), 3)
    3.106

    Returns:
        None where it never falls so far, or never was above zero.
    """
    seen = left[np.isfinite(left)]
    if not len(seen) or seen.max() <= GONE:
        return None
    peak = int(seen.argmax())
    half = seen[peak] / 2
    below = np.flatnonzero(seen[peak:] <= half)
    if not len(below):
        return None
    after = peak + int(below[0])
    high, low = seen[after - 1], max(float(seen[after]), GONE * float(seen[peak]))
    return after - 1 + math.log(high / half) / math.log(high / low)


def interval(differences: Floats, clusters: Ints, random: np.random.Generator) -> Interval | None:
    """95 % bootstrap interval of the half-life over clusters; infinite where resamples never fall to half."""
    if clusters.max(initial=0) < 1:
        return None
    found = [half_life(curve(differences, counts)) for counts in resamples(clusters, RESAMPLES, random)]
    numbers = np.array([np.inf if value is None else value for value in found])
    low, high = np.quantile(numbers, [0.025, 0.975], method="inverted_cdf")
    return float(low), float(high)


def reached(left: Floats) -> int:
    """The last distance of a curve."""
    return int(np.isfinite(left).sum()) - 1


def unit_half_lives(differences: Floats) -> Floats:
    """(units,) half-life of each unit, infinite where it never halves, NaN for a unit that never moves.

    Args:
        differences: (sequences, K + 1, units).
    """
    each = curve(differences)
    found = [half_life(each[:, unit]) for unit in range(each.shape[1])]
    still = ~(np.nan_to_num(each) > 0).any(0)
    return np.where(still, np.nan, [np.inf if value is None else value for value in found])
