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
from attacks.damage import APPEARS, CLOSED, READ_ONLY, Damage, ways
from attacks.outcome import Case, Ended, Outcome, judge

KIND = "folders"
COMMAND_EVERY = 25  # each so many a call goes through the real command, which starts Python and imports torch anew
KEPT = ("ledger", "finals", "pairs", "lock")  # what a study cannot make again without training; the rest is derived
NEIGHBOUR = "neighbour"  # another run folder beside the one that is called on; nothing in it may do harm
# Verbs and how often each is tried: those that take longest less often.
WEIGHTS = {"advise": 3, "report": 3, "explain": 2, "compare": 2, "predict": 3, "train": 1, "load": 2}
FROM_ELSEWHERE = ("steps.json", "findings.json", "contrast.json", "test-reads.json", "reading.json", "model.json")
READ = (".json", ".safetensors", ".sqlite")  # what verbs read; pages they only write
OFTENER = 4  # times that such a file is damaged for each time that another is
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
    if draw.random() < 1 / 8:
        return _plan_beside(whole, draw, verb, way, elsewhere)
    targets = sorted(_targets(whole))
    target = draw.choices(targets, [OFTENER if path.suffix in READ else 1 for path in targets])[0]
    return Plan(target.relative_to(whole.parent), draw.choice(ways(target)), verb, way, elsewhere)


def _plan_beside(whole: Path, draw: random.Random, verb: str, way: str, elsewhere: bool) -> Plan:
    """Damage to the folder itself or its name, to what lies beside it, or a file that the study did not write."""
    what = draw.choice(("run folder", "sibling", "whole", "neighbour", "neighbour", "register", "stranger"))
    if what in ("run folder", "sibling"):
        return Plan(Path(whole.name), None, verb, way, elsewhere, what)
    if what == "whole":
        return Plan(Path(whole.name), draw.choice(ways(whole)), verb, way, elsewhere)
    if what == "stranger":
        return Plan(Path(whole.name) / draw.choice(FROM_ELSEWHERE), APPEARS, verb, way, elsewhere)
    registers = sorted(whole.parent.glob("*.json"))
    if what == "register" and registers:
        target = draw.choice(registers)
        return Plan(Path(target.name), draw.choice(ways(target)), verb, way, elsewhere)
    target = draw.choice(sorted(whole.glob("*.*")))
    return Plan(Path(NEIGHBOUR) / target.name, draw.choice(ways(target)), verb, way, elsewhere)


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
    if planned.target.parts[0] == NEIGHBOUR:
        shutil.copytree(whole, place / NEIGHBOUR)
    for register in whole.parent.glob("*.json"):
        shutil.copy(register, place)
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
    """Whether the study must be delivered all the same: what is hurt is made again, or lies beside the run folder."""
    if planned.damage is None:
        return True
    parts = planned.target.parts  # the run folder, then what is in it; or what lies beside it
    if parts[0] == NEIGHBOUR or Path(parts[0]).suffix == ".json":
        return True
    return len(parts) > 1 and planned.damage.content and not parts[1].startswith(KEPT)


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
