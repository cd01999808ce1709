"""Executors: planned order, idle workers, and every way in which a worker or its study can end."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from orphans import MARK, marked
from simulated import state_for

from leadline import errors
from leadline.data.datasets.letters import letters
from leadline.errors import KernelError, LeadlineError, OptionError, OutOfMemoryError, WorkerError, is_out_of_memory
from leadline.kernels import library
from leadline.records.trial import BaselineSpec, Trial
from leadline.trials import executors, worker
from leadline.trials import trial as trials
from leadline.trials.executors import InProcess, Workers
from leadline.trials.ledger import FILE

LINUX = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at processes in /proc")
STUDY = ("--subset", "300", "--max-trials", "2", "--max-updates", "20", "--no-explain", "--jobs", "2")
LONG = ("--subset", "2000", "--no-explain", "--jobs", "2")


@pytest.fixture(scope="module")
def state():
    return state_for(letters(400))


@pytest.fixture
def workers(state):
    made = Workers(state.material, 2)
    yield made
    made.close()


def baseline(state, name="majority", seed=0) -> Trial:
    return Trial(spec=BaselineSpec(name=name), recipe=state.plan.recipe, seed=seed)


def long(state) -> Trial:
    """Minutes of training."""
    recipe = state.plan.recipe.__class__(max_updates=1_000_000, eval_every=500_000, patience=1_000_000)
    return Trial(spec=state.plan.blank, recipe=recipe, seed=0)


def always(_: Trial) -> bool:
    return True


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)
    return found


# Order


class Staged(Workers):
    """Workers whose trials end when the test says so."""

    def __init__(self, material, jobs):
        super().__init__(material, jobs)
        self.begun, self.gates = [], {}

    def _begin(self, trial, busy):
        self.begun.append(trial.seed)
        gate = self.gates.setdefault(trial.seed, threading.Event())
        return self._threads.submit(lambda: gate.wait(20) and trial.seed)

    def end(self, *seeds):
        for seed in seeds:
            self.gates.setdefault(seed, threading.Event()).set()


def test_a_slow_trial_keeps_no_worker_waiting_and_results_come_as_planned(state):
    staged = Staged(state.material, 2)
    planned = [baseline(state, seed=seed) for seed in range(6)]
    staged.end(1, 2, 3, 4)
    threading.Thread(target=lambda: (wait_until(lambda: 5 in staged.begun), staged.end(5, 0)), daemon=True).start()
    assert [trial.seed for trial, _ in staged.outcomes(planned, always)] == [0, 1, 2, 3, 4, 5]
    staged.close()


def test_completed_gives_what_ends_and_takes_the_next_when_a_worker_is_free(state):
    staged = Staged(state.material, 2)
    taken = []

    def planned():
        for seed in range(4):
            taken.append(seed)
            yield baseline(state, seed=seed)

    found = staged.completed(planned(), always)
    staged.end(1)
    assert next(found)[0].seed == 1
    assert taken == [0, 1]
    staged.end(2)
    assert next(found)[0].seed == 2
    assert taken == [0, 1, 2]
    staged.end(0, 3)
    assert {trial.seed for trial, _ in found} == {0, 3}
    staged.close()


@pytest.mark.parametrize("make", [InProcess, lambda material: Workers(material, 2)])
def test_no_trial_is_begun_behind_the_first_that_may_not(state, make):
    executor, asked = make(state.material), []
    planned = [baseline(state, seed=seed) for seed in range(5)]

    def start(trial):
        asked.append(trial.seed)
        return trial.seed < 3

    try:
        found = list(executor.outcomes(planned, start))
    finally:
        executor.close()
    assert [trial.seed for trial, _ in found] == [0, 1, 2]
    assert asked == [0, 1, 2, 3]


def test_both_workers_are_used_from_the_start(state, workers):
    list(workers.outcomes([baseline(state, seed=seed) for seed in range(4)], always))
    assert len(workers._all) == 2


# What goes through the pipes


def test_arrays_go_through_a_pipe_uncopied_and_can_be_written_to():
    value = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": "text", "c": np.zeros(0)}
    parts = worker.pack(value)
    assert np.shares_memory(np.frombuffer(parts[1], np.float32), value["a"])
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as source, os.fdopen(write_end, "wb") as sink:
        worker.write(sink, parts)
        found = worker.read(source)
        sink.close()
        with pytest.raises(EOFError):
            worker.read(source)
    assert (found["b"], found["c"].shape) == ("text", (0,))
    np.testing.assert_array_equal(found["a"], value["a"])
    found["a"][0, 0] = 5


def test_what_was_derived_from_the_data_is_not_sent(state):
    state.material.encoded(0)
    made = Workers(state.material, 2)
    made.close()
    assert sum(len(part) for part in made._data) < 2 * sum(len(p) for p in worker.pack(state.material.sequences))
    assert "_encoded" not in pickle.loads(made._data[0], buffers=made._data[1:]).__dict__


def test_what_a_library_prints_does_not_disturb_the_answers(state):
    """Standard output of a worker belongs to the study alone."""
    code = worker.command(sys.path, os.getpid())
    noisy = (
        "import leadline.trials.attempt as a; inner = a.attempt\n"
        "def loud(*args):\n print('noise', flush=True); return inner(*args)\n"
        "a.attempt = loud\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code.replace("from leadline", f"exec({noisy!r}); from leadline")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    worker.write(process.stdin, worker.pack(state.material))
    worker.write(process.stdin, worker.pack(baseline(state)))
    assert worker.read(process.stdout).result.status == "finished"
    _, error = process.communicate(timeout=30)
    assert error == b"noise\n"
    assert process.returncode == 0


KINDS = [k for k in vars(errors).values() if inspect.isclass(k) and issubclass(k, LeadlineError)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_the_same_in_the_other_process(kind):
    error = kind("nothing there", where="here", expected="something", next_move="Look again.")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (kind, "here: nothing there; expected something. Look again.")
    assert (again.where, again.next_move) == ("here", "Look again.")


# Trials that fail


@pytest.mark.parametrize("make", [InProcess, lambda material: Workers(material, 2)])
@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [({"spec": BaselineSpec(name="none")}, OptionError, "no table"), ({"fold": 99}, IndexError, "out of range")],
)
def test_an_exception_names_its_trial_and_is_the_same_in_both(state, make, change, kind, words):
    trial = baseline(state, seed=7).model_copy(update=change)
    executor = make(state.material)
    try:
        with pytest.raises(kind, match=words) as caught:
            list(executor.outcomes([trial], always))
    finally:
        executor.close()
    said = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    assert trial.describe() in said
    assert trial.describe().startswith("baseline ")
    assert "seed 7" in trial.describe()


def test_the_traceback_of_a_worker_comes_along(state, workers):
    with pytest.raises(IndexError) as caught:
        list(workers.outcomes([baseline(state).model_copy(update={"fold": 99})], always))
    assert any("In a worker:" in note and "material.py" in note for note in caught.value.__notes__)


class StrangeError(Exception):
    """Cannot be made again from what pickle keeps."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def test_an_exception_that_cannot_travel_is_told_in_words():
    found = worker._portable(StrangeError("odd", "thing"))
    assert type(found) is RuntimeError
    assert "StrangeError: odd thing" in str(found)


