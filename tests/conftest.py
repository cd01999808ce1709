"""What tests of several rooms need."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture
def hears_interrupts() -> Iterator[None]:
    """A process that was started in the background ignores SIGINT; here it and what it starts hear it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Modules that tests build draw from torch's global generator: the same weights in any order of tests."""
    torch.manual_seed(0)
