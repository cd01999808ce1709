"""Where what is written cannot be written, or nobody takes it: one line, and what was there stays."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import leadline
from leadline import accidents, api, aside, cli, looking
from leadline.errors import LeadlineError, OutputError, RunFolderError
from leadline.report import again
from leadline.trials import lock

from .conftest import QUICK

LONG = "a" * 300
PLACES = ["file", "file/under", "nothing", LONG, "/proc/leadline", "zero\0"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    Path("nothing").symlink_to("no/such/folder")
    return tmp_path


def command(*words: object, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leadline.cli", *map(str, words)], stderr=subprocess.PIPE, text=True, timeout=120, **more
    )


def in_process(capsys, *words: object) -> tuple[int, str, str]:
    before, sys.argv = sys.argv, ["leadline", *map(str, words)]
    try:
        with pytest.raises(SystemExit) as end:
            cli.main()
    finally:
        sys.argv = before
    said = capsys.readouterr()
    return int(end.value.code), said.out, said.err


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verb", ["advise", "train", "explain", "compare", "report", "predict"])
def test_a_place_that_cannot_be_written_to_is_an_error_before_the_work(
    verb, place, finished, table, here, monkeypatch
) -> None:
    monkeypatch.setattr(api, "run", None)
    monkeypatch.setattr(looking, "look", None)
    calls = {
        "advise": lambda: api.advise(table, out=place, **QUICK),
        "train": lambda: api.train(table, network="gru:1x4", out=place),
        "explain": lambda: leadline.explain(finished, out=place),
        "compare": lambda: leadline.compare(finished, out=place),
        "report": lambda: again.report(finished, Path(place) / "page.html"),
        "predict": lambda: aside.require_place(Path(place) / "out.csv"),
    }
    with pytest.raises(OutputError) as raised:
        calls[verb]()
    assert raised.value.where
    assert Path("file").read_text() == "mine"


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("verb", ["report", "explain", "compare", "predict"])
def test_a_place_that_holds_no_run_is_an_error(verb, place, table, here) -> None:
    calls = {
        "report": lambda: again.report(Path(place)),
        "explain": lambda: leadline.explain(place, table),
        "compare": lambda: leadline.compare(place),
        "predict": lambda: api.predict(place, table),
    }
    with pytest.raises(LeadlineError):
        calls[verb]()


def test_predict_says_that_the_folder_is_missing(finished, table, here, capsys) -> None:
    status, out, error = in_process(capsys, "predict", finished, table, "--out", "no/such/out.csv")
    assert (status, out) == (1, "")
    assert error.startswith("leadline: no/such/out.csv: cannot be written (No such file or directory); expected")
    assert error.endswith("Make its folder first, or give another place. [output]\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_behind_standard_output(finished) -> None:
    with open("/dev/full", "w") as full:
        done = command("report", finished, stdout=full)
    assert done.returncode == 1
    assert done.stderr.startswith("leadline: standard output: cannot be written (No space left on device)")
    assert done.stderr.endswith("[output]\n")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_has_gone_is_no_accident(finished) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = command("report", finished, "--json", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_too_little_memory_is_said(finished, table) -> None:
    import resource

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (900_000 * 1024, 900_000 * 1024))

    done = command("predict", finished, table, stdout=subprocess.PIPE, preexec_fn=few)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("leadline: a limit of 900,000 kB of address space; expected at least")
    assert done.stderr.endswith("[memory]\n")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")])
def test_memory_that_ends_on_the_way_is_said(error) -> None:
    assert accidents.line(error).startswith("memory ended (")
    assert accidents.line(error).endswith("[memory]")


def test_what_nobody_foresaw_is_one_line_and_a_traceback_on_disk(finished, table, monkeypatch, capsys) -> None:
    def broken(*_: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(api, "predict", broken)
    status, out, error = in_process(capsys, "predict", finished, table)
    assert (status, out) == (1, "")
    assert error.startswith("leadline: a defect of Leadline (KeyError: 'surprise'). Please report it, with the trace")
    assert error.endswith(". [internal]\n")
    place = Path(error.split("the traceback in ")[1].removesuffix(". [internal]\n"))
    assert "in broken" in place.read_text()
    place.unlink()


def test_an_error_carries_its_slug(here, capsys) -> None:
    assert in_process(capsys, "report", "nowhere")[2].endswith("[run-folder]\n")
    assert in_process(capsys, "report", "--nonsense")[2].endswith("[option]\n")


def test_every_slug_stands_in_the_messages() -> None:
    page = (Path(__file__).parents[2] / "docs" / "messages.md").read_text()
    slugs = {kind.slug for kind in LeadlineError.__subclasses__()} | {accidents.INTERNAL}
    assert [slug for slug in sorted(slugs) if f"\n## {slug}\n" not in page] == []


@pytest.mark.parametrize("moment", ["open", "fsync", "replace"])
def test_a_disk_that_fills_leaves_the_old_file_and_nothing_aside(moment, here, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*{"open": (Path, "open"), "fsync": (os, "fsync"), "replace": (os, "replace")}[moment], full)
    with pytest.raises(OutputError, match=r"No space left on device.*Make room"):
        aside.write_text(Path("file"), "new")
    with pytest.raises(OutputError, match="No space left on device"):
        aside.write_files(Path("."), {"file": b"new", "other": b"new"})
    monkeypatch.undo()
    assert Path(here / "file").read_text() == "mine"
    assert sorted(path.name for path in here.iterdir()) == ["file", "nothing"]


def test_links_are_followed_and_devices_are_not_replaced(here) -> None:
    Path("link").symlink_to("file")
    aside.write_text(Path("link"), "new")
    assert Path("link").is_symlink()
    assert Path("file").read_text() == "new"
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    aside.write_text(Path("pipe"), "through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert Path("pipe").is_fifo()


def test_what_a_killed_run_left_aside_is_swept_out(here) -> None:
    old, new = Path(".leadline-1-aa.aside"), Path(".leadline-1-bb.aside")
    old.write_text("half")
    os.utime(old, (0, 0))
    new.write_text("another process may be writing this")
    aside.write_text(Path("file"), "new")
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_fails_on_the_way_leaves_the_old_one(here) -> None:
    Path("model").mkdir()
    Path("model/old").write_text("old")
    with pytest.raises(FileNotFoundError), aside.new_folder(Path("model")) as made:
        (made / "half" / "no such folder").write_text("half")
    assert [path.name for path in Path("model").iterdir()] == ["old"]
    with aside.new_folder(Path("model")) as made:
        (made / "new").write_text("new")
    assert [path.name for path in Path("model").iterdir()] == ["new"]
    assert sorted(path.name for path in here.iterdir()) == ["file", "model", "nothing"]


def test_training_into_a_folder_of_the_user_removes_nothing(table, here) -> None:
    api.train(table, network="gru:1x4", out=".")
    assert Path("file").read_text() == "mine"
    assert api.predict(".", table)


def test_a_run_folder_whose_name_is_not_unicode(table, here, capsys) -> None:
    place = os.fsdecode(b"run\xff")
    status, _, error = in_process(capsys, "train", table, "--network", "gru:1x4", "--out", place)
    assert (status, error) == (0, "")
    assert api.predict(place, table)
    words = ("--max-trials", 1, "--max-updates", 20, "--jobs", 1, "--no-explain")
    status, _, error = in_process(capsys, "advise", table, "--out", place + "2", *words)
    assert (status, error) == (2, "")
    assert "run\\xff2" in json.loads(Path(place + "2", "verdict.json").read_text())["command"]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [folder, *folder.rglob("*")]
    return {str(p): (p.read_bytes() if p.is_file() else b"", p.stat().st_mtime_ns) for p in files}


def test_who_only_reads_writes_nothing_into_a_run(run, table, tmp_path) -> None:
    before = contents(run)
    out = tmp_path / "elsewhere"
    leadline.explain(run, table, out=out)
    again.report(run, out / "page.html")
    api.predict(run, table)
    assert contents(run) == before


def test_who_writes_into_a_run_folder_holds_its_lock(run, table) -> None:
    before = contents(run)
    with lock.locked(run):
        for call in (
            lambda: leadline.explain(run, table, out=run),
            lambda: leadline.compare(run, out=run),
            lambda: again.report(run),
            lambda: api.advise(table, out=run, **QUICK),
        ):
            with pytest.raises(RunFolderError, match="another process works in this run folder"):
                call()
        assert again.report(run, run.parent / "page.html").page.exists()
    assert {k: v[0] for k, v in contents(run).items()} == {k: v[0] for k, v in before.items()}


def test_the_lock_is_held_to_the_last_page(run, table, monkeypatch) -> None:
    held = []

    def tried(*_: object) -> None:
        with pytest.raises(RunFolderError, match="another process"), lock.locked(run):
            pass
        held.append(True)

    for where in (api.looking, api.comparing):
        monkeypatch.setattr(where, "after_study", tried)
    monkeypatch.setattr(api.StudyVerdict, "report", tried)
    api.advise(table, out=run, **{**QUICK, "explain": True})
    assert held == [True, True, True]
    with lock.locked(run):
        pass
