"""A worker: a process that trains the trials that come down its standard input, until that input ends.

It is a program of its own rather than a process of `multiprocessing`: it imports no script again (so scripts need no
`__main__` guard, and notebooks and `python -` work), nothing runs beside it, and its pipes belong to one parent alone.
Nothing heavy is imported before the watch over the parent has begun. See docs/decisions/0011-workers.md.
"""

from __future__ import annotations

import os
import pickle
import struct
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from typing import IO, Any

WATCH_EVERY = 0.5
"""Seconds between two looks at the parent: a killed study gives its cores back at once, for no measurable work."""
Parts = Sequence[Any]
"""A pickle, then the arrays that it refers to, as bytes-like objects."""


def command(paths: Sequence[str], parent: int) -> str:
    """Python code of a worker that finds modules where its parent does, and ends when process `parent` does."""
    return f"import sys; sys.path[:] = {list(paths)!r}; from leadline.trials.worker import serve; serve({parent})"


def serve(parent: int) -> None:
    """Train what is asked for; every question is answered by an outcome or by an exception."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    questions, answers = _own_streams()
    try:
        for answer in _answers(questions):
            write(answers, pack(answer))
    except EOFError:  # the study needs no more trials
        return
    except Exception as error:  # noqa: BLE001 - whatever stops a worker is for the study to say
        write(answers, pack(_portable(error)))


def _answers(questions: IO[bytes]) -> Iterator[Any]:
    import torch

    from leadline.trials.attempt import attempt

    torch.set_num_threads(1)
    material = read(questions)
    while True:
        trial = read(questions)
        try:
            yield attempt(material, trial)
        except Exception as error:  # noqa: BLE001 - raised again in the study's process
            yield _portable(error)


def _end_with(parent: int) -> None:
    """End this process, also in the middle of a trial, when its study was killed. The number is the parent's own word:
    a worker that asked at its start might be told who adopted it."""
    while os.getppid() == parent:
        time.sleep(WATCH_EVERY)
    os._exit(1)


def _own_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for the study alone: what a library prints goes to standard error."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return questions, answers


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note, as an exception that the other process can make again."""
    text = "".join(traceback.format_exception(error))
    error.add_note(f"In a worker:\n{text}")
    try:
        return error if type(pickle.loads(pickle.dumps(error))) is type(error) else RuntimeError(text)
    except Exception:  # noqa: BLE001 - a foreign exception may fail in any way to be pickled
        return RuntimeError(text)


def pack(value: object) -> Parts:
    """A value for `write`; its arrays are not copied."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    return [head, *(buffer.raw() for buffer in buffers)]


def write(stream: IO[bytes], parts: Parts) -> None:
    """Send a packed value."""
    stream.write(struct.pack(f"<{1 + len(parts)}Q", len(parts), *(len(part) for part in parts)))
    for part in parts:
        stream.write(part)
    stream.flush()


def read(stream: IO[bytes]) -> Any:
    """Receive a value.

    Raises:
        EOFError: the other side has closed the stream, or is gone.
    """
    (count,) = struct.unpack("<Q", _exactly(stream, 8))
    sizes = struct.unpack(f"<{count}Q", _exactly(stream, 8 * count))
    head, *buffers = [_exactly(stream, size) for size in sizes]
    return pickle.loads(head, buffers=buffers)


def _exactly(stream: IO[bytes], size: int) -> bytearray:
    """Bytes that arrays may lie in and write to."""
    taken = bytearray(size)
    if stream.readinto(taken) != size:  # type: ignore[attr-defined]
        raise EOFError
    return taken
