"""The embedded data set: what it holds, that it joins to the pronunciations, and what it yields."""

import gzip
import runpy
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from leadline.data.datasets.letters import letters, stress
from leadline.errors import DataError, OptionError

ROOT = Path(__file__).parents[2]
KNOWN = {
    "abandon": "AH0 B AE1 N D AH0 N",
    "exam": "IH0 G Z AE1 M",
    "fix": "F IH1 K S",
    "knight": "N AY1 T",
    "language": "L AE1 NG G W AH0 JH",
    "little": "L IH1 T AH0 L",
    "once": "W AH1 N S",
    "prism": "P R IH1 Z AH0 M",
    "queue": "K Y UW1",
    "station": "S T EY1 SH AH0 N",
    "through": "TH R UW1",
    "vision": "V IH1 ZH AH0 N",
}
"""From the dictionary's data file, stress digits included."""


@pytest.fixture(scope="module")
def data():
    return letters()


def labels_of(data, word):
    index = data.ids.index(word)
    return [data.classes[label] for label in data.targets[data.rows(np.array([index]))]]


def test_size_and_shape(data):
    packed = resources.files("leadline.data.datasets").joinpath("letters.tsv.gz").read_bytes()
    assert len(packed) <= 400_000
    assert packed[4:8] == b"\0\0\0\0", "a time of writing in the header would change the file at every build"
    assert len(data) == 24_301
    assert data.categories.shape == (187_963, 1)
    assert data.kind == "tagging"
    assert data.parts is None
    assert [column.name for column in data.category_columns] == ["letter"]


def test_one_label_and_one_stress_sign_for_each_letter(data):
    packed = resources.files("leadline.data.datasets").joinpath("letters.tsv.gz").read_bytes()
    lines = [line.split("\t") for line in gzip.decompress(packed).decode().splitlines()]
    assert all(len(word) == len(labels.split(" ")) == len(digits) for word, labels, digits in lines)
    assert [word for word, _, _ in lines] == sorted({word for word, _, _ in lines})
    assert np.array_equal(data.lengths, [len(word) for word in data.ids])
    assert len(data.targets) == len(stress(data)) == data.offsets[-1]


def test_letters_spell_the_words(data):
    alphabet = np.array(data.category_columns[0].vocabulary)
    assert "".join(alphabet[data.categories[:, 0]]) == "".join(data.ids)


def test_only_doubles_and_silence_are_joined_labels(data):
    assert data.classes[0] == "_"
    assert {label for label in data.classes if "+" in label} >= {"K+S", "G+Z", "AH+L", "Y+UW"}
    assert not any(character.isdigit() for label in data.classes for character in label)
    assert set(np.unique(data.targets)) == set(range(len(data.classes)))


@pytest.mark.parametrize("word", KNOWN)
def test_labels_join_to_the_pronunciation(data, word):
    sounds = [sound for label in labels_of(data, word) if label != "_" for sound in label.split("+")]
    assert sounds == [sound.rstrip("012") for sound in KNOWN[word].split()]


@pytest.mark.parametrize("word", KNOWN)
def test_stress_stands_at_the_letter_that_gives_the_vowel(data, word):
    digits = stress(data.take(np.array([data.ids.index(word)])))
    vowels = [sound for sound in KNOWN[word].split() if sound[-1].isdigit()]
    assert digits[digits >= 0].tolist() == [int(sound[-1]) for sound in vowels]
    at = [label for label, digit in zip(labels_of(data, word), digits, strict=True) if digit >= 0]
    assert all(vowel[:-1] in label.split("+") for vowel, label in zip(vowels, at, strict=True))


@pytest.mark.parametrize(
    ("word", "labels"),
    [
        ("make", "M EY K _"),
        ("ring", "R IH NG _"),
        ("ink", "IH NG K"),
        ("abetted", "AH B EH T _ IH D"),
        ("table", "T EY B AH+L _"),
        ("station", "S T EY SH AH _ N"),
        ("phone", "F _ OW N _"),
        ("exam", "IH G+Z AE M"),
    ],
)
def test_alignments_read_by_eye(data, word, labels):
    assert labels_of(data, word) == labels.split()


def test_stress_follows_the_order_of_the_sequences(data):
    chosen = np.array([data.ids.index("station"), data.ids.index("fix")])
    assert stress(data.take(chosen)).tolist() == [-1, -1, 1, -1, 0, -1, -1, -1, 1, -1]


def test_stress_of_a_word_that_is_not_there(data):
    with pytest.raises(DataError, match="xyzzy"):
        stress(replace(data.take(np.array([0])), ids=("xyzzy",)))


def test_a_family_is_its_first_four_letters(data):
    families = [word[:4] for word in data.ids]
    pairs = set(zip(families, data.groups.tolist(), strict=True))
    assert len(pairs) == len(set(families)) == len(np.unique(data.groups))


def test_the_subset_is_fixed_and_made_of_whole_families(data):
    small, again = letters(1500), letters(1500)
    assert len(small) == 1500
    assert small.fingerprint() == again.fingerprint()
    assert small.classes == data.classes
    families = {word[:4] for word in small.ids}
    whole = [word for word in data.ids if word[:4] in families]
    assert whole == list(small.ids)
    index = dict(zip(data.ids, data.groups.tolist(), strict=True))
    assert [index[word] for word in small.ids] == small.groups.tolist()


@pytest.mark.parametrize("subset", [0, -3, 30_000])
def test_a_subset_of_another_size_is_refused(subset):
    with pytest.raises(OptionError, match=f"subset={subset}; expected a number of words from 1 to 24301"):
        letters(subset)


def test_the_notices_travel_with_the_data():
    notice = resources.files("leadline.data.datasets").joinpath("NOTICE.letters.txt").read_text()
    assert "Copyright (C) 1993-2015 Carnegie Mellon University. All rights reserved." in notice
    assert "Copyright 2000-2011 by Kevin Atkinson" in notice
    assert '"data/datasets/*"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("context", "letters_right", "words_right"),
    [
        ("letter only", 0.618, 0.020),
        ("left 8", 0.738, 0.092),
        ("right 8", 0.844, 0.274),
        ("both 4", 0.893, 0.456),
    ],
)
def test_what_context_yields_on_unseen_families(data, context, letters_right, words_right):
    """Measured on another cut of the dictionary; a random split would give .882 (right) and .950 (both)."""
    checks = runpy.run_path(str(ROOT / "benchmarks" / "letters_checks.py"))
    right, words = checks["scores"](data, checks["WINDOWS"][context])
    assert right == pytest.approx(letters_right, abs=0.035)
    assert words == pytest.approx(words_right, abs=0.05)
