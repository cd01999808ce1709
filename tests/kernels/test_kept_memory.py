"""Memory that waits for the next pass is taken again, and by nobody while it is in use."""

from __future__ import annotations

import gc
import mmap
import os
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from kernel_cases import case, names, run
from torch import Tensor

from leadline.kernels import memory, native

PAGE = 4096


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(memory, "LEAST", 4)
    memory._spare.clear()
    yield
    memory._spare.clear()


def dirty() -> None:
    """Fill what waits with NaN."""
    for piece in memory._spare:
        np.frombuffer(piece, np.uint8)[:] = 0xFF


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("shape", [(7, 5, 3, 21), (1, 1, 1, 1), (30, 33, 8, 40)])
def test_memory_used_before_changes_no_bit(cell: str, shape: tuple[int, int, int, int]) -> None:
    given = case(cell, *shape, seed=4)
    fresh = run(native.unroll, given)
    assert memory.waiting() > 0
    dirty()
    again = run(native.unroll, given)
    for name, ours, right in zip(names(cell), again, fresh, strict=True):
        assert torch.equal(ours, right), name


@pytest.mark.usefixtures("compiled")
def test_a_step_takes_what_the_one_before_left() -> None:
    given = case("gru", 30, 33, 8, 40, ragged=False)
    run(native.unroll, given)
    pieces = {id(piece) for piece in memory._spare}
    for _ in range(3):
        run(native.unroll, given)
    assert {id(piece) for piece in memory._spare} == pieces
    assert len(pieces) == 1


@pytest.mark.usefixtures("compiled")
def test_passes_that_wait_for_their_gradients_share_nothing() -> None:
    """Three forward passes, then their backward passes, one of them twice."""
    cases = [case("lstm", 12, 9, 5, 33, ragged=False, seed=seed) for seed in range(3)]
    right = [run(native.unroll, given) for given in cases]
    losses, weights = [], []
    for given in cases:
        own = [weight.clone().requires_grad_() for weight in given.weights]
        outputs, states = native.unroll("lstm", given.inputs, given.lengths, given.initial, tuple(own))  # type: ignore[arg-type]
        pairs = zip((outputs, *states), given.d_results, strict=True)
        losses.append(sum((result * gradient).sum() for result, gradient in pairs))
        weights.append(own)
    for place in (2, 0, 1, 0):
        loss = losses[place]
        assert isinstance(loss, Tensor)
        found = torch.autograd.grad(loss, weights[place], retain_graph=place == 0)
        for ours, expected in zip(found, right[place][-4:], strict=True):
            assert torch.equal(ours, expected)


def test_a_piece_is_free_when_its_last_view_dies() -> None:
    tensor = memory.floats(PAGE)
    view = tensor[5:9].view(2, 2)
    del tensor
    gc.collect()
    assert memory.waiting() == 0
    view.fill_(3.0)
    del view
    gc.collect()
    assert memory.waiting() == 4 * PAGE


def test_no_piece_is_much_larger_than_asked_for() -> None:
    del_me = [memory.floats(count * PAGE) for count in (1, 2, 4)]
    del_me.clear()
    gc.collect()
    assert len(memory._spare) == 3
    taken = memory.floats(4 * PAGE - 9)
    assert len(memory._spare) == 2
    other = memory.floats(3 * PAGE)
    assert len(memory._spare) == 2
    assert len(taken) == 4 * PAGE - 9
    assert len(other) == 3 * PAGE


def test_no_more_waits_than_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_KEPT", 9 * 4 * PAGE)
    held = [memory.floats(2 * PAGE) for _ in range(6)]
    held.clear()
    gc.collect()
    assert memory.waiting() == 4 * 2 * 4 * PAGE


def test_a_piece_beyond_all_that_may_wait_goes_back_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_KEPT", 9 * 4 * PAGE)
    waits, huge = memory.floats(2 * PAGE), memory.floats(10 * PAGE)
    del waits, huge
    gc.collect()
    assert memory.waiting() == 2 * 4 * PAGE


def test_no_memory_left_is_torchs_error() -> None:
    with pytest.raises(RuntimeError, match="memory"):
        memory.floats(1 << 44)


def test_a_refused_hint_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain(mmap.mmap):
        def madvise(self, *arguments: object) -> None:
            raise OSError(22, "Invalid argument")

    monkeypatch.setattr(memory.mmap, "mmap", Plain)
    tensor = memory.floats(PAGE)
    tensor.fill_(2.0)
    assert tensor.sum() == 2 * PAGE
    del tensor
    gc.collect()
    assert isinstance(memory._spare[0], Plain)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_has_its_own() -> None:
    tensor = memory.floats(PAGE)
    del tensor
    gc.collect()
    kept = memory.floats(PAGE)
    kept.fill_(1.0)
    child = os.fork()
    if child == 0:
        kept.fill_(2.0)
        os._exit(0)
    os.waitpid(child, 0)
    assert (kept == 1).all()
