"""Studies to attack: a small one on the embedded data, a finished one of a tiny table, and what they decided."""

from __future__ import annotations

import csv
import json
import random
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attacks import process
from attacks.arena import Arena
from attacks.outcome import Case, Outcome, judge, last_line

SMALL = ("--subset", "300", "--max-trials", "3", "--max-updates", "20", "--jobs", "2")
# One trial after another, so that the number of arms that are compared does not depend on the machine.
TINY = ("--network", "gru:1x4", "--max-trials", "90", "--max-updates", "10", "--jobs", "1", "--budget", "2h")
UNTIMED = ("budget", "versions", "warnings", "command")  # fields of a verdict that a clock or a machine writes
CLOCK = ("seconds", "minutes")  # words in the names of fields that hold times


@dataclass(frozen=True)
class Whole:
    """A finished, undisturbed study.

    Args:
        folder: its run folder.
        seconds: that it took, from the start of the command to its end.
        verdict: what it decided.
    """

    folder: Path
    seconds: float
    verdict: Any


def small(arena: Arena) -> Whole:
    """The study that is killed: about 10 s on two idle cores, half of them training in workers."""
    return _whole(arena, "small", list(SMALL))


def tiny(arena: Arena) -> Whole:
    """A finished study of a tiny table with several networks in its verdict, for everything that reads a run folder."""
    data = arena.folder / "tiny.csv"
    if not data.exists():
        write_table(data)
    return _whole(arena, "tiny", [str(data.resolve()), *TINY])


def _whole(arena: Arena, name: str, options: list[str]) -> Whole:
    """Run once for a series of attacks; `<name>.json` is written when it has ended."""
    folder, about = (arena.folder / "whole" / name).resolve(), arena.folder / f"{name}.json"
    if not about.exists():
        ended = process.run(process.leadline("advise", *options, "--out", folder), seconds=3600)
        if ended.status not in (0, 2):
            sys.exit(f"the undisturbed study {name!r} fails: {last_line(ended.text)}")
        about.write_text(json.dumps(ended.seconds), encoding="utf-8")
    return Whole(folder, json.loads(about.read_text(encoding="utf-8")), decisions(folder))


def write_table(path: Path, rows: int = 60, steps: int = 5) -> None:
    """Sequences of a number and a name per step, and a label that the first and the last number tell."""
    draw = random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["id", "t", "heat", "event", "label"])
        for row in range(rows):
            heat = [draw.gauss(60, 8) for _ in range(steps)]
            label = "fails" if heat[0] + heat[-1] > 120 else "runs"
            table.writerows([row, t, round(h, 1), draw.choice(["idle", "load"]), label] for t, h in enumerate(heat))


def decisions(folder: Path) -> Any:
    """The verdict of a run folder without what a clock or a machine writes; None where there is none."""
    try:
        found = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return _untimed({name: value for name, value in found.items() if name not in UNTIMED})


def _untimed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _untimed(v) for k, v in value.items() if not any(word in k for word in CLOCK)}
    return [_untimed(v) for v in value] if isinstance(value, list) else value


def finished_trials(folder: Path) -> int:
    """How many trials the ledger holds; 0 where there is none yet, or none that can be read.

    A copy is read: who opens a ledger that was left in the middle of a write mends it, which is the study's to do.
    """
    with tempfile.TemporaryDirectory() as name:
        for path in folder.glob("ledger.sqlite*"):
            shutil.copy(path, name)
        try:
            with closing(sqlite3.connect(Path(name) / "ledger.sqlite")) as base:
                return int(base.execute("select count(*) from trials").fetchone()[0])
        except sqlite3.Error:
            return 0


def resume(case: Case, folder: Path, whole: Whole, options: tuple[str, ...] = SMALL) -> Case:
    """The same command again after an attack that was survived so far: it must arrive at the undisturbed verdict."""
    if case.failed:
        return case
    before = finished_trials(folder)
    ended = process.run(process.leadline("advise", *options, "--out", folder))
    outcome, detail = judge(ended)
    if outcome is Outcome.SURVIVED:
        outcome, detail = _lost(ended.status, detail, before, folder, whole)
    return Case(case.kind, case.number, case.name, outcome, f"resumed: {detail}" if detail else case.detail)


def _lost(status: int | None, said: str, before: int, folder: Path, whole: Whole) -> tuple[Outcome, str]:
    if status == 1:
        return Outcome.LOST, said
    if finished_trials(folder) < before:
        return Outcome.LOST, f"{finished_trials(folder)} of {before} finished trials are left"
    if decisions(folder) != whole.verdict:
        return Outcome.LOST, "another verdict than undisturbed"
    missing = sorted(entry.name for entry in whole.folder.iterdir() if not _there(folder / entry.name))
    if missing:
        return Outcome.HALF, f"not made again: {', '.join(missing)}"
    return Outcome.SURVIVED, ""


def _there(path: Path) -> bool:
    """Whether a file of a run folder is whole, as far as its end shows; SQLite removes its side files by itself."""
    if path.name.startswith("ledger.sqlite-"):
        return True
    if path.suffix == ".json":
        try:
            return json.loads(path.read_text(encoding="utf-8")) is not None
        except (OSError, ValueError):
            return False
    if path.suffix == ".html":
        return path.exists() and path.read_text(encoding="utf-8", errors="replace").rstrip().endswith("</html>")
    return path.exists()
