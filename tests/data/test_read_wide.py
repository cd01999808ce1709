"""Wide form: a row per sequence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.errors import DataError


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_without_header_the_last_column_is_the_target(tmp_path: Path) -> None:
    path = _write(tmp_path / "pen.csv", "0,10,20,30,7\n1,11,21,31,8\n")
    sequences = read(path, ReadOptions(channels=2))
    assert sequences.kind == "classification"
    assert sequences.classes == ("7", "8")
    np.testing.assert_array_equal(sequences.numeric, [[0, 10], [20, 30], [1, 11], [21, 31]])
    assert any("'column_5' is taken as the target" in note for note in sequences.notes)
    assert any("2 steps: 2 values per step" in note for note in sequences.notes)


def test_blocks(tmp_path: Path) -> None:
    path = _write(tmp_path / "pen.csv", "0,1,10,11,7\n2,3,12,13,8\n")
    sequences = read(path, ReadOptions(channels=2, channel_order="blocks"))
    np.testing.assert_array_equal(sequences.numeric, [[0, 10], [1, 11], [2, 12], [3, 13]])


def test_a_label_in_the_first_column(tmp_path: Path) -> None:
    path = _write(tmp_path / "wave.tsv", "1\t0.5\t0.25\t1.75\n2\t1.5\t1.25\t2.5\n1\t0.125\t2.25\t3.5\n")
    sequences = read(path)
    assert sequences.target_name == "column_1"
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [0, 1, 0]
    assert sequences.lengths.tolist() == [3, 3, 3]


@pytest.mark.parametrize("header", ["x0,y0,x1,y1", "x_1,y_1,x_2,y_2"])
def test_numbered_names_tell_the_channels(tmp_path: Path, header: str) -> None:
    path = _write(tmp_path / "pen.csv", f"{header},label\n0,10,20,30,a\n1,11,21,31,b\n")
    sequences = read(path)
    assert sequences.numeric_names == ("x", "y")
    np.testing.assert_array_equal(sequences.numeric, [[0, 10], [20, 30], [1, 11], [21, 31]])


def test_numbered_names_in_blocks(tmp_path: Path) -> None:
    path = _write(tmp_path / "pen.csv", "x0,x1,y0,y1,label\n0,20,10,30,a\n1,21,11,31,b\n")
    np.testing.assert_array_equal(read(path).numeric, [[0, 10], [20, 30], [1, 11], [21, 31]])


def test_empty_cells_at_the_end_end_the_sequence(tmp_path: Path) -> None:
    path = _write(tmp_path / "wave.csv", "name,s1,s2,s3,y\nu,1,,3,0.5\nv,4,,,1.5\n")
    sequences = read(path, ReadOptions(sequence="name", layout="wide"))
    assert sequences.ids == ("u", "v")
    assert sequences.kind == "regression"
    assert sequences.lengths.tolist() == [3, 1]
    np.testing.assert_array_equal(sequences.numeric[:, 0], [1, np.nan, 3, 4])
    assert any("1 rows end in empty cells" in note for note in sequences.notes)


def test_steps_that_are_names(tmp_path: Path) -> None:
    path = _write(tmp_path / "dna.csv", "s1,s2,s3,label\na,c,g,0\nt,c,,1\n")
    sequences = read(path)
    assert sequences.category_columns[0].vocabulary == ("a", "c", "g", "t")
    assert sequences.categories[:, 0].tolist() == [0, 1, 2, 3, 1]
    assert sequences.lengths.tolist() == [3, 2]


def test_an_id_that_never_repeats_means_wide(tmp_path: Path) -> None:
    path = _write(tmp_path / "wave.csv", "id,group,split,a,b,label\n1,p,train,1,2,u\n2,q,test,3,4,v\n")
    sequences = read(path)
    assert sequences.lengths.tolist() == [2, 2]
    assert sequences.parts == ("train", "test")
    assert sequences.groups is not None
    assert sequences.groups.tolist() == [0, 1]


def test_to_predict_without_target(tmp_path: Path) -> None:
    path = _write(tmp_path / "pen.csv", "0,10,20,30\n1,11,21,31\n")
    options = ReadOptions(channels=2, kind="classification")
    sequences = read(path, options, needs_target=False)
    assert sequences.targets is None
    assert sequences.lengths.tolist() == [2, 2]
    labelled = read(_write(tmp_path / "l.csv", "0,10,20,30,7\n1,11,21,31,7\n"), options, needs_target=False)
    assert labelled.lengths.tolist() == [2, 2]
    with pytest.raises(DataError, match="whether the last column is the target or a step"):
        read(path, ReadOptions(kind="classification"), needs_target=False)
    bare = read(path, ReadOptions(kind="classification", target="none"), needs_target=False)
    assert bare.lengths.tolist() == [4, 4]


def test_a_wrong_cell_is_named(tmp_path: Path) -> None:
    text = "\n".join(f"{i},{i + 1},{i + 2},{i % 2}" for i in range(8)).replace("5,6,7", "5,six,7")
    with pytest.raises(DataError, match=r"pen\.csv, line 6, column 'column_2': 'six' is not a number"):
        read(_write(tmp_path / "pen.csv", text))


def test_columns_that_make_no_whole_steps(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="4 columns of values do not make whole steps of 3"):
        read(_write(tmp_path / "pen.csv", "0,10,20,30,7\n1,11,21,31,8\n"), ReadOptions(channels=3))
