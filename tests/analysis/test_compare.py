"""Two networks of a run, from the pairs that it keeps or trained again, held side by side."""

from __future__ import annotations

import html
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import leadline
from leadline import comparing
from leadline.analysis.contrast import Contrast
from leadline.errors import ModelError, OptionError, RunFolderError
from leadline.report.compare_page import steps_of
from leadline.trials.ledger import read_trials


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A study cut behind its first look, when depth has raced."""
    out = tmp_path_factory.mktemp("study") / "run"
    leadline.advise(subset=3000, max_trials=125, max_updates=20, jobs=1, budget=None, out=out, explain=False)
    return out


def pairs(run: Path) -> tuple[str, str]:
    """The one-layer twin and the deep network, which were trained to the end with the same seeds."""
    verdict = verdict_of(run)
    return verdict.twin, verdict.deep


def test_a_step_is_taken_apart(run: Path, tmp_path: Path):
    first, second = pairs(run)
    found = leadline.compare(run, first, second, out=tmp_path)
    assert found.reproduced
    assert (found.first, found.second) == (first, second)
    assert found.gain.value == pytest.approx(found.removed.value - found.added.value)
    by_class = [kind for kind in found.kinds if kind.grouping == "class"]
    assert all(kind.removed.value == pytest.approx(kind.first - kind.second) for kind in by_class)
    for one in found.fixed:
        assert one.second == one.target
        assert one.first != one.target
    for one in found.broken:
        assert one.first == one.target
        assert one.second != one.target
    assert found.sentences
    assert first in (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert Contrast.from_json((tmp_path / comparing.CONTRAST).read_text(encoding="utf-8")) == found


def test_a_comparison_that_is_written_elsewhere_writes_nothing_into_the_run(run: Path, tmp_path: Path):
    def contents() -> dict[Path, tuple[bytes, int]]:
        files = [run, *run.rglob("*")]
        return {p: (p.read_bytes() if p.is_file() else b"", p.stat().st_mtime_ns) for p in files}

    before = contents()
    first, second = pairs(run)
    leadline.compare(run, first, second, seeds=1, out=tmp_path / "elsewhere")
    assert contents() == before


def test_networks_trained_again_are_those_that_were_kept(run: Path, tmp_path: Path):
    first, second = pairs(run)
    kept = leadline.compare(run, first, second)
    assert kept.trained_again == 0
    assert len(kept.seeds) >= comparing.SEEDS
    for name in ("ledger.sqlite", "verdict.json"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    again = leadline.compare(tmp_path, first, second, seeds=1)
    assert (again.trained_again, again.reproduced, len(again.seeds)) == (2, True, 1)
    pair = next(pair for pair in comparing._pairs(read_trials(run), verdict_of(run), (first, second)) if pair.kept(run))
    models, _ = comparing._models([pair], run, leadline.load_data(subset=3000), verdict_of(run), (first, second), tell)
    fresh, same = comparing._models(
        [pair], tmp_path, leadline.load_data(subset=3000), verdict_of(run), (first, second), tell
    )
    assert same
    for one, other in zip((*models[0], *models[1]), (*fresh[0], *fresh[1]), strict=True):
        assert all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)


def test_what_a_second_layer_brings_is_looked_into_and_shown_without_torch(run: Path, tmp_path: Path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    verdict = verdict_of(folder)
    steps = comparing.after_study(verdict, leadline.load_data(subset=3000), folder)
    assert [(step.move, step.first, step.second) for step in steps.steps] == [("deeper", verdict.twin, verdict.deep)]
    assert steps_of(verdict, folder) == steps.steps
    code = (
        "import sys; from pathlib import Path; from leadline import cli\n"
        f"cli.report(Path({str(folder)!r}))\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")
    text = html.unescape((folder / "report.html").read_text(encoding="utf-8"))
    assert "What the added layer brought" in text
    assert steps.steps[0].sentences[0] in text


def test_a_budget_has_to_pay_for_it(run: Path):
    verdict = verdict_of(run)
    words = leadline.load_data(subset=3000)
    hurried = verdict.model_copy(update={"budget": verdict.budget.model_copy(update={"minutes": 0.5})})
    assert comparing.after_study(hurried, words, run) is None
    assert not (run / "steps.json").exists()
    assert comparing.after_study(verdict.model_copy(update={"deep": ""}), words, run) is None


def verdict_of(run: Path) -> leadline.Verdict:
    return leadline.Verdict.from_json((run / "verdict.json").read_text(encoding="utf-8"))


def tell(what: str, share: float) -> None:
    return None


def test_the_default_is_depth_at_equal_size(run: Path):
    verdict = verdict_of(run)
    assert comparing._default(verdict) == (verdict.twin, verdict.deep) == pairs(run)
    with pytest.raises(OptionError, match="no deep network and its twin raced"):
        comparing._default(verdict.model_copy(update={"deep": "", "twin": ""}))


def test_a_network_that_is_not_there_is_answered_with_those_that_are(run: Path):
    with pytest.raises(OptionError, match="no network named 'GRU 9 x 9' in this run; expected one of "):
        leadline.compare(run, "GRU 9 x 9", "GRU 1 x 64")


def test_one_network_is_no_pair(run: Path):
    for names in (("GRU 1 x 64", None), (None, "GRU 1 x 64")):
        with pytest.raises(OptionError, match="one network to compare, 'GRU 1 x 64'; expected two names"):
            leadline.compare(run, *names)


def test_no_pair_is_no_comparison(run: Path):
    with pytest.raises(OptionError, match="seeds=0; expected 1 or more pairs"):
        leadline.compare(run, *pairs(run), seeds=0)


def test_networks_that_share_no_seed_are_refused(run: Path):
    verdict = leadline.Verdict.from_json((run / "verdict.json").read_text(encoding="utf-8"))
    first, second = pairs(run)
    spec = {arm.id: arm.spec for arm in verdict.arms}[second]
    trials = [(t, r) for t, r in read_trials(run) if t.spec != spec]
    with pytest.raises(RunFolderError, match="never trained to the end with the same seed"):
        comparing._pairs(trials, verdict, (first, second))


def test_other_data_are_refused(run: Path, tmp_path: Path):
    text = (run / "verdict.json").read_text(encoding="utf-8")
    (tmp_path / "verdict.json").write_text(text.replace('"fingerprint": "', '"fingerprint": "0'), encoding="utf-8")
    (tmp_path / "ledger.sqlite").write_bytes((run / "ledger.sqlite").read_bytes())
    with pytest.raises(ModelError, match="the data have changed since the study"):
        leadline.compare(tmp_path, *pairs(run))


def test_a_folder_without_a_ledger_is_refused(tmp_path: Path):
    with pytest.raises(RunFolderError, match=r"no ledger\.sqlite"):
        read_trials(tmp_path)
