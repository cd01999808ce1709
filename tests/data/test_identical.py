"""Keys of inputs: equal exactly when the inputs are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.data import identical
from leadline.data.arrays import from_arrays
from leadline.data.identical import distinct, input_keys, run_keys, step_keys

STEPS = st.lists(
    st.tuples(st.sampled_from([0.0, -0.0, 1.0, float("nan")]), st.sampled_from([0.0, 2.0])), min_size=1, max_size=6
)


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=12))
def test_keys_are_equal_exactly_when_inputs_are(rows: list[list[tuple[float, float]]]) -> None:
    arrays = [np.array(row) for row in rows]
    keys = input_keys(from_arrays(arrays, kind="regression"))
    for i, one in enumerate(arrays):
        for j, two in enumerate(arrays):
            same = one.shape == two.shape and bool(np.array_equal(one, two, equal_nan=True))
            assert (keys[i] == keys[j]) == same


def test_neither_order_nor_length_nor_column_is_forgotten() -> None:
    words = ["ab", "ba", "aab", "aba", "a", "aa", "b"]
    assert len(set(input_keys(from_arrays(words, kind="regression")).tolist())) == len(words)
    sides = [np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])]
    assert len(set(input_keys(from_arrays(sides, kind="regression")).tolist())) == 2


def test_a_run_longer_than_the_data_has_no_key() -> None:
    sequences = from_arrays(["abcd", "bc", "x"], kind="regression")
    assert len(step_keys(sequences)) == 7
    assert len(run_keys(step_keys(sequences), 9)) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=1, max_size=60), st.integers(1, 40))
def test_runs_have_equal_keys_exactly_when_their_steps_are_equal(steps: list[int], run: int) -> None:
    keys = run_keys(np.array(steps, dtype=np.uint64), run)
    runs = [tuple(steps[i : i + run]) for i in range(len(steps) - run + 1)]
    assert len(keys) == max(len(runs), 0)
    assert [[one == two for two in keys] for one in keys] == [[one == two for two in runs] for one in runs]


def test_a_long_run_takes_as_many_passes_as_its_length_has_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = []
    pairs = identical._pairs
    monkeypatch.setattr(identical, "_pairs", lambda keys, apart: passes.append(apart) or pairs(keys, apart))
    run_keys(np.arange(5000, dtype=np.uint64), 1000)
    assert len(passes) == 10


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    arrays = [random.integers(0, 3, (n, 2)).astype(float) for n in (3, 1, 50, 7, 20)]
    sequences = from_arrays(arrays, kind="regression")
    whole = input_keys(sequences), step_keys(sequences), run_keys(step_keys(sequences), 5)
    monkeypatch.setattr(identical, "BLOCK", 4)
    cut = input_keys(sequences), step_keys(sequences), run_keys(step_keys(sequences), 5)
    assert all(np.array_equal(one, two) for one, two in zip(whole, cut, strict=True))


@given(st.lists(st.integers(-3, 3)))
def test_distinct_values_are_those_of_numpy(values: list[int]) -> None:
    assert np.array_equal(distinct(np.array(values, dtype=np.int64)), np.unique(np.array(values, dtype=np.int64)))
