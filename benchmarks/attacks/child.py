"""The long-lived process of `caller.py`, seen from outside: asked, timed, and begun again after an abort or a hang."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from attacks.outcome import Ended
from attacks.process import MEMORY, drop_powers, limit
from attacks.verbs import Call

CALLER = Path(__file__).with_name("caller.py")
CALLS = 400  # a process answers so many before a new one begins, so that nothing it keeps adds up
STARTS_WITHIN = 180.0  # seconds: torch is imported, on a machine that may be busy
ANSWERS_WITHIN = 120.0  # seconds: an undisturbed call takes 1 to 5


class Child:
    """A process that calls Leadline.

    Args:
        powerless: whether permissions of files hold for it even where root attacks.
    """

    def __init__(self, powerless: bool = False) -> None:
        self.powerless = powerless
        self.process: subprocess.Popen[str] | None = None
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.calls = 0

    def start(self) -> None:
        """Begin, unless it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        said = Path(tempfile.mkdtemp(prefix="leadline-attack-"))

        self.process = subprocess.Popen(
            [sys.executable, str(CALLER), str(said / "said.txt")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=said,
            env={**os.environ, "HOME": str(said), "OMP_NUM_THREADS": "1"},
            preexec_fn=drop_powers if self.powerless else None,
        )
        limit(self.process.pid, MEMORY)
        self.lines, self.calls = queue.Queue(), 0
        threading.Thread(target=_pass_on, args=(self.process, self.lines), daemon=True).start()
        if not self._next(STARTS_WITHIN):
            raise RuntimeError("the process that calls Leadline does not start")

    def ask(self, call: Call, way: str) -> Ended:
        """How a call ended."""
        if self.calls >= CALLS:
            self.close()
        self.start()
        assert self.process is not None
        assert self.process.stdin is not None
        self.calls += 1
        begun = time.monotonic()
        self.process.stdin.write(json.dumps(call.message(way)) + "\n")
        self.process.stdin.flush()
        answer = self._next(ANSWERS_WITHIN)
        seconds = time.monotonic() - begun
        if answer:
            found = json.loads(answer)
            return Ended(found["status"], found["text"], seconds)
        if answer is None:
            return Ended(self.process.wait(), "the process ended", seconds)
        self.close()
        return Ended(None, "", seconds)

    def _next(self, seconds: float) -> str | None:
        """A line; None where the process has ended, "" where it took too long."""
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            return ""

    def close(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _pass_on(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)
