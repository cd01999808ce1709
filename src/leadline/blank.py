"""Torch's modules before their first weights, so that these come from a seed and not from the global generator."""

from __future__ import annotations

from typing import Any, TypeVar

from torch import nn

M = TypeVar("M", bound=nn.Module)


def blank(kind: type[M], *arguments: Any, **options: Any) -> M:
    """`kind(*arguments, **options)` whose parameters hold no values yet.

    `torch.nn.utils.skip_init` does the same by way of the meta device, and imports a computer algebra system for it:
    two seconds at the start of every process.

    Args:
        kind: a module class that draws its first weights in `reset_parameters`, as torch's do.

    >>> layer = blank(nn.Linear, 3, 2)
    >>> type(layer) is nn.Linear, tuple(layer.weight.shape)
    (True, (2, 3))
    """
    undrawn = type(kind.__name__, (kind,), {"reset_parameters": lambda self: None})
    module: M = undrawn(*arguments, **options)
    module.__class__ = kind
    return module
