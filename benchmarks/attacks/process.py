"""Commands under a time limit and a memory limit, and the processes that they begin. Linux alone: it reads /proc."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attacks.outcome import Ended

MARK = "LEADLINE_ATTACK_MARK"
MEMORY = 8 << 30  # bytes of data a process may map: far above any small study, far below what stops a machine
SECONDS = 300.0  # a small study takes 10 to 30 on two busy cores
GRACE = 15.0  # seconds in which processes must have followed the one that began them
LOOK_EVERY = 0.05
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2  # from linux/prctl.h and linux/capability.h


def leadline(*arguments: str | Path) -> list[str]:
    """The installed command with arguments."""
    beside = Path(sys.executable).with_name("leadline")
    start = [str(beside)] if beside.exists() else [sys.executable, "-m", "leadline.cli"]
    return [*start, *map(str, arguments)]


class Started:
    """A running command; every process that it begins carries its mark.

    Args:
        command: program and arguments.
        folder: where it runs; here if None.
        memory: bytes of data that each process may map.
        powerless: whether permissions of files hold even where root attacks.
        space: bytes of addresses that each process may map, as `ulimit -v` sets them; None for no limit.
        files: further arguments of `subprocess.Popen`, for its standard streams for instance.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path | None = None,
        memory: int = MEMORY,
        space: int | None = None,
        powerless: bool = False,
        environment: Mapping[str, str] | None = None,
        **files: Any,
    ) -> None:
        self.mark = uuid.uuid4().hex
        self.begun = time.monotonic()
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`

        # A shell in the background ignores SIGINT and hands that down, so it is restored before the command begins.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, **(environment or {}), MARK: self.mark},
                start_new_session=True,
                preexec_fn=drop_powers if powerless else None,
                **{"stdin": subprocess.DEVNULL, "stdout": self.said, "stderr": self.said, **files},
            )
        finally:
            signal.signal(signal.SIGINT, before)
        limit(self.process.pid, memory, space)

    def wait_until(self, seconds: float) -> bool:
        """Wait until the command has run so long; False where it ended before."""
        try:
            self.process.wait(max(0.0, seconds - (time.monotonic() - self.begun)))
        except subprocess.TimeoutExpired:
            return True
        return False

    def send(self, number: int, everyone: bool = False) -> None:
        """A signal to the command, or to its whole process group, as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number) if everyone else self.process.send_signal(number)

    def others(self) -> list[int]:
        """Processes that the command began and that still run."""
        return [number for number in marked(self.mark) if number != self.process.pid]

    def end(self, seconds: float = SECONDS) -> Ended:
        """Wait for the end; what still runs after so many seconds is killed."""
        try:
            status: int | None = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
            kill(marked(self.mark))
            self.process.wait()
        self.said.seek(0)
        text = self.said.read().decode(errors="replace")
        self.said.close()
        return Ended(status, text, time.monotonic() - self.begun)

    def orphans(self, grace: float = GRACE) -> list[str]:
        """Processes that outlive the command by more than the grace, as command lines; they are ended."""
        deadline = time.monotonic() + grace
        while (left := self.others()) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
        names = [_command_line(number) for number in left]
        kill(left)
        return names


def limit(number: int, memory: int, space: int | None = None) -> None:
    """Limit a process that has just begun, and all that it will begin: long before it maps anything large."""
    resource.prlimit(number, resource.RLIMIT_DATA, (memory, memory))
    if space is not None:
        resource.prlimit(number, resource.RLIMIT_AS, (space, space))


def drop_powers() -> None:
    """Let permissions of files hold for root too, in this process after its next `exec`: one that was just forked."""
    if os.geteuid() == 0:
        system = ctypes.CDLL(None, use_errno=True)
        for power in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            system.prctl(PR_CAPBSET_DROP, power)


def run(command: Sequence[str], seconds: float = SECONDS, **options: Any) -> Ended:
    """Run a command to its end."""
    started = Started(command, **options)
    ended = started.end(seconds)
    kill(started.others())
    return ended


def marked(mark: str) -> list[int]:
    """Numbers of all running processes whose environment holds the mark."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it has ended since the folder was listed, or belongs to another user
            continue
    return found


def kill(numbers: Sequence[int]) -> None:
    """End processes at once."""
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def _command_line(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:100]
    except OSError:
        return "ended meanwhile"
