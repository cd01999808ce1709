"""Keys of inputs: equal exactly when the inputs are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.data.arrays import from_arrays
from leadline.data.identical import input_keys, run_keys, step_keys

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


def test_runs_stay_inside_sequences() -> None:
    sequences = from_arrays(["abcd", "bc", "x"], kind="regression")
    keys, owner = run_keys(sequences, 2)
    assert owner.tolist() == [0, 0, 0, 1]
    assert keys[1] == keys[3]
    assert len(set(keys.tolist())) == 3
    assert len(run_keys(sequences, 9)[0]) == 0
    assert len(step_keys(sequences)) == 7
