"""Pairs of repeated inputs, counted without making them."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.stats.floor import differing, distances


@pytest.mark.parametrize("size", [1, 2, 17, 200])
def test_pairs_are_those_of_the_double_loop(size):
    random = np.random.default_rng(size)
    labels, values = random.integers(0, 4, size), random.normal(size=size).round(1)
    assert differing(labels) == sum(int(a != b) for a in labels for b in labels)
    assert distances(values) == pytest.approx(sum(abs(a - b) for a in values for b in values))


def test_many_repeats_of_one_input_need_no_square_of_memory():
    labels = np.repeat([0, 1], 150_000)
    assert differing(labels) == 2 * 150_000**2
    assert distances(labels) == pytest.approx(2 * 150_000**2)
