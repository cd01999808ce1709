"""`leadline bench`: what it says and in which form; nothing about how fast anything is."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from leadline.bench import layers, meter, run
from leadline.bench.layers import Layers
from leadline.cli import main
from leadline.errors import KernelError, OptionError
from leadline.kernels import library

SMALL = (Layers("gru", 3, 4, 2, 5), Layers("lstm", 3, 4, 2, 5, layers=0), Layers("tanh", 3, 4, 2, 5, 2, True))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small shapes and a few updates, where there are compiled kernels."""
    if isinstance(library.load(), library.Missing):
        pytest.skip("no compiled kernels here")
    monkeypatch.delenv("LEADLINE_KERNELS", raising=False)
    monkeypatch.setattr(run, "TASKS", SMALL)
    monkeypatch.setattr(run, "NETWORKS", (run.Shape(4),))
    monkeypatch.setattr(run, "UPDATES", 2)


def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Exit status and standard output, or standard error where there is none."""
    monkeypatch.setattr(sys, "argv", ["leadline", "bench", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out or said.err


@pytest.mark.usefixtures("quick")
def test_all_rows_are_there_and_consistent() -> None:
    told: list[tuple[str, float]] = []
    found = run.bench(0.01, lambda what, share: told.append((what, share)))
    assert found.complete
    assert [(row.cell, row.layers, row.bidirectional) for row in found.kernels] == [
        (task.cell, task.layers, task.bidirectional) for task in SMALL
    ]
    for row in found.kernels:
        assert row.repeats >= layers.LEAST
        assert 0 < row.kernel_ms <= row.native_ms
        assert row.ratio == pytest.approx(row.torch_ms / row.native_ms, abs=0.01)
    assert [(row.hidden, row.torch_form in ("packed", "padded")) for row in found.networks] == [(4, True)]
    assert found.peak_gflops > 0
    assert found.facts["routine"] == "native"
    assert library.isa() in found.facts["reason"]
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.usefixtures("quick")
def test_the_command_prints_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, said = command(capsys, monkeypatch, "--seconds", "0.01", "--json")
    found = json.loads(said)
    assert status == 0
    assert found["schema"] == "leadline.bench/1"
    assert [len(found[name]) for name in ("kernels", "networks")] == [3, 1]
    assert {"cell", "ratio", "kernel_gflops"} <= set(found["kernels"][0])


@pytest.mark.usefixtures("quick")
def test_the_command_prints_tables(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, said = command(capsys, monkeypatch, "--seconds", "0.01")
    assert status == 0
    lines = said.splitlines()
    assert lines[0].startswith("native: compiled kernel for gru")
    assert sum(line.endswith("unequal lengths") for line in lines) == 1
    assert any(line.startswith("gru:1x4") and "updates/s" in line for line in lines)


@pytest.mark.usefixtures("quick")
def test_ctrl_c_leaves_what_was_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = iter([layers.measure])

    def measure(*arguments: object) -> layers.Row:
        following = next(rows, None)
        if following is None:
            raise KeyboardInterrupt
        return following(*arguments)  # type: ignore[arg-type]

    threads, functions = torch.get_num_threads(), library.functions
    monkeypatch.setattr(layers, "measure", measure)
    status, said = command(capsys, monkeypatch, "--seconds", "0.01", "--json")
    found = json.loads(said)
    assert status == 2
    assert (found["complete"], len(found["kernels"]), found["networks"]) == (False, 1, [])
    assert (torch.get_num_threads(), library.functions) == (threads, functions)


def test_where_nothing_compiled_runs_it_says_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEADLINE_KERNELS", "torch")
    status, said = command(capsys, monkeypatch)
    assert status == 1
    assert "torch would run (forced by LEADLINE_KERNELS)" in said
    with pytest.raises(KernelError, match="do not run here: forced"):
        layers.steps(SMALL[0])


def test_seconds_must_be_positive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEADLINE_KERNELS", raising=False)
    with pytest.raises(OptionError, match=r"seconds = 0\.0.*positive"):
        run.bench(0.0)


@pytest.mark.usefixtures("quick")
def test_wrong_gradients_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    right = layers._stacked

    def wrong(task: Layers) -> tuple[meter.Step, meter.Step]:
        ours, theirs = right(task)
        return lambda: tuple(2 * gradient for gradient in ours()), theirs  # type: ignore[attr-defined]

    monkeypatch.setattr(layers, "_stacked", wrong)
    with pytest.raises(KernelError, match="not torch's"):
        layers.steps(SMALL[0])


def test_sides_take_turns() -> None:
    order: list[str] = []
    sides = {name: (lambda name=name: order.append(name)) for name in ("a", "b")}
    times = meter.in_turns(sides, 0.0, 3, 9, lambda: order.append("-"))
    assert "".join(order) == "ab" + "ab-" * 3
    assert [len(seconds) for seconds in times.values()] == [3, 3]
