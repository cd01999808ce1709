"""Building with and without a compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from leadline.kernels import library

ROOT = Path(__file__).parents[2]
BUILT = sorted(Path(library.__file__).parent.glob("_native_*.so"))


def build(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "setup.py", "build_ext"]
    places = [f"--build-lib={folder / 'lib'}", f"--build-temp={folder / 'temp'}"]
    return subprocess.run(
        command + places, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="no kernels are built here")
def test_without_a_compiler_the_build_succeeds_and_says_what_is_lost(tmp_path: Path) -> None:
    done = build(tmp_path, CC="false")
    assert done.returncode == 0, done.stderr
    assert "installs without compiled kernels" in done.stderr
    assert "times as long" in done.stderr
    assert not list(tmp_path.rglob("*.so"))


@pytest.mark.skipif(shutil.which("nm") is None or not BUILT, reason="no kernels were built here, or no nm")
def test_only_the_plain_interface_is_visible() -> None:
    """Nothing but leadline_* goes out of what was installed, and nothing but the C library comes in."""
    for shared in BUILT:
        listing = subprocess.run(["nm", "-D", str(shared)], capture_output=True, text=True, check=True).stdout
        symbols = [line.split()[-2:] for line in listing.splitlines()]
        defined = {name for kind, name in symbols if kind == "T"}
        assert defined == {
            f"leadline_{name}"
            for name in (
                *("abi", "supported", "plan_size", "plan", "saved", "forward", "backward", "peak"),
                *("parameters", "train", "gradient", "score", "checkpoints", "share"),
            )
        }
        assert not any("Py" in name or "torch" in name or name.startswith("_Z") for _, name in symbols)


WIDER = {"v2": ("%ymm", "%zmm"), "v3": ("%zmm",)}


@pytest.mark.skipif(shutil.which("objdump") is None or not BUILT, reason="no kernels were built here, or no objdump")
@pytest.mark.parametrize("isa", WIDER)
def test_no_wide_instruction_in_a_narrow_library(isa: str) -> None:
    """Registers of a wider set would stop the process on a machine that lacks it."""
    if not library.path_of(isa).exists():
        pytest.skip(f"no {isa} kernels here")
    command = ["objdump", "--disassemble", "--no-show-raw-insn", str(library.path_of(isa))]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "%xmm" in listing
    assert not [name for name in WIDER[isa] if name in listing]
