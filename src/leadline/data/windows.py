"""Sequences that are too long: cut into windows, or shortened to their end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from leadline.data.options import MOST_STEPS, WINDOW_STEPS
from leadline.data.sequences import Sequences
from leadline.errors import DataError

FEWEST_APART = 4


def limit_steps(sequences: Sequences, max_steps: int | None, window: int = WINDOW_STEPS) -> Sequences:
    """The same data in sequences of at most `max_steps` steps.

    With a target per step, longer sequences are cut into windows that follow each other without overlap and
    share a group, so that they stay in one part. Fewer than four such sequences would not fill the parts:
    then all windows are one group, ordered by their place in time, which `split` cuts into contiguous blocks.
    With a target per sequence the last `max_steps` steps are kept.

    Args:
        sequences: what was read.
        max_steps: the limit; None for `window` with a target per step, else 10,000.
        window: default length of a window.

    Raises:
        DataError: more than 10,000 steps with one target per sequence, and no `max_steps`.
    """
    if sequences.per_step:
        return _cut(sequences, max_steps or window)
    longest = int(sequences.lengths.max(initial=0))
    if max_steps is None and longest > MOST_STEPS:
        _refuse_length(sequences, longest)
    if max_steps is None or longest <= max_steps:
        return sequences
    return _keep_end(sequences, max_steps)


def _refuse_length(sequences: Sequences, longest: int) -> None:
    name = sequences.ids[int(sequences.lengths.argmax())]
    raise DataError(
        f"sequence '{name}' has {longest:,} steps",
        where=sequences.source,
        expected=f"at most {MOST_STEPS:,} steps for one target per sequence",
        next_move="Use --max-steps N to keep the last N steps of each, or average neighbouring steps.",
    )


def _keep_end(sequences: Sequences, max_steps: int) -> Sequences:
    lengths = sequences.lengths
    kept = np.minimum(lengths, max_steps)
    ends = np.cumsum(kept)
    rows = np.arange(int(kept.sum())) + np.repeat(sequences.offsets[1:] - ends, kept)
    count = int((lengths > max_steps).sum())
    short = replace(
        sequences,
        offsets=np.concatenate([[0], ends]).astype(np.int64),
        numeric=sequences.numeric[rows],
        categories=sequences.categories[rows],
    )
    return short.with_notes([f"{count} sequences were longer than {max_steps} steps: their last {max_steps} are kept."])


def _cut(sequences: Sequences, window: int) -> Sequences:
    lengths = sequences.lengths
    if int(lengths.max(initial=0)) <= window:
        return sequences
    pieces = -(-lengths // window)
    owner = np.repeat(np.arange(len(sequences)), pieces)
    first_piece = np.repeat(np.cumsum(pieces) - pieces, pieces)
    starts = (np.arange(len(owner)) - first_piece) * window
    offsets = np.append(sequences.offsets[owner] + starts, sequences.offsets[-1])
    windows = replace(
        sequences,
        offsets=offsets,
        ids=_names(sequences, owner, starts, np.diff(offsets), pieces),
        groups=owner.astype(np.int64) if sequences.groups is None else sequences.groups[owner],
        parts=None if sequences.parts is None else tuple(sequences.parts[i] for i in owner.tolist()),
        notes=(*sequences.notes, _note(sequences, lengths, window, len(owner))),
    )
    if sequences.groups is None and len(sequences) < FEWEST_APART:
        return _one_line_of_time(windows, starts / lengths[owner])
    return windows


def _names(
    sequences: Sequences,
    owner: NDArray[np.int64],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    pieces: NDArray[np.int64],
) -> tuple[str, ...]:
    whole = (pieces[owner] == 1).tolist()
    spans = zip(owner.tolist(), starts.tolist(), (starts + lengths).tolist(), whole, strict=True)
    return tuple(
        sequences.ids[i] if uncut else f"{sequences.ids[i]}[{start}:{stop}]" for i, start, stop, uncut in spans
    )


def _note(sequences: Sequences, lengths: NDArray[np.int64], window: int, count: int) -> str:
    cut = int((lengths > window).sum())
    if len(sequences) == 1:
        return f"Cut into {count} windows of {window} steps (--max-steps overrules)."
    return (
        f"{cut} of {len(sequences)} sequences are longer than {window} steps: cut into windows, {count} "
        "sequences in all; windows of one sequence stay in one part (--max-steps overrules)."
    )


def _one_line_of_time(windows: Sequences, moments: NDArray[np.float64]) -> Sequences:
    ordered = windows.take(np.argsort(moments, kind="stable"))
    return replace(ordered, groups=np.zeros(len(ordered), dtype=np.int64))
