"""The kernels as they ship, by another compiler (macOS has clang) and for another machine (under emulation)."""

from __future__ import annotations

import ast
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from drivers import NETWORKS, write_calls
from kernel_cases import built

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = ROOT / "src" / "leadline" / "kernels" / "csrc"
HOSTS = ("x86_64", "amd64")
CROSS = ("aarch64-linux-gnu-gcc",)
CLANG = (next((name for name in ("clang-19", "clang-16") if shutil.which(name)), "clang"),)
TARGETS = (
    pytest.param(("gcc",), "v3", id="gcc-v3"),
    pytest.param(("gcc",), "v4", id="gcc-v4"),
    pytest.param(CLANG, "v2", id="clang-v2"),
    pytest.param(CLANG, "v3", id="clang-v3"),
    pytest.param(CLANG, "v4", id="clang-v4"),
    pytest.param(CROSS, "neon", id="gcc-neon"),
    pytest.param((*CLANG, "--target=aarch64-linux-gnu"), "neon", id="clang-neon"),
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.machine().lower() not in HOSTS, reason="written for an x86-64 machine"),
    pytest.mark.parametrize(("compiler", "isa"), TARGETS),
]


def flags() -> list[str]:
    """Those of setup.py."""
    tree = ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))
    values = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]
    found = ast.literal_eval(values["FLAGS"])
    assert "-O3" in found
    return list(found)


def command(compiler: tuple[str, ...], isa: str) -> list[str]:
    """The compiler with its options; skips where it, or what it takes to run what it makes, is not there."""
    emulated = isa == "neon"
    needed = (compiler[0], *(("qemu-aarch64", *CROSS) if emulated else ()))
    missing = [name for name in needed if shutil.which(name) is None]
    if missing or not (emulated or built(isa)):
        pytest.skip(f"no {', '.join(missing) or isa} here")
    # clang says of loops with nothing left to unroll that it has not unrolled them.
    warnings = ["-Wall", "-Wextra", "-Werror", *(["-Wno-pass-failed"] if compiler[0] in CLANG else [])]
    return [*compiler, *flags(), *warnings, *([] if emulated else [f"-march=x86-64-{isa}"]), f"-I{SOURCES}"]


def program(compiler: tuple[str, ...], isa: str, source: str, folder: Path) -> list[str]:
    """Compiles a driver; how to run it."""
    static, path = ["-static"] if isa == "neon" else [], folder / "driver"
    made = [*command(compiler, isa), *static, str(HERE / source), "-lm", "-o", str(path)]
    done = subprocess.run(made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ["qemu-aarch64", str(path)] if isa == "neon" else [str(path)]


def test_agrees_with_the_plain_loop(compiler: tuple[str, ...], isa: str, tmp_path: Path) -> None:
    run = program(compiler, isa, "sanitize.c", tmp_path)
    count = write_calls(tmp_path / "calls")
    done = subprocess.run([*run, tmp_path / "calls"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{count} calls\n"


def test_trains_networks(compiler: tuple[str, ...], isa: str, tmp_path: Path) -> None:
    if compiler == ("gcc",):
        pytest.skip("what test_sanitizers does")
    run = program(compiler, isa, "sanitize_network.c", tmp_path)
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == NETWORKS


BLOCKS = {"v3": (4, 3, 6), "v4": (8, 6, 8), "neon": (8, 6, 8)}  # rows of a GRU's, LSTM's and tanh layer's block
SPILLED = 2  # operands that a compiler may run out of registers for


def test_sums_stay_in_registers(compiler: tuple[str, ...], isa: str, tmp_path: Path) -> None:
    """The products of inputs and states are loops that do all multiply-adds of a block at once and store no sum."""
    if isa not in BLOCKS or compiler[0] == "clang":
        pytest.skip("no fused multiply-adds" if isa not in BLOCKS else "clang before 16 keeps some in memory")
    listing = tmp_path / "leadline.s"
    subprocess.run([*command(compiler, isa), "-S", str(SOURCES / "leadline.c"), "-o", str(listing)], check=True)
    text, (gru, lstm, tanh) = listing.read_text(encoding="utf-8"), BLOCKS[isa]
    sums = {f"gru_forward_{gru}_1": 3 * gru, f"lstm_forward_{lstm}_1": 4 * lstm, f"tanh_forward_{tanh}_2": 2 * tanh}
    for name, count in sums.items():
        found = re.search(rf"^{name}:.*?\.size\s+{name}", text, re.MULTILINE | re.DOTALL)
        assert found, name
        parts = re.split(r"^\.\w+:", found[0], flags=re.MULTILINE)
        loops = [part for part in parts if multiply_adds(part) == count and stores(part) <= SPILLED]
        assert len(loops) >= 2, name


def multiply_adds(part: str) -> int:
    return len(re.findall(r"^\s+(?:vfmadd\d+ps|fmla)\s", part, re.MULTILINE))


def stores(part: str) -> int:
    """Vectors that go to memory."""
    return len(re.findall(r"^\s+(?:vmov[au]ps\s+%[xyz]mm\d+, .*\(|st[pr]\s+q)", part, re.MULTILINE))
