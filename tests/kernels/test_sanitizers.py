"""The kernels alone, in a C program, under the address and undefined-behaviour sanitisers."""

from __future__ import annotations

import itertools
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from kernel_cases import STATES, built, case, run

from leadline.kernels import library, passes, reference

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src" / "leadline" / "kernels" / "csrc"
SHAPES = ((1, 1, 1, 1), (3, 2, 5, 5), (4, 17, 3, 16), (2, 9, 33, 33), (3, 260, 4, 7), (2, 3, 40, 100))
MARCH = {"v2": "-march=x86-64-v2", "v3": "-march=x86-64-v3", "v4": "-march=x86-64-v4"}


def write_calls(path: Path) -> int:
    """All calls with what the plain loop says in double precision; how many there are."""
    calls = [
        case(cell, *shape, reverse=reverse, seed=seed)
        for cell, (seed, shape), reverse in itertools.product(passes.CELLS, enumerate(SHAPES), (False, True))
    ]
    with path.open("wb") as file:
        for given in calls:
            seq, batch, feature = given.inputs.shape
            head = [passes.CELLS[given.cell], given.reverse, seq, batch, feature, given.weights[1].shape[1], 0, 0]
            file.write(torch.tensor([*head, *given.lengths.tolist()]).numpy().tobytes())
            exact = run(reference.unroll, given, torch.float64)
            arrays = (given.inputs, *given.initial, *given.weights, *given.d_results, *exact)
            assert len(arrays) == 7 + 4 * STATES[given.cell] + 5
            for array in arrays:
                file.write(array.float().contiguous().numpy().tobytes())
    return len(calls)


def build(source: str, isa: str, program: Path) -> None:
    """The driver `source` with the kernels in it, for one instruction set."""
    if not built(isa):
        pytest.skip(f"no {isa} kernels here")
    checks = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O0", "-g"]
    flags = ["-std=c11", "-ffp-contract=off", *checks, *([MARCH[isa]] if isa in MARCH else [])]
    command = ["cc", *flags, f"-I{SOURCES}", str(HERE / source), "-lm", "-o", str(program)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if "cannot find" in made.stderr:
        pytest.skip("the compiler has no sanitisers")
    assert made.returncode == 0, made.stderr


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler"),
    pytest.mark.parametrize("isa", library.INSTRUCTION_SETS.get(platform.machine().lower(), ())),
]


def test_no_step_outside_a_buffer(isa: str, tmp_path: Path) -> None:
    calls, program = tmp_path / "calls", tmp_path / "driver"
    build("sanitize.c", isa, program)
    count = write_calls(calls)
    done = subprocess.run([program, calls], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == f"{count} calls\n"


def test_whole_networks_stay_inside_their_buffers(isa: str, tmp_path: Path) -> None:
    program = tmp_path / "driver"
    build("sanitize_network.c", isa, program)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "192 networks\n"
