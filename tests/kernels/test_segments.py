"""Segments that are computed once more: the same bits, less memory; and Ctrl-C during a long call."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from kernel_cases import Case, case, names, run
from torch import Tensor

from leadline.errors import KernelError
from leadline.kernels import choose, graph, library, long_call, native, passes

CELLS = ("tanh", "gru", "lstm")


def in_segments(steps: int) -> choose.Routine:
    """`native.unroll` with segments of so many steps."""
    return lambda *arguments: native.unroll(*arguments, segment=steps)


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("ragged", [False, True], ids=["even", "ragged"])
def test_segments_give_the_same_bits(cell: str, reverse: bool, ragged: bool) -> None:
    given = case(cell, 23, 19, 6, 21, reverse=reverse, ragged=ragged, seed=5)
    whole = run(native.unroll, given)
    for steps in (1, 5, 23, 100):
        found = run(in_segments(steps), given)
        for name, ours, right in zip(names(cell), found, whole, strict=True):
            assert torch.equal(ours, right), f"{name} in segments of {steps}"


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize(("cell", "kept"), [("tanh", 0), ("gru", 0), ("lstm", 1)])
def test_what_segments_keep(cell: str, kept: int) -> None:
    """Beside the outputs: nothing, or one state for every segment."""
    found: list[Tensor] = []
    given = case(cell, 20, 16, 8, 32)
    weights = tuple(weight.requires_grad_() for weight in given.weights)

    def pack(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        native.unroll(cell, given.inputs, given.lengths, given.initial, weights, segment=5)  # type: ignore[arg-type]
    owned = [given.inputs, *given.initial, *weights]
    extra = [t for t in found if not any(t.data_ptr() == mine.data_ptr() for mine in owned)]
    floats = sum(tensor.numel() for tensor in extra if tensor.is_floating_point())
    assert floats == 20 * 16 * 32 + kept * 4 * 16 * 32


def test_segments_are_chosen_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(choose.SEGMENT_VARIABLE, raising=False)
    assert choose.segment("gru", 100, 64, 128) == 0
    assert choose.segment("gru", 100_000, 32, 128) == 317
    assert choose.segment("tanh", 100_000, 32, 128) == 0
    edge = choose.SAVED_BYTES // (4 * 6 * 32 * 128)
    assert (choose.segment("lstm", edge, 32, 128), choose.segment("lstm", edge + 1, 32, 128)) == (0, 105)
    monkeypatch.setenv(choose.SEGMENT_VARIABLE, "7")
    assert choose.segment("gru", 100, 4, 8) == 7
    monkeypatch.setenv(choose.SEGMENT_VARIABLE, "0")
    assert choose.segment("gru", 100_000, 32, 128) == 0
    for wrong in ("-1", "many", "1.5"):
        monkeypatch.setenv(choose.SEGMENT_VARIABLE, wrong)
        with pytest.raises(KernelError, match=r"LEADLINE_SEGMENT.*a number of steps"):
            choose.segment("gru", 100, 4, 8)


@pytest.mark.usefixtures("compiled")
def test_forced_segments_reach_the_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    right = native.run

    def noted(*arguments: object, segment: int = 0) -> object:
        asked.append(segment)
        return right(*arguments, segment=segment)  # type: ignore[arg-type]

    given: Case = case("gru", 12, 4, 3, 5)
    whole = run(choose.unroll, given)
    monkeypatch.setattr(native, "run", noted)
    monkeypatch.setenv(choose.SEGMENT_VARIABLE, "4")
    found = run(choose.unroll, given)
    assert asked == [4]
    assert all(torch.equal(a, b) for a, b in zip(found, whole, strict=True))


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("steps", [0, 100])
@pytest.mark.parametrize("cell", CELLS)
def test_a_long_call_gives_the_same_bits(cell: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = case(cell, 30, 9, 6, 21, seed=6)
    plain = run(in_segments(steps), given)
    calls: list[bool] = []
    right = long_call.heard

    def noted(*arguments: object) -> list[int]:
        calls.append(True)
        return right(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(long_call, "OPERATIONS", 0)
    monkeypatch.setattr(long_call, "heard", noted)
    found = run(in_segments(steps), given)
    assert len(calls) == 2
    assert all(torch.equal(a, b) for a, b in zip(found, plain, strict=True))


@pytest.mark.usefixtures("compiled", "hears_interrupts")
def test_ctrl_c_ends_a_long_call() -> None:
    """The call alone would take half a minute; it ends because it is told to, and its thread with it."""
    seq = 30_000
    inputs = torch.zeros(seq, 64, 8)
    weights = tuple(w.detach() for w in torch.nn.GRU(8, 256).parameters())
    interrupt = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            native.unroll("gru", inputs, torch.full((64,), seq), (torch.zeros(64, 256),), weights)  # type: ignore[arg-type]
    finally:
        interrupt.cancel()
        interrupt.join()
    assert not [thread for thread in threading.enumerate() if thread.name == "leadline-call" and thread.is_alive()]


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("steps", [0, 4])
@pytest.mark.parametrize("cell", CELLS)
def test_a_stopped_pass_says_so(cell: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = case(cell, 12, 4, 3, 5)
    leaves = [weight.requires_grad_() for weight in given.weights]
    outputs, _ = native.unroll(cell, given.inputs, given.lengths, given.initial, tuple(leaves), segment=steps)  # type: ignore[arg-type]

    def stopped(calls: list[Callable[[], int]], stop: ctypes.c_int64) -> list[int]:
        stop.value = 1
        return [call() for call in calls]

    monkeypatch.setattr(long_call, "OPERATIONS", 0)
    monkeypatch.setattr(long_call, "heard", stopped)
    with pytest.raises(KernelError, match="kernel status 3"):
        outputs.sum().backward()
    with pytest.raises(KernelError, match="kernel status 3"):
        native.unroll(cell, given.inputs, given.lengths, given.initial, given.weights, segment=steps)


@pytest.mark.usefixtures("compiled")
def test_memory_that_is_kept_makes_a_call_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small layer over millions of steps computes little and writes much, to pages that nobody has touched."""
    given = case("gru", 30, 9, 6, 21, seed=6)
    work: list[float] = []
    monkeypatch.setattr(passes, "answer", lambda function, calls, operations: work.append(operations))
    with torch.no_grad():
        native.unroll("gru", given.inputs, given.lengths, given.initial, given.weights)
    native.unroll("gru", given.inputs.requires_grad_(), given.lengths, given.initial, given.weights)
    kept = library.functions().leadline_saved(passes.CELLS["gru"], 21, int(given.lengths.sum()))
    assert work[1] - work[0] == graph.FRESH * kept > 0


