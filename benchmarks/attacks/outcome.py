"""What became of an attacked command, and the rule that tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

INTERRUPTED = 130  # as shells have it: 128 and the number of SIGINT
RAW = "Traceback (most recent call last)"
INTERNAL = re.compile(r"\[internal\]")  # the slug of an error that nobody foresaw, as the command line prints it


class CannotBeMade(Exception):  # noqa: N818 - not an error of the attack: it says what this machine lacks
    """A kind of attack that this machine or this state of the code has no means for."""


class Outcome(StrEnum):
    """Ends of an attack. All but the first two are failures."""

    SURVIVED = "survived"
    MISSED = "missed"  # the command had ended before the attack reached it: counted, but not as tried
    TRACEBACK = "traceback"
    INTERNAL = "internal"  # one line and the slug `internal`: better than a traceback, and still a defect
    HANG = "hang"
    ABORT = "abort"  # ended by a signal that nobody sent
    LOST = "lost study"  # what was finished is gone, or the resumed study decides otherwise
    HALF = "half made"  # the verdict is there, and a file beside it is missing or cut after the study was resumed
    ORPHAN = "orphan"  # a process that outlives the one that began it
    WROTE = "wrote"  # into a run folder that it was to read only
    SCRIPT = "script"  # text of the data became code or elements of a page
    ODD = "odd"  # an exit status or a silence that is not documented


@dataclass(frozen=True)
class Ended:
    """A command after its end.

    Args:
        status: as `subprocess` has it; None where the time limit ended it.
        text: standard output and standard error.
        seconds: of the clock.
    """

    status: int | None
    text: str
    seconds: float


@dataclass(frozen=True)
class Case:
    """One attack, or `tries` of them with the same end.

    Args:
        kind: of the attack, such as "kills".
        number: within its kind; together with the seed it makes the same attack again.
        name: what was done, in a few words.
        outcome: how it ended.
        detail: what was seen, for failures.
        tries: how many attacks this stands for.
    """

    kind: str
    number: int
    name: str
    outcome: Outcome
    detail: str = ""
    tries: int = 1

    @property
    def failed(self) -> bool:
        """Whether this must not happen."""
        return self.outcome not in (Outcome.SURVIVED, Outcome.MISSED)


def judge(ended: Ended, sent: int = 0, silent: bool = False) -> tuple[Outcome, str]:
    """How a command ended, and the line that shows it.

    Args:
        ended: the command.
        sent: number of the signal that it was sent: to end by it is clean, and so is 130 after SIGINT.
        silent: whether standard error was closed, so that an error cannot say a word.
    """
    if ended.status is None:
        return Outcome.HANG, f"no end after {ended.seconds:.0f} s: {last_line(ended.text)}"
    if RAW in ended.text:
        return Outcome.TRACEBACK, last_line(ended.text)
    if INTERNAL.search(ended.text):
        return Outcome.INTERNAL, last_line(ended.text)
    if ended.status in (0, 2) or (sent and ended.status in (-sent, 128 + sent)):
        return Outcome.SURVIVED, ""
    if ended.status < 0:
        return Outcome.ABORT, f"ended by signal {-ended.status}: {last_line(ended.text)}"
    if ended.status == 1 and (ended.text.strip() or silent):
        return Outcome.SURVIVED, last_line(ended.text)
    return Outcome.ODD, f"exit status {ended.status}: {last_line(ended.text)}"


def last_line(text: str) -> str:
    """The last line that holds something, at most 300 characters: where tracebacks and errors say what it was."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing was said"
