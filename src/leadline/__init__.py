"""Leadline: how deep should a recurrent network be for your sequences, and what has each layer learned?

The names below are the public face; each is loaded when it is first used, so that `leadline --help` and
`leadline report` never import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.analysis.contrast import Contrast
    from leadline.analysis.findings import Findings
    from leadline.api import advise, predict, train
    from leadline.checkpoint import Model, load
    from leadline.comparing import compare
    from leadline.data.arrays import from_arrays
    from leadline.data.frames import read_frame
    from leadline.data.options import ReadOptions
    from leadline.data.read import read
    from leadline.data.sequences import Sequences
    from leadline.errors import LeadlineError
    from leadline.loading import load_data
    from leadline.looking import explain
    from leadline.records.verdict import Verdict
    from leadline.spec import Recipe, StackSpec, with_parameters
    from leadline.stack import Stack

_HOMES = {
    "advise": "api",
    "compare": "comparing",
    "explain": "looking",
    "from_arrays": "data.arrays",
    "load": "checkpoint",
    "load_data": "loading",
    "predict": "api",
    "read": "data.read",
    "read_frame": "data.frames",
    "train": "api",
    "with_parameters": "spec",
    "Contrast": "analysis.contrast",
    "Findings": "analysis.findings",
    "LeadlineError": "errors",
    "Model": "checkpoint",
    "ReadOptions": "data.options",
    "Recipe": "spec",
    "Sequences": "data.sequences",
    "Stack": "stack",
    "StackSpec": "spec",
    "Verdict": "records.verdict",
}

__all__ = [
    "Contrast",
    "Findings",
    "LeadlineError",
    "Model",
    "ReadOptions",
    "Recipe",
    "Sequences",
    "Stack",
    "StackSpec",
    "Verdict",
    "advise",
    "compare",
    "explain",
    "from_arrays",
    "load",
    "load_data",
    "predict",
    "read",
    "read_frame",
    "train",
    "with_parameters",
]


def __getattr__(name: str) -> Any:
    if name == "nn":
        return import_module("leadline.nn")
    if name not in _HOMES:
        raise AttributeError(f"module 'leadline' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"leadline.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
