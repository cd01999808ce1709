"""Reads of the test part: overlap by sequence, further reads in one folder, and that no accident fails a study."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import leadline
from leadline import aside
from leadline.data.datasets.letters import letters
from leadline.errors import OutputError
from leadline.study.advise import Options, prepare, study
from leadline.trials import tested

FULL = [f"{number:016x}" for number in range(10)]


def read_by(folder: Path, test: list[str], finals: list[str]) -> tuple[str, ...]:
    folder.mkdir(exist_ok=True)
    before = tested.look(folder, test, finals)
    assert tested.note(folder, before) == ()
    return before.warnings()


def test_another_folder_is_told_how_many_sequences_overlap(tmp_path):
    assert read_by(tmp_path / "one", FULL, ["a"]) == ()
    assert read_by(tmp_path / "other", ["f" * 16], ["a"]) == ()
    (warning,) = read_by(tmp_path / "two", [*FULL[:4], "e" * 16], ["b"])
    assert "4 of the 5 sequences" in warning
    assert "looked at before, by one (once)" in warning


def test_copies_in_the_test_part_count_each(tmp_path):
    read_by(tmp_path / "one", FULL, ["a"])
    (warning,) = read_by(tmp_path / "two", [FULL[0], FULL[0], "e" * 16], ["b"])
    assert "2 of the 3 sequences" in warning


def test_the_same_finals_are_one_read_and_others_are_another(tmp_path):
    """A second start on a finished study scores nothing; a larger budget that advises another network does."""
    assert read_by(tmp_path / "one", FULL, ["a", "b"]) == ()
    assert read_by(tmp_path / "one", FULL, ["a", "b"]) == ()
    (warning,) = read_by(tmp_path / "one", FULL, ["a", "b", "c"])
    assert "looked at twice in this run folder" in warning
    assert read_by(tmp_path / "one", FULL, ["a", "b", "c"]) == (warning,)
    (beside,) = read_by(tmp_path / "two", FULL, ["a"])
    assert "by one (twice)" in beside


def test_a_warning_names_a_few_and_counts_the_rest(tmp_path):
    for name in "abcde":
        read_by(tmp_path / name, FULL, ["a"])
    (warning,) = read_by(tmp_path / "last", FULL, ["a"])
    assert "by a, b, c and 2 more (5 times)" in warning


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"schema":"other/1"}', b'{"sequences":["x"]}'],
)
def test_what_cannot_be_read_counts_as_no_read_and_is_said(tmp_path, content):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / tested.FILE).write_bytes(content)
    (warning,) = read_by(tmp_path / "one", FULL, ["a"])
    assert "not known for bad (" in warning
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / tested.FILE).write_bytes(content)
    found = read_by(tmp_path / "own", FULL, ["a"])
    assert any("not known for this run folder (" in warning for warning in found)
    assert not [w for w in read_by(tmp_path / "own", FULL, ["a"]) if "this run folder" in w]


def test_what_is_no_file_or_too_large_or_half_way_here_is_passed_by(tmp_path, monkeypatch):
    for name in ("pipe", "folder", "large"):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / "pipe" / tested.FILE)
    (tmp_path / "folder" / tested.FILE).mkdir()
    monkeypatch.setattr(tested, "MOST_BYTES", 1000)
    (tmp_path / "large" / tested.FILE).write_text(" " * 1001)
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").write_text("")
    (warning,) = read_by(tmp_path / "one", FULL, ["a"])
    assert all(name in warning for name in ("folder (not a file)", "large (1001 bytes", "pipe (not a file)"))
    assert not any(name in warning for name in ("circle", "file;"))


def test_the_bytes_of_all_folders_together_are_bounded(tmp_path, monkeypatch):
    for name in "ab":
        read_by(tmp_path / name, FULL, ["a"])
    size = (tmp_path / "a" / tested.FILE).stat().st_size
    monkeypatch.setattr(tested, "MOST_BYTES", size + 10)
    monkeypatch.setattr(tested, "MOST_FOLDERS", 2)
    (tmp_path / "c").mkdir()
    first, second = read_by(tmp_path / "one", FULL, ["a"])
    assert "by a (once)" in first
    assert "b (" in second
    assert "1 more of the folders beside" in second


def test_the_same_folder_by_another_name_is_not_another_reader(tmp_path):
    read_by(tmp_path / "one", FULL, ["a"])
    (tmp_path / "alias").symlink_to(tmp_path / "one")
    assert read_by(tmp_path / "one", FULL, ["a"]) == ()


def test_a_name_that_is_not_utf8_can_stand_in_a_verdict(tmp_path):
    name = os.fsdecode(b"run-\xff")
    read_by(tmp_path / name, FULL, ["a"])
    (warning,) = read_by(tmp_path / "one", FULL, ["a"])
    assert json.loads(json.dumps(warning).encode("utf-8")) == warning
    assert "run-\\xff" in warning


def test_marks_are_of_what_a_sequence_holds_not_of_where_it_stands():
    words = letters(300)
    found = tested.marks(words)
    order = np.arange(len(words))[::-1]
    assert tested.marks(words.take(order)) == found[::-1]
    assert len(set(found)) > 0.99 * len(found)
    # Another file gives other numbers to the same names.
    column = words.category_columns[0]
    turned = replace(column, vocabulary=column.vocabulary[::-1])
    codes = np.where(words.categories < 0, -1, len(column.vocabulary) - 1 - words.categories).astype(np.int32)
    assert tested.marks(replace(words, category_columns=(turned,), categories=codes)) == found


def test_any_change_of_a_value_or_a_target_is_another_sequence():
    inputs = [np.arange(6, dtype=np.float32).reshape(3, 2), np.full((2, 2), np.nan, np.float32)]
    base = tested.marks(leadline.from_arrays(inputs, ["up", "down"]))
    assert len(set(base)) == 2
    inputs[0] = inputs[0] + np.float32(1e-6)
    assert tested.marks(leadline.from_arrays(inputs, ["up", "down"]))[0] != base[0]
    assert tested.marks(leadline.from_arrays(inputs, ["down", "up"]))[1] != base[1]
    zeros = [np.zeros((2, 1), np.float32), -np.zeros((2, 1), np.float32)]
    first, second = tested.marks(leadline.from_arrays(zeros, [1.5, 1.5], kind="regression"))
    assert first == second
    assert tested.marks(leadline.from_arrays(zeros, [1.5, 1.25], kind="regression"))[1] != second


def small(folder: Path, **options):
    prepared = prepare(letters(300), Options(max_trials=2, max_updates=20, jobs=1, out=folder, **options))
    return prepared, study(prepared, lambda *_: None)


def test_a_full_disk_at_the_last_moment_costs_a_warning_not_the_study(tmp_path, monkeypatch):
    """The verdict and the model are on disk before anything is noted."""
    write = aside.write_text

    def full(path, text):
        if path.name != tested.FILE:
            return write(path, text)
        assert (tmp_path / "run" / "verdict.json").exists()
        assert (tmp_path / "run" / "model" / "model.json").exists()
        raise OutputError("cannot be written (No space left on device)", where=str(path))

    monkeypatch.setattr(aside, "write_text", full)
    _, found = small(tmp_path / "run")
    assert any("No space left" in warning for warning in found.warnings)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"x": 1}'])
def test_no_register_beside_the_run_folders_can_stop_a_study(tmp_path, content):
    """The file of that name which earlier versions shared between all studies of a place."""
    (tmp_path / "tested.json").write_bytes(content)
    small(tmp_path / "run")
    assert (tmp_path / "run" / "verdict.json").exists()
    assert (tmp_path / "tested.json").read_bytes() == content


def test_another_split_and_a_larger_budget_are_found_out(tmp_path):
    prepared, _ = small(tmp_path / "one")
    _, other = small(tmp_path / "two", split_seed=1)
    marks = set(tested.marks(letters(300).take(prepared.state.material.split.test)))
    known = tested.Reads.model_validate_json((tmp_path / "two" / tested.FILE).read_text())
    common = sum(mark in marks for mark in known.sequences)
    assert 0 < common < len(known.sequences)
    assert any(f"{common} of the {len(known.sequences)} sequences" in warning for warning in other.warnings)
    _, again = small(tmp_path / "one")
    assert not any("in this run folder" in warning for warning in again.warnings)
