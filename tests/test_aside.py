"""What is written aside is there whole, or what was there before is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from leadline import aside
from leadline.errors import OutputError


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_text_replaces_text_with_the_rights_of_a_new_file(tmp_path):
    path, plain = tmp_path / "a", tmp_path / "b"
    plain.write_text("")
    aside.write_text(path, "old")
    aside.write_text(path, "neu ü")
    assert path.read_text(encoding="utf-8") == "neu ü"
    assert path.stat().st_mode == plain.stat().st_mode
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_on_the_way_leaves_the_old_text_and_no_rubbish(tmp_path, monkeypatch, step):
    path = tmp_path / "a"
    aside.write_text(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OutputError, match="No space"):
        aside.write_text(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / text).write_text(text)
    return path


def test_a_folder_takes_the_place_of_a_folder_or_link_and_never_of_a_file(tmp_path):
    target = tmp_path / "target"
    for before in (None, "link", "folder"):
        if before == "link":
            target.symlink_to("nowhere")
        elif before == "folder":
            folder(target, "old")
        aside.replace_folder(folder(tmp_path / "made", "new"), target)
        assert names(target) == ["new"]
        assert names(tmp_path) == ["target"]
        (target / "new").unlink()
        target.rmdir()
    target.write_text("mine")
    with pytest.raises(OutputError, match="Not a directory"):
        aside.replace_folder(folder(tmp_path / "made", "new"), target)
    assert target.read_text() == "mine"


def test_where_the_new_folder_cannot_come_the_old_one_stays(tmp_path):
    target = folder(tmp_path / "target", "old")
    with pytest.raises(OutputError):
        aside.replace_folder(tmp_path / "never made", target)
    assert names(target) == ["old"]
    assert names(tmp_path) == ["target"]
