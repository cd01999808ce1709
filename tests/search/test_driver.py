"""The driver: cuts are prefixes, a killed study resumes, workers change nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from simulated import SimulatedExecutor, World, state_for

from leadline.data.datasets.letters import letters
from leadline.errors import RunFolderError
from leadline.plan.networks import Limits
from leadline.records.trial import BaselineSpec, Trial
from leadline.search import driver as driving
from leadline.study.executors import Workers
from leadline.study.ledger import FILE, Ledger, read_verdict


@pytest.fixture(scope="module")
def words():
    return letters(6000)


def world():
    return World(lambda s: 60 + 8 * (3 if s.bidirectional else min(s.look_ahead, 3)))


def search(words, folder, max_trials=None, seconds=None, identity=None):
    state = state_for(words)
    with Ledger(folder, identity or {"a": "b"}) as ledger:
        simulated = world()
        executor = SimulatedExecutor(state.material, simulated)
        driver = driving.Driver(state, ledger, executor, 1, seconds, max_trials, lambda *_: None)
        return state, simulated, driving.search(driver)


def test_a_shorter_run_decides_a_prefix_of_a_longer_one(words, tmp_path):
    whole, _, reason = search(words, tmp_path / "whole")
    counts = []
    for trials in (1, 40, 120, 220):
        part, simulated, cut = search(words, tmp_path / f"{trials}", max_trials=trials)
        assert cut == "budget"
        assert part.log == whole.log[: len(part.log)]
        assert sum(hasattr(t.spec, "num_layers") for t in simulated.asked) == trials
        counts.append(len(part.log))
    assert counts == sorted(counts)
    assert counts[-1] > 3
    assert reason in ("settled", "spent")


def test_a_second_run_on_the_folder_trains_nothing_again(words, tmp_path):
    first, before, _ = search(words, tmp_path / "run", max_trials=100)
    again, after, _ = search(words, tmp_path / "run", max_trials=100)
    assert before.asked
    assert after.asked == []
    assert again.log == first.log
    _, third, reason = search(words, tmp_path / "run")
    assert not set(third.asked) & set(before.asked)
    assert reason in ("settled", "spent")


def test_the_time_of_a_large_network_is_told_from_large_networks(words, tmp_path):
    """Small networks take a microsecond per unit of work, large ones, three of twenty, a tenth of that."""
    state = state_for(words)
    small = state.plan.blank
    large = replace(small, hidden_size=256, num_layers=3, bidirectional=True)
    recipe = state.plan.recipe
    with Ledger(tmp_path, {"a": "b"}) as ledger:
        driver = driving.Driver(state, ledger, SimulatedExecutor(state.material, world()), 2, 60.0, None, print)
        assert driver.estimate([Trial(spec=large, recipe=recipe, seed=0)]) == 0.0
        alone = {}
        for spec, pace, times in ((small, 1e-6, 17), (large, 1e-7, 3)):
            alone[spec] = pace * recipe.max_updates * (spec.operations_per_step + driving.OVERHEAD)
            for seed in range(times):
                trial = Trial(spec=spec, recipe=recipe, seed=seed)
                driver._take(trial, world().result(state.material, trial).model_copy(update={"seconds": alone[spec]}))
        for spec, seconds in alone.items():
            trials = [Trial(spec=spec, recipe=recipe, seed=seed) for seed in range(100, 104)]
            assert driver.estimate(trials[:1]) == pytest.approx(seconds)
            assert driver.estimate(trials) == pytest.approx(2 * seconds)


def test_time_only_truncates(words, tmp_path):
    _, _, reason = search(words, tmp_path / "short", seconds=8.5)
    assert reason == "budget"


def test_a_folder_in_use_or_of_another_study_is_refused(words, tmp_path):
    with Ledger(tmp_path, {"data": "x"}), pytest.raises(RunFolderError, match="another process"):
        Ledger(tmp_path, {"data": "x"})
    with pytest.raises(RunFolderError, match="different: data"):
        Ledger(tmp_path, {"data": "y"})
    Ledger(tmp_path, {"data": "x"}).close()


def command(folder, *extra):
    options = ["--subset", "1200", "--max-updates", "30", "--out", str(folder), *extra]
    return [sys.executable, "-m", "leadline.cli", "advise", *options]


def verdict_of(folder):
    """The verdict without what a clock or a machine says."""
    text = json.loads((folder / "verdict.json").read_text())
    for name in ("budget", "versions", "warnings", "command"):
        text.pop(name)

    def clean(value):
        if isinstance(value, dict):
            timed = {"seconds", "seconds_per_trial", "microseconds_per_step", "more_minutes"}
            return {k: clean(v) for k, v in value.items() if k not in timed}
        return [clean(v) for v in value] if isinstance(value, list) else value

    return clean(text)


@pytest.mark.slow
def test_killed_and_started_again_gives_the_undisturbed_verdict_whatever_the_workers(tmp_path):
    few = ("--max-trials", "14", "--no-explain", "--jobs")
    one = subprocess.run(command(tmp_path / "one", *few, "1"), capture_output=True, text=True)
    assert one.returncode == 2, one.stderr
    two = subprocess.run(command(tmp_path / "two", *few, "2"), capture_output=True, text=True)
    assert two.returncode == 2, two.stderr

    killed = subprocess.Popen(
        command(tmp_path / "killed", *few, "1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    ledger = tmp_path / "killed" / FILE
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and trials_in(ledger) < 12:
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    done = trials_in(ledger)
    assert done >= 12
    again = subprocess.run(command(tmp_path / "killed", *few, "1"), capture_output=True, text=True)
    assert again.returncode == 2, again.stderr
    assert verdict_of(tmp_path / "killed") == verdict_of(tmp_path / "one") == verdict_of(tmp_path / "two")


@pytest.mark.slow
@pytest.mark.usefixtures("hears_interrupts")
def test_ctrl_c_ends_with_a_partial_verdict(tmp_path):
    process = subprocess.Popen(
        command(tmp_path / "run", "--jobs", "2"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    ledger = tmp_path / "run" / FILE
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and trials_in(ledger) < 14:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2, error
    assert "Traceback" not in error
    assert read_verdict(tmp_path / "run").stop_reason == "interrupted"
    assert (tmp_path / "run" / "report.html").stat().st_size > 1000


def trials_in(ledger: Path) -> int:
    import sqlite3

    if not ledger.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=1) as base:
            return int(base.execute("select count(*) from trials").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_limits_are_part_of_the_identity(words, tmp_path):
    from leadline.study.advise import Options, prepare

    names = {
        prepare(words, Options(**options)).folder
        for options in ({}, {"seed": 1}, {"split_seed": 1}, {"causal": True}, {"network": "lstm:1x8"}, {"margin": 2.0})
    }
    assert len(names) == 6
    assert prepare(words, Options(minutes=1.0)).folder == prepare(words, Options(jobs=1)).folder
    assert Limits("tagging", causal=True).windows == ()


def test_closed_workers_leave_no_thread_behind(words):
    """What is left of a pool at the end of the program may write to a closed pipe, and says so with a traceback."""
    workers = Workers(state_for(words).material, 2)
    workers._pool.submit(time.sleep, 60)
    while not workers._pool._processes:
        time.sleep(0.01)
    workers.close()
    assert not any(type(thread).__name__ == "_ExecutorManagerThread" for thread in threading.enumerate())


def test_a_worker_is_begun_where_ctrl_c_waits(words):
    """The terminal sends Ctrl-C to all processes: one that still loads torch would print a traceback."""
    state = state_for(words)
    workers = Workers(state.material, 1)
    try:
        trial = Trial(spec=BaselineSpec(name="majority"), recipe=state.plan.recipe, seed=0)
        assert [done for done, _ in workers.outcomes([trial], lambda _: True)] == [trial]
        assert signal.SIGINT in workers._pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result()
    finally:
        workers.close()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
