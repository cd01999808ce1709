"""What large files cost: time and memory by stage, beside polars' own reading, and whether a budget is kept.

    python benchmarks/big_files.py --rows 2000000 --stages
    python benchmarks/big_files.py --rows 6000000 --budget 60s
    python benchmarks/big_files.py --rows 20000000 --dry-run

A file of so many rows in long form (id, t, x, z, mode, label; about 61 bytes a row) is written into a temporary folder
and removed at the end. Each figure is of a process of its own: seconds of the clock, seconds of processor time, and
the most memory that it held. On a machine that others use, processor time is what can be compared.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

CHUNK = 1_000_000
NAMES = np.array(["walk", "run", "sit", "stand", "climb", "rest", "turn", "jump"])
GIB = 2**20  # of the kilobytes in which Linux counts


def write(path: Path, rows: int) -> None:
    """Sequences of 40 to 79 steps whose label is in the frequency of x."""
    random = np.random.default_rng(0)
    done = sequences = 0
    with path.open("wb") as file:
        while done < rows:
            count = min(CHUNK, rows - done)
            frame, new = _chunk(random, count, sequences)
            frame.write_csv(file, include_header=done == 0)
            done, sequences = done + count, sequences + new


def _chunk(random: np.random.Generator, count: int, first: int) -> tuple[pl.DataFrame, int]:
    ends = np.minimum(np.cumsum(random.integers(40, 80, size=count // 40 + 1)), count)
    ends = np.unique(ends)
    lengths = np.diff(ends, prepend=0)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    t = np.arange(count) - np.repeat(ends - lengths, lengths)
    labels = random.integers(0, 4, len(lengths))
    columns = {
        "id": pl.Series(owner + first).cast(pl.String).str.zfill(7),
        "t": t,
        "x": random.normal(size=count) + 0.5 * np.sin(t * (labels[owner] + 1) / 5),
        "z": random.normal(size=count),
        "mode": NAMES[random.integers(0, 8, count)],
        "label": NAMES[labels][owner],
    }
    return pl.DataFrame(columns), len(lengths)


def stages(path: Path) -> None:
    """Seconds and memory of each stage before the first trial, in this process."""
    from leadline.data.checks import check
    from leadline.data.read import read
    from leadline.data.split import split
    from leadline.plan import setup
    from leadline.plan.networks import Limits
    from leadline.trials.material import Material

    sequences = _timed("read", lambda: read(path))
    parts = _timed("split", lambda: split(sequences, 0))
    _timed("plan", lambda: setup.plan(sequences, parts, 0, Limits(sequences.kind)))
    _timed("fingerprint", sequences.fingerprint)
    _timed("checks", lambda: check(sequences, parts))
    _timed("encode", lambda: Material(sequences, parts, causal=False).encoded(0))


def _timed(name: str, work: Callable[[], Any]) -> Any:
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GIB
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"  {name:12} {wall:7.2f} s  {processor:7.2f} s of processor  peak {peak:.2f} GiB", flush=True)
    return found


def measured(name: str, command: list[str]) -> None:
    """Run a command and print what it took, with its workers."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name}: {wall:.1f} s, {processor:.1f} s of processor, exit {done.returncode}, {done.stderr.strip()[-300:]}")


def peak_of(name: str, command: list[str]) -> None:
    """As `measured`, in a process that has no other child, so that the peak is that of the command."""
    code = (
        "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print('  peak', round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20, 2), 'GiB', flush=True); "
        "sys.exit(done.returncode)"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *command], check=False)
    print(f"{name}: {time.perf_counter() - start:.1f} s, exit {done.returncode}", flush=True)


def main() -> None:
    """Write the file and print the figures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--budget")
    parser.add_argument("--only-stages-of", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only_stages_of:
        stages(asked.only_stages_of)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        write(path, asked.rows)
        print(f"{asked.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB", flush=True)
        advise = [sys.executable, "-m", "leadline.cli", "advise", str(path), "--out", f"{folder}/run"]
        if asked.stages:
            peak_of("polars.read_csv", [sys.executable, "-c", f"import polars; polars.read_csv({str(path)!r})"])
            subprocess.run([sys.executable, __file__, "--only-stages-of", str(path)], check=True)
        if asked.dry_run:
            peak_of("advise --dry-run", [*advise, "--dry-run"])
        if asked.budget:
            measured(f"advise --budget {asked.budget}", [*advise, "--budget", asked.budget])


if __name__ == "__main__":
    main()
