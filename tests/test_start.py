"""What a process pays before it does anything."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import nn

from leadline.blank import blank

WORKER = """
import sys
import numpy as np
import leadline.search.procedure, leadline.trials.trial
from leadline import StackSpec
from leadline.data.datasets.letters import letters
from leadline.data.encode import fit
from leadline.network import stack_network
encoder = fit(words := letters(300), np.arange(len(words)))
stack_network(encoder, StackSpec(8, encoder.output_size, hidden_size=4, pooling="step"), 0)
print([name for name in ("sympy", "scipy.stats", "altair", "jinja2") if name in sys.modules])
"""


def test_blank_modules_draw_nothing() -> None:
    """The global generator stays where it was; the module is torch's own."""
    before = torch.get_rng_state()
    made = [blank(nn.Linear, 3, 2), blank(nn.Conv1d, 3, 4, 2), blank(nn.Embedding, 5, 2), blank(nn.EmbeddingBag, 5, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert [type(module) for module in made] == [nn.Linear, nn.Conv1d, nn.Embedding, nn.EmbeddingBag]
    assert repr(made[0]) == repr(nn.Linear(3, 2))


def test_a_worker_loads_nothing_that_it_never_uses() -> None:
    """An algebra system, distributions and pages cost seconds at the start of every process of a study."""
    found = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "[]"
