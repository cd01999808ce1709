"""Four parts that do not leak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from leadline.data.arrays import from_arrays
from leadline.data.clusters import clusters_of
from leadline.data.folds import Split
from leadline.data.read import read
from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.errors import DataError


def _words(count: int, classes: int = 2, seed: int = 0) -> Sequences:
    random = np.random.default_rng(seed)
    words = [f"{i}" + "".join(random.choice(list("abcdef"), random.integers(1, 9))) for i in range(count)]
    return from_arrays(words, [f"c{i % classes}" for i in range(count)])


def _parts(result: Split, fold: int = 0) -> list[NDArray[np.int64]]:
    one = result.folds[fold]
    return [one.train, one.tune, one.dev, result.test]


def _assert_whole(sequences: Sequences, result: Split) -> None:
    """Each fold and the test part hold every sequence once, and no cluster is in two parts."""
    for fold in range(len(result.folds)):
        parts = _parts(result, fold)
        assert np.sort(np.concatenate(parts)).tolist() == list(range(len(sequences)))
        assert all(len(part) for part in parts)
        owners = [set(result.clusters[part].tolist()) for part in parts]
        assert sum(len(owner) for owner in owners) == len(set.union(*owners))


def test_shares_and_classes_of_a_fold() -> None:
    sequences = _words(4000, classes=4)
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert len(result.folds) == 5
    assert result.by == "class"
    assert [len(part) for part in _parts(result)] == pytest.approx([2380, 340, 680, 600], abs=8)
    assert sequences.targets is not None
    for part in _parts(result):
        shares = np.bincount(sequences.targets[part]) / len(part)
        np.testing.assert_allclose(shares, 0.25, atol=0.01)


def test_few_sequences_are_crossed_twice() -> None:
    sequences = _words(300, classes=3)
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert len(result.folds) == 10
    assert len(result.test) == pytest.approx(60, abs=2)
    rest = np.setdiff1d(np.arange(300), result.test)
    for folds in (result.folds[:5], result.folds[5:]):
        np.testing.assert_array_equal(np.sort(np.concatenate([fold.dev for fold in folds])), rest)
    assert result.folds[0].dev.tolist() != result.folds[5].dev.tolist()
    assert any("dev is 10 folds" in note for note in result.notes)


@pytest.mark.parametrize("count", [300, 4000])
def test_the_seed_decides_and_nothing_else(count: int) -> None:
    sequences = _words(count)
    one, two, other = split(sequences, 3), split(sequences, 3), split(sequences, 4)
    for left, right in zip(_parts(one), _parts(two), strict=True):
        np.testing.assert_array_equal(left, right)
    assert one.test.tolist() != other.test.tolist()
    assert len(np.intersect1d(one.test, other.test)) < 0.5 * len(one.test)


def test_the_order_of_rows_does_not_matter() -> None:
    sequences = _words(500, classes=3)
    order = np.random.default_rng(0).permutation(500)
    shuffled = sequences.take(order)
    for left, right in zip(_parts(split(sequences, 1)), _parts(split(shuffled, 1)), strict=True):
        assert {sequences.ids[i] for i in left} == {shuffled.ids[i] for i in right}


def test_groups_stay_together() -> None:
    groups = np.repeat(np.arange(300), np.random.default_rng(1).integers(1, 30, 300))
    sequences = from_arrays([f"w{i}" for i in range(len(groups))], groups % 2, groups=groups)
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert result.by == "group"
    assert len(result.folds) == 5
    for part, share in zip(_parts(result), (0.595, 0.085, 0.17, 0.15), strict=True):
        assert len(part) / len(groups) == pytest.approx(share, abs=0.02)
    for label in set(groups.tolist()):
        assert len(set(result.clusters[groups == label].tolist())) == 1


def test_few_groups_are_crossed() -> None:
    sequences = from_arrays([f"w{i}" for i in range(8000)], np.arange(8000) % 3, groups=np.arange(8000) % 7)
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert len(result.folds) == 10


@pytest.mark.parametrize("groups", [4, 5, 6])
def test_as_few_groups_as_four_can_be_parted(groups: int) -> None:
    sequences = from_arrays(
        [f"w{i}" for i in range(80)], [i % 2 for i in range(80)], groups=np.arange(80) // 2 % groups
    )
    _assert_whole(sequences, split(sequences, 0))


def test_three_groups_cannot_be_parted() -> None:
    sequences = from_arrays([f"w{i}" for i in range(60)], [i % 2 for i in range(60)], groups=np.arange(60) % 3)
    with pytest.raises(DataError, match="expected at least 4 groups"):
        split(sequences, 0)


def test_identical_inputs_stay_together_and_are_said() -> None:
    words = [f"word{i // 2}" for i in range(600)]
    sequences = from_arrays(words, [i % 2 for i in range(600)])
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert result.clusters.tolist() == [i // 2 for i in range(600)]
    assert any("600 sequences share their inputs" in note for note in result.notes)


def test_inputs_that_make_up_much_of_the_data_are_not_kept_together() -> None:
    words = ["same"] * 300 + [f"word{i}" for i in range(300)]
    sequences = from_arrays(words, [i % 2 for i in range(600)])
    result = split(sequences, 0)
    assert len(set(result.clusters.tolist())) == 600
    assert any("belong to the task" in note for note in result.notes)


def test_groups_and_identical_inputs_join() -> None:
    sequences = from_arrays(
        ["a", "b", "b", "c", *map(str, range(40))],
        [i % 2 for i in range(44)],
        groups=[0, 0, 1, 1, *range(2, 42)],
    )
    result = split(sequences, 0)
    assert result.clusters[:4].tolist() == [0, 0, 0, 0]
    assert len(set(result.clusters.tolist())) == 41


@pytest.mark.parametrize("kind", ["regression", "step_regression"])
def test_numbers_are_stratified(kind: str) -> None:
    random = np.random.default_rng(0)
    lengths = random.integers(1, 60, 3000)
    inputs = [random.normal(size=(length, 1)) for length in lengths]
    numbers = random.exponential(size=3000)
    targets = numbers if kind == "regression" else [np.full(length, 0.5) + random.random(length) for length in lengths]
    sequences = from_arrays(inputs, targets, kind=kind)  # type: ignore[arg-type]
    result = split(sequences, 0)
    assert result.by == ("target" if kind == "regression" else "length")
    spread = numbers if kind == "regression" else lengths
    for part in _parts(result):
        assert np.median(spread[part]) == pytest.approx(np.median(spread), rel=0.06)


def test_every_class_is_in_train_however_rare() -> None:
    labels = ["common"] * 60 + ["other"] * 36 + ["once"] + ["twice"] * 2
    sequences = from_arrays([f"w{i}" for i in range(99)], labels)
    for seed in range(10):
        result = split(sequences, seed)
        assert sequences.targets is not None
        for fold in result.folds:
            held = set(sequences.targets[np.concatenate([fold.train, fold.tune, fold.dev])].tolist())
            assert set(sequences.targets[fold.train].tolist()) == held
        assert any("once (1), twice (2)" in note for note in result.notes)


def test_the_parts_of_the_file_are_kept() -> None:
    parts = ["train"] * 60 + ["tune"] * 10 + ["dev"] * 20 + ["test"] * 10
    sequences = from_arrays([f"w{i}" for i in range(100)], [i % 2 for i in range(100)], parts=parts)
    result = split(sequences, 0)
    assert result.by == "file"
    assert [part.tolist() for part in _parts(result)] == [
        list(range(60)),
        list(range(60, 70)),
        list(range(70, 90)),
        list(range(90, 100)),
    ]


@pytest.mark.parametrize("given", [("test",), ("dev",), ("tune",), ("dev", "test"), ("tune", "test"), ("tune", "dev")])
@pytest.mark.parametrize("count", [100, 6000])
def test_missing_parts_are_carved_from_train(given: tuple[str, ...], count: int) -> None:
    parts = np.full(count, "train", dtype=object)
    for place, part in enumerate(given):
        parts[place::5] = part
    sequences = from_arrays([f"w{i}" for i in range(count)], [i % 2 for i in range(count)], parts=parts.tolist())
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert result.by == "file"
    expected_folds = 1 if "dev" in given else 10 if count == 100 else 5
    assert len(result.folds) == expected_folds
    for part in given:
        expected = np.flatnonzero(parts == part)
        for fold in result.folds:
            np.testing.assert_array_equal(result.test if part == "test" else getattr(fold, part), expected)


@pytest.mark.parametrize("count", [4000, 100])
def test_one_line_of_time_is_cut_into_blocks(count: int) -> None:
    values = np.random.default_rng(0).random(count * 10)
    sequences = from_arrays([values], [values], max_steps=10)
    assert len(sequences) == count
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert result.by == "time"
    assert result.test.tolist() == list(range(count - len(result.test), count))
    assert len(result.folds) == (5 if count == 4000 else 10)
    for fold in result.folds[:5]:
        assert (np.diff(fold.dev) == 1).all()
        assert fold.dev[-1] < result.test[0]
    free = list(range(count - len(result.test)))
    assert sorted(np.concatenate([fold.dev for fold in result.folds[:5]]).tolist()) == free


def test_text_with_a_test_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("to be or not to be " * 200, encoding="utf-8")
    (tmp_path / "b.txt").write_text("that is the question " * 20, encoding="utf-8")
    sequences = read(tmp_path / "a.txt", test=tmp_path / "b.txt")
    result = split(sequences, 0)
    _assert_whole(sequences, result)
    assert result.by == "file"
    assert result.test.tolist() == list(range(len(sequences) - 4, len(sequences)))


def test_three_sequences_are_too_few() -> None:
    with pytest.raises(DataError, match=r"there are 3 sequences in all; expected at least 20"):
        split(from_arrays(["a", "b", "c"], [0, 1, 0]), 0)


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(20, 400),
    classes=st.integers(2, 6),
    groups=st.one_of(st.none(), st.integers(8, 60)),
    doubled=st.integers(1, 3),
    seed=st.integers(0, 5),
)
def test_no_split_loses_or_tears(count: int, classes: int, groups: int | None, doubled: int, seed: int) -> None:
    words = [f"w{i // doubled}" for i in range(count)]
    members = None if groups is None else np.arange(count) % groups
    labels = [f"c{i % classes}" for i in range(count)]
    sequences = from_arrays(words, labels, groups=members)
    try:
        result = split(sequences, seed)
    except DataError as error:
        assert "may be parted" in str(error)  # noqa: PT017
        assert len(set(clusters_of(sequences)[0].tolist())) < 4
        return
    _assert_whole(sequences, result)


def test_groups_of_very_unequal_size_fill_the_shares() -> None:
    sizes = [900, 500, 300, 200, 150, 100, 80, *[5] * 150]
    groups = np.random.default_rng(3).permutation(np.repeat(np.arange(len(sizes)), sizes))
    sequences = from_arrays([f"w{i}" for i in range(len(groups))], groups % 2, groups=groups)
    for seed in range(8):
        result = split(sequences, seed)
        _assert_whole(sequences, result)
        assert len(result.test) / len(groups) == pytest.approx(0.15, abs=0.02)
        dev = [len(fold.dev) / len(groups) for fold in result.folds]
        assert sum(dev) == pytest.approx(0.85, abs=0.02)
        # The group of 900 cannot be divided; what is left is dealt evenly among the other folds.
        assert sorted(dev)[:4] == pytest.approx([sum(sorted(dev)[:4]) / 4] * 4, abs=0.05)


def test_small_classes_are_in_every_train_part() -> None:
    sequences = _words(4000, classes=1990)
    result = split(sequences, 0)
    assert sequences.targets is not None
    for fold in result.folds:
        assert len(set(sequences.targets[fold.train].tolist())) == 1990
    assert [len(part) for part in _parts(result)] == pytest.approx([2500, 340, 560, 600], abs=10)


def test_one_class_is_nothing_to_tell_apart() -> None:
    with pytest.raises(DataError, match=r"column 'target': the target has one class only \('x' in all 30 rows\)"):
        split(from_arrays([f"w{i}" for i in range(30)], ["x"] * 30), 0)
