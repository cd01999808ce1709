"""Two networks of a run, trained again from the ledger and held side by side."""

from __future__ import annotations

import contextlib
from itertools import combinations
from pathlib import Path

import pytest

import leadline
from leadline import comparing
from leadline.analysis.contrast import Contrast
from leadline.errors import ModelError, OptionError, RunFolderError
from leadline.study.ledger import read_trials


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A study cut after its first pairs."""
    out = tmp_path_factory.mktemp("study") / "run"
    leadline.advise(subset=3000, max_trials=40, max_updates=20, jobs=1, budget=None, out=out, explain=False)
    return out


def pairs(run: Path) -> tuple[str, str]:
    """Two networks that were trained to the end with the same seed."""
    verdict = leadline.Verdict.from_json((run / "verdict.json").read_text(encoding="utf-8"))
    trials = read_trials(run)
    for first, second in combinations([arm.name for arm in verdict.arms], 2):
        with contextlib.suppress(RunFolderError):
            comparing._pair(trials, verdict, (first, second))
            return first, second
    pytest.fail("the study trained no two networks with one seed")


def test_a_step_is_taken_apart(run: Path, tmp_path: Path):
    first, second = pairs(run)
    found = leadline.compare(run, first, second, out=tmp_path)
    assert found.reproduced
    assert (found.first, found.second) == (first, second)
    assert found.gain.value == pytest.approx(found.removed.value - found.added.value)
    by_class = [kind for kind in found.kinds if kind.grouping == "class"]
    assert all(kind.removed.value == pytest.approx(kind.below - kind.here) for kind in by_class)
    for one in found.fixed:
        assert one.second == one.target
        assert one.first != one.target
    for one in found.broken:
        assert one.first == one.target
        assert one.second != one.target
    assert found.sentences
    assert Contrast.from_json((tmp_path / comparing.CONTRAST).read_text(encoding="utf-8")) == found


def test_the_default_needs_no_names(run: Path):
    verdict = leadline.Verdict.from_json((run / "verdict.json").read_text(encoding="utf-8"))
    first, second = pairs(run)
    taken = verdict.model_copy(update={"path": ("deeper",), "incumbents": (first, second)})
    assert comparing._default(taken) == (first, second)
    with pytest.raises(OptionError, match="no step to compare"):
        comparing._default(verdict.model_copy(update={"path": (), "incumbents": (first,)}))


def test_a_network_that_is_not_there_is_answered_with_those_that_are(run: Path):
    with pytest.raises(OptionError, match="no network named 'GRU 9 x 9' in this run; expected one of GRU 1 x 64"):
        leadline.compare(run, "GRU 9 x 9", "GRU 1 x 64")


def test_one_network_is_no_pair(run: Path):
    for names in (("GRU 1 x 64", None), (None, "GRU 1 x 64")):
        with pytest.raises(OptionError, match="one network to compare, 'GRU 1 x 64'; expected two names"):
            leadline.compare(run, *names)


def test_networks_that_share_no_seed_are_refused(run: Path):
    verdict = leadline.Verdict.from_json((run / "verdict.json").read_text(encoding="utf-8"))
    first, second = pairs(run)
    spec = {arm.name: arm.spec for arm in verdict.arms}[second]
    trials = [(t, r) for t, r in read_trials(run) if t.spec != spec]
    with pytest.raises(RunFolderError, match="never trained to the end with the same seed"):
        comparing._pair(trials, verdict, (first, second))


def test_other_data_are_refused(run: Path, tmp_path: Path):
    text = (run / "verdict.json").read_text(encoding="utf-8")
    (tmp_path / "verdict.json").write_text(text.replace('"fingerprint": "', '"fingerprint": "0'), encoding="utf-8")
    (tmp_path / "ledger.sqlite").write_bytes((run / "ledger.sqlite").read_bytes())
    with pytest.raises(ModelError, match="the data have changed since the study"):
        leadline.compare(tmp_path, *pairs(run))


def test_a_folder_without_a_ledger_is_refused(tmp_path: Path):
    with pytest.raises(RunFolderError, match=r"no ledger\.sqlite"):
        read_trials(tmp_path)
