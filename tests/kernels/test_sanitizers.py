"""The kernels alone, in a C program, under the address and undefined-behaviour sanitisers."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from drivers import NETWORKS, write_calls
from kernel_cases import built

from leadline.kernels import library

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src" / "leadline" / "kernels" / "csrc"
MARCH = {"v2": "-march=x86-64-v2", "v3": "-march=x86-64-v3", "v4": "-march=x86-64-v4"}


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
    assert done.stdout == NETWORKS
