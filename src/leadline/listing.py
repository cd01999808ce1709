"""The verb `leadline tasks`: list the tasks with a known answer, tell one, or write one as a file."""

from __future__ import annotations

from pathlib import Path

from leadline.data.datasets.synthetic import catalogue, files
from leadline.errors import OptionError
from leadline.report import task_words


def tasks(name: str | None, out: Path | None, seed: int | None, sequences: int | None) -> str:
    """What the verb prints.

    Args:
        name: of a task; None to list all.
        out: a file to write the task to; None to tell what is known of it.
        seed: of the draws, 0 by default: the same task, other data.
        sequences: how many, by default the task's own number.

    Raises:
        OptionError: an unknown task, options without a task or a file.
        OutputError: the file cannot be written.
    """
    if out is None:
        given = [option for option, value in (("--seed", seed), ("--sequences", sequences)) if value is not None]
        if given:
            raise OptionError(f"{given[0]} without --out", expected="a file to write", next_move="Add --out FILE.")
        return task_words.listing() if name is None else task_words.details(catalogue.task(name))
    if name is None:
        raise OptionError("--out without a task", expected="a name", next_move="`leadline tasks` lists them.")
    known = catalogue.task(name)
    data = known.draw(known.sequences if sequences is None else sequences, seed=seed or 0)
    files.write(data, out)
    return f"{out}: {len(data)} sequences, {int(data.offsets[-1])} steps. Study it with\n{files.command(data, out)}"
