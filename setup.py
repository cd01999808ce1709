"""Builds the native kernels: one shared object per instruction set, without Python's headers or torch's.

Everything else about the package stands in pyproject.toml. A set that does not compile is left out with a
warning; Leadline then runs on torch's own loops.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

SOURCES = Path("src/leadline/kernels/csrc")
X86 = {isa: [f"-march=x86-64-{isa}"] for isa in ("v2", "v3", "v4")}
MACHINES = {"x86_64": X86, "amd64": X86, "aarch64": {"neon": []}, "arm64": {"neon": []}}
FLAGS = ["-std=c11", "-O3", "-g0", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off", "-fno-math-errno"]
LOST = (
    "Leadline installs without compiled kernels for {isa} ({why}). It will work, but where no set is left, on "
    "torch's own recurrent loops: training then takes about twice to five times as long. Install a C compiler "
    "(gcc 11 or clang 16 and newer; CC chooses one) and install again."
)


class BuildKernels(build_ext):
    """Plain shared objects with a fixed name: they are loaded with ctypes and know nothing of Python."""

    def get_ext_filename(self, fullname: str) -> str:
        return str(Path(*fullname.split(".")).with_suffix(".so"))

    def build_extension(self, ext: Extension) -> None:
        isa, shared = ext.name.rpartition("_")[2], self.build_temp
        self.build_temp = str(Path(shared, isa))  # the same source, another object
        try:
            super().build_extension(ext)
        except (CCompilerError, BaseError, OSError) as error:
            self.warn(LOST.format(isa=isa, why=f"{self.compiler.compiler_so[0]}: {type(error).__name__}"))
        finally:
            self.build_temp = shared


class PlainWheel(bdist_wheel):
    """One wheel per platform for every Python: the shared objects do not depend on its version."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


def kernels() -> list[Extension]:
    """One extension per instruction set of this machine; none where the kernels do not go."""
    if sys.platform not in ("linux", "darwin"):
        return []
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        os.environ.setdefault("ARCHFLAGS", f"-arch {machine}")
    headers = sorted(str(path) for path in SOURCES.glob("*.h"))
    return [
        Extension(
            f"leadline.kernels._native_{isa}",
            [str(SOURCES / "leadline.c")],
            depends=headers,
            extra_compile_args=FLAGS + flags,
            libraries=["m"],
            optional=True,
        )
        for isa, flags in MACHINES.get(machine, {}).items()
    ]


setup(ext_modules=kernels(), cmdclass={"build_ext": BuildKernels, "bdist_wheel": PlainWheel})
