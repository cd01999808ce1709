"""Where no number may be looked at: captured graphs, and tensors that have a shape and no numbers."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor

# torch.compiler.is_exporting is younger than the oldest torch that Leadline runs with; an export compiles, too.
_exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)


def capturing() -> bool:
    """Whether `torch.compile`, `torch.export` or `torch.jit.trace` writes down what is computed."""
    return torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None


def blind(tensor: Tensor) -> bool:
    """Whether nothing may depend on the numbers of a tensor: it has none (`device="meta"`, `FakeTensorMode`), or others
    take their place later (`torch.export`, `torch.jit.trace`). `torch.compile` may look: it breaks its graph there.
    """
    if torch._C._get_tracing_state() is not None or _exporting():
        return True
    return tensor.is_meta or isinstance(tensor, FakeTensor)
