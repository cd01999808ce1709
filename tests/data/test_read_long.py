"""Long form: a row per step, from every table format."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.data.sequences import Sequences

ROWS = [
    ("b", 2, 0.5, "up", "yes"),
    ("b", 1, 0.25, "down", "yes"),
    ("a", 1, 1.5, "up", "no"),
    ("a", 2, -2.0, "up", "no"),
    ("a", 3, 4.0, "side", "no"),
]
COLUMNS = ["id", "t", "x", "move", "label"]


def _csv(path: Path, separator: str = ",") -> Path:
    lines = [separator.join(COLUMNS), *(separator.join(map(str, row)) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _frame() -> pl.DataFrame:
    return pl.DataFrame(ROWS, schema=COLUMNS, orient="row")


def _json(path: Path) -> Path:
    text = "\n".join(json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in ROWS)
    path.write_text(text, encoding="utf-8")
    return path


def _parquet(path: Path) -> Path:
    _frame().write_parquet(path)
    return path


def _gzipped(path: Path) -> Path:
    path.write_bytes(gzip.compress(_csv(path.with_name("plain.csv")).read_bytes()))
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    "steps.csv": _csv,
    "steps.tsv": lambda path: _csv(path, "\t"),
    "steps.txt": lambda path: _csv(path, ";"),
    "steps.jsonl": _json,
    "steps.ndjson": _json,
    "steps.parquet": _parquet,
    "steps.csv.gz": _gzipped,
}


def _note(sequences: Sequences, text: str) -> str:
    found = [note for note in sequences.notes if text in note]
    assert found, (text, sequences.notes)
    return found[0]


@pytest.mark.parametrize("name", WRITERS)
def test_all_formats_give_the_same_sequences(tmp_path: Path, name: str) -> None:
    sequences = read(WRITERS[name](tmp_path / name))
    assert sequences.kind == "classification"
    assert sequences.ids == ("b", "a")
    assert sequences.lengths.tolist() == [2, 3]
    assert sequences.numeric_names == ("x",)
    np.testing.assert_array_equal(sequences.numeric[:, 0], np.float32([0.25, 0.5, 1.5, -2.0, 4.0]))
    assert sequences.category_columns[0].name == "move"
    assert sequences.category_columns[0].vocabulary == ("down", "side", "up")
    assert sequences.categories[:, 0].tolist() == [0, 2, 2, 2, 1]
    assert sequences.classes == ("no", "yes")
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [1, 0]
    assert sequences.targets.dtype == np.int64
    assert sequences.name == name.split(".")[0]


def test_every_inference_is_said(tmp_path: Path) -> None:
    sequences = read(_csv(tmp_path / "steps.csv"))
    _note(sequences, "Column 'id' names the sequence")
    _note(sequences, "Column 't' orders the steps")
    assert "--kind overrules" in _note(sequences, "Target 'label' has 2 distinct names")
    _note(sequences, "The rows of 1 sequences were out of order: sorted by 't'")
    _note(sequences, "Features that are numbers: x (--categorical overrules)")
    _note(sequences, "Features that are names: move (3 values)")


def test_options_overrule_names(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("who,when,code,y,label\n1,2,7,0.5,u\n1,1,8,0.5,v\n2,1,7,1.25,u\n", encoding="utf-8")
    options = ReadOptions(sequence="who", time="when", target="y", categorical=("code",), exclude=("label",))
    sequences = read(path, options)
    assert sequences.kind == "regression"
    assert sequences.ids == ("1", "2")
    assert sequences.category_columns[0].vocabulary == ("7", "8")
    assert sequences.categories[:, 0].tolist() == [1, 0, 0]
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [0.5, 1.25]


@pytest.mark.parametrize(
    ("labels", "kind", "wanted"),
    [
        ("a b a b", "tagging", [0, 1, 0, 1]),
        ("0.5 1.5 0.5 2.5", "step_regression", [0.5, 1.5, 0.5, 2.5]),
        ("0 0 1 1", "classification", [0, 1]),
        ("0.5 0.5 1.5 1.5", "regression", [0.5, 1.5]),
        ("2.0 2.0 3.0 3.0", "regression", [2.0, 3.0]),
    ],
)
def test_the_kind_is_inferred(tmp_path: Path, labels: str, kind: str, wanted: list[float]) -> None:
    path = tmp_path / "steps.csv"
    rows = [f"{i // 2},{i},{label}" for i, label in enumerate(labels.split())]
    path.write_text("id,x,target\n" + "\n".join(rows), encoding="utf-8")
    sequences = read(path)
    assert sequences.kind == kind
    assert sequences.targets is not None
    assert sequences.targets.tolist() == wanted


def test_kind_overrules_numbers_as_labels(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("id,x,y\n1,0,10\n1,1,10\n2,0,9\n", encoding="utf-8")
    assert read(path).classes == ("9", "10")
    sequences = read(path, ReadOptions(kind="regression"))
    assert sequences.targets is not None
    assert sequences.targets.dtype == np.float32
    assert sequences.targets.tolist() == [10.0, 9.0]


def test_next_step_of_names(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "CaseID,ActivityID,hours,CompleteTimestamp\n"
        "7,start,1,2020-01-01 08:00:00\n7,end,3,2020-01-03 08:00:00\n7,work,2,2020-01-02 08:00:00\n"
        "8,start,9,2020-01-01 09:00:00\n9,start,4,2020-02-01 09:00:00\n9,end,5,2020-02-02 09:00:00\n",
        encoding="utf-8",
    )
    sequences = read(path, ReadOptions(sequence="CaseID", target="ActivityID", kind="next_step"))
    assert sequences.kind == "next_step"
    assert sequences.ids == ("7", "9")
    assert sequences.lengths.tolist() == [2, 1]
    assert sequences.classes == ("end", "start", "work")
    assert sequences.categories[:, 0].tolist() == [1, 2, 1]
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [2, 0, 0]
    assert sequences.numeric[:, 0].tolist() == [1.0, 2.0, 4.0]
    _note(sequences, "'CompleteTimestamp' holds times and orders the steps")
    _note(sequences, "1 sequences of one step have no next one")


def test_target_among_the_features_means_next_step(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,act\n1,a\n1,b\n2,b\n2,a\n", encoding="utf-8")
    sequences = read(path, ReadOptions(target="act", features=("act",)))
    assert sequences.kind == "next_step"
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [1, 0]


def test_next_step_to_predict_keeps_the_last_token(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,act\n1,a\n1,b\n", encoding="utf-8")
    options = ReadOptions(target="act", kind="next_step")
    sequences = read(path, options, needs_target=False)
    assert sequences.targets is None
    assert sequences.lengths.tolist() == [2]


def test_missing_values_are_kept_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("id,x,c,y\n1,,a,0\n1,NA,,0\n2,3,b,1\n", encoding="utf-8")
    sequences = read(path)
    assert np.isnan(sequences.numeric[:, 0]).tolist() == [True, True, False]
    assert sequences.categories[:, 0].tolist() == [0, -1, 1]
    _note(sequences, "Column 'x': 2 of 3 values are missing")
    _note(sequences, "Column 'c': 1 of 3 values are missing")


def test_groups_and_parts(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text(
        "id,x,y,group,split\n1,0,0,ann,train\n1,1,0,ann,train\n2,0,1,bob,valid\n3,0,1,ann,test\n",
        encoding="utf-8",
    )
    sequences = read(path)
    assert sequences.groups is not None
    assert sequences.groups.tolist() == [0, 1, 0]
    assert sequences.parts == ("train", "dev", "test")
    _note(sequences, "validation part became dev")
    assert sequences.numeric_names == ("x",)


def test_valid_beside_dev_becomes_tune(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("id,x,y,split\n1,0,0,Train\n2,0,1,VAL\n3,0,1,dev\n4,0,1,\n", encoding="utf-8")
    assert read(path, ReadOptions(layout="long")).parts == ("train", "tune", "dev", "")


def test_a_test_file_joins_vocabularies_and_classes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,x,c,label\n1,1,p,u\n1,2,q,u\n2,3,p,v\n", encoding="utf-8")
    second.write_text("id,c,x,label\n1,z,9,w\n1,p,8,w\n", encoding="utf-8")
    sequences = read(first, test=second)
    assert sequences.parts == ("", "", "test")
    assert sequences.classes == ("u", "v", "w")
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [0, 1, 2]
    assert sequences.category_columns[0].vocabulary == ("p", "q", "z")
    assert sequences.categories[:, 0].tolist() == [0, 1, 0, 2, 0]
    assert sequences.numeric[:, 0].tolist() == [1, 2, 3, 9, 8]
    assert sequences.ids == ("1", "2", "test/1")


def test_a_test_file_is_read_with_the_types_of_the_first(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("id,code,y\n1,a1,0.5\n1,7,0.5\n2,b,1.5\n", encoding="utf-8")
    second.write_text("id,code,y\n1,7,1\n1,8,1\n2,7,2\n", encoding="utf-8")
    sequences = read(first, test=second)
    assert sequences.kind == "regression"
    assert sequences.category_columns[0].vocabulary == ("7", "a1", "b", "8")
    assert sequences.categories[:, 0].tolist() == [1, 0, 2, 0, 3, 0]


def test_without_a_target_to_predict(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("id,x\n1,1\n1,2\n2,3\n", encoding="utf-8")
    sequences = read(path, ReadOptions(kind="tagging"), needs_target=False)
    assert sequences.targets is None
    assert sequences.kind == "tagging"
    assert sequences.lengths.tolist() == [2, 1]


def test_line_numbers_survive_blank_lines_and_quoted_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text('id,x,c,y\n1,1,"two\nlines",0\n\n1,2,b,0\n2,3,b,\n', encoding="utf-8")
    with pytest.raises(Exception, match=r"steps\.csv, line 6, column 'y'"):
        read(path)


def test_the_order_of_rows_is_said_where_no_column_orders(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("id,x,y\n1,1,0\n2,5,1\n1,2,0\n", encoding="utf-8")
    sequences = read(path)
    assert sequences.numeric[:, 0].tolist() == [1, 2, 5]
    _note(sequences, "No column orders the steps")
    _note(sequences, "not together: they are joined by 'id'")


def test_events_at_the_same_clock_time_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text("id,time,x,y\n1,2020-01-02,1,0\n1,2020-01-02,2,0\n1,2020-01-01,3,0\n2,2020-01-01,4,1\n")
    sequences = read(path)
    assert sequences.numeric[:, 0].tolist() == [3, 1, 2, 4]
    _note(sequences, "1 rows share their 'time' with the row before")


def test_an_index_without_name_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "steps.csv"
    path.write_text(",id,x,y\n0,1,1,0\n1,1,2,0\n2,2,3,1\n", encoding="utf-8")
    sequences = read(path)
    assert sequences.numeric_names == ("x",)
    _note(sequences, "Column 1 has no name")
