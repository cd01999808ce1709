"""The driver: cuts are prefixes, a killed study resumes, workers change nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from simulated import SimulatedExecutor, World, state_for

from leadline import api
from leadline.data.datasets.letters import letters
from leadline.data.options import ReadOptions
from leadline.errors import RunFolderError
from leadline.plan.networks import Limits
from leadline.records.trial import Trial
from leadline.search import driver as driving
from leadline.search import finals
from leadline.spec import StackSpec
from leadline.study.assemble import latest
from leadline.trials import pace as pacing
from leadline.trials.ledger import FILE, Ledger, read_verdict


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
        unknown = driver.estimate([Trial(spec=large, recipe=recipe, seed=0)])
        assert unknown > driver.estimate([Trial(spec=small, recipe=recipe, seed=0)]) > 0
        alone = {}
        for spec, pace, times in ((small, 1e-6, 17), (large, 1e-7, 3)):
            alone[spec] = pace * recipe.max_updates * (spec.operations_per_step + pacing.OVERHEAD)
            for seed in range(times):
                trial = Trial(spec=spec, recipe=recipe, seed=seed)
                driver._take(trial, world().result(state.material, trial).model_copy(update={"seconds": alone[spec]}))
        for spec, seconds in alone.items():
            trials = [Trial(spec=spec, recipe=recipe, seed=seed) for seed in range(100, 104)]
            assert driver.estimate(trials[:1]) == pytest.approx(seconds)
            assert driver.estimate(trials) == pytest.approx(2 * seconds)


def timed(state, spec, seed, wall, processor):
    trial = Trial(spec=spec, recipe=state.plan.recipe, seed=seed)
    return trial, world().result(state.material, trial).model_copy(update={"seconds": wall, "cpu_seconds": processor})


def test_trials_that_lay_still_with_the_machine_say_nothing_about_the_next(words, tmp_path):
    """Both workers' first networks hang for minutes, as on a machine that was put to sleep; the work took 2 s each."""
    state = state_for(words)
    with Ledger(tmp_path, {"a": "b"}) as ledger:
        driver = driving.Driver(state, ledger, SimulatedExecutor(state.material, world()), 2, 60.0, None, print)
        for seed in range(2):
            driver._take(*timed(state, state.plan.blank, seed, 300.0, 2.0))
        following = timed(state, state.plan.blank, 5, 0, 0)[0]
        assert driver.estimate([following]) == pytest.approx(2.0)
        for seed in range(2, 6):
            driver._take(*timed(state, state.plan.blank, seed, 6.0, 2.0))
        assert driver.estimate([following]) == pytest.approx(6.0), "one that always gives a third is believed"


def test_what_a_whole_training_takes_is_told_from_short_ones_by_what_they_score(words, tmp_path):
    """Most of a short training of a small network is scoring, which the whole one does at every look."""
    state = state_for(words)
    whole = Trial(spec=state.plan.blank, recipe=state.plan.recipe, seed=0)
    updates = whole.recipe.max_updates
    short = whole.model_copy(update={"recipe": replace(whole.recipe, max_updates=updates // 12, eval_every=updates)})
    pace = pacing.Pace(state.material, 1)
    pace.learn(short, world().result(state.material, short))
    fold, looks = state.material.fold(0), -(-updates // whole.recipe.eval_every)
    learned = 3 * whole.recipe.batch_size
    one = learned * (updates // 12) + 2 * len(fold.tune) + len(fold.dev)
    all_of = learned * updates + (looks + 1) * len(fold.tune) + len(fold.dev)
    assert pace.seconds(whole) == pytest.approx(all_of / one)


def test_the_budget_counts_from_the_command_on(words, tmp_path):
    state, simulated = state_for(words), world()
    with Ledger(tmp_path, {"a": "b"}) as ledger:
        executor, before = SimulatedExecutor(state.material, simulated), time.monotonic() - 55
        driver = driving.Driver(state, ledger, executor, 1, 60.0, None, lambda *_: None, began=before)
        assert driving.search(driver) == "budget"
    assert simulated.asked == []
    assert driver.elapsed == pytest.approx(55, abs=5)


def test_what_loading_takes_is_paid_out_of_the_budget(words, tmp_path, monkeypatch):
    def slowly(*_, **__):
        time.sleep(2.0)
        return words, ReadOptions()

    monkeypatch.setattr(api, "load_settled", slowly)
    found = api.advise(jobs=1, max_trials=1, budget="1s", out=tmp_path / "run", explain=False)
    assert found.budget.seconds > 2
    assert found.stop_reason == "budget"
    assert found.budget.trials == 0


def test_a_run_that_goes_on_counts_its_own_reading_too(words, tmp_path):
    for run, trials in ((1, 1), (2, 2)):
        state = state_for(words)
        with Ledger(tmp_path, {"a": "b"}) as ledger:
            executor, before = SimulatedExecutor(state.material, world()), time.monotonic() - 30
            driver = driving.Driver(state, ledger, executor, 1, None, trials, lambda *_: None, began=before)
            driving.search(driver)
            assert driver.elapsed == pytest.approx(30 * run, abs=5)
            assert ledger.elapsed() == pytest.approx(30 * run, abs=5)


def test_finals_that_the_budget_cannot_pay_are_left_out(words, tmp_path):
    """Every network turns out to take a hundred times as long as any small one does."""
    state = state_for(words)
    slow = world()
    slow.seconds = lambda trial: 40.0 if hasattr(trial.spec, "num_layers") else 0.01
    with Ledger(tmp_path, {"a": "b"}) as ledger:
        executor = SimulatedExecutor(state.material, slow)
        driver = driving.Driver(state, ledger, executor, 1, 60.0, None, lambda *_: None)
        assert driving.search(driver) == "budget"
        advised = finals.advise(state, latest(state))
        assert advised is not None
        asked = len(slow.asked)
        driving.finish(driver, advised)
    assert not [trial for trial in slow.asked[asked:] if isinstance(trial.spec, StackSpec)]


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
    assert not Limits("tagging", causal=True).allows(replace(state_for(words).plan.blank, look_ahead=1))
