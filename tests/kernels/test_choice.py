"""Which routine runs, and why; what is forced runs or is an error."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from kernel_cases import Case, case

from leadline.errors import KernelError
from leadline.kernels import aten, choose, library, native, reference


@pytest.fixture
def given() -> Case:
    return case("gru", 3, 4, 2, 5)


@pytest.fixture
def nothing_built(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[None]:
    monkeypatch.setattr(library, "path_of", lambda isa: library.Path(str(tmp_path), isa))
    monkeypatch.delenv(library.VARIABLE, raising=False)
    library._widest.cache_clear()
    yield
    library._widest.cache_clear()


def ran(given: Case, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The routines that `choose.unroll` called."""
    calls: list[str] = []
    routines = {
        name: (lambda *args, name=name, routine=routine: (calls.append(name), routine(*args))[1])
        for name, routine in choose.ROUTINES.items()
    }
    monkeypatch.setattr(choose, "ROUTINES", routines)
    choose.unroll(given.cell, given.inputs, given.lengths, given.initial, given.weights, given.reverse)
    return calls


@pytest.mark.usefixtures("compiled")
def test_compiled_kernels_run_by_themselves(given: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(given, monkeypatch) == ["native"]
    assert library.isa() in choose.choose("gru", given.inputs, given.initial, given.weights).reason


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", ["reference", "torch", "native"])
def test_forced(name: str, given: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(choose.VARIABLE, name)
    assert ran(given, monkeypatch) == [name]
    assert choose.choose("gru", given.inputs).reason == "forced by LEADLINE_KERNELS"


def test_an_unknown_routine_is_an_error(given: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(choose.VARIABLE, "fast")
    with pytest.raises(KernelError, match=r"'fast'.*reference, torch, native"):
        choose.choose("gru", given.inputs)


def test_an_unknown_instruction_set_is_an_error(given: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(library.VARIABLE, "v9")
    with pytest.raises(KernelError, match="LEADLINE_ISA='v9'"):
        choose.choose("gru", given.inputs)


@pytest.mark.skipif(platform.machine().lower() not in library.INSTRUCTION_SETS, reason="no kernels for this machine")
@pytest.mark.usefixtures("nothing_built")
def test_without_kernels_torch_runs_and_it_is_said_once(
    given: Case, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert ran(given, monkeypatch) == ["torch"]
    assert ran(given, monkeypatch) == ["torch"]
    assert "not compiled" in choose.choose("gru", given.inputs).reason
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1
    assert "times as long" in said[0]
    assert "C compiler" in said[0]


@pytest.mark.skipif(platform.machine().lower() not in library.INSTRUCTION_SETS, reason="no kernels for this machine")
@pytest.mark.usefixtures("nothing_built")
def test_forcing_kernels_that_are_not_there_is_an_error(given: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(choose.VARIABLE, "native")
    with pytest.raises(KernelError, match=r"not compiled.*C compiler"):
        choose.choose("gru", given.inputs)
    with pytest.raises(KernelError, match="not compiled"):
        native.unroll(given.cell, given.inputs, given.lengths, given.initial, given.weights)
    monkeypatch.setenv(library.VARIABLE, library.INSTRUCTION_SETS[platform.machine().lower()][0])
    with pytest.raises(KernelError, match="LEADLINE_ISA"):
        library.load()


@pytest.mark.usefixtures("compiled")
def test_double_precision_takes_torch(given: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = choose.choose("gru", given.inputs.double(), given.initial, given.weights)
    assert (wide.name, "float32" in wide.reason) == ("torch", True)
    mixed = choose.choose("gru", given.inputs, tuple(state.double() for state in given.initial), given.weights)
    assert mixed.name == "torch"
    monkeypatch.setenv(choose.VARIABLE, "native")
    with pytest.raises(KernelError, match="float32"):
        choose.choose("gru", given.inputs.double())


@pytest.mark.usefixtures("compiled")
def test_a_tensor_subclass_and_another_device_take_torch(given: Case) -> None:
    class Marked(torch.Tensor):
        pass

    assert choose.choose("gru", given.inputs.as_subclass(Marked)).name == "torch"
    assert choose.choose("gru", given.inputs.to("meta")).name == "torch"


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
@pytest.mark.parametrize("sizes", [(0, 4, 2, 5), (3, 0, 2, 5)], ids=["no steps", "no rows"])
def test_nothing_to_compute(cell: str, sizes: tuple[int, int, int, int]) -> None:
    empty = case(cell, *sizes)
    outputs, final = choose.unroll(cell, empty.inputs, empty.lengths, empty.initial, empty.weights)
    assert outputs.shape == (sizes[0], sizes[1], 5)
    assert all(torch.equal(after, before) for after, before in zip(final, empty.initial, strict=True))


@pytest.mark.usefixtures("compiled")
def test_a_cell_without_a_kernel_takes_the_plain_loop(given: Case) -> None:
    assert choose.choose("mingru", given.inputs).name == "reference"


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_sizes_that_do_not_fit_are_errors(cell: str) -> None:
    right = case(cell, 3, 4, 2, 5)
    weights = list(right.weights)
    wrong = [
        (right.inputs[..., :1], right.lengths, right.initial, right.weights),
        (right.inputs, right.lengths[:3], right.initial, right.weights),
        (right.inputs, right.lengths.int(), right.initial, right.weights),
        (right.inputs, right.lengths, tuple(state[:3] for state in right.initial), right.weights),
        (right.inputs, right.lengths, right.initial, (*weights[:3], weights[3][:-1])),
        (right.inputs, right.lengths, right.initial, (weights[0][:-1], *weights[1:])),
        (right.inputs[0], right.lengths, right.initial, right.weights),
        (right.inputs, right.lengths, (), right.weights),
    ]
    for arguments in wrong:
        with pytest.raises(KernelError, match="expected inputs"):
            native.unroll(cell, *arguments)


@pytest.mark.usefixtures("compiled")
def test_lengths_beyond_the_batch_mean_all_of_it(given: Case) -> None:
    lengths = torch.tensor([7, -2, 3, 99])
    ours = native.unroll("gru", given.inputs, lengths, given.initial, given.weights)
    right = reference.unroll("gru", given.inputs, lengths, given.initial, given.weights)
    torch.testing.assert_close(ours, right)
    assert torch.equal(ours[0][:, 0], native.unroll("gru", given.inputs, lengths.clamp(0, 3), *_rest(given))[0][:, 0])


def _rest(given: Case) -> tuple[object, object]:
    return given.initial, given.weights


def test_every_instruction_set_can_be_forced(isa: str, given: Case) -> None:
    assert library.isa() == isa
    assert isa in choose.choose("gru", given.inputs).reason


def test_torchs_loops_agree_with_the_plain_one(given: Case) -> None:
    ours = aten.unroll("gru", given.inputs, given.lengths, given.initial, given.weights)
    right = reference.unroll("gru", given.inputs, given.lengths, given.initial, given.weights)
    torch.testing.assert_close(ours, right)


def test_the_routine_of_a_study_names_its_instruction_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADLINE_KERNELS", "torch")
    assert choose.routine() == "torch"
    monkeypatch.delenv("LEADLINE_KERNELS")
    missing = isinstance(library.load(), library.Missing)
    assert choose.routine() == ("torch" if missing else f"native {library.isa()}")


def test_another_build_of_the_kernels_is_another_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A run folder that was begun with other kernels is not continued: their bits differ."""
    if isinstance(library.load(), library.Missing):
        pytest.skip("the kernels are not compiled")
    mine = choose.build()
    assert mine.startswith(f"{choose.routine()} ")
    assert choose.build() == mine
    other = tmp_path / "other.so"
    other.write_bytes(library.path_of(library.isa()).read_bytes() + b"\0")
    monkeypatch.setattr(library, "path_of", lambda isa: other)
    assert choose.build() != mine
    monkeypatch.setenv("LEADLINE_KERNELS", "torch")
    assert choose.build() == "torch"
