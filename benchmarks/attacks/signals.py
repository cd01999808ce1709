"""Signals: a study is interrupted, terminated or hung up at any moment; it ends cleanly and can be resumed."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass

from attacks import process, studies
from attacks.arena import Arena
from attacks.outcome import Case, Outcome, judge

KIND = "signals"


@dataclass(frozen=True)
class Sent:
    """A signal: its number, whether the whole process group gets it, as from a terminal, and how often."""

    name: str
    number: int
    everyone: bool
    times: int = 1


SENT = (
    Sent("Ctrl-C", signal.SIGINT, everyone=True),
    Sent("SIGTERM", signal.SIGTERM, everyone=False),
    Sent("hang-up of the terminal", signal.SIGHUP, everyone=True),
    Sent("Ctrl-C twice", signal.SIGINT, everyone=True, times=2),
    Sent("SIGPIPE", signal.SIGPIPE, everyone=False),
    Sent("SIGINT to the study alone", signal.SIGINT, everyone=False),
    Sent("SIGTERM to all", signal.SIGTERM, everyone=True),
)


def attack(arena: Arena, number: int) -> Case:
    """One signal, orphans counted, and the study resumed."""
    whole = studies.small(arena)
    place = arena.work(KIND, number)
    sent = SENT[number % len(SENT)]
    moment = arena.moment(number) * whole.seconds
    name = f"{sent.name} after {moment:.2f} s"
    study = process.Started(process.leadline("advise", *studies.SMALL, "--out", place / "run"))
    if not study.wait_until(moment):
        study.end()
        return Case(KIND, number, name, Outcome.MISSED)
    for i in range(sent.times):
        time.sleep(arena.draw(KIND, number).uniform(0.05, 1.0) if i else 0.0)
        study.send(sent.number, sent.everyone)
    case = Case(KIND, number, name, *judge(study.end(), sent.number))
    if (left := study.orphans()) and not case.failed:
        case = Case(KIND, number, name, Outcome.ORPHAN, f"{len(left)} left: {left[0]}")
    case = studies.resume(case, place / "run", whole)
    if case.failed:
        arena.keep(case, place)
    return case
