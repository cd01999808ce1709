"""The kernels as they ship, by another compiler (macOS has clang) and for another machine (under emulation)."""

from __future__ import annotations

import ast
import platform
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
CLANG, CROSS = ("clang",), ("aarch64-linux-gnu-gcc",)
TARGETS = (
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


def program(compiler: tuple[str, ...], isa: str, source: Path, path: Path, *more: str) -> list[str]:
    """Compiles, warnings being errors; how to run it."""
    emulated = isa == "neon"
    needed = (compiler[0], *(("qemu-aarch64", *CROSS) if emulated else ()))
    missing = [name for name in needed if shutil.which(name) is None]
    if missing or not (emulated or built(isa)):
        pytest.skip(f"no {', '.join(missing) or isa} here")
    target = ["-static"] if emulated else [f"-march=x86-64-{isa}"]
    command = [*compiler, *flags(), "-Wall", "-Wextra", "-Werror", *target, *more, f"-I{SOURCES}", str(source), "-lm"]
    made = subprocess.run([*command, "-o", str(path)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return ["qemu-aarch64", str(path)] if emulated else [str(path)]


def test_agrees_with_the_plain_loop(compiler: tuple[str, ...], isa: str, tmp_path: Path) -> None:
    run = program(compiler, isa, HERE / "sanitize.c", tmp_path / "driver")
    count = write_calls(tmp_path / "calls")
    done = subprocess.run([*run, tmp_path / "calls"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{count} calls\n"


def test_trains_networks(compiler: tuple[str, ...], isa: str, tmp_path: Path) -> None:
    run = program(compiler, isa, HERE / "sanitize_network.c", tmp_path / "driver")
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == NETWORKS
