"""Which of many chances are small: at most a share of what is claimed is false, on average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.stats.paired import Floats


def discoveries(chances: Floats, rate: float) -> NDArray[np.bool_]:
    """The claims that stand where at most `rate` of them may be false on average (Benjamini & Hochberg 1995).

        p_(1) <= ... <= p_(m):   all up to the largest k with p_(k) <= rate * k / m

    It holds for independent chances and for those that rise and fall together, as those of overlapping groups do
    (Benjamini & Yekutieli 2001).

    Args:
        chances: (m,) two-sided p-values.
        rate: share of false claims, for instance 0.05.

    >>> discoveries(np.array([0.001, 0.04, 0.02, 0.9]), 0.05).tolist()
    [True, False, True, False]
    """
    from scipy.stats import false_discovery_control  # a second to import, and seldom needed

    return np.asarray(false_discovery_control(chances) <= rate)
