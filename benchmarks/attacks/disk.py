"""Disks that are full, read-only or gone, places that cannot be a run folder, and outputs that take nothing."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from attacks import process, studies, verbs
from attacks.arena import Arena
from attacks.outcome import Case, Outcome, judge

KIND = "disk"
SMALLEST, LARGEST = 100, 3000  # kB of a disk that is full: the small study leaves about 2 MB
AMPLE = "64m"
Scenario = Callable[[Arena, int, Path], Case]


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Path | None]:
    """A file system of its own in memory; None where none can be mounted (that takes root)."""
    disk = place / "disk"
    disk.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk))
    try:
        yield disk if mounted else None
    finally:
        if mounted:
            # What a failure left lies in memory: without a copy it is gone with the disk.
            with contextlib.suppress(OSError):
                shutil.copytree(disk, place / "left", symlinks=True, ignore=shutil.ignore_patterns("filler"))
            subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)


def _mount(*arguments: str) -> bool:
    program = shutil.which("mount")
    return program is not None and subprocess.run([program, *arguments], capture_output=True).returncode == 0


def _no_mount(number: int, name: str) -> Case:
    return Case(KIND, number, name, Outcome.MISSED, "no small disk can be mounted here")


def full(arena: Arena, number: int, place: Path) -> Case:
    """The run folder lies on a disk too small for it. With more room, the same command goes on."""
    size = int(SMALLEST * (LARGEST / SMALLEST) ** arena.moment(number))
    name = f"a disk of {size} kB"
    with small_disk(place, f"{size}k") as disk:
        if disk is None:
            return _no_mount(number, name)
        ended = process.run(process.leadline("advise", *studies.SMALL, "--out", disk / "run"))
        case = Case(KIND, number, name, *judge(ended))
        _mount("-o", f"remount,size={AMPLE}", str(disk))
        return studies.resume(case, disk / "run", studies.small(arena))


def filled(arena: Arena, number: int, place: Path) -> Case:
    """Something else fills the disk in the middle of a study, and is removed before it is resumed."""
    whole = studies.small(arena)
    moment = arena.moment(number) * whole.seconds
    name = f"filled after {moment:.2f} s"
    with small_disk(place, AMPLE) as disk:
        if disk is None:
            return _no_mount(number, name)
        study = process.Started(process.leadline("advise", *studies.SMALL, "--out", disk / "run"))
        if not study.wait_until(moment):
            study.end()
            return Case(KIND, number, name, Outcome.MISSED)
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"\0" * 4096):
                pass
        case = Case(KIND, number, name, *judge(study.end()))
        (disk / "filler").unlink()
        return studies.resume(case, disk / "run", whole)


def vanished(arena: Arena, number: int, place: Path) -> Case:
    """The run folder is removed in the middle of a study; the same command begins again."""
    whole = studies.small(arena)
    moment = arena.moment(number) * whole.seconds
    name = f"run folder removed after {moment:.2f} s"
    study = process.Started(process.leadline("advise", *studies.SMALL, "--out", place / "run"))
    if not study.wait_until(moment):
        study.end()
        return Case(KIND, number, name, Outcome.MISSED)
    shutil.rmtree(place / "run", ignore_errors=True)
    case = Case(KIND, number, name, *judge(study.end()))
    if (left := study.orphans()) and not case.failed:
        case = Case(KIND, number, name, Outcome.ORPHAN, left[0])
    shutil.rmtree(place / "run", ignore_errors=True)
    return studies.resume(case, place / "run", whole)


def read_only(arena: Arena, number: int, place: Path) -> Case:
    """A finished run folder, or none yet, on a disk that cannot be written."""
    whole = studies.tiny(arena)
    verb = arena.draw(KIND, number).choice(verbs.VERBS)
    fresh = verb == "advise" and number % 2 == 0
    name = f"{verb}{' anew' if fresh else ''} on a read-only disk"
    with small_disk(place, AMPLE) as disk:
        if disk is None:
            return _no_mount(number, name)
        if not fresh:
            shutil.copytree(whole.folder, disk / "run")
        _mount("-o", "remount,ro", str(disk))
        return Case(KIND, number, name, *judge(process.run(_command(arena, verb, disk / "run"))))


def odd_place(arena: Arena, number: int, place: Path) -> Case:
    """`--out` where no folder can be."""
    (place / "file").write_text("mine", encoding="utf-8")
    (place / "dangling").symlink_to(place / "nothing" / "here")
    (place / "circle").symlink_to(place / "circle")
    outs = ("file", "file/under", "dangling", "circle", "x" * 300, "y/" * 2100 + "z")
    out = arena.draw(KIND, number).choice(outs)
    verb = ("advise", "train")[number % 2]
    ended = process.run(_command(arena, verb, place / out))
    case = Case(KIND, number, f"{verb} --out {out[:40]}", *judge(ended))
    if (place / "file").read_text(encoding="utf-8") != "mine":
        case = Case(KIND, number, case.name, Outcome.WROTE, "over a file that was there")
    return case


def output(arena: Arena, number: int, place: Path) -> Case:
    """Standard output is full, closed, or a pipe that nobody reads; or standard error is closed."""
    whole, draw = studies.tiny(arena), arena.draw(KIND, number)
    verb, way = draw.choice(verbs.VERBS), draw.choice(("> /dev/full", ">&-", "| true", "2>&-", "2> /dev/full", "<&-"))
    shutil.copytree(whole.folder, place / "run")
    # The words of the command are arguments of the shell, so that nothing in them is its syntax.
    script = '"$@" ' + way + ("; exit ${PIPESTATUS[0]}" if way == "| true" else "")
    ended = process.run(["bash", "-c", script, "bash", *_command(arena, verb, place / "run")])
    return Case(KIND, number, f"{verb} {way}", *judge(ended, silent=way.startswith("2>")))


def _command(arena: Arena, verb: str, run: Path) -> list[str]:
    whole = studies.tiny(arena)
    call = verbs.Call(verb, run, arena.folder / "tiny.csv", None, verbs.networks_of(whole))
    return process.leadline(*call.arguments())


SCENARIOS: tuple[Scenario, ...] = (full, output, filled, odd_place, vanished, read_only)


def attack(arena: Arena, number: int) -> Case:
    """One scenario, in turn."""
    place = arena.work(KIND, number)
    case = SCENARIOS[number % len(SCENARIOS)](arena, number, place)
    if case.failed:
        arena.keep(case, place)
    return case
