"""One trial, and what is said when it cannot be trained: every error names its trial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from leadline.errors import LeadlineError, OutOfMemoryError, is_out_of_memory
from leadline.records.trial import Trial
from leadline.trials import trial as trials
from leadline.trials.material import Material
from leadline.trials.trial import Outcome

GO_ON = "What is finished is kept: the same command goes on from there."
LESS = f"{GO_ON} Fewer workers need less memory: add `--jobs 1`."
ALONE = f"{GO_ON} Free memory before, or leave long sequences out."
"""The next move where there is one worker already."""


def attempt(material: Material, trial: Trial, next_move: str = LESS) -> Outcome:
    """Train and score one arm; errors as `naming` has them."""
    with naming(trial, next_move):
        return trials.run(material, trial)


@contextmanager
def naming(trial: Trial, next_move: str = LESS) -> Iterator[None]:
    """Errors of what is done inside name the trial.

    Raises:
        OutOfMemoryError: memory did not suffice, whoever noticed: Python, NumPy, torch or the system.
        LeadlineError: with the trial in `where`.
        Exception: any other, with a note that names the trial.
    """
    name = trial.describe()
    try:
        yield
    except LeadlineError as error:
        if name not in error.where:
            error.where = f"{name}: {error.where}" if error.where else name
        if isinstance(error, OutOfMemoryError):
            error.next_move = next_move
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError("memory ran out while it was trained", where=name, next_move=next_move) from error
        note = f"While training {name}."
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        raise
