"""Mutated files of every format are read; each must be read or refused by a `LeadlineError`.

    python benchmarks/fuzz_reading.py --files 100000 --keep fuzzed

Files are made from sound ones (`fuzz_seeds.py`): flipped bytes, cuts, splices, repeated and nasty tokens, other
cells, names, rows and options. They are read by a process that a limit of memory holds and that this one watches, so
that an abort or a hang is counted and the next file goes on. Printed are the counts; files that failed are kept in
the folder, with what happened. Exit status 1 where there are any.
"""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from fuzz_seeds import Made, mutated, seeds

from leadline.data.options import ReadOptions
from leadline.data.read import read, read_settled
from leadline.data.split import split
from leadline.errors import LeadlineError

# The longest time for one file: sound ones of this size take a hundredth of it.
HANG_SECONDS = 30
# What the reading process may map: torch is not loaded, and no seed is larger than 40 kB.
MEMORY = 4 << 30
NAMES = {
    "read": "read",
    "refused": "refused",
    "raw": "raw exceptions",
    "bare": "errors without a part",
    "memory": "out of memory",
    "hang": "hangs",
    "abort": "aborts",
}
FINE = ("read", "refused")


def outcome(made: Made, folder: Path) -> tuple[str, str]:
    """What became of the file, and where it failed."""
    path, test = folder / made.name, folder / f"test-{made.name}"
    path.write_bytes(made.data)
    if made.test is not None:
        test.write_bytes(made.test)
    try:
        sequences, settled = read_settled(path, ReadOptions(**made.options), None if made.test is None else test)
        if not made.name.endswith(".parquet"):  # a second process, for what is the same from there on
            read(path, settled, needs_target=False)
        split(sequences, 0)
        "\n".join((*sequences.notes, *sequences.classes, sequences.fingerprint())).encode()
    except LeadlineError as error:
        if isinstance(error.__context__, MemoryError):
            return "memory", str(error)
        whole = error.problem and error.expected and error.next_move and "\n" not in str(error)
        return ("refused", "") if whole else ("bare", str(error))
    except BaseException as error:  # whatever it is, it is what is looked for: a panic of polars is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(error.__traceback__)
        ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in last if "leadline" in frame.filename]
        return "raw", f"{type(error).__name__} at {ours[-1] if ours else '?'}: {str(error)[:200]}"
    finally:
        path.unlink()
        test.unlink(missing_ok=True)
    return "read", ""


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def work(first: int, last: int, seed: int) -> None:
    """Read the files from `first` to `last`, a line of JSON on standard output before and after each."""
    _limit_memory()
    warnings.simplefilter("error")
    all_seeds = seeds()
    with tempfile.TemporaryDirectory() as name:
        for number in range(first, last):
            print(json.dumps([number, "starts", ""]), flush=True)
            print(json.dumps([number, *outcome(mutated(number, seed, all_seeds), Path(name))]), flush=True)


class Watched:
    """A process that reads files, and the number of the one at which it stops answering."""

    def __init__(self, first: int, last: int, seed: int) -> None:
        command = [sys.executable, __file__, "--work", str(first), str(last), "--seed", str(seed)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._pass_on, daemon=True).start()

    def _pass_on(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def next(self) -> list[Any] | str:
        """The next answer; "hang" or "abort" where there is none; "" at the end."""
        try:
            line = self.lines.get(timeout=HANG_SECONDS)
        except queue.Empty:
            self.process.kill()
            self.process.wait()
            return "hang"
        if line is not None:
            answer: list[Any] = json.loads(line)
            return answer
        return "abort" if self.process.wait() else ""


def run(files: int, seed: int, keep: Path | None, first: int = 0) -> Counter[str]:
    """Read the files, and the counts of what became of them."""
    counts: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    all_seeds, number, last = seeds(), first, first + files
    while number < last:
        watched, current = Watched(number, last, seed), number
        while answer := watched.next():
            if isinstance(answer, str):
                what, why = answer, f"status {watched.process.returncode}"
            else:
                current, what, why = answer
            if what == "starts":
                continue
            counts[what] += 1
            if what not in FINE:
                seen[f"{what}: {why[:120]}"] += 1
                _keep(keep, mutated(current, seed, all_seeds), what, why)
            if isinstance(answer, str):
                break
        number = current + 1
    for failure, count in seen.most_common():
        print(f"{count:6} {failure}")
    return counts


def _keep(folder: Path | None, made: Made, what: str, why: str) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / made.name).write_bytes(made.data)
    if made.test is not None:
        (folder / f"test-{made.name}").write_bytes(made.test)
    said = {"what": what, "why": why, "options": made.options}
    (folder / f"{made.name}.json").write_text(json.dumps(said), encoding="utf-8")


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the files that failed")
    parser.add_argument("--work", type=int, nargs=2, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(*given.work, given.seed)
        return 0
    start = time.monotonic()
    counts = run(given.files, given.seed, given.keep, given.first)
    words = ", ".join(f"{counts[what]:,} {name}" for what, name in NAMES.items())
    print(f"{sum(counts.values()):,} files in {time.monotonic() - start:,.0f} s: {words}")
    return 0 if sum(counts[what] for what in FINE) == sum(counts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
