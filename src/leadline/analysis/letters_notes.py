"""Annotations of the embedded letters to sounds: what spelling and sound say about every letter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.analysis.annotations import Annotation, owners
from leadline.data.datasets.letters import SILENT, stress
from leadline.data.sequences import Sequences

SOURCE = "embedded: letters to sounds"
VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
SUFFIXES = ("ing", "ed", "er", "ly", "tion", "ness", "ment", "able", "ous", "al", "ic", "ity")
NO_YES = ("no", "yes")


def is_letters(sequences: Sequences) -> bool:
    """Whether these are words of the embedded data set, with their targets."""
    return sequences.source.startswith(SOURCE) and sequences.targets is not None


def annotate(sequences: Sequences) -> list[Annotation]:
    """Vowel sound, silent letter, syllable number, stress, doubled letter, and suffix."""
    assert sequences.targets is not None
    sounds = np.array(sequences.classes)[sequences.targets.astype(np.int64)]
    vowel = np.array([any(part in VOWELS for part in sound.split("+")) for sound in sounds.tolist()])
    letters = sequences.categories[:, 0]
    whose = owners(sequences)
    same = (letters[1:] == letters[:-1]) & (whose[1:] == whose[:-1])
    doubled = np.concatenate([[False], same]) | np.concatenate([same, [False]])
    digits = stress(sequences).astype(np.int64)
    return [
        _flag("vowel sound", vowel),
        _flag("silent letter", sounds == SILENT),
        Annotation(
            "syllable number", _syllables(sequences, vowel), ("1", "2", "3", "4", "5 or more"), origin="data set"
        ),
        Annotation(
            "stress",
            np.where(digits < 0, -1, (digits > 0).astype(np.int64)),
            ("unstressed", "stressed"),
            origin="data set",
        ),
        _flag("doubled letter", doubled),
        Annotation("suffix of the word", _suffixes(sequences), ("none", *SUFFIXES), origin="data set"),
    ]


def _flag(name: str, values: NDArray[np.bool_]) -> Annotation:
    return Annotation(name, values.astype(np.int64), NO_YES, origin="data set")


def _syllables(sequences: Sequences, vowel: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Vowel sounds up to and with this letter, less one; letters before the first vowel count to it."""
    counted = np.cumsum(vowel)
    starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
    earlier = np.where(starts > 0, counted[starts - 1], 0)
    result: NDArray[np.int64] = np.clip(counted - earlier - 1, 0, 4).astype(np.int64)
    return result


def _suffixes(sequences: Sequences) -> NDArray[np.int64]:
    """At every letter of a word: which suffix it ends in, the longest that fits; 0 for none."""
    order = sorted(range(len(SUFFIXES)), key=lambda i: -len(SUFFIXES[i]))
    found = [next((i + 1 for i in order if word.endswith(SUFFIXES[i])), 0) for word in sequences.ids]
    return np.array(found, dtype=np.int64)[owners(sequences)]
