"""Memory for what a forward pass keeps, used again by later passes.

A training step of a large layer keeps tens of megabytes and lets go of them at its end. Memory that comes from the
system afresh every time costs a page fault for every four kilobytes, which may take longer than the pass itself.
"""

from __future__ import annotations

import contextlib
import mmap
import weakref
from collections import deque

import numpy as np
import torch
from torch import Tensor

LEAST = 4 << 20
"""Bytes from which on memory is kept for later; below, the C library does so itself."""
MOST_KEPT = 256 << 20
"""Bytes that may wait for a later pass: what two layers of 512 units that read both ways keep for a hundred steps."""
SLACK = 1.25
"""How much larger than asked for a piece may be. Lengths, and so sizes, differ from batch to batch."""

_spare: deque[mmap.mmap] = deque()
# Every operation on it is atomic: pieces come back whenever an array dies, in any thread.


def floats(count: int) -> Tensor:
    """A tensor of `count` float32 with arbitrary values. Its memory is kept for later when the last view of it dies."""
    size = 4 * count
    small = size < LEAST or not hasattr(mmap, "MAP_ANONYMOUS")
    piece = None if small else _fitting(size) or _piece(size)
    if piece is None:
        return torch.empty(count, dtype=torch.float32, device="cpu")
    array = np.frombuffer(piece, np.float32, count)
    weakref.finalize(array, _keep, piece).atexit = False
    return torch.from_numpy(array)


def waiting() -> int:
    """Bytes that wait for a later pass."""
    return sum(map(len, tuple(_spare)))


def _fitting(size: int) -> mmap.mmap | None:
    for _ in range(len(_spare)):
        try:
            piece = _spare.pop()
        except IndexError:
            return None
        if size <= len(piece) <= SLACK * size:
            return piece
        _spare.appendleft(piece)
    return None


def _piece(size: int) -> mmap.mmap | None:
    """Private, so that a forked process has its own; in huge pages where the system has them. None where it has no
    memory left: torch then says so."""
    try:
        piece = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        return None
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them
            piece.madvise(mmap.MADV_HUGEPAGE)
    return piece


def _keep(piece: mmap.mmap) -> None:
    if len(piece) > MOST_KEPT:
        return
    _spare.append(piece)
    while waiting() > MOST_KEPT:
        try:
            _spare.popleft()
        except IndexError:
            return
