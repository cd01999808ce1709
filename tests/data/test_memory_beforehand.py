"""Memory that will not do is said before a file is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from leadline.data import large, memory
from leadline.data import read as reading
from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.errors import DataError

LINES = "id,t,x,label\n" + "".join(f"{i // 5},{i % 5},{i / 7},{'ab'[i // 5 % 2]}\n" for i in range(3000))


@pytest.fixture
def large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (large, reading):
        monkeypatch.setattr(module, "LARGE", 1)
    path = tmp_path / "rows.csv"
    path.write_text(LINES, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_a_file_that_does_not_fit_is_refused_before_it_is_read(
    large_file: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large_file.rename(large_file.with_name(name))
    monkeypatch.setattr(memory, "available", lambda: 40_000)
    monkeypatch.setattr(reading, "open_table", lambda *_: pytest.fail("it was read"))
    monkeypatch.setattr(large, "_read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(DataError, match=r"takes about .* GiB of memory, and .* GiB are free.*--features"):
        read(path)


def test_what_fits_is_read_and_fewer_columns_take_less(large_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(large_file)
    asked: list[float] = []
    monkeypatch.setattr(memory, "require", lambda needed, _: asked.append(needed))
    assert read(large_file).fingerprint() == whole.fingerprint()
    large_file.write_text(LINES.replace("\n", ",0.5\n").replace("label,0.5", "label,more"), encoding="utf-8")
    read(large_file)
    read(large_file, ReadOptions(exclude=("more",)))
    assert len(asked) == 3
    assert asked[1] > asked[2] > 0


SYSTEM = {
    "/proc/meminfo": ["MemTotal:       100 kB", "MemAvailable:   50 kB"],
    "/proc/self/cgroup": ["4:cpu,memory:/outer/inner", "0::/here"],
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 50 * 1024),
        ({"/sys/fs/cgroup/here/memory.max": ["9000"], "/sys/fs/cgroup/here/memory.current": ["4000"]}, 5000),
        ({"/sys/fs/cgroup/here/memory.max": ["max"], "/sys/fs/cgroup/here/memory.current": ["4000"]}, 50 * 1024),
        (
            {
                "/sys/fs/cgroup/here/memory.max": ["9000"],
                "/sys/fs/cgroup/here/memory.current": ["4000"],
                "/sys/fs/cgroup/here/memory.stat": ["anon 7", "inactive_file 1500"],
            },
            6500,
        ),
        (
            {
                "/sys/fs/cgroup/memory/outer/memory.limit_in_bytes": ["800"],
                "/sys/fs/cgroup/memory/outer/memory.usage_in_bytes": ["300"],
            },
            500,
        ),
        (
            {
                "/sys/fs/cgroup/here/memory.max": ["10"],
                "/sys/fs/cgroup/here/memory.current": ["40"],
            },
            0,
        ),
    ],
)
def test_the_least_of_machine_and_groups_counts(
    files: dict[str, list[str]], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_lines", lambda path: {**SYSTEM, **files}.get(str(path), []))
    assert memory.available() == expected


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a process is read from /proc")
def test_the_limit_of_the_shell_counts() -> None:
    code = "from leadline.data import memory; print(memory.available())"
    limited = f"ulimit -v 3000000; exec {sys.executable} -c '{code}'"
    found = subprocess.run(["sh", "-c", limited], capture_output=True, text=True, check=True, timeout=60)
    assert 0 < int(found.stdout) < 3_000_000 * 1024
