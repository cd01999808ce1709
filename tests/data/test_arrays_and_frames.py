"""Lists, arrays and data frames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from leadline.data.arrays import from_arrays
from leadline.data.frames import read_frame
from leadline.data.options import ReadOptions
from leadline.errors import DataError, OptionError


def test_a_list_of_arrays_of_unequal_length() -> None:
    inputs = [np.arange(6.0).reshape(3, 2), np.ones((1, 2)), np.array([[np.nan, 1.0], [2.0, 3.0]])]
    sequences = from_arrays(inputs, ["u", "v", "u"], groups=["p", "q", "p"], ids=[10, 11, 12])
    assert sequences.kind == "classification"
    assert sequences.lengths.tolist() == [3, 1, 2]
    np.testing.assert_array_equal(sequences.numeric, np.concatenate(inputs))
    assert sequences.classes == ("u", "v")
    assert sequences.ids == ("10", "11", "12")
    assert sequences.groups is not None
    assert sequences.groups.tolist() == [0, 1, 0]
    assert any("1 of 6 values are missing" in note for note in sequences.notes)


def test_padding_of_a_three_dimensional_array_is_dropped() -> None:
    inputs = np.full((2, 4, 1), -1.0)
    inputs[0, :3, 0], inputs[1, :2, 0] = [1, 2, 3], [4, 5]
    targets = np.array([[1, 2, 3, 99], [2, 1, 99, 99]])
    sequences = from_arrays(inputs, targets, lengths=[3, 2])
    assert sequences.kind == "tagging"
    assert sequences.numeric[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert sequences.classes == ("1", "2", "3")
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [0, 1, 2, 1, 0]


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        ([0, 1], "classification"),
        ([True, False], "classification"),
        (list(range(60)), "regression"),
        ([0.5, 1.0], "regression"),
        (np.array([0.25, 1.0], dtype=np.float32), "regression"),
        ([[0, 1], [1, 0]], "tagging"),
        ([[0.5, 1.5], [1.0, 0.0]], "step_regression"),
        ([["a", "b"], ["b", "a"]], "tagging"),
    ],
)
def test_kinds_from_targets(targets: list[object], kind: str) -> None:
    sequences = from_arrays([np.zeros((2, 1)) + i for i in range(len(targets))], targets)  # type: ignore[arg-type]
    assert sequences.kind == kind


def test_whole_numbers_are_categories() -> None:
    sequences = from_arrays([np.array([3, 10, 3]), np.array([10])], [0, 1])
    assert sequences.category_columns[0].vocabulary == ("3", "10")
    assert sequences.categories[:, 0].tolist() == [0, 1, 0, 1]
    assert any("convert them to floating point" in note for note in sequences.notes)


def test_strings_and_tokens() -> None:
    chars = from_arrays(["ab", "b"], [0, 1])
    assert chars.categories[:, 0].tolist() == [0, 1, 1]
    tokens = from_arrays([["in", "a"], ["a"]], [0, 1])
    assert tokens.category_columns[0].vocabulary == ("a", "in")
    assert tokens.category_columns[0].form == "word"
    assert tokens.categories[:, 0].tolist() == [1, 0, 0]
    assert any("seen as a word" in note for note in tokens.notes)
    assert from_arrays([["in", "a"], ["a"]], [0, 1], form="category").category_columns[0].form == "category"
    assert from_arrays([["c1", "c2"], ["c1"]], [0, 1]).category_columns[0].form == "category"


def test_next_step() -> None:
    sequences = from_arrays([["a", "b", "c"], ["b", "a"]], kind="next_step")
    assert sequences.lengths.tolist() == [2, 1]
    assert sequences.targets is not None
    assert [sequences.classes[i] for i in sequences.targets] == ["b", "c", "a"]


def test_only_to_predict() -> None:
    sequences = from_arrays(["ab", "b"], kind="classification")
    assert sequences.targets is None
    with pytest.raises(OptionError, match="without a target the kind cannot be inferred"):
        from_arrays(["ab", "b"])


def test_windows_and_ends() -> None:
    long = np.arange(1200.0)[:, None]
    tagged = from_arrays([long] * 5, [np.arange(1200) % 3] * 5)
    assert tagged.lengths.tolist() == [512, 512, 176] * 5
    assert tagged.groups is not None
    assert tagged.groups.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert tagged.ids[1] == "0[512:1024]"
    short = from_arrays([long, long[:3]], [0, 1], max_steps=4)
    assert short.numeric[:, 0].tolist() == [1196, 1197, 1198, 1199, 0, 1, 2]


def test_few_long_sequences_become_one_line_of_time() -> None:
    one, two = np.arange(1000.0), np.arange(5000.0, 5500.0)
    sequences = from_arrays([one, two], [one % 2, two % 2], kind="step_regression", max_steps=250)
    assert sequences.groups is not None
    assert set(sequences.groups.tolist()) == {0}
    starts = sequences.numeric[sequences.offsets[:-1], 0]
    assert starts.tolist() == [0, 5000, 250, 500, 5250, 750]


@pytest.mark.parametrize(
    ("inputs", "targets", "more", "message"),
    [
        ([np.zeros((2, 1)), np.zeros((0, 1))], [0, 1], {}, "sequence 1: the sequence is empty"),
        (
            [np.zeros((2, 1)), np.zeros((2, 3))],
            [0, 1],
            {},
            "sequence 1: the sequence has 3 features; expected 1",
        ),
        ([np.zeros((2, 1))] * 2, [0, 1, 1], {}, "targets has 3 entries; expected 2"),
        ([np.zeros((2, 1))] * 2, [[0, 1], [1]], {}, "sequence 1: there are 1 targets for 2 steps"),
        ([np.zeros((2, 1))] * 2, [[[0, 1]], [[1, 0]]], {}, "many labels per step"),
        ([np.array([[0.0], [np.inf]])] * 2, [0, 1], {}, "sequence 0, step 1, feature_0: the value is inf"),
        ([np.zeros((2, 1))] * 2, [0.5, np.nan], {}, "targets, sequence 1: the target is missing"),
        (np.zeros((2, 3, 1)), [0, 1], {"lengths": [3, 0]}, "sequence 1: the length is 0; expected 1 to 3"),
        ([np.zeros((2, 1))] * 2, [0, 1], {"lengths": [2, 2]}, "lengths are given for a list"),
        ([object(), object()], [0, 1], {}, "sequence 0: the sequence is a object"),
        (["ab", "cd"], [0, 1], {"parts": ["train", "eval"]}, "there is no part 'eval'"),
        (["ab", "cd"], [0, [1, 1]], {}, "sequence 1: the target is of another form"),
        (["ab", "cd"], [0, 1], {"kind": "tagging"}, "the targets are per sequence, the kind is 'tagging'"),
        ([np.zeros(3)] * 2, None, {"kind": "next_step"}, "Forecasting is not there yet"),
        ([], [], {}, "there is no list of sequences"),
    ],
)
def test_wrong_arrays_are_named(inputs: object, targets: object, more: dict[str, object], message: str) -> None:
    with pytest.raises(DataError) as caught:
        from_arrays(inputs, targets, **more)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert caught.value.expected
    assert caught.value.next_move


FRAME = {"id": [1, 1, 2], "x": [0.5, None, 2.5], "c": ["a", None, "b"], "label": ["u", "u", "v"]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda data: pl.DataFrame(data).lazy()])
def test_frames_of_any_library(make: type) -> None:
    sequences = read_frame(make(FRAME))
    assert sequences.ids == ("1", "2")
    np.testing.assert_array_equal(sequences.numeric[:, 0], np.float32([0.5, np.nan, 2.5]))
    assert sequences.categories[:, 0].tolist() == [0, -1, 1]
    assert sequences.classes == ("u", "v")


def test_times_in_a_frame_order_the_steps() -> None:
    frame = pd.DataFrame({"id": [1, 1], "when": pd.to_datetime(["2020-01-02", "2020-01-01"]), "x": [1.0, 2.0]})
    sequences = read_frame(frame, ReadOptions(kind="tagging"), needs_target=False)
    assert sequences.numeric[:, 0].tolist() == [2, 1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pd.DataFrame({"id": [1, 1], "x": [[1], [2]], "y": [0, 1]}),
            "row 0, column 'x': the values are lists",
        ),
        (pd.DataFrame({"id": [1, 1, 2], "x": [1, 2, 3], "y": [0, None, 1]}), "row 1, column 'y'"),
        (pd.DataFrame([[1, 2, 3]], columns=["id", "x", "x"]), "'x'"),
        ({"id": [1]}, "a dict is no data frame"),
        (pd.DataFrame({"id": [], "x": [], "y": []}), "no rows"),
    ],
)
def test_wrong_frames_are_named(frame: object, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_frame(frame)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert caught.value.expected
    assert caught.value.next_move
