"""Kills studies and counts what they leave behind: processes that outlive the one that began them.

    python benchmarks/orphans.py [--kills 100] [--until 6] [--grace 15] [--signal KILL] [--jobs 2]

Each study is `leadline advise` on a part of the embedded data. It gets the signal at one of the moments spread evenly
over `--until` seconds: every second one counted from the start of the command, the others from the moment at which its
first worker is there. So workers are hit before they exist, while they load, while they take the data, and while they
train. Every process that a study began carries a mark in its environment; those that still run `--grace` seconds later
are counted, named, and ended. Exit status 1 where there is one. Linux alone: it reads /proc.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MARK = "LEADLINE_ORPHANS_MARK"
OPTIONS = ("--subset", "2000", "--max-updates", "50", "--no-explain")
LONGEST_START = 300.0
"""Seconds until a study has a worker, on a machine that is busy."""
LOOK_EVERY = 0.1
"""Seconds between two looks at the processes; the grace is spent in these."""
SAID_EVERY = 10
"""Kills between two lines of the count, so that a run that is cut short has said something."""


def marked(mark: str) -> list[int]:
    """Numbers of all running processes whose environment holds the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and f"{MARK}={mark}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it has ended since the folder was listed, or belongs to another user
            continue
    return found


def command_line(process: int) -> str:
    """How a process was started, for the report."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:100]
    except OSError:
        return "ended"


def kill_one(
    moment: float, from_worker: bool, number: signal.Signals, grace: float, jobs: int, folder: Path
) -> tuple[int, list[str]]:
    """One study killed after `moment` seconds: how many processes it had begun, and which outlived the grace."""
    mark = f"{os.getpid()}-{folder.name}"
    command = [sys.executable, "-m", "leadline.cli", "advise", *OPTIONS, "--jobs", str(jobs), "--out", str(folder)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    study = subprocess.Popen(command, env={**os.environ, MARK: mark}, **quiet)  # type: ignore[call-overload]
    deadline = time.monotonic() + LONGEST_START
    while from_worker and not set(marked(mark)) - {study.pid} and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY / 10)
    time.sleep(moment)
    begun = len(set(marked(mark)) - {study.pid})
    study.send_signal(number)
    study.wait()
    deadline = time.monotonic() + grace
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    names = [command_line(process) for process in left]
    for process in left:
        os.kill(process, signal.SIGKILL)
    return begun, names


def main() -> None:
    """Print a line per process that was left, and the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--until", type=float, default=6.0)
    parser.add_argument("--grace", type=float, default=15.0)
    parser.add_argument("--signal", default="KILL")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    orphans, hit = 0, 0
    with tempfile.TemporaryDirectory() as parent:
        for i in range(given.kills):
            moment = given.until * (i + 0.5) / given.kills
            folder = Path(parent) / f"run-{i}"
            number = signal.Signals[f"SIG{given.signal}"]
            begun, left = kill_one(moment, i % 2 == 1, number, given.grace, given.jobs, folder)
            hit += begun > 0
            orphans += len(left)
            for name in left:
                print(f"killed after {moment:.2f} s: still there: {name}", flush=True)
            if (i + 1) % SAID_EVERY == 0 or i + 1 == given.kills:
                print(f"{i + 1} kills, {hit} of them with other processes running, {orphans} orphans", flush=True)
    sys.exit(bool(orphans))


if __name__ == "__main__":
    main()
