"""Which sequences of a test part have been read before, and by whom: `test-reads.json` in every run folder.

A test score is honest once. A run folder keeps a mark of each sequence of its test part, and what was scored on it; run
folders beside it look there. It is a courtesy: what cannot be read counts as no read, and is said.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leadline import aside
from leadline.data.sequences import LABELLED, Sequences
from leadline.errors import OutputError
from leadline.records.base import Record

FILE = "test-reads.json"
MOST_FOLDERS = 1000
"""Folders beside this one that are looked at: at a millisecond each a second."""
MOST_BYTES = 128 << 20
"""Bytes that are read of all of them together: about seven million sequences, a second or two."""
MARK_BYTES = 19
"""Of a mark in JSON: its digits, two quotes and a comma."""
NAMED = 3
"""Folders that a warning names."""
Mark = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]


class Reads(Record):
    """What `test-reads.json` holds.

    Args:
        sequences: marks of the sequences of the test part, in ascending order, each once.
        reads: for every time that it was read, the keys of the final trials that were scored.
    """

    schema_: Literal["leadline.test-reads/1"] = Field("leadline.test-reads/1", alias="schema")
    sequences: tuple[Mark, ...] = ()
    reads: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Before:
    """What is known about a test part before its scores are told.

    Args:
        sequences: sequences of the test part.
        own: what this folder's file is going to say.
        overlapping: sequences that other folders have read.
        others: those folders' names and how often each has read its test part.
        unread: what could not be looked at, and why.
    """

    sequences: int
    own: Reads
    overlapping: int = 0
    others: tuple[tuple[str, int], ...] = ()
    unread: tuple[str, ...] = field(default=())

    def warnings(self) -> tuple[str, ...]:
        """Sentences for the verdict."""
        found = []
        if self.others:
            names, times = _first([name for name, _ in self.others], ", "), sum(reads for _, reads in self.others)
            found.append(
                f"{self.overlapping} of the {self.sequences} sequences of the test part have been looked at before, by "
                f"{names} ({_times(times)}): choosing between runs by their test scores makes those scores too good."
            )
        if len(self.own.reads) > 1:
            times = len(self.own.reads)
            found.append(
                f"The test part has been looked at {_times(times)} in this run folder, for other networks each time: "
                "what is chosen because of an earlier test score has a score that is too good."
            )
        if self.unread:
            unread = _first(self.unread, "; ")
            found.append(f"Whether the test part has been looked at before is not known for {unread}.")
        return tuple(found)


def marks(sequences: Sequences) -> list[str]:
    """A mark per sequence: 16 hexadecimal digits of its values, names and targets, wherever it stands."""
    values = np.where(np.isnan(sequences.numeric), np.float32(np.nan), sequences.numeric + np.float32(0.0))
    columns = [values.astype(np.float32).view(np.uint32).astype(np.uint64)]
    for column, codes in zip(sequences.category_columns, sequences.categories.T, strict=True):
        columns.append(_name_marks(column.vocabulary)[codes][:, None])
    targets = _target_marks(sequences)
    if targets is not None and sequences.per_step:
        columns.append(targets[:, None])
    rows = np.ascontiguousarray(np.concatenate(columns, axis=1))
    bounds = sequences.offsets.tolist()
    ends = [b""] * len(sequences) if targets is None or sequences.per_step else [t.tobytes() for t in targets]
    return [
        hashlib.blake2b(rows[start:end].tobytes() + last, digest_size=8).hexdigest()
        for start, end, last in zip(bounds[:-1], bounds[1:], ends, strict=True)
    ]


def _target_marks(sequences: Sequences) -> NDArray[np.uint64] | None:
    if sequences.targets is None:
        return None
    if sequences.kind in LABELLED:
        codes: NDArray[np.int64] = sequences.targets
        return _name_marks(sequences.classes)[codes]
    numbers: NDArray[np.float32] = sequences.targets.astype(np.float32)
    return numbers.view(np.uint32).astype(np.uint64)


def _name_marks(names: tuple[str, ...]) -> NDArray[np.uint64]:
    """(names + 1,) marks of names, numbered anew by every file; the last, which -1 finds, of a missing value."""
    digests = [hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in names]
    return np.frombuffer(b"".join([*digests, bytes(8)]), dtype=np.uint64)


def look(folder: Path, test: list[str], finals: list[str]) -> Before:
    """What is known about the test part of the study in `folder`; nothing is written.

    Args:
        folder: its run folder.
        test: the marks of its test part.
        finals: keys of all its final trials; those that its file does not know yet are one more read.
    """
    unread = []
    try:
        own = _load(folder / FILE, MOST_BYTES) or Reads()
    except (OSError, ValueError) as error:
        own = Reads()
        unread.append(f"this run folder ({_why(error)})")
    known = {key for read in own.reads for key in read}
    fresh = tuple(sorted(set(finals) - known))
    own = Reads(sequences=tuple(sorted(set(test))), reads=(*own.reads, fresh) if fresh else own.reads)
    overlap: set[str] = set()
    others, wanted = [], set(test)
    for name, found in _beside(folder):
        if isinstance(found, str):
            unread.append(f"{name} ({found})" if name else found)
            continue
        common = wanted.intersection(found.sequences)
        if common and found.reads:
            others.append((name, len(found.reads)))
            overlap |= common
    return Before(len(test), own, sum(mark in overlap for mark in test), tuple(others), tuple(unread))


def note(folder: Path, before: Before) -> tuple[str, ...]:
    """Write this read down. Returns a warning where that fails: a study does not fail by it."""
    try:
        aside.write_text(folder / FILE, before.own.model_dump_json(by_alias=True))
    except OutputError as error:
        return (
            f"{FILE} could not be written ({error.problem}): later runs will not know that the test part was read.",
        )
    return ()


def _beside(folder: Path) -> Iterator[tuple[str, Reads | str]]:
    """Names of other run folders in the same place, and what each says, or why it could not be read."""
    here = Path(os.path.abspath(folder))
    try:
        places = sorted(here.parent / name for name in os.listdir(here.parent))
    except OSError as error:
        yield "", f"the folders beside this one ({_why(error)})"
        return
    places = [place for place in places if _is_another(place, here)]
    left = MOST_BYTES
    for place in places[:MOST_FOLDERS]:
        name = _printable(place.name)
        try:
            found = _load(place / FILE, left)
        except (OSError, ValueError) as error:
            yield name, _why(error)
            continue
        if found is not None:
            left -= MARK_BYTES * len(found.sequences)
            yield name, found
    if len(places) > MOST_FOLDERS:
        yield "", f"{len(places) - MOST_FOLDERS} more of the folders beside this one"


def _is_another(place: Path, here: Path) -> bool:
    try:
        return place.is_dir() and not place.samefile(here)
    except OSError:  # gone, or a link that leads in a circle
        return False


def _load(path: Path, most: int) -> Reads | None:
    """The file, or None where there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not a file of ours, or larger than `most` bytes.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, PermissionError):  # a folder that we may not enter is hardly a run folder of ours
        return None
    if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
        raise ValueError("not a file")
    if found.st_size > most:
        raise ValueError(f"{found.st_size} bytes are too many to look at")
    return Reads.model_validate_json(path.read_bytes())


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    first = str(error).splitlines()[0]
    return f"{FILE} is damaged" if "validation error" in first else first


def _first(names: Sequence[str], between: str) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return between.join(names[:NAMED]) + more


def _printable(name: str) -> str:
    """A name that is not UTF-8 in signs that every file may hold."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
