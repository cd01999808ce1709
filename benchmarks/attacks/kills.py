"""Kills: SIGKILL of a study, or of one of its workers, at moments spread over its life; then the same command again."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from attacks import process, studies
from attacks.arena import Arena
from attacks.outcome import Case, Outcome, judge

KIND = "kills"
WORKER_EVERY = 4  # each fourth attack kills a worker and leaves the study alone
WORKER_WAIT = 60.0  # seconds in which a study must have begun its workers


def attack(arena: Arena, number: int) -> Case:
    """One kill, orphans counted, and the study resumed."""
    whole = studies.small(arena)
    place = arena.work(KIND, number)
    worker = number % WORKER_EVERY == WORKER_EVERY - 1
    study = process.Started(process.leadline("advise", *studies.SMALL, "--out", place / "run"))
    moment = arena.moment(number) * whole.seconds
    if worker:
        case = _kill_worker(study, arena, number)
    else:
        case = _kill_study(study, number, moment)
    if case.outcome is Outcome.MISSED:
        study.end()
    elif left := study.orphans():
        case = Case(KIND, number, case.name, Outcome.ORPHAN, f"{len(left)} left: {left[0]}")
    case = studies.resume(case, place / "run", whole)
    return _kept(arena, case, place)


def _kill_study(study: process.Started, number: int, moment: float) -> Case:
    if not study.wait_until(moment):
        return Case(KIND, number, f"study after {moment:.2f} s", Outcome.MISSED)
    begun = len(study.others())
    study.send(signal.SIGKILL)
    study.end()
    return Case(KIND, number, f"study after {moment:.2f} s, {begun} processes begun", Outcome.SURVIVED)


def _kill_worker(study: process.Started, arena: Arena, number: int) -> Case:
    """What a system does whose memory ends: one worker is gone. The study goes on, or says what to do next."""
    deadline = time.monotonic() + WORKER_WAIT
    while study.process.poll() is None and not study.others() and time.monotonic() < deadline:
        time.sleep(process.LOOK_EVERY)
    draw = arena.draw(KIND, number)
    time.sleep(draw.uniform(0.0, 4.0))  # seconds: a worker loads torch, takes the data, and trains
    others = study.others()
    if not others or study.process.poll() is not None:
        return Case(KIND, number, "a worker", Outcome.MISSED)
    process.kill([draw.choice(others)])
    outcome, detail = judge(study.end())
    return Case(KIND, number, f"one of {len(others)} workers", outcome, detail)


def _kept(arena: Arena, case: Case, place: Path) -> Case:
    if case.failed:
        arena.keep(case, place)
    return case
