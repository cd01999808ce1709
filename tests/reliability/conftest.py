"""A small finished run folder, made once; tests damage copies of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import leadline
from leadline.analysis.contrast import Steps

QUICK = {"max_trials": 40, "max_updates": 20, "jobs": 1, "budget": None, "explain": False}


@pytest.fixture(scope="session")
def table(tmp_path_factory) -> Path:
    """A long table of 90 sequences whose target is a running sum: networks learn it at once, windows cannot."""
    path = tmp_path_factory.mktemp("data") / "sensors.csv"
    random = np.random.default_rng(0)
    rows = ["id,t,force,angle,target"]
    for i in range(90):
        values = random.normal(size=(int(random.integers(3, 9)), 2))
        reached = values[:, 0].cumsum()
        rows += [
            f"s{i},{t},{v[0]:.3f},{v[1]:.3f},{r:.3f}" for t, (v, r) in enumerate(zip(values, reached, strict=True))
        ]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def finished(table, tmp_path_factory) -> Path:
    """The run folder, with everything that a study can leave in it."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    verdict = leadline.advise(table, out=folder, **QUICK)
    assert verdict.advice.spec is not None, "the tests look into the layers of what is advised"
    leadline.explain(folder, out=folder)
    (folder / "steps.json").write_text(Steps(fingerprint=verdict.data.fingerprint, steps=()).to_json())
    return folder


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(finished, tmp_path / "run"))
