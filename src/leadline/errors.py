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
        super().__init__(self._text())

    def _text(self) -> str:
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
    """A run folder that is locked by another process, foreign or incomplete."""

    slug = "run-folder"
