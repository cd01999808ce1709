"""The names of the four parts as files spell them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from leadline.errors import DataError

SPELLINGS: dict[str, str] = {
    "train": "train",
    "training": "train",
    "tune": "tune",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "dev",
    "development": "dev",
    "test": "test",
    "testing": "test",
    "": "",
}


def to_parts(names: Sequence[str | None], where: Callable[[int], str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The part of each sequence, and what was said about it.

    A validation part is tune where there is also a dev part. Else it becomes dev, and tune is carved from
    train: the evidence then rests on the sequences that the file set aside for it.

    Raises:
        DataError: an unknown name, or no part to train on.
    """
    spelled = [SPELLINGS.get((name or "").strip().lower()) for name in names]
    if None in spelled:
        row = spelled.index(None)
        raise DataError(
            f"there is no part '{names[row]}'",
            where=where(row),
            expected="one of train, tune, valid, dev, test, or an empty cell",
            next_move="Rename it, or leave the column out with --exclude.",
        )
    parts = [part or "" for part in spelled]
    valid = "tune" if "dev" in parts else "dev"
    notes = []
    if "valid" in parts:
        why = "early stopping" if valid == "tune" else "evidence; tune is carved from train"
        notes.append(f"The file's validation part became {valid} ({why}).")
    parts = [valid if part == "valid" else part for part in parts]
    counts = Counter(parts)
    if not counts["train"] and not counts[""] and set(counts) != {"test"}:
        raise DataError(
            "no sequence is in the train part",
            where=where(0),
            expected="a train part, or empty cells to draw it from",
            next_move="Name some sequences train, or leave the column out with --exclude.",
        )
    listed = ", ".join(f"{part or 'no part'} {count}" for part, count in sorted(counts.items()))
    return tuple(parts), (*notes, f"Parts from the file: {listed} sequences.")
