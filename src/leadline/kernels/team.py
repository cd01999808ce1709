"""Compiled calls side by side, on the threads that torch itself has.

torch's OpenMP threads stay awake for some milliseconds after each of its operations. Threads of our own would have to
share the cores with them and be woken themselves: on a virtual machine up to four milliseconds, which is as long as a
pass of 128 units takes.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import cast

import torch

from leadline.kernels import library

_parent = os.getpid()  # a team that was there before a fork waits in the child for threads that are not


class _Round(ctypes.Structure):
    """`leadline_round` of csrc/leadline.h."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("function", "calls", "statuses")),
        *((name, ctypes.c_int64) for name in ("count", "next")),
    )


def there() -> bool:
    """Whether torch has such threads: it was built with OpenMP, and this is no fork of another process."""
    return _start() is not None and os.getpid() == _parent


def entry() -> int | None:
    """The address of OpenMP's entry, for compiled code that shares out its own calls; None for one thread."""
    if torch.get_num_threads() < 2 or not there():
        return None
    return ctypes.cast(_start(), ctypes.c_void_p).value  # type: ignore[arg-type]


def run(function: Callable[[object], int], calls: Sequence[ctypes.Structure]) -> list[int]:
    """The statuses of `function` for each of `calls`; where there are fewer threads than calls, some run in turn."""
    start = _start()
    assert start is not None
    addresses = (ctypes.c_void_p * len(calls))(*map(ctypes.addressof, calls))
    statuses = (ctypes.c_int * len(calls))()
    pointer = ctypes.cast(function, ctypes.c_void_p)  # type: ignore[arg-type]
    work = _Round(pointer, ctypes.addressof(addresses), ctypes.addressof(statuses), len(calls), 0)
    start(library.functions().leadline_share, ctypes.byref(work), torch.get_num_threads(), 0)
    return list(statuses)


@cache
def _start() -> Callable[..., None] | None:
    """OpenMP's own entry, from whichever OpenMP library this torch has loaded."""
    for name in ("libtorch_cpu.so", "libtorch_cpu.dylib"):
        path = Path(torch.__file__).with_name("lib") / name
        if path.exists() and hasattr(loaded := ctypes.CDLL(str(path)), "GOMP_parallel"):
            start = loaded.GOMP_parallel
            start.restype, start.argtypes = None, (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
            return cast(Callable[..., None], start)
    return None
