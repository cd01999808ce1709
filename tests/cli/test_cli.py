"""The verbs as a user types them, on small data."""

from __future__ import annotations

import csv
import io
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import metadata

import numpy as np
import pytest

import leadline
from leadline import cli, loading
from leadline.records.verdict import Verdict

QUICK = ("--max-trials", "2", "--max-updates", "20", "--jobs", "1", "--no-explain")


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*words, cwd=None):
    """The command line in this process."""
    out, error, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["leadline", *map(str, words)]
    try:
        with redirect_stdout(out), redirect_stderr(error), chdir(cwd or "."), pytest.raises(SystemExit) as end:
            cli.main()
    finally:
        sys.argv = before
    return Done(int(end.value.code), out.getvalue(), error.getvalue())


@pytest.fixture(scope="module")
def sensors(tmp_path_factory):
    """A long table: two numeric features and one category, class by the sign of the last value."""
    path = tmp_path_factory.mktemp("data") / "sensors.csv"
    random = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "t", "force", "angle", "mode", "label"])
        for i in range(90):
            values = random.normal(size=(int(random.integers(3, 9)), 2))
            label = "up" if values[-1, 0] > 0 else "down"
            for t, (force, angle) in enumerate(values):
                rows.writerow(
                    [f"s{i}", t, "" if i == 3 and t == 0 else f"{force:.3f}", f"{angle:.3f}", "ab"[t % 2], label]
                )
    return path


@pytest.fixture(scope="module")
def finished(sensors, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return folder, run("advise", sensors, "--out", folder, *QUICK)


def test_advise_on_a_file_leaves_everything(finished):
    folder, done = finished
    assert done.returncode == 2, done.stderr
    assert "sensors" in done.stdout
    assert done.stderr == ""
    verdict = Verdict.from_json((folder / "verdict.json").read_text())
    assert verdict.stop_reason == "budget"
    assert verdict.data.kind == "classification"
    assert any("missing" in note for note in verdict.data.notes)
    assert (folder / "report.html").stat().st_size > 10_000
    assert {path.name for path in (folder / "model").iterdir()} == {"model.json", "model.safetensors", "reading.json"}


def test_json_prints_exactly_the_verdict(finished, sensors):
    folder, _ = finished
    again = run("advise", sensors, "--out", folder, *QUICK, "--json")
    assert again.returncode == 2
    assert again.stdout.rstrip("\n") == (folder / "verdict.json").read_text()
    shown = run("report", folder, "--json")
    assert shown.stdout == again.stdout


def test_predict_writes_probabilities(finished, sensors, tmp_path):
    folder, _ = finished
    out = tmp_path / "predictions.csv"
    done = run("predict", folder, sensors, "--out", out)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 90
    assert list(rows[0]) == ["sequence", "prediction", "probability", "p_down", "p_up"]
    for row in rows:
        assert float(row["p_down"]) + float(row["p_up"]) == pytest.approx(1, abs=1e-5)
        assert float(row["probability"]) == max(float(row["p_down"]), float(row["p_up"]))


def test_predict_needs_no_target(finished, sensors, tmp_path):
    folder, _ = finished
    bare = tmp_path / "bare.csv"
    with sensors.open() as source, bare.open("w", newline="") as target:
        writer = csv.writer(target)
        writer.writerows(row[:-1] for row in csv.reader(source))
    with_target, without = run("predict", folder, sensors), run("predict", folder, bare)
    assert without.returncode == 0, without.stderr
    assert without.stdout == with_target.stdout


def test_dry_run_trains_no_study(sensors, tmp_path):
    done = run("advise", sensors, "--dry-run", "--out", tmp_path / "none")
    assert done.returncode == 0, done.stderr
    for word in ("map:", "arms race", "run folder", "cost: about"):
        assert word in done.stdout
    assert not (tmp_path / "none").exists()


def test_train_fits_one_network(sensors, tmp_path):
    done = run("train", sensors, "--network", "lstm:1x8:both", "--out", tmp_path / "m")
    assert done.returncode == 0, done.stderr
    model = leadline.load(tmp_path / "m")
    assert (model.spec.cell, model.spec.hidden_size, model.spec.bidirectional) == ("lstm", 8, True)
    assert run("predict", tmp_path / "m", sensors).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["advise", "nowhere.csv"], "nowhere.csv"),
        (["advise", "--no-such-option"], "no-such-option"),
        (["advise", "--budget", "soon"], "90s, 15m or 2h"),
        (["advise", "--causal", "--max-look-ahead", "2"], "one of the two"),
        (["advise", "--start", "lstm:huge"], "lstm:3x256:both"),
        (["advise", "--kind", "forecasting"], "step_regression"),
        (["report", "nowhere"], "leadline advise"),
        (["predict", "nowhere", "nothing.csv"], "run folder"),
        (["advise", "--jobs", "0"], "above 0"),
        (["nonsense"], "nonsense"),
        (["advise", "--budgt", "3m"], "--budget"),
        (["train", "--no-such-option"], "`leadline train --help`"),
        (["explain"], "'run'. Try `leadline explain --help`"),
        (["--no-such-option"], "--no-such-option. Try `leadline --help`"),
    ],
)
def test_errors_are_one_line_with_the_next_move_and_status_1(words, said, tmp_path):
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_no_verb_prints_the_help_and_an_option_the_version():
    bare, version = run(), run("--version")
    assert (bare.returncode, bare.stderr, version.returncode, version.stderr) == (0, "", 0, "")
    assert bare.stdout == run("--help").stdout
    assert bare.stdout.startswith("Usage: leadline [OPTIONS] COMMAND")
    assert version.stdout == f"leadline {metadata.version('leadline')}\n"


def test_ctrl_c_before_there_is_anything_to_say(monkeypatch, sensors):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "load_settled", interrupted)
    done = run("advise", sensors)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "leadline: interrupted; the same command goes on from what is finished.\n"


def test_from_python(tmp_path):
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(int(n), 2)).astype(np.float32) for n in random.integers(3, 9, 80)]
    verdict = leadline.advise(
        inputs,
        [x[:, 0].cumsum() for x in inputs],
        kind="step_regression",
        name="sums",
        max_trials=40,
        max_updates=20,
        jobs=1,
        out=tmp_path / "run",
    )
    assert verdict.data.name == "sums"
    assert verdict.metric == "negative_mean_absolute_error"
    assert verdict.advice.spec is not None
    assert (tmp_path / "run" / "findings.json").exists()
    assert "What each layer has learned" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    again = leadline.load(tmp_path / "run").predict(leadline.from_arrays(inputs[:3], kind="step_regression"))
    assert again.shape == (sum(len(x) for x in inputs[:3]),)


def test_a_second_folder_on_the_same_test_part_is_warned_about(sensors, tmp_path):
    run("advise", sensors, "--out", tmp_path / "one", *QUICK)
    run("advise", sensors, "--out", tmp_path / "two", *QUICK, "--margin", "3")
    warnings = Verdict.from_json((tmp_path / "two" / "verdict.json").read_text()).warnings
    assert any("looked at before, by one (once)" in warning for warning in warnings)