def test_statuses_come_back_in_order() -> None:
    assert long_call.heard([lambda: 5, lambda: 7], ctypes.c_int64()) == [5, 7]


@pytest.mark.usefixtures("hears_interrupts")
def test_the_wait_itself_answers_an_interrupt() -> None:
    stop = ctypes.c_int64()
    latest = time.monotonic() + 60

    def busy() -> int:
        while not stop.value and time.monotonic() < latest:
            time.sleep(0.01)
        return 3

    interrupt = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        long_call.heard([busy, busy], stop)
    interrupt.join()
    assert stop.value == 1


def test_a_thread_that_cannot_start_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, latest = ctypes.c_int64(), time.monotonic() + 60
    started: list[threading.Thread] = []

    class Scarce(threading.Thread):
        def start(self) -> None:
            if started:
                raise RuntimeError("can't start new thread")
            started.append(self)
            super().start()

    def busy() -> int:
        while not stop.value and time.monotonic() < latest:
            time.sleep(0.01)
        return 3

    monkeypatch.setattr(long_call, "threading", SimpleNamespace(Thread=Scarce, Event=threading.Event))
    with pytest.raises(RuntimeError, match="can't start"):
        long_call.heard([busy, busy], stop)
    assert stop.value == 1
    started[0].join(60)
    assert not started[0].is_alive()


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_a_call_that_is_left_behind_keeps_its_memory(backward: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two interrupts, the second in the wait for the call's end, leave while it still writes."""
    alive: list[weakref.ref[Tensor]] = []
    began, end, threads = threading.Event(), threading.Event(), []

    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            began.wait(60)
            raise KeyboardInterrupt

    class Noted(threading.Thread):
        def start(self) -> None:
            threads.append(self)
            super().start()

    def prepare() -> list[passes._Call]:
        told, given = passes.Told("lstm", reverse=False, segment=0), case("lstm", 7, 3, 4, 5)
        tensors = passes.tensors("lstm", given.inputs, given.initial, given.weights)  # type: ignore[arg-type]
        outputs = given.inputs.new_empty(7, 3, 5)
        plan = passes.plan(library.functions(), 7, given.lengths)
        call, ends, saved = passes.prepare_forward(library.functions(), told, plan, tensors, True, outputs)
        used = [*tensors, outputs, *ends, plan.numbers, saved]
        if backward:
            gradients = [outputs.clone(), *map(torch.clone, given.initial)]
            call, found = passes.prepare_backward(told, plan, [True] * 7, tensors, outputs, saved, gradients)
            used = [*tensors, outputs, plan.numbers, saved, *gradients, *found]
        alive.extend(weakref.ref(tensor) for tensor in used if tensor is not None)
        return [call]

    def busy(pointer: object) -> int:
        began.set()
        end.wait(60)
        return 0

    monkeypatch.setattr(long_call, "OPERATIONS", 0)
    monkeypatch.setattr(long_call, "threading", SimpleNamespace(Thread=Noted, Event=Interrupted))
    with pytest.raises(KeyboardInterrupt):
        passes.answer(busy, prepare(), 1.0)
    gc.collect()
    held = [reference() is not None for reference in alive]
    end.set()
    threads.pop().join()
    gc.collect()
    assert len(held) >= 11
    assert all(held)
    assert not any(reference() is not None for reference in alive)
