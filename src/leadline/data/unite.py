"""Two files of one kind as one: the second is the test part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import CategoryColumn, Sequences
from leadline.errors import DataError


def unite(first: Sequences, test: Sequences) -> Sequences:
    """The sequences of `first`, then those of `test` as the test part; vocabularies and classes are united.

    Raises:
        DataError: the second file has other columns, another kind or another target.
    """
    _require_same(first, test)
    columns, codes = _united_columns(first, test)
    classes, targets = _united_targets(first, test)
    parts = first.parts or ("",) * len(first)
    return replace(
        first,
        offsets=np.concatenate([first.offsets, first.offsets[-1] + test.offsets[1:]]),
        numeric=np.concatenate([first.numeric, _numeric_like(first, test)]),
        categories=codes,
        category_columns=columns,
        targets=targets,
        classes=classes,
        ids=(*first.ids, *_other_ids(first.ids, test.ids)),
        groups=_united_groups(first, test),
        parts=(*parts, *("test",) * len(test)),
        source=f"{first.source} and {test.source}",
        notes=(
            *first.notes,
            f"The {len(test)} sequences of {test.source} are the test part.",
            *_dropped(first, test),
        ),
    )


def _require_same(first: Sequences, test: Sequences) -> None:
    for what, one, two in (
        ("kind", first.kind, test.kind),
        ("target", first.target_name, test.target_name),
        ("numeric columns", first.numeric_names, test.numeric_names),
        (
            "category columns",
            tuple(c.name for c in first.category_columns),
            tuple(c.name for c in test.category_columns),
        ),
    ):
        missing = sorted(set(one) - set(two)) if isinstance(one, tuple) else []
        if missing or (not isinstance(one, tuple) and one != two):
            raise DataError(
                f"the test file has {what} {_words(two)}",
                where=f"{test.source}" + (f", column '{missing[0]}'" if missing else ""),
                expected=f"{what} {_words(one)}, as in {first.source}",
                next_move="Give the test file the same columns, or leave out what it lacks with --exclude.",
            )


def _words(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "(" + ", ".join(value) + ")"


def _numeric_like(first: Sequences, test: Sequences) -> NDArray[np.float32]:
    places = [test.numeric_names.index(name) for name in first.numeric_names]
    return test.numeric[:, places]


def _dropped(first: Sequences, test: Sequences) -> list[str]:
    known = {*first.numeric_names, *(c.name for c in first.category_columns)}
    more = [name for name in (*test.numeric_names, *(c.name for c in test.category_columns)) if name not in known]
    return [f"Columns only in the test file are left out: {', '.join(more)}."] if more else []


def _united_columns(first: Sequences, test: Sequences) -> tuple[tuple[CategoryColumn, ...], NDArray[np.int32]]:
    columns, codes = [], []
    by_name = {column.name: place for place, column in enumerate(test.category_columns)}
    for place, column in enumerate(first.category_columns):
        other = test.category_columns[by_name[column.name]]
        names, moved = _extend(column.vocabulary, other.vocabulary)
        columns.append(replace(column, vocabulary=names))
        theirs = test.categories[:, by_name[column.name]]
        moved = np.append(moved, -1)
        codes.append(np.concatenate([first.categories[:, place], moved[theirs]]))
    rows = int(first.offsets[-1] + test.offsets[-1])
    stacked = np.stack(codes, axis=1) if codes else np.zeros((rows, 0))
    return tuple(columns), stacked.astype(np.int32)


def _extend(names: tuple[str, ...], more: tuple[str, ...]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names, new ones after the known ones, and where each of `more` is among them."""
    index = {name: code for code, name in enumerate(names)}
    for name in more:
        index.setdefault(name, len(index))
    return tuple(index), np.array([index[name] for name in more], dtype=np.int64)


def _united_targets(first: Sequences, test: Sequences) -> tuple[tuple[str, ...], NDArray[np.generic] | None]:
    if first.targets is None or test.targets is None:
        return first.classes, None
    if not first.classes:
        return (), np.concatenate([first.targets, test.targets])
    classes, moved = _extend(first.classes, test.classes)
    return classes, np.concatenate([first.targets, moved[test.targets]])


def _other_ids(taken: Sequence[str], ids: Sequence[str]) -> tuple[str, ...]:
    known = set(taken)
    return tuple(f"test/{name}" if name in known else name for name in ids)


def _united_groups(first: Sequences, test: Sequences) -> NDArray[np.int64] | None:
    if first.groups is None and test.groups is None:
        return None
    mine = np.arange(len(first)) if first.groups is None else first.groups
    theirs = np.arange(len(test)) if test.groups is None else test.groups
    shift = int(mine.max(initial=-1)) + 1
    return np.concatenate([mine, theirs + shift]).astype(np.int64)
