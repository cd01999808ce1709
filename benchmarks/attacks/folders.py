"""Damaged run folders: each file hurt in many ways, through every verb, on the command line and in Python."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from attacks import process, studies, verbs
from attacks.arena import Arena
from attacks.child import Child
from attacks.damage import CLOSED, READ_ONLY, Damage, ways
from attacks.outcome import Case, Ended, Outcome, judge

KIND = "folders"
COMMAND_EVERY = 25  # each so many a call goes through the real command, which starts Python and imports torch anew
KEPT = ("ledger", "finals", "pairs", "lock")  # what a study cannot make again without training; the rest is derived
REGISTER = "tested.json"  # lies beside the run folders
# Verbs and how often each is tried: those that take longest less often.
WEIGHTS = {"advise": 3, "report": 3, "explain": 2, "compare": 2, "predict": 3, "train": 1, "load": 2}
_children: dict[bool, Child] = {}


@dataclass(frozen=True)
class Plan:
    """One call on a damaged copy of a finished study.

    Args:
        target: path below the parent of the run folder, of what is damaged.
        damage: what happens to it; None for names that are odd and nothing else.
        verb, way: what is called, and how: "function", "main" or "command".
        elsewhere: whether a reader writes into another folder, so that it must leave the run folder alone.
        odd_name: whether the run folder's name, or that of a sibling, is not UTF-8.
    """

    target: Path
    damage: Damage | None
    verb: str
    way: str
    elsewhere: bool
    odd_name: str | None = None

    def __str__(self) -> str:
        hurt = f"{self.target} {self.damage.name}" if self.damage else f"{self.odd_name} of another encoding"
        return f"{hurt}; {self.verb} as {self.way}{', output elsewhere' if self.elsewhere else ''}"


def plan(whole: Path, number: int, draw: random.Random) -> Plan:
    """Draw what is done; every eighth time it is something beside the files of the folder."""
    verb = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    way = "function" if verb == "load" or (verb != "report" and draw.random() < 0.5) else "main"
    if way == "main" and number % COMMAND_EVERY == 0:
        way = "command"
    elsewhere = verb in verbs.READERS and draw.random() < 0.5
    beside = draw.choice(("register", "register", "run folder", "sibling", "whole")) if draw.random() < 1 / 8 else ""
    if beside in ("run folder", "sibling"):
        return Plan(Path(whole.name), None, verb, way, elsewhere, beside)
    if beside == "register" and (whole.parent / REGISTER).exists():
        target = whole.parent / REGISTER
    elif beside == "whole":
        target = whole
    else:
        target = draw.choice(sorted(_targets(whole)))
    return Plan(target.relative_to(whole.parent), draw.choice(ways(target)), verb, way, elsewhere)


def _targets(whole: Path) -> Iterator[Path]:
    """Every file and folder of a run folder, of models of trials only the first two of each kind."""
    for entry in whole.iterdir():
        yield entry
        inner = sorted(entry.iterdir()) if entry.is_dir() else []
        for below in inner[:2] if entry.name in KEPT else inner:
            yield below
            yield from below.iterdir() if below.is_dir() else ()


def attack(arena: Arena, number: int) -> Case:
    """One call on a damaged folder."""
    whole, draw = studies.tiny(arena), arena.draw(KIND, number)
    planned = plan(whole.folder, number, draw)
    place = arena.work(KIND, number)
    run = _copy(whole.folder, place, planned)
    case = _call(arena, whole, number, planned, place, run, draw)
    if case.failed:
        _readable(place)
        arena.keep(case, place)
    return case


def _copy(whole: Path, place: Path, planned: Plan) -> Path:
    name = whole.name
    if planned.odd_name == "run folder":
        name = os.fsdecode(b"run-\xff\xfe")
    if planned.odd_name == "sibling":
        (place / os.fsdecode(b"sibling-\xff")).mkdir()
    shutil.copytree(whole, place / name)
    if (whole.parent / REGISTER).exists():
        shutil.copy(whole.parent / REGISTER, place / REGISTER)
    return place / name


def _call(
    arena: Arena, whole: studies.Whole, number: int, planned: Plan, place: Path, run: Path, draw: random.Random
) -> Case:
    if planned.damage:
        planned.damage.apply(place / planned.target, draw)
    out = place / "out" if planned.elsewhere else None
    if out is not None:
        out.mkdir()
    call = verbs.Call(planned.verb, run, arena.folder / "tiny.csv", out, verbs.networks_of(whole))
    before = _contents(run) if planned.elsewhere else {}
    ended = _ended(call, planned.way, planned.damage in (CLOSED, READ_ONLY))
    outcome, detail = judge(ended)
    if outcome is Outcome.SURVIVED:
        if planned.elsewhere and (touched := _touched(before, _contents(run))):
            outcome, detail = Outcome.WROTE, touched
        elif planned.verb == "advise" and _derived(planned) and studies.decisions(run) != whole.verdict:
            outcome, detail = Outcome.LOST, detail or "another verdict than undisturbed"
    return Case(KIND, number, str(planned), outcome, detail)


def _ended(call: verbs.Call, way: str, powerless: bool) -> Ended:
    """Root may read everything, so a missing permission is tried without its powers."""
    if way == "command":
        return process.run(process.leadline(*call.arguments()), powerless=powerless)
    return _children.setdefault(powerless, Child(powerless)).ask(call, way)


def _derived(planned: Plan) -> bool:
    """Whether only the content of a file is hurt that is made from the ledger and the models again."""
    if planned.damage is None:
        return True
    parts = planned.target.parts  # the run folder, then what is in it; or the register beside it
    if len(parts) == 1:
        return planned.damage.content and parts[0] == REGISTER
    return planned.damage.content and not parts[1].startswith(KEPT)


def _contents(run: Path) -> dict[str, tuple[int, int]]:
    """Size and time of writing of all files; whoever takes the lock may touch the file of that name."""
    found = {}
    for folder, _, names in os.walk(run):
        for name in names:
            if name != "lock":
                state = os.lstat(os.path.join(folder, name))
                found[os.path.relpath(os.path.join(folder, name), run)] = (state.st_size, state.st_mtime_ns)
    return found


def _touched(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> str:
    return ", ".join(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


def _readable(place: Path) -> None:
    for path in (place, *place.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def close() -> None:
    """End the processes that made the calls."""
    for child in _children.values():
        child.close()
    _children.clear()
