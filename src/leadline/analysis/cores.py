"""One thread in every library call: the products of a probe are too small for two.

A product of 64 columns is done before a second thread has woken up: with two, looking into a network took a third
longer. And sums on one thread do not hang on the number of cores.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def one_thread_a_call() -> Iterator[None]:
    """NumPy, SciPy and torch on one thread in every call; as a decorator, while the function runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)
