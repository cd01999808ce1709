"""One thread, and no forced routine, whatever the shell says."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import pytest
import torch
from kernel_cases import built

from leadline.kernels import library


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LEADLINE_KERNELS", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(params=library.INSTRUCTION_SETS.get(platform.machine().lower(), ("none",)))
def isa(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every instruction set that can run here, forced."""
    if not built(request.param):
        pytest.skip(f"no {request.param} kernels here")
    monkeypatch.setenv(library.VARIABLE, request.param)
    return str(request.param)


@pytest.fixture
def compiled() -> None:
    """Skips where nothing was compiled."""
    if isinstance(library.load(), library.Missing):
        pytest.skip("no compiled kernels here")
