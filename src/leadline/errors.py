"""Every error that Leadline raises on purpose.

    LeadlineError
    ├── DataError         a file or an array cannot be used as it is
    ├── SpecError         a network or a recipe that cannot be built
    ├── OptionError       an option that does not exist, or two that exclude each other
    ├── KernelError       a compute routine that was forced is not there
    ├── ModelError        a saved model that cannot be loaded, or data it was not made for
    └── RunFolderError    a run folder that is locked, foreign or incomplete

Each says where it happened, what was expected, what came, and the next move; `docs/messages.md` has a
section for every slug.
"""

from __future__ import annotations


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
        super().__init__(self._text())

    def _text(self) -> str:
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        parts = [head]
        if self.expected:
            parts.append(f"expected {self.expected}")
        text = "; ".join(parts) + "."
        return f"{text} {self.next_move}".rstrip()


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
    """A run folder that is locked by another process, foreign or incomplete."""

    slug = "run-folder"
