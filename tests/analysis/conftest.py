"""Users' modules draw their weights from torch's global generator: the same ones in any order of tests."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)
