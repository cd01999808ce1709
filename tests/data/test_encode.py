"""The encoder learns from the train part alone and has a place for what it has not seen."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leadline.data import encode
from leadline.data.arrays import from_arrays
from leadline.data.encode import Encoder
from leadline.errors import DataError
from leadline.records.stored import parse

RANDOM = np.random.default_rng(0)


def numbers():
    inputs = [RANDOM.normal(5, 2, (4, 2)).astype(np.float32) for _ in range(10)]
    inputs[0][1, 0] = np.nan
    inputs[9][:, 1] += 100
    return from_arrays(inputs, RANDOM.normal(size=10).tolist(), kind="regression")


def test_statistics_come_from_train_alone():
    data = numbers()
    encoder = encode.fit(data, np.arange(8))
    part = data.numeric[:32]
    np.testing.assert_allclose(encoder.means, np.nanmean(part, 0), rtol=1e-5)
    np.testing.assert_allclose(encoder.scales, np.nanstd(part, 0), rtol=1e-4)
    coded = encode.apply(encoder, data)
    np.testing.assert_allclose(coded.numeric[:32, 1].mean(), 0, atol=1e-5)
    assert coded.numeric[36:, 1].min() > 10


def test_a_missing_value_is_the_mean_and_says_so():
    data = numbers()
    encoder = encode.fit(data, np.arange(8))
    coded = encode.apply(encoder, data)
    assert encoder.indicators == (0,)
    assert coded.numeric.shape == (40, 3)
    assert coded.numeric[1].tolist()[0] == 0
    assert coded.numeric[:, 2].tolist() == [0, 1] + [0] * 38
    assert not np.isnan(coded.numeric).any()


def test_names_unseen_in_training_have_a_place():
    data = from_arrays(["ab", "ba", "abc", "cd"], ["x", "y", "x", "y"], kind="classification")
    encoder = encode.fit(data, np.arange(2))
    assert [c.vocabulary for c in encoder.columns] == [("a", "b")]
    codes = encode.apply(encoder, data).codes[:, 0].tolist()
    assert codes == [1, 2, 2, 1, 1, 2, 0, 0, 0]


def test_other_vocabularies_are_matched_by_name():
    first = from_arrays(["ab", "ba"], ["x", "y"], kind="classification")
    second = from_arrays(["zb", "ab"], ["y", "x"], kind="classification")
    encoder = encode.fit(first, np.arange(2))
    assert encode.apply(encoder, second).codes[:, 0].tolist() == [0, 2, 1, 2]
    assert encode.apply(encoder, second).targets.tolist() == [1, 0]


def test_words_carry_their_characters():
    data = from_arrays([["walked", "slowly"], ["talked", "fast"]], ["x", "y"], kind="classification")
    encoder = encode.fit(data, np.arange(1))
    coded = encode.apply(encoder, data)
    table = coded.grams[0]
    assert table is not None
    walked, talked = set(table[coded.names[0, 0]].tolist()), set(table[coded.names[2, 0]].tolist())
    assert coded.codes[2, 0] == 0
    assert len((walked & talked) - {0}) >= 5
    assert table[0].sum() == 0


def test_config_goes_through_json():
    data = from_arrays([["walked", "slowly"], ["talked", "fast"]], ["x", "y"], kind="classification")
    encoder = encode.fit(data, np.arange(2))
    assert parse(json.dumps(encoder.config()), Encoder) == encoder


def test_a_missing_feature_and_an_unknown_class_are_named():
    data = from_arrays(["ab", "ba"], ["x", "y"], kind="classification")
    encoder = encode.fit(data, np.arange(2))
    with pytest.raises(DataError, match="'z' of"):
        encode.apply(encoder, from_arrays(["ab", "ba"], ["x", "z"], kind="classification"))
    with pytest.raises(DataError, match="no feature"):
        encode.apply(encoder, numbers())


def test_sizes_are_those_of_the_development_data_whatever_the_fold():
    data = numbers()
    early, late = (encode.fit(data, part, np.arange(10)) for part in (np.arange(5), np.arange(5, 10)))
    assert early.indicators == late.indicators == (0,)
    words = from_arrays(["abcdefghijklmnop", "aa", "bb"], ["x", "y", "x"], kind="classification")
    some = encode.fit(words, np.array([1, 2]), np.arange(3))
    assert (len(some.columns[0].vocabulary), some.columns[0].width) == (2, 12)
