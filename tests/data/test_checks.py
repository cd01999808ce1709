"""Leaks and giveaways are found, and nothing is said where there are none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.data import overlaps
from leadline.data.arrays import from_arrays
from leadline.data.checks import check
from leadline.data.folds import Fold, Split
from leadline.data.frames import read_frame
from leadline.data.identical import input_keys, step_keys
from leadline.data.options import ReadOptions
from leadline.data.sequences import Sequences
from leadline.data.split import split

PARTS = ["train"] * 60 + ["tune"] * 20 + ["dev"] * 40 + ["test"] * 40


def _noise(count: int = 160, steps: int = 12, features: int = 2, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(size=(steps, features)) for _ in range(count)]


def _labels(count: int = 160) -> list[int]:
    return np.random.default_rng(9).integers(0, 2, count).tolist()


def _checked(sequences: Sequences) -> tuple[str, ...]:
    return check(sequences, split(sequences, 0))


def _only(found: Sequence[str], *texts: str) -> str:
    assert len(found) == 1, found
    for text in texts:
        assert text in found[0]
    return found[0]


def test_nothing_is_said_about_noise() -> None:
    assert _checked(from_arrays(_noise(), _labels(), parts=PARTS)) == ()
    assert _checked(from_arrays(_noise(), _labels())) == ()
    assert _checked(from_arrays(_noise(), [(x[:, 0] > 0).astype(int) for x in _noise(seed=1)], kind="tagging")) == ()


def test_duplicates_across_parts() -> None:
    inputs = _noise()
    inputs[85], inputs[130] = inputs[3], inputs[4].copy()
    labels = _labels()
    labels[85], labels[130] = labels[3], labels[4]
    found = _checked(from_arrays(inputs, labels, parts=PARTS))
    _only(found, "same inputs as one in train: 1 of 40 in dev, 1 of 40 in test")


def test_duplicates_are_not_called_overlaps_too() -> None:
    inputs, labels = _noise(), _labels()
    inputs[80:100], labels[80:100] = inputs[:20], labels[:20]
    _only(_checked(from_arrays(inputs, labels, parts=PARTS)), "20 of 40 in dev")


def test_the_same_inputs_with_other_targets() -> None:
    inputs = _noise()
    labels = _labels()
    inputs[1], labels[0], labels[1] = inputs[0], 0, 1
    _only(_checked(from_arrays(inputs, labels, parts=PARTS)), "1 sequences have the inputs of others", "99.4 %")


def test_overlapping_windows() -> None:
    series = np.random.default_rng(2).normal(size=400)
    windows = [series[2 * i : 2 * i + 12] for i in range(160)]
    found = _checked(from_arrays(windows, _labels()))
    _only(found, "share 4 or more successive steps with one in train", "--group")
    apart = [np.random.default_rng(i).normal(size=12) for i in range(160)]
    assert _checked(from_arrays(apart, _labels())) == ()


def test_a_pause_is_no_overlap() -> None:
    inputs = [np.concatenate([np.zeros(12 * (i % 5 == 0)), x[:, 0]]) for i, x in enumerate(_noise())]
    assert _checked(from_arrays(inputs, _labels())) == ()


def test_groups_that_the_file_tears_apart() -> None:
    found = _checked(from_arrays(_noise(), _labels(), parts=PARTS, groups=[*range(80), *range(79, 159)]))
    assert found == ()
    found = _checked(from_arrays(_noise(), _labels(), parts=PARTS, groups=[i % 80 for i in range(160)]))
    _only(found, "60 groups are in train and in another part")


def test_labels_that_train_lacks() -> None:
    labels = [f"c{label}" for label in _labels()]
    labels[-1] = "never seen"
    _only(_checked(from_arrays(_noise(), labels, parts=PARTS)), "never occur in train", "'never seen'")


def test_constant_features() -> None:
    inputs = [np.column_stack([x, np.full(len(x), 7.0)]) for x in _noise()]
    _only(_checked(from_arrays(inputs, _labels())), "'feature_2'", "Constant")


def test_a_feature_that_is_nearly_the_target() -> None:
    inputs = _noise()
    targets = [3 * x[:, 1] + 1 for x in inputs]
    _only(
        _checked(from_arrays(inputs, targets)),
        "Feature 'feature_1' is nearly the target",
        "correlation 1.0000",
    )
    shuffled = [x[::-1, 1] for x in inputs]
    assert _checked(from_arrays(inputs, shuffled)) == ()


@pytest.mark.parametrize("place", ["last", "first", "mean"])
def test_a_feature_that_gives_the_label_away(place: str) -> None:
    inputs, labels = _noise(), _labels()
    for x, label in zip(inputs, labels, strict=True):
        rows = {"last": slice(-1, None), "first": slice(0, 1), "mean": slice(None)}[place]
        x[rows, 0] += 20 * label
    _only(_checked(from_arrays(inputs, labels)), "'feature_0'", "alone tells the target in 100.0 % of dev")


def test_a_category_that_gives_the_label_away() -> None:
    random = np.random.default_rng(0)
    rows = [
        (i, float(random.normal()), f"file_{i % 2}_{random.integers(3)}", "ab"[i % 2])
        for i in range(120)
        for _ in range(4)
    ]
    frame = pl.DataFrame(rows, schema=["id", "x", "file", "label"], orient="row")
    _only(_checked(read_frame(frame)), "Feature 'file' at the last step alone tells the target")
    assert _checked(read_frame(frame, ReadOptions(exclude=("file",)))) == ()


def test_a_word_that_hints_at_its_tag_is_no_leak() -> None:
    random = np.random.default_rng(0)
    words = [[f"w{random.integers(40)}" for _ in range(9)] for _ in range(200)]
    tags = [[(int(word[1:]) + (random.random() < 0.1)) % 3 for word in row] for row in words]
    assert _checked(from_arrays(words, tags)) == ()


def test_only_the_first_fold_is_looked_at_and_indices_count() -> None:
    inputs = _noise(8)
    inputs[7] = inputs[0]
    sequences = from_arrays(inputs, [0, 1, 0, 1, 0, 1, 0, 0])
    index = [np.array(part) for part in ([0, 1, 2], [3], [4, 5], [6, 7])]
    result = Split((Fold(index[0], index[1], index[2]),), index[3], np.arange(8), "file", ())
    _only(check(sequences, result), "1 of 2 in test")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 40))
def test_overlaps_are_those_that_comparing_every_run_finds(seed: int, names: int, most: int) -> None:
    random = np.random.default_rng(seed)
    words = ["".join(random.choice(list("abcde"[:names]), random.integers(1, most))) for _ in range(60)]
    words += [words[i] + words[i + 1] for i in range(0, 20, 2)]
    sequences = from_arrays(words, kind="regression")
    parts = random.integers(0, 4, len(words))
    keys = input_keys(sequences)
    run = int(random.integers(2, 9))
    found = overlaps.count_shared(sequences, step_keys(sequences), run, parts, keys)

    def runs(word: str) -> set[str]:
        every = {word[i : i + run] for i in range(len(word) - run + 1)}
        return {text for text in every if len(set(text)) > 1}

    trained = {text for word, part in zip(words, parts, strict=True) if part == 0 for text in runs(word)}
    equal = {word for word, part in zip(words, parts, strict=True) if part == 0}
    judged = [word for word, part in zip(words, parts, strict=True) if part > 1 and word not in equal]
    assert found == sum(bool(runs(word) & trained) for word in judged)
