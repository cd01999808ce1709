"""From the target's column to class indices or numbers, and which kind of question that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from leadline.data.columns import Where, as_text, codes_of, parse_numbers, plain, refuse_text
from leadline.data.sequences import LABELLED, PER_STEP, Sequences
from leadline.errors import DataError
from leadline.records.trial import Kind

MOST_WHOLE_NUMBERS = 50
MOST_CLASSES = 1000
LABEL_NAMES = ("label", "class")


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of steps or of sequences, with the kind that they make."""

    kind: Kind
    values: NDArray[Any]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()


def to_targets(series: pl.Series, name: str, where: Where, kind: Kind | None, per_step: bool) -> Targets:
    """The targets, and what was inferred.

    Args:
        series: one target per step or per sequence.
        name: the target's name.
        where: from a row of `series` to words for an error.
        kind: what the user asked for; None to infer labels or numbers.
        per_step: whether `series` has a row per step.

    Raises:
        DataError: a missing target, text where numbers are asked for, hardly a label that occurs twice.
    """
    series = plain(series)
    notes: tuple[str, ...] = ()
    if kind is None:
        kind, notes = _infer(series, name, per_step)
    if (kind in PER_STEP) != per_step:
        raise ValueError(f"kind {kind} with per_step={per_step}")
    if kind in LABELLED:
        return Targets(kind, *_labels(series, name, where), notes)
    return Targets(kind, _numbers(series, where), (), notes)


def _infer(series: pl.Series, name: str, per_step: bool) -> tuple[Kind, tuple[str, ...]]:
    labels, why = _looks_like_labels(series, name)
    kind: Kind
    if labels:
        kind = "tagging" if per_step else "classification"
    else:
        kind = "step_regression" if per_step else "regression"
    return kind, (f"Target '{name}' has {why}: {_in_words(kind)}; --kind overrules.",)


def _in_words(kind: Kind) -> str:
    return {
        "classification": "classification (one label per sequence)",
        "regression": "regression (one number per sequence)",
        "tagging": "tagging (one label per step)",
        "step_regression": "step_regression (one number per step)",
        "next_step": "next_step (the next value at each step)",
    }[kind]


def _looks_like_labels(series: pl.Series, name: str) -> tuple[bool, str]:
    distinct = series.drop_nulls().n_unique()
    parsed = parse_numbers(series)
    if parsed is None or parsed[1].any() or series.dtype == pl.Boolean:
        return True, f"{distinct} distinct names"
    numbers = parsed[0][~np.isnan(parsed[0])]
    most = MOST_CLASSES if name.lower() in LABEL_NAMES else MOST_WHOLE_NUMBERS
    whole = bool((numbers == np.round(numbers)).all()) and not _has_fractions(series)
    if whole and distinct <= most:
        return True, f"{distinct} distinct whole numbers"
    return False, f"{distinct} distinct numbers"


def _has_fractions(series: pl.Series) -> bool:
    """Whether whole numbers are written as 1.0: then they were measured rather than counted."""
    return series.dtype == pl.String and bool(series.str.contains(".", literal=True).any())


def _labels(series: pl.Series, name: str, where: Where) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    text = as_text(series)
    codes, classes = codes_of(text.str.strip_chars())
    if (codes < 0).any():
        _refuse_missing(int(np.argmax(codes < 0)), int((codes < 0).sum()), where, "a label")
    if len(classes) > MOST_CLASSES and len(classes) > len(codes) / 2:
        raise DataError(
            f"the target has {len(classes)} different labels in {len(codes)} rows",
            where=where(0),
            expected="labels that occur again and again",
            next_move="Use --kind regression or step_regression if it is a number, or another --target.",
        )
    return codes.astype(np.int64), classes


def _numbers(series: pl.Series, where: Where) -> NDArray[np.float32]:
    parsed = parse_numbers(series)
    if parsed is None:
        raise DataError(
            f"the target holds {series.dtype}",
            where=where(0),
            expected="numbers",
            next_move="Convert it to numbers, or name another --target.",
        )
    values, bad = parsed
    if bad.any():
        refuse_text(series, bad, where)
    unusable = ~np.isfinite(values.astype(np.float32))
    if unusable.any():
        row = int(np.argmax(unusable))
        if np.isnan(values[row]):
            _refuse_missing(row, int(unusable.sum()), where, "a number")
        raise DataError(
            f"the target is {values[row]:g}",
            where=where(row),
            expected="a finite number",
            next_move="Correct the value or delete its sequence.",
        )
    return values.astype(np.float32)


def _refuse_missing(row: int, count: int, where: Where, wanted: str) -> None:
    raise DataError(
        f"the target is missing here ({count} such rows)",
        where=where(row),
        expected=f"{wanted} in every row",
        next_move="Fill it in, or delete the sequence; a missing target cannot be learned from.",
    )


def require_two_classes(sequences: Sequences) -> Sequences:
    """The sequences, unless all labels are the same.

    Raises:
        DataError: there is nothing to tell apart.
    """
    if sequences.targets is None or sequences.kind not in LABELLED or sequences.num_classes > 1:
        return sequences
    raise DataError(
        f"the target has one class only ('{sequences.classes[0]}' in all {len(sequences.targets)} rows)",
        where=f"{sequences.source}, column '{sequences.target_name}'",
        expected="at least two different labels",
        next_move="Name another column with --target; there is nothing to tell apart here.",
    )
