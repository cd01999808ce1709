"""Calls on torch's own threads: at once, statuses in order, and not in a fork."""

from __future__ import annotations

import ctypes
import os
import threading
import time

import pytest
import torch

from leadline.errors import KernelError
from leadline.kernels import library, passes, team

pytestmark = [
    pytest.mark.usefixtures("compiled"),
    pytest.mark.skipif(not team.there(), reason="this torch has no OpenMP"),
]
Function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class Call(ctypes.Structure):
    _fields_ = (("number", ctypes.c_int64),)


def number_of(address: int) -> int:
    return int(Call.from_address(address).number)


def test_statuses_come_back_in_the_order_of_the_calls() -> None:
    torch.set_num_threads(2)
    assert team.run(Function(number_of), [Call(7), Call(0), Call(3), Call(5), Call(9)]) == [7, 0, 3, 5, 9]


def test_one_thread_takes_the_calls_in_turn() -> None:
    order: list[int] = []
    threads: set[int] = set()

    def noted(address: int) -> int:
        order.append(number_of(address))
        threads.add(threading.get_native_id())
        return 0

    torch.set_num_threads(1)
    assert team.run(Function(noted), [Call(4), Call(2), Call(8)]) == [0, 0, 0]
    assert order == [4, 2, 8]
    assert threads == {threading.get_native_id()}


def test_two_threads_take_two_calls_at_once() -> None:
    """Each waits until the other has begun."""
    begun = [threading.Event(), threading.Event()]

    def met(address: int) -> int:
        place = number_of(address)
        begun[place].set()
        return int(begun[1 - place].wait(30))

    torch.set_num_threads(2)
    assert team.run(Function(met), [Call(0), Call(1)]) == [1, 1]


def test_a_status_that_is_not_0_is_an_error() -> None:
    """No cell has this number."""
    torch.set_num_threads(2)
    calls = [passes._Call(cell=99), passes._Call(cell=99)]
    with pytest.raises(KernelError, match="kernel status 2"):
        passes.answer(library.functions().leadline_forward, calls, 0.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_does_without() -> None:
    """It has none of the threads; torch's own operations would wait for them for ever."""
    torch.set_num_threads(2)
    team.run(Function(number_of), [Call(1), Call(1)])
    child = os.fork()
    if child == 0:
        os._exit(int(team.there()))
    for _ in range(300):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.1)
    assert ended
    assert os.waitstatus_to_exitcode(status) == 0
    assert team.there()
