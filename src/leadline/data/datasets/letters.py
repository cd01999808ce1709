"""The embedded data set: 24,301 common English words, each letter labelled with the sound that it gives.

How it was made, and how to make it again: `docs/letters.md` and `tools/build_letters.py`.
"""

from __future__ import annotations

import gzip
import string
from collections.abc import Iterable
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import CategoryColumn, Sequences
from leadline.errors import DataError, OptionError
from leadline.seeds import child

FILE = "letters.tsv.gz"
SILENT = "_"
ALPHABET = tuple(string.ascii_lowercase)
FAMILY_LETTERS = 4

Line = tuple[str, list[str], str]


def letters(subset: int | None = None) -> Sequences:
    """Letters to sounds: one label for every letter of a word.

    A label is a sound of CMUdict without its stress digit, "_" for a silent letter, or two sounds ("K+S" for
    an x). Words that begin with the same four letters are one group, a family: split at random, "abandon" in
    one part would give away "abandoned" in another.

    Args:
        subset: this many words (a few less when no family fits the rest): whole families in a fixed random
            order, with the classes of the full set. None for all words.

    Returns:
        Sequences of kind "tagging" with the single feature "letter"; `ids` are the words.

    Raises:
        OptionError: `subset` is not between 1 and the number of words.

    >>> data = letters(1500)
    >>> len(data), data.target_name, data.classes[:3]
    (1500, 'sound', ('_', 'AA', 'AE'))
    """
    lines = _read()
    classes = _classes(lines)
    families = [line[0][:FAMILY_LETTERS] for line in lines]
    if subset is not None:
        kept = _whole_families(families, subset)
        lines, families = [lines[i] for i in kept], [families[i] for i in kept]
    words = [word for word, _, _ in lines]
    number = {label: index for index, label in enumerate(classes)}
    spelled = np.frombuffer("".join(words).encode("ascii"), dtype=np.uint8)
    rows = len(spelled)
    return Sequences(
        kind="tagging",
        offsets=np.cumsum([0, *map(len, words)], dtype=np.int64),
        numeric=np.zeros((rows, 0), dtype=np.float32),
        categories=(spelled.astype(np.int32) - ord("a")).reshape(rows, 1),
        numeric_names=(),
        category_columns=(CategoryColumn("letter", ALPHABET),),
        targets=np.array([number[label] for _, labels, _ in lines for label in labels], dtype=np.int64),
        target_name="sound",
        classes=classes,
        ids=tuple(words),
        groups=_numbers_of(families),
        name="letters to sounds",
        source="embedded: letters to sounds (CMUdict, SCOWL)",
    )


def stress(sequences: Sequences) -> NDArray[np.int8]:
    """Stress of every letter, aligned to the rows of `sequences`; not part of the target.

    Args:
        sequences: what `letters` returned, or some of it by `Sequences.take`.

    Returns:
        (rows,) 1 primary, 2 secondary, 0 unstressed vowel; -1 where the letter gives no vowel.

    Raises:
        DataError: an id that is no word of the embedded data.

    >>> words = letters(1500)
    >>> sorted(set(stress(words).tolist()))
    [-1, 0, 1, 2]
    """
    known = {word: digits for word, _, digits in _read()}
    strange = next((word for word in sequences.ids if word not in known), None)
    if strange is not None:
        raise DataError(
            f"{strange!r} is no word of the embedded data set",
            where=sequences.name,
            expected="the ids of leadline.data.datasets.letters.letters()",
            next_move="Stress is known for these words only.",
        )
    text = "".join(known[word] for word in sequences.ids).replace("-", "/")
    return (np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int16) - ord("0")).astype(np.int8)


def _read() -> list[Line]:
    """(word, labels, stress digits) of every line of the file."""
    packed = resources.files(__package__).joinpath(FILE).read_bytes()
    cells = (line.split("\t") for line in gzip.decompress(packed).decode("ascii").splitlines())
    return [(word, labels.split(" "), digits) for word, labels, digits in cells]


def _classes(lines: Iterable[Line]) -> tuple[str, ...]:
    """The silent label, then the others by name."""
    found = {label for _, labels, _ in lines for label in labels}
    return (SILENT, *sorted(found - {SILENT}))


def _numbers_of(families: list[str]) -> NDArray[np.int64]:
    """A hash of each family's letters, the same in every subset."""
    numbers = {family: child(0, "letters", "family", family) for family in set(families)}
    return np.array([numbers[family] for family in families], dtype=np.int64)


def _whole_families(families: list[str], subset: int) -> list[int]:
    """Indices of whole families, taken in a fixed random order as long as they fit, in file order."""
    if not 1 <= subset <= len(families):
        raise OptionError(
            f"subset={subset}",
            expected=f"a number of words from 1 to {len(families)}",
            next_move="Leave it out for all words.",
        )
    members: dict[str, list[int]] = {}
    for index, family in enumerate(families):
        members.setdefault(family, []).append(index)
    kept: list[int] = []
    for family in sorted(members, key=lambda name: child(0, "letters", "subset", name)):
        if len(kept) + len(members[family]) <= subset:
            kept += members[family]
    return sorted(kept)