def allocate(*_):
    torch.empty(1 << 55, dtype=torch.uint8)


def numpy_array(*_):
    np.empty(1 << 55, dtype=np.uint8)


def kernel(*_):
    library.check(1)


@pytest.mark.parametrize("ends", [allocate, numpy_array, kernel])
def test_memory_that_ends_in_this_process_is_said(state, monkeypatch, ends):
    monkeypatch.setattr(trials, "run", ends)
    executor = InProcess(state.material)
    try:
        with pytest.raises(
            OutOfMemoryError, match=r"baseline majority, seed 0, fold 0: .*same command goes on"
        ) as caught:
            list(executor.outcomes([baseline(state)], always))
    finally:
        executor.close()
    assert isinstance(caught.value, MemoryError)
    assert "--jobs" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OSError(12, "Cannot allocate memory"), True),
        (ImportError("libtorch.so: failed to map segment from shared object"), True),
        (OSError("libgomp.so.1: failed to map segment from shared object"), True),
        (RuntimeError("can't start new thread"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (OSError(28, "No space left on device"), False),
        (KernelError("kernel status 2"), False),
    ],
)
def test_what_means_that_memory_ended(error, expected):
    assert is_out_of_memory(error) is expected


def test_a_status_of_the_kernels_other_than_memory_is_a_defect_of_theirs():
    with pytest.raises(KernelError, match="status 2"):
        library.check(2)


# Workers that end


def test_a_worker_that_is_killed_is_named_with_its_signal_and_the_next_move(state, workers):
    found = workers.outcomes([long(state), baseline(state)], always)
    threading.Thread(
        target=lambda: (wait_until(lambda: len(workers._all) == 2), time.sleep(1), workers._all[0].process.kill()),
        daemon=True,
    ).start()
    with pytest.raises(WorkerError) as caught:
        list(found)
    text = str(caught.value)
    assert text.startswith(long(state).describe())
    for words in ("SIGKILL (signal 9)", "probably because memory ran out", "same command goes on", "`--jobs 1`"):
        assert words in text


