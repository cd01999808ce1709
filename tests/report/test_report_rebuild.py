"""The generated torch code runs, has the spec's parameters and computes what the stack computes."""

from __future__ import annotations

import html
import itertools
from dataclasses import replace
from typing import Any

import pytest
import studies
import torch

from leadline.report import page, rebuild
from leadline.spec import StackSpec
from leadline.stack import Stack

BASE = StackSpec(input_size=3, output_size=4, hidden_size=5)
SPECS = [
    replace(BASE, cell=cell, num_layers=layers, **sight, readout=readout, pooling=pooling, dropout=dropout, **extra)
    for (cell, layers, readout), pooling, (dropout, extra), sight in itertools.product(
        [("gru", 1, "linear"), ("lstm", 2, "mlp"), ("tanh", 3, "linear")],
        ["step", "last", "mean", "max"],
        [(0.0, {}), (0.3, {"residual": True, "layer_norm": True}), (0.25, {}), (0.0, {"residual": True})],
        [{"bidirectional": True}, {"look_ahead": 2}, {}],
    )
]


def build(spec: StackSpec) -> torch.nn.Module:
    """Run the generated code."""
    space: dict[str, Any] = {}
    exec(rebuild.code(spec), space)
    network: torch.nn.Module = space["Network"]().eval()
    return network


def copy_weights(network: Any, stack: Stack) -> None:
    """Move the stack's weights into the generated network, name by name."""
    theirs = dict(stack.recurrent.named_parameters())
    layers = network.layers if isinstance(network.layers, torch.nn.ModuleList) else None
    with torch.no_grad():
        for name, weight in theirs.items():
            if name.startswith("norms."):
                network.get_parameter(name).copy_(weight)
            elif layers is None:
                network.layers.get_parameter(name).copy_(weight)
            else:
                head, _, rest = name.rpartition("_l")
                index, _, reverse = rest.partition("_")
                layers[int(index)].get_parameter(f"{head}_l0" + (f"_{reverse}" if reverse else "")).copy_(weight)
        ours = list(network.readout.parameters())
        for target, source in zip(ours, stack.readout.parameters(), strict=True):
            target.copy_(source)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_code_computes_what_the_stack_computes(spec: StackSpec) -> None:
    network, stack = build(spec), Stack(spec, seed=1).eval()
    assert sum(weight.numel() for weight in network.parameters()) == spec.num_parameters
    copy_weights(network, stack)
    lengths = torch.tensor([6, 2, 4])
    inputs = torch.randn(3, 6, 3, generator=torch.Generator().manual_seed(0))
    inputs = inputs * (torch.arange(6) < lengths[:, None])[..., None]
    found, expected = network(inputs, lengths), stack(inputs, lengths)
    if spec.pooling == "step":
        found = found * (torch.arange(6) < lengths[:, None])[..., None]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_page_code_has_the_advised_parameters() -> None:
    advice = studies.letters_to_sounds().advice
    assert advice.spec is not None
    network = build(advice.spec)
    assert sum(weight.numel() for weight in network.parameters()) == advice.spec.num_parameters
    assert rebuild.code(advice.spec) in html.unescape(page.html(studies.letters_to_sounds()))
    lines = rebuild.code(advice.spec).splitlines()
    assert len([line for line in lines if line.startswith("        ")]) <= 10


def test_drawn_dropout_is_in_the_code() -> None:
    verdict = studies.letters_to_sounds()
    assert verdict.advice.spec is not None
    spec = replace(verdict.advice.spec, dropout=0.45)
    advice = verdict.advice.model_copy(update={"spec": spec})
    assert "nn.Dropout(0.45)" in html.unescape(page.html(verdict.model_copy(update={"advice": advice})))
