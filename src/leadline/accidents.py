"""What the command line says when something ends a verb: one line, with the slug that `docs/messages.md` explains."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from leadline.errors import LeadlineError, OptionError, OutOfMemoryError, OutputError, is_out_of_memory

if TYPE_CHECKING:
    from rich.console import RenderableType

LEAST_ADDRESS_SPACE = 2_000_000 * 1024
"""Measured: `predict` takes 2.1 GB at its peak, most of it mapped and never touched; at 1.5 GB torch aborts."""
INTERNAL = "internal"
WIDTH = 100
"""Columns of what is printed into a file or a pipe: those that the sheet is laid out for."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class NobodyReads(Exception):  # noqa: N818 - a signal, not an error
    """Standard output is a pipe whose reader has gone, as after `| head`: nothing is left to say."""


def require_memory() -> None:
    """Refuse a limit under which torch cannot be loaded: below it the libraries abort, and no exception is raised.

    Raises:
        OutOfMemoryError: the limit is too small.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise OutOfMemoryError(
            f"a limit of {limit // 1024:,} kB of address space",
            expected=f"at least {LEAST_ADDRESS_SPACE // 1024:,} kB, which torch and its libraries take",
            next_move="Raise it: `ulimit -v unlimited`. `leadline report` alone goes without torch.",
        )


@contextmanager
def printing() -> Iterator[None]:
    """Standard output, to the last byte: what cannot be written is an error and no lost line.

    Raises:
        OutputError: the disk is full, for instance.
        NobodyReads: the reader has gone.
    """
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError as error:
        _drop_output()
        raise NobodyReads from error
    except OSError as error:
        _drop_output()
        raise OutputError(
            f"cannot be written ({error.strerror or error})",
            where="standard output",
            expected="a file, pipe or terminal that takes the answer",
            next_move="Send it elsewhere; what a run folder holds is there, and `leadline report RUN` prints it again.",
        ) from error


def put(text: str, nl: bool = True) -> None:
    """A text on standard output."""
    with printing():
        typer.echo(text, nl=nl)


def show(picture: RenderableType) -> None:
    """Something that rich draws, on standard output."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH
    with printing():
        Console(width=wide).print(picture)


def _drop_output() -> None:
    """The interpreter flushes standard output once more when it ends, and would print a traceback of its own."""
    with contextlib.suppress(OSError, ValueError):  # no file behind it, as in a test
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def line(error: BaseException) -> str:
    """What is said of an error. One that nobody foresaw leaves its traceback in a file."""
    if is_out_of_memory(error) and not isinstance(error, LeadlineError):
        error = _out_of_memory(error)
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        error = _no_room(error)
    if isinstance(error, LeadlineError):
        return f"{error} [{error.slug}]"
    place = _keep_traceback(error)
    kind = f"{type(error).__name__}: {error}".splitlines()[0][:200].rstrip(".")
    return f"a defect of Leadline ({kind}). Please report it, with {place}. [{INTERNAL}]"


def _no_room(error: OSError) -> OutputError:
    return OutputError(
        f"cannot be written ({error.strerror})",
        where=str(error.filename or "standard output, or a temporary file"),
        expected="a disk that has room",
        next_move="Make room, then give the same command again: what is finished stays.",
    )


def misused(error: typer.TyperException) -> str:
    """What is said of arguments that could not be read, with the verb as it was typed."""
    context = getattr(error, "ctx", None)
    asked = context.command_path if context and context.command_path else "leadline"
    problem = error.format_message()
    return f"{problem}{'' if problem.endswith(('.', '?')) else '.'} Try `{asked} --help`. [{OptionError.slug}]"


def _out_of_memory(error: BaseException) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"memory ended ({str(error).splitlines()[0][:200] if str(error) else type(error).__name__})",
        expected="more memory, for this program or on this machine",
        next_move="Raise the limit (`ulimit -v`), end other programs, or give --jobs 1 or fewer data.",
    )


def _keep_traceback(error: BaseException) -> str:
    """Where the traceback lies, in words."""
    try:
        number, name = tempfile.mkstemp(prefix="leadline-", suffix=".txt")
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        return "this place: " + "".join(f"{frame.filename}, line {frame.lineno}" for frame in last)
    return f"the traceback in {name}"


def say(text: str) -> None:
    """A line on standard error, where there is one that takes it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # full, closed, or none: nobody is there to be told
        print(text, file=sys.stderr, flush=True)
