"""Every error that Leadline raises on purpose.

    LeadlineError
    ├── DataError         a file or an array cannot be used as it is
    ├── SpecError         a network or a recipe that cannot be built
    ├── OptionError       an option that does not exist, or two that exclude each other
    ├── KernelError       a compute routine that was forced is not there
    ├── ModelError        a saved model that cannot be loaded, or data it was not made for
    ├── RunFolderError    a run folder that is locked, foreign, damaged or incomplete
    ├── OutputError       something that cannot be written
    ├── WorkerError       a worker process that ended before its trial did
    └── OutOfMemoryError  a trial, or a verb, for which there was not enough memory

Each says where it happened, what was expected, what came, and the next move; `docs/messages.md` has a
section for every slug.
"""

from __future__ import annotations

import errno

# What an error quotes may be a cell of many megabytes. The longest sentence of our own has 400 characters.
LONGEST_PART = 2000


class LeadlineError(Exception):
    """Root of the tree.

    Args:
        problem: what came, in one sentence without a final full stop.
        where: file, line, row or column, as far as known ("words.csv, line 7, column 'price'").
        expected: what would have been right.
        next_move: what the user can do now.
    """

    slug = "error"

    def __init__(self, problem: str, *, where: str = "", expected: str = "", next_move: str = "") -> None:
        self.problem, self.where, self.expected, self.next_move = problem, where, expected, next_move
        super().__init__(problem)  # alone, so that a pickled error can be made again

    def __str__(self) -> str:
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        parts = [head]
        if self.expected:
            parts.append(f"expected {self.expected}")
        text = "; ".join(_short(part) for part in parts) + "."
        return _on_one_line(f"{text} {_short(self.next_move)}".rstrip())


def _short(text: str) -> str:
    """The text without its middle, where a cell or a name in it is very long."""
    return text if len(text) <= LONGEST_PART else f"{text[: LONGEST_PART // 2]} ... {text[-LONGEST_PART // 4 :]}"


def _on_one_line(text: str) -> str:
    """Line ends, control characters and halves of characters are escaped: they come from files and names."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class DataError(LeadlineError):
    """A file or an array cannot be used as it is."""

    slug = "data"


class SpecError(LeadlineError, ValueError):
    """A network or a recipe that cannot be built."""

    slug = "spec"


class OptionError(LeadlineError, ValueError):
    """An option that does not exist, or two that exclude each other."""

    slug = "option"


class KernelError(LeadlineError):
    """A compute routine that was forced is not there."""

    slug = "kernel"


class ModelError(LeadlineError):
    """A saved model that cannot be loaded, or data that it was not made for."""

    slug = "model"


class RunFolderError(LeadlineError):
    """A run folder that is locked by another process, foreign, damaged or incomplete."""

    slug = "run-folder"


class OutputError(LeadlineError):
    """Something that cannot be written: the disk is full, the folder is not there, or it may not be written to."""

    slug = "output"


class WorkerError(LeadlineError):
    """A worker process that ended before its trial did, or that could not be started."""

    slug = "worker"


class OutOfMemoryError(LeadlineError, MemoryError):
    """A trial, or a verb, for which there was not enough memory."""

    slug = "memory"


_NO_MEMORY = (
    "can't allocate memory",  # torch on Linux and macOS, as a RuntimeError
    "not enough memory",  # torch on Windows
    "Cannot allocate memory",  # the system's words for ENOMEM, where an error has no number
    "failed to map segment from shared object",  # the dynamic loader under a limit of address space
    "can't start new thread",  # Python: no room for another stack
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ended, in whatever way a library says so.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("[...] can't allocate memory: you tried ..."))
    (True, True)
    >>> is_out_of_memory(ValueError("not enough memory of the past"))
    False
    """
    if isinstance(error, OSError | RuntimeError | ImportError):
        return getattr(error, "errno", None) == errno.ENOMEM or any(words in str(error) for words in _NO_MEMORY)
    return isinstance(error, MemoryError)
