"""The shared objects of compiled code: which there are, and the widest that this processor runs.

One per instruction set lies beside this file; it is loaded at the first use, with `ctypes`, whose calls release the
interpreter's lock.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from leadline.errors import KernelError, OutOfMemoryError

ABI = 9
VARIABLE = "LEADLINE_ISA"
INSTRUCTION_SETS = {
    "x86_64": ("v4", "v3", "v2"),
    "amd64": ("v4", "v3", "v2"),
    "aarch64": ("neon",),
    "arm64": ("neon",),
}
INSTALL = "Install a C compiler (CC chooses one) and install Leadline again."
LOST = "Leadline runs without compiled kernels (%s): training takes about twice to five times as long. %s"
LOG = logging.getLogger("leadline")


@dataclass(frozen=True)
class Library:
    """A loaded shared object and the instruction set that it was built for."""

    isa: str
    calls: ctypes.CDLL


@dataclass(frozen=True)
class Missing:
    """Why there is no compiled library."""

    reason: str


def load() -> Library | Missing:
    """The compiled kernels, or why there are none. `LEADLINE_ISA` forces an instruction set.

    Raises:
        KernelError: the forced instruction set is unknown, not built, or beyond this processor.
    """
    return _widest(os.environ.get(VARIABLE, ""))


@cache
def _widest(forced: str) -> Library | Missing:
    known = INSTRUCTION_SETS.get(platform.machine().lower(), ())
    if forced and forced not in known:
        raise KernelError(
            f"{VARIABLE}={forced!r}",
            expected="one of " + ", ".join(known) if known else f"nothing on {platform.machine()}",
            next_move=f"Unset {VARIABLE}.",
        )
    if not known:
        return Missing(f"no compiled kernels for {platform.machine()}")
    tried = [_open(isa) for isa in ((forced,) if forced else known)]
    loaded = next((found for found in tried if isinstance(found, Library)), None)
    if loaded is None and forced:
        raise KernelError(f"{VARIABLE}={forced}: {_why(tried)}", next_move=f"Unset {VARIABLE}. {INSTALL}")
    if loaded is None:
        LOG.warning(LOST, _why(tried), INSTALL)
    return loaded or Missing(_why(tried))


def _why(tried: list[Library | Missing]) -> str:
    return "; ".join(dict.fromkeys(found.reason for found in tried if isinstance(found, Missing)))


def path_of(isa: str) -> Path:
    """Where the shared object of an instruction set lies."""
    return Path(__file__).with_name(f"_native_{isa}.so")


def _open(isa: str) -> Library | Missing:
    path = path_of(isa)
    if not path.exists():
        return Missing("the kernels were not compiled when Leadline was installed")
    try:
        functions = ctypes.CDLL(str(path))
    except OSError as error:
        return Missing(f"{path.name} cannot be loaded ({error})")
    functions.leadline_abi.restype = ctypes.c_int64
    if functions.leadline_abi() != ABI:
        return Missing(f"{path.name} was built from another version of Leadline")
    if not functions.leadline_supported():
        return Missing(f"this processor lacks the instructions of {path.name}")
    return Library(isa, _declare(functions))


def _declare(functions: ctypes.CDLL) -> ctypes.CDLL:
    """The signatures of csrc/leadline.h; structures go in as plain addresses."""
    whole, pointer = ctypes.c_int64, ctypes.c_void_p
    signatures: dict[str, tuple[type | None, tuple[type, ...]]] = {
        "plan_size": (whole, (whole, whole)),
        "plan": (whole, (whole, whole, pointer, pointer)),
        "saved": (whole, (whole, whole, whole)),
        "checkpoints": (whole, (whole, whole, whole, whole, whole)),
        "forward": (ctypes.c_int, (pointer,)),
        "backward": (ctypes.c_int, (pointer,)),
        "share": (None, (pointer,)),
        "parameters": (whole, (pointer,)),
        "train": (whole, (pointer, whole, whole, pointer, pointer, pointer)),
        "gradient": (ctypes.c_int, (pointer, whole, whole, pointer, pointer)),
        "score": (ctypes.c_int, (pointer, pointer, whole, pointer, pointer, pointer)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(functions, f"leadline_{name}")
        function.restype, function.argtypes = result, arguments
    return functions


def fingerprint() -> str:
    """A digest of the loaded file: two builds with one digest give the same bits. "" where there is none."""
    return hashlib.blake2b(path_of(isa()).read_bytes(), digest_size=4).hexdigest() if isa() else ""


def isa() -> str:
    """The instruction set of the loaded library; "" where there is none."""
    found = load()
    return found.isa if isinstance(found, Library) else ""


def functions() -> ctypes.CDLL:
    """The compiled functions; `KernelError` where there are none."""
    found = load()
    if isinstance(found, Missing):
        raise KernelError(f"the compiled kernels are not there: {found.reason}", next_move=INSTALL)
    return found.calls


def check(status: int) -> None:
    """Raise for a status other than 0: `OutOfMemoryError` for 1, else `KernelError`."""
    if status == 1:
        raise OutOfMemoryError(
            "there is not enough memory for the compiled kernels", next_move="Use smaller batches or shorter sequences."
        )
    if status:
        raise KernelError(f"kernel status {status}", next_move="Use smaller batches.")
