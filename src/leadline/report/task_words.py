"""Tasks with a known answer in words: the list, one task with its proof, and the table of the page."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import partial
from typing import get_args

from leadline.data.datasets.synthetic.catalogue import TASKS
from leadline.data.datasets.synthetic.known import (
    ALL_AHEAD,
    CELLS,
    EVERY,
    READOUTS,
    SMALL,
    YES,
    ZERO,
    KnownTask,
    Networks,
    Question,
    Words,
)

QUESTIONS: dict[Question, str] = {
    "recurrence": "recurrence",
    "future": "the future",
    "width": "width",
    "depth": "depth",
    "depth_equal_size": "depth at equal size",
    "cell": "another cell",
    "readout": "another readout",
    "dropout": "dropout",
    "more_data": "more data",
    "deep_or_both_ways": "one layer both ways rather than deep one way",
}
SPOKEN = {
    "yes": "yes",
    "a_little": "a little",
    "at_least_a_little": "at least a little",
    "no": "no",
    "worse": "worse",
}
CELL_NAMES = {"tanh": "tanh", "gru": "GRU", "lstm": "LSTM"}
READOUT_NAMES = {"linear": "linear", "mlp": "MLP"}
MORE = "`leadline tasks NAME` tells why, `leadline tasks NAME --out FILE` writes one."
STARRED = "* depends on the network that the question starts from."
COLUMNS: tuple[Question, ...] = tuple(get_args(Question))


def listing() -> str:
    """Every task: its name and what it is, what is right, and what to use."""
    blocks = []
    for task in TASKS:
        said = [f"{answer}: {', '.join(names)}" for answer, names in _by_answer(task).items()]
        blocks.append(f"{task.name}: {task.title}\n    {'; '.join(said)}\n    use {_use(task)}")
    return "\n".join([*blocks, STARRED, MORE])


def details(task: KnownTask) -> str:
    """One task: what it is, the proof, the right words of every question, what may be advised, the score."""
    lines = [f"{task.name}: {task.title}", "", _proof(task), "", "Right words (others have no wrong answer):"]
    for (right_words, start), names in _by_start(task).items():
        begun = "" if start == EVERY else f", from {networks(start)}"
        lines.append(f"  {words(right_words)}: {', '.join(names)}{begun}")
    lines += [f"Use {_use(task)}.", f"Best score {task.best:.4g}, missed by at most {task.tolerance:g}."]
    return "\n".join(lines)


def markdown() -> str:
    """The table of `docs/known-answers.md`, a row per task."""
    head = ["task", *(QUESTIONS[question] for question in COLUMNS), "use", "best score"]
    rows = [head, ["---"] * len(head)]
    for task in TASKS:
        cells = [_cell(task, question) for question in COLUMNS]
        rows.append([f"`{task.name}`", *cells, _use(task), f"{task.best:.4g}"])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def words(right: Words) -> str:
    """The right words in the sheet's order.

    >>> words(YES)
    'yes or at least a little'
    """
    return _or(spoken for word, spoken in SPOKEN.items() if word in right)


def networks(some: Networks) -> str:
    """A set of networks in a few words.

    >>> networks(Networks(layers=(1, 1), ahead=(4, ALL_AHEAD)))
    'one layer seeing 4 or more steps ahead or reading both ways'
    """
    parts = [_layers(some)]
    if some.units != EVERY.units:
        parts.append("of " + _between(some.units, "units"))
    if some.ahead != EVERY.ahead:
        parts.append(_ahead(some.ahead))
    if some.readouts != READOUTS:
        parts.append(f"with {_or(READOUT_NAMES[readout] for readout in sorted(some.readouts))} readout")
    return " ".join(parts)


def _proof(task: KnownTask) -> str:
    draw = task.draw.func if isinstance(task.draw, partial) else task.draw
    return inspect.cleandoc(draw.__doc__ or "").partition("\n\nArgs:")[0]


def _by_start(task: KnownTask) -> dict[tuple[Words, Networks], list[str]]:
    """Names of the questions by what is right and from where."""
    found: dict[tuple[Words, Networks], list[str]] = {}
    for right in task.right:
        found.setdefault((right.words, right.start), []).append(QUESTIONS[right.question])
    return found


def _by_answer(task: KnownTask) -> dict[str, list[str]]:
    """Names of the questions that have an answer, by the answer."""
    found: dict[str, list[str]] = {}
    for question in COLUMNS:
        if cell := _cell(task, question):
            found.setdefault(cell, []).append(QUESTIONS[question])
    return found


def _cell(task: KnownTask, question: Question) -> str:
    """A word for each set of right words; a star where it is not the same from every network that suits the task."""
    asked = [right for right in task.right if right.question == question]
    starred = any(right.start not in (EVERY, _sized(right.start)) for right in asked)
    said = dict.fromkeys(_short(right.words) for right in asked)
    return "/".join(said) + ("*" if starred or len(said) > 1 else "")


def _sized(some: Networks) -> Networks:
    """The gated networks of its sizes, which is what `solved` asks of a start."""
    return Networks(units=some.units, cells=some.cells)


def _short(right: Words) -> str:
    if right == YES:
        return "yes"
    return "no" if right in (SMALL, ZERO) else words(right)


def _use(task: KnownTask) -> str:
    allowed = [networks(some) for some in task.advised]
    return _or([*allowed, "no recurrence"] if task.baseline else allowed)


def _layers(some: Networks) -> str:
    cells = "" if some.cells == CELLS else _or(CELL_NAMES[cell] for cell in sorted(some.cells)) + " "
    if some.layers == EVERY.layers:
        return f"any {cells}network"
    return f"one {cells}layer" if some.layers == (1, 1) else _between(some.layers, f"{cells}layers")


def _ahead(bounds: tuple[int, int]) -> str:
    if bounds == (0, 0):
        return "seeing no step ahead"
    if bounds[0] == ALL_AHEAD:
        return "reading both ways"
    if bounds[1] < ALL_AHEAD - 1:
        return f"seeing {bounds[0]} to {bounds[1]} steps ahead"
    steps = f"seeing {bounds[0]} or more steps ahead"
    return steps if bounds[1] < ALL_AHEAD else f"{steps} or reading both ways"


def _between(bounds: tuple[int, int], unit: str) -> str:
    low, high = bounds
    return f"{low} or more {unit}" if high == ALL_AHEAD else f"{low} to {high} {unit}"


def _or(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
