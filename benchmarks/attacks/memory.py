"""Too little memory: a study under a limit of address space, as `ulimit -v` sets it; then the same command without."""

from __future__ import annotations

from attacks import process, studies
from attacks.arena import Arena
from attacks.outcome import Case, judge

KIND = "memory"
LEAST, MOST = 200 << 20, 8 << 30  # bytes: below, Python itself does not start; above, the small study is at ease


def attack(arena: Arena, number: int) -> Case:
    """One limit, and the study resumed."""
    place = arena.work(KIND, number)
    space = int(LEAST * (MOST / LEAST) ** arena.moment(number))
    study = process.Started(process.leadline("advise", *studies.SMALL, "--out", place / "run"), space=space)
    case = Case(KIND, number, f"{space >> 20} MB of addresses", *judge(study.end()))
    study.orphans(grace=1.0)
    case = studies.resume(case, place / "run", studies.small(arena))
    if case.failed:
        arena.keep(case, place)
    return case
