"""The public face: its names are the documented ones, and it loads nothing before it is used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import studies

import leadline

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "python.md"


def fresh(code: str, *arguments: str) -> str:
    """What a fresh process prints."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_face_is_what_the_page_names() -> None:
    text = PAGE.read_text(encoding="utf-8")
    face = text[text.index("\n## The face\n") :]
    table = face[: face.index("\n## ", 1)]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(leadline.__all__)
    assert sorted(leadline.__all__, key=str.lower) == sorted(dir(leadline), key=str.lower)


def test_every_name_of_the_face_is_there() -> None:
    assert [name for name in leadline.__all__ if getattr(leadline, name).__doc__ is None] == []


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Study'.*Stack, StackSpec"):
        leadline.Study  # noqa: B018


def test_the_import_alone_loads_nothing_heavy() -> None:
    loaded = fresh("import sys, leadline; print(*sorted({'torch', 'numpy', 'polars', 'pydantic'} & set(sys.modules)))")
    assert loaded.split() == []


def test_a_spec_needs_no_torch() -> None:
    code = "import sys, leadline; leadline.StackSpec(3, 2), leadline.Verdict; print('torch' in sys.modules)"
    assert fresh(code).strip() == "False"


RUN_AND_TELL = """
import sys
from leadline.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("torch loaded:", "torch" in sys.modules)
"""


def test_help_does_not_load_torch() -> None:
    said = fresh(RUN_AND_TELL, "--help")
    assert "advise" in said
    assert said.endswith("torch loaded: False\n")


def test_report_does_not_load_torch(tmp_path: Path) -> None:
    (tmp_path / "verdict.json").write_text(studies.letters_to_sounds().to_json(), encoding="utf-8")
    said = fresh(RUN_AND_TELL, "report", str(tmp_path))
    assert said.endswith("torch loaded: False\n")
    assert (tmp_path / "report.html").stat().st_size > 10_000