@pytest.mark.parametrize(
    ("status", "words"), [(-11, "by SIGSEGV (signal 11)"), (3, "ended with status 3"), (-63, "(signal 63)")]
)
def test_every_end_is_told(status, words):
    assert words in str(executors._ended(status))


def test_a_worker_that_cannot_be_started_is_an_error_of_ours(state, workers, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(WorkerError, match="no worker could be started"):
        list(workers.outcomes([baseline(state)], always))


def test_a_worker_that_cannot_import_says_why(state, workers, monkeypatch, tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('libtorch.so: failed to map segment from shared object')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(OutOfMemoryError, match=r"memory ran out.*`--jobs 1`"):
        list(workers.outcomes([baseline(state)], always))


@pytest.mark.skipif(os.name != "posix", reason="sets a limit by a shell")
@pytest.mark.parametrize("kilobytes", [30_000, 100_000, 400_000])
def test_too_small_a_limit_of_memory_is_an_error_of_ours(state, workers, monkeypatch, tmp_path, kilobytes):
    """Python itself, NumPy's library or torch's cannot be loaded; each says so, or dies, in a way of its own."""
    limited = tmp_path / "python"
    limited.write_text(f'#!/bin/sh\nulimit -v {kilobytes}\nexec {sys.executable} "$@"\n')
    limited.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(limited))
    with pytest.raises((OutOfMemoryError, WorkerError), match="`--jobs 1`"):
        list(workers.outcomes([baseline(state)], always))


def test_closed_workers_leave_no_process_and_no_thread_behind(state):
    """Also in the middle of a trial, and in a bounded time."""
    threads = threading.active_count()
    workers = Workers(state.material, 2)
    running = [workers._begin(long(state), busy) for busy in range(2)]
    wait_until(lambda: len(workers._all) == 2)
    time.sleep(0.5)
    began = time.monotonic()
    workers.close()
    assert time.monotonic() - began < 5
    assert all(future.done() for future in running)
    assert all(each.process.returncode == -signal.SIGKILL for each in workers._all)
    assert threading.active_count() == threads


@LINUX
def test_a_worker_is_begun_where_ctrl_c_waits(state, workers):
    """The terminal sends Ctrl-C to all processes: one that still loads torch would print a traceback."""
    list(workers.outcomes([baseline(state)], always))
    status = Path(f"/proc/{workers._all[0].process.pid}/status").read_text()
    blocked = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk")), 16)
    assert blocked & 1 << signal.SIGINT - 1
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


# Whole studies


def started(tmp_path, options, **streams):
    command = [sys.executable, "-m", "leadline.cli", "advise", *options, "--out", str(tmp_path / "run")]
    return subprocess.Popen(command, env={**os.environ, MARK: str(tmp_path)}, **streams)


def trials_in(ledger):
    if not ledger.exists():
        return 0
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as base, suppress(sqlite3.OperationalError):
        return base.execute("select count(*) from trials").fetchone()[0]
    return 0


def others(study, tmp_path):
    return set(marked(str(tmp_path))) - {study.pid}


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("later", [0.0, 0.7, 2.5])
def test_nothing_outlives_a_killed_study(tmp_path, later):
    """Its workers are killed as they begin, while they import, and while they train."""
    study = started(tmp_path, LONG, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: others(study, tmp_path))
        time.sleep(later)
    finally:
        study.kill()
        study.wait()
    wait_until(lambda: not marked(str(tmp_path)), seconds=20)


@LINUX
@pytest.mark.slow
def test_a_study_whose_worker_is_killed_says_so_in_one_line_and_goes_on(tmp_path):
    with started(tmp_path, STUDY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as study:
        wait_until(lambda: trials_in(tmp_path / "run" / FILE) > 2)
        for process in others(study, tmp_path):
            os.kill(process, signal.SIGKILL)
        _, error = study.communicate(timeout=60)
    assert study.returncode == 1
    assert error.startswith("leadline: ")
    assert error.count("\n") == 1
    assert "SIGKILL" in error
    done = trials_in(tmp_path / "run" / FILE)
    with started(tmp_path, STUDY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as again:
        _, error = again.communicate(timeout=180)
    assert again.returncode == 2, error
    assert trials_in(tmp_path / "run" / FILE) > done


SCRIPT = """
import sys
import leadline
verdict = leadline.advise(subset=300, max_trials=2, max_updates=20, jobs=2, explain=False, out=sys.argv[1])
print(verdict.stop_reason)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["file", "standard input"])
def test_a_script_needs_no_main_guard(tmp_path, how):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    words, text = ([str(path)], None) if how == "file" else (["-"], SCRIPT)
    command = [sys.executable, *words, str(tmp_path / "run")]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "budget\n", "")
    assert json.loads((tmp_path / "run" / "verdict.json").read_text())["stop_reason"] == "budget"
