"""A small sharp part of `benchmarks/attack.py`: a study killed and interrupted again and again, none the worse."""

from __future__ import annotations

import html
import signal
import sys
from pathlib import Path

import pytest
from attacks import pages, process, studies
from attacks.outcome import Outcome, judge

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")

OPTIONS = ("--network", "gru:1x4", "--max-trials", "1", "--max-updates", "5", "--no-explain")
# Shares of the life of the undisturbed study, which has one process: the command and its workers load torch first, so
# the early ones meet workers that do not exist yet or that load, the late ones meet training.
ACCIDENTS = (
    (0.3, signal.SIGKILL),
    (0.8, signal.SIGKILL),
    (0.9, signal.SIGTERM),
    (1.1, signal.SIGKILL),
    (1.2, signal.SIGINT),
)


@pytest.mark.slow
def test_three_kills_and_two_signals_leave_no_process_and_cost_no_study(tmp_path: Path) -> None:
    data = tmp_path / "table.csv"
    studies.write_table(data)

    def advise(name: str, jobs: int) -> process.Started:
        command = process.leadline("advise", data, *OPTIONS, "--jobs", str(jobs), "--out", tmp_path / name)
        return process.Started(command)

    undisturbed = advise("undisturbed", 1).end()
    assert undisturbed.status == 2, undisturbed.text
    for share, number in ACCIDENTS:
        study = advise("disturbed", 2)
        study.wait_until(share * undisturbed.seconds)
        before = studies.finished_trials(tmp_path / "disturbed")
        study.send(number, everyone=number == signal.SIGINT)
        assert judge(study.end(), sent=number) == (Outcome.SURVIVED, "")
        assert study.orphans() == [], f"after signal {number} at {share}"
        assert studies.finished_trials(tmp_path / "disturbed") >= before
    assert advise("disturbed", 2).end().status == 2
    assert studies.decisions(tmp_path / "disturbed") == studies.decisions(tmp_path / "undisturbed") is not None


def test_a_process_that_outlives_the_one_that_began_it_is_found_and_ended() -> None:
    script = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    begun = process.Started([sys.executable, "-c", script])
    assert begun.end().status == 0
    assert [name for name in begun.orphans(grace=0.2) if "time.sleep" in name] != []
    assert begun.orphans(grace=5.0) == []


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("raise ValueError", Outcome.TRACEBACK),
        ("import os; os.abort()", Outcome.ABORT),
        ("import time; time.sleep(60)", Outcome.HANG),
        ("raise SystemExit('leadline: nothing there. [data]')", Outcome.SURVIVED),
        ("raise SystemExit('leadline: a defect. [internal]')", Outcome.INTERNAL),
        ("raise SystemExit(1)", Outcome.ODD),
        ("raise SystemExit(2)", Outcome.SURVIVED),
    ],
)
def test_ends_are_told_apart(script: str, outcome: Outcome) -> None:
    assert judge(process.run([sys.executable, "-c", script], seconds=3.0))[0] is outcome


@pytest.mark.parametrize("text", [text for text in pages.HOSTILE if "<" in text and not text.startswith("<!--")])
def test_a_page_that_does_not_escape_a_name_is_found(text: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<title>x</title><p>{text}</p>", encoding="utf-8")
    assert pages.elements(page) != []
    page.write_text(f"<title>x</title><p>{html.escape(text)}</p>", encoding="utf-8")
    assert pages.elements(page) == []
