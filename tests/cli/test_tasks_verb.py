"""`leadline tasks` as a user types it."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from test_cli import run

from leadline.data.datasets.synthetic.catalogue import TASKS, task


def test_the_list():
    done = run("tasks")
    assert done.returncode == 0
    assert all(f"{known.name}: " in done.stdout for known in TASKS)


def test_one_task():
    done = run("tasks", "hmm")
    assert done.returncode == 0
    assert done.stdout.startswith("hmm: a hidden bit behind noise")
    assert "Proof: no predictor that sees" in done.stdout


@pytest.mark.parametrize("name", ["parity", "markov_chain", "adding"])
def test_the_file_that_is_written_is_studied_by_the_command_that_is_printed(name, tmp_path):
    written = run("tasks", name, "--out", "task.csv", "--seed", 7, "--sequences", 40, cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    told, command = written.stdout.splitlines()
    assert told.startswith("task.csv: 40 sequences, ")
    planned = run(*shlex.split(command)[1:], "--dry-run", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert "40 sequences" in planned.stdout


def test_another_seed_writes_other_data_and_the_same_seed_the_same(tmp_path):
    for seed, name in ((1, "a.csv"), (1, "b.csv"), (2, "c.csv")):
        run("tasks", "echo", "--out", name, "--seed", seed, "--sequences", 30, cwd=tmp_path)
    first, again, other = ((tmp_path / name).read_bytes() for name in ("a.csv", "b.csv", "c.csv"))
    assert first == again != other


def test_without_a_number_the_tasks_own_is_written(tmp_path):
    done = run("tasks", "gru_teacher", "--out", "t.csv", cwd=tmp_path)
    assert done.stdout.startswith(f"t.csv: {task('gru_teacher').sequences} sequences")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing_such",), "there is no task 'nothing_such'"),
        (("parity", "--seed", "3"), "--seed without --out"),
        (("--sequences", "30"), "--sequences without --out"),
        (("--out", "x.csv"), "--out without a task"),
        (("parity", "--out", "x.xlsx"), "the suffix '.xlsx'"),
        (("parity", "--out", "x.csv", "--sequences", "0"), "0 sequences"),
    ],
)
def test_what_cannot_be_done_is_said(words, said, tmp_path):
    done = run("tasks", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_full_standard_output_is_one_line():
    """In the words of every verb, which name standard output and not some temporary file."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "leadline.cli", "tasks"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("leadline: standard output: cannot be written")
    assert "[output]" in done.stderr
    assert "Traceback" not in done.stderr
