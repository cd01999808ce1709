"""Library calls on one thread while an analysis runs, and as before afterwards."""

from __future__ import annotations

import numpy as np  # noqa: F401  its BLAS is what is limited
import torch
from threadpoolctl import threadpool_info

from leadline.analysis.cores import one_thread_a_call


def threads() -> list[int]:
    return [
        torch.get_num_threads(),
        *(found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"),
    ]


def test_one_thread_inside_and_what_it_was_outside() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    outside = threads()
    try:
        with one_thread_a_call():
            assert set(threads()) == {1}
        assert threads() == outside
    finally:
        torch.set_num_threads(before)
