"""Every benchmark starts: a room that was moved must not leave one behind that nobody runs for months."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
NEEDS = {"jax_scan": "jax"}
"""What a benchmark holds Leadline against and no one else needs."""


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_a_benchmark_can_be_loaded(name: str) -> None:
    if name in NEEDS and importlib.util.find_spec(NEEDS[name]) is None:
        pytest.skip(f"needs {NEEDS[name]}")
    assert importlib.import_module(name).__doc__
