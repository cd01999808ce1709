"""Runs that did not train: recognised and counted before anything is tested."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.stats.paired import Floats

MARGINS = 3.0
DEVIATIONS = 8.0
NORMAL = 1.4826


def collapsed(scores: Floats, margin: float) -> NDArray[np.bool_]:
    """(..., runs) whether a run lies far below the other runs of its arm.

        median - score > max(MARGINS * margin, DEVIATIONS * 1.4826 * median |score - median|)

    A mean over runs of which one in ten collapses says neither what training gives nor how often it fails. Both bars
    are far away, so that what is merely a bad seed stays in: of normal runs fewer than one in a million is lost
    where seeds differ by less than half a margin.

    Args:
        scores: (..., runs), higher is better. Fewer than 3 runs have no middle: none is called collapsed.
        margin: smallest effect that is worth its cost, above 0.

    >>> collapsed(np.array([70.1, 69.9, 12.0, 70.3]), 1.0).tolist()
    [False, False, True, False]
    """
    if scores.shape[-1] < 3:
        return np.zeros(scores.shape, dtype=np.bool_)
    below = np.median(scores, -1, keepdims=True) - scores
    usual = NORMAL * np.median(np.abs(below), -1, keepdims=True)
    return np.asarray(below > np.maximum(MARGINS * margin, DEVIATIONS * usual))
