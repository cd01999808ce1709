"""Bad input: an error that says where, what came, what was expected and what to do; or it works, and says so."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from leadline.data.options import ReadOptions
from leadline.data.read import DEFAULTS, read
from leadline.data.split import split
from leadline.errors import DataError, LeadlineError, OptionError


def _steps(change: Callable[[list[list[str]]], None] | None = None, header: str = "id,t,x,c,label") -> str:
    """A sound file: 30 sequences of three steps, one of two labels each, on lines 2 to 91."""
    rows = [[f"s{i}", str(t), f"{i * 0.25 + t}", "uvw"[(i + t) % 3], "ab"[i % 2]] for i in range(30) for t in range(3)]
    if change:
        change(rows)
    return "\n".join([header, *(",".join(row) for row in rows)]) + "\n"


def _cell(row: int, column: int, value: str) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        rows[row][column] = value

    return change


def _column(column: int, value: str) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        for row in rows:
            row[column] = value

    return change


def _all(*changes: Callable[[list[list[str]]], None]) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        for one in changes:
            one(rows)

    return change


def _by_row(column: int, value: Callable[[int], str]) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        for i, row in enumerate(rows):
            row[column] = value(i)

    return change


def _shorter(rows: list[list[str]]) -> None:
    rows[5].pop()


def _swapped(rows: list[list[str]]) -> None:
    rows[3], rows[4] = rows[4], rows[3]


def _parts(*names: str) -> Callable[[list[list[str]]], None]:
    def change(rows: list[list[str]]) -> None:
        for i, row in enumerate(rows):
            row[3] = names[i // 3 % len(names)]

    return change


def _long_sequence(steps: int, labels: str = "a") -> str:
    rows = [f"big,{t},{t % 7},{labels[t % len(labels)]}" for t in range(steps)]
    return "\n".join(["id,t,x,label", *rows, *(f"s{i},0,{i},{'ab'[i % 2]}" for i in range(30))])


JSON = "\n".join(f'{{"id": {i // 2}, "x": {i}.5, "label": "{"ab"[i // 2 % 2]}"}}' for i in range(60))
WORDS = "\n".join(f"{word}\tA B C" for word in ["cat", "dog", "pig", "cow", "hen"] * 5)


@dataclass(frozen=True)
class Case:
    """What is in the file, and what must be said about it."""

    name: str
    content: str | bytes | None
    where: str = ""
    problem: str = ""
    expected: str = ""
    next_move: str = ""
    options: ReadOptions = DEFAULTS
    file: str = "data.csv"
    test: str | None = None


REFUSED = [
    Case("missing file", None, "data.csv", "there is no such file", "the path of a data file", "Check the spelling"),
    Case("a directory", None, ".", "this is a directory", "one data file", "Name one file in it", file="."),
    Case("empty file", "", "data.csv", "the file is empty", "at least 20 sequences", "Check how it was written"),
    Case("only blank lines", "\n \n\n", "data.csv", "the file is empty", "at least 20", "Check how it was written"),
    Case("only column names", "id,t,x,label\n", "data.csv", "no rows", "at least 20 sequences", "--no-header"),
    Case("binary", b"id,t\n\x00\x01\x02\xff", "data.csv, line 2", "this is binary", "CSV, TSV", "Convert it"),
    Case(
        "wrong encoding",
        _steps().replace("s1,", "sé,").encode("latin-1"),
        "data.csv, line 5",
        "byte 0xe9 is not utf-8 text",
        "text in UTF-8",
        "--encoding latin-1",
    ),
    Case("UTF-16", _steps().encode("utf-16"), "data.csv, line 1", "UTF-16", "plain text", "--encoding utf-16"),
    Case(
        "unknown encoding",
        _steps(),
        "data.csv",
        "encoding 'utf-9' does not exist",
        "latin-1",
        "Correct --encoding",
        options=ReadOptions(encoding="utf-9"),
    ),
    Case(
        "no gzip file",
        _steps().encode(),
        "data.csv.gz",
        "the gzip file is broken",
        "a whole gzip file",
        "gzip -t",
        file="data.csv.gz",
    ),
    Case(
        "half a gzip file",
        gzip.compress(_steps().encode())[:-20],
        "data.csv.gz",
        "the gzip file is broken",
        "a whole gzip file",
        "copy it again",
        file="data.csv.gz",
    ),
    Case(
        "no Parquet file",
        b"PAR1 but no more",
        "data.parquet",
        "the Parquet file is broken",
        "a Parquet file",
        "Write it again",
        file="data.parquet",
    ),
    Case(
        "no such column",
        _steps(),
        "data.csv, column 'lable'",
        "there is no column 'lable'",
        "'id', 't', 'x'",
        "Did you mean 'label'?",
        options=ReadOptions(target="lable"),
    ),
    Case(
        "no such feature",
        _steps(),
        "data.csv, column 'speed'",
        "there is no column 'speed'",
        "one of",
        "Correct the name",
        options=ReadOptions(features=("x", "speed")),
    ),
    Case(
        "text in a numeric column",
        _steps(_cell(10, 2, "fast")),
        "data.csv, line 12, column 'x'",
        "'fast' is not a number (1 such values in 90 rows)",
        "a number with a decimal point",
        "--categorical",
    ),
    Case(
        "decimal commas",
        _steps(_column(2, '"1,5"')),
        "data.csv, line 2, column 'x'",
        "'1,5' is not a number",
        "decimal point",
        "Correct the value",
        options=ReadOptions(numeric=("x",)),
    ),
    Case("infinite value", _steps(_cell(0, 2, "inf")), "data.csv, line 2, column 'x'", "is inf", "finite", "missing"),
    Case("too large", _steps(_cell(1, 2, "1e99")), "data.csv, line 3, column 'x'", "1e+99", "3.4e38", "Replace it"),
    Case(
        "one class",
        _steps(_column(4, "a")),
        "data.csv, column 'label'",
        "one class only ('a'",
        "two different labels",
        "--target",
    ),
    Case(
        "missing label",
        _steps(_cell(30, 4, "")),
        "data.csv, line 32, column 'label'",
        "the target is missing here",
        "a label in every row",
        "delete the sequence",
        options=ReadOptions(kind="tagging"),
    ),
    Case(
        "NaN target",
        _steps(_by_row(4, lambda i: "nan" if i == 33 else f"{i // 3}.5")),
        "data.csv, line 35, column 'label'",
        "the target is missing here",
        "a number in every row",
        "Fill it in",
        options=ReadOptions(kind="step_regression"),
    ),
    Case(
        "text as a number to predict",
        _steps(),
        "data.csv, line 2, column 'label'",
        "'a' is not a number",
        "a number",
        "Correct the value",
        options=ReadOptions(kind="regression"),
    ),
    Case(
        "a label that changes in one sequence",
        _steps(_cell(4, 4, "a")),
        "data.csv, line 6, column 'label'",
        "sequence 's1' has 'a' here and 'b' in line 5",
        "the same in 29 of 30",
        "--kind tagging",
    ),
    Case(
        "labels that change, as classification",
        _steps(_by_row(4, lambda i: "ab"[i % 2])),
        "data.csv, line 3, column 'label'",
        "sequence 's0' has 'b' here and 'a' in line 2",
        "one target per sequence",
        "--kind tagging",
        options=ReadOptions(kind="classification"),
    ),
    Case(
        "a step twice",
        _steps(_cell(7, 1, "0")),
        "data.csv, line 9, column 't'",
        "time 0 is also in line 8",
        "each time once",
        "Delete the repeated rows",
    ),
    Case(
        "no time", _steps(_cell(7, 1, "noon")), "data.csv, line 9, column 't'", "'noon' is no time", "a date", "--time"
    ),
    Case(
        "a row without sequence",
        _steps(_cell(8, 0, "")),
        "data.csv, line 10, column 'id'",
        "the value is missing",
        "a name in every row",
        "delete the row",
    ),
    Case(
        "a row that is too long",
        _steps(_cell(5, 4, "b,b")),
        "data.csv, line 7, column 6",
        "the row has 6 columns",
        "5 columns, as in line 1",
        "Correct this row",
    ),
    Case(
        "a row that is too short",
        _steps(_shorter),
        "data.csv, line 7, column 5",
        "the row has 4 columns",
        "5 columns, as in line 1",
        "Correct this row",
    ),
    Case(
        "a column name twice",
        _steps(header="id,t,x,x,label"),
        "data.csv, line 1, column 'x'",
        "column 'x' is there 2 times",
        "a different name",
        "Rename or delete one",
    ),
    Case(
        "two columns for one role",
        _steps(header="id,t,x,y,label"),
        "data.csv, column 'label'",
        "columns 'y', 'label' could each be the target",
        "one column that is the target",
        "--target",
    ),
    Case(
        "an unknown part",
        _steps(_parts("train", "eval"), header="id,t,x,split,label"),
        "data.csv, line 5, column 'split'",
        "there is no part 'eval'",
        "one of train, tune",
        "Rename it",
    ),
    Case(
        "no part to train on",
        _steps(_parts("dev", "test"), header="id,t,x,split,label"),
        "data.csv, line 2, column 'split'",
        "no sequence is in the train part",
        "a train part",
        "--exclude",
    ),
    Case(
        "a sequence in two groups",
        _steps(_all(_column(3, "p"), _cell(1, 3, "q")), header="id,t,x,group,label"),
        "data.csv, line 3, column 'group'",
        "sequence 's0' has 'q' here and 'p' in line 2",
        "one group per sequence",
        "Correct the row",
    ),
    Case(
        "three sequences in all",
        "\n".join(_steps().split("\n")[:10]),
        "data.csv",
        "there are 3 sequences in all",
        "at least 20",
        "Add sequences",
    ),
    Case(
        "100,000 steps",
        _long_sequence(100_000),
        "data.csv",
        "sequence 'big' has 100,000 steps",
        "at most 10,000 steps",
        "--max-steps N",
    ),
    Case(
        "no target",
        _steps(header="id,t,x,c,d"),
        "data.csv",
        "no column is the target",
        "named target, label or y",
        "--target",
    ),
    Case(
        "several targets",
        _steps(),
        "data.csv, column 'x,c'",
        "names several targets",
        "one target",
        "each target alone",
        options=ReadOptions(target="x,c"),
    ),
    Case(
        "forecasting",
        _steps(),
        "data.csv, column 'x'",
        "forecasting is not there yet",
        "names",
        "--kind step_regression",
        options=ReadOptions(target="x", kind="next_step"),
    ),
    Case(
        "only empty features",
        _steps(_all(_column(2, ""), _column(3, ""))),
        "data.csv",
        "no column is left to predict from",
        "at least one feature",
        "--features",
    ),
    Case(
        "a broken JSON line",
        JSON.replace('"x": 7.5', '"x": 7.5.5'),
        "data.jsonl, line 8",
        "the JSON is broken at character 19",
        "one JSON object per line",
        "Correct or delete this line",
        file="data.jsonl",
    ),
    Case(
        "a JSON line that is no object",
        JSON + "\n[1, 2]\n",
        "data.jsonl, line 61",
        "the line holds a list",
        "one JSON object",
        "Give every value a name",
        file="data.jsonl",
    ),
    Case(
        "lists in JSON",
        JSON.replace(": 7.5", ": [7.5, 8]"),
        "data.jsonl, line 8, column 'x'",
        "the values are lists or objects",
        "many labels per step are refused",
        "one row per step",
        file="data.jsonl",
    ),
    Case(
        "lists in all JSON lines",
        "\n".join(f'{{"id": {i}, "y": [0, 1], "x": 1}}' for i in range(30)),
        "data.jsonl, line 1, column 'y'",
        "the values are lists or objects",
        "many labels per step are refused",
        "one row per step",
        file="data.jsonl",
    ),
    Case(
        "letters and labels of different number",
        WORDS.replace("pig\tA B C", "pig\tA B", 1),
        "data.tsv, line 3, column 2",
        "'pig' has 3 letters and 2 labels",
        "one label per letter",
        "filler",
        file="data.tsv",
    ),
    Case(
        "a word without labels",
        WORDS + "\nox",
        "data.tsv, line 26, column 2",
        "the line has 1 columns",
        "at least 2 columns",
        "Complete the line",
        file="data.tsv",
    ),
    Case(
        "an empty text",
        "a\tone two\nb\t\nb\tthree\n" * 10,
        "data.tsv, line 2",
        "no text after the label 'b'",
        "label, tab, text",
        "delete it",
        file="data.tsv",
        options=ReadOptions(layout="lines"),
    ),
    Case(
        "an empty sequence",
        "1,2,0\n3,4,1\n,,1\n",
        "data.csv, line 3",
        "the sequence is empty (1 such rows)",
        "at least one step",
        "Delete the row",
    ),
    Case(
        "a test file with other columns",
        _steps(),
        "test.csv, column 'x'",
        "there is no column 'x'",
        "one of 'id', 't', 'z'",
        "Correct the name",
        test=_steps(header="id,t,z,c,label"),
    ),
    Case(
        "text in a numeric column of the test file",
        _steps(),
        "test.csv, line 4, column 'x'",
        "'slow' is not a number",
        "a number",
        "--categorical",
        test=_steps(_column(2, "1")).replace("s0,2,1,", "s0,2,slow,"),
    ),
    Case(
        "two columns of names, no target",
        "id,u,v\n1,a,b\n1,b,a\n2,a,b\n",
        "data.csv",
        "2 columns hold names",
        "one column whose next value",
        "--target",
        options=ReadOptions(kind="next_step"),
    ),
    Case(
        "a missing name to predict",
        _steps(_cell(5, 3, "")),
        "data.csv, line 7, column 'c'",
        "the value is missing here (1 such rows)",
        "a value at every step",
        "delete the row",
        options=ReadOptions(target="c", kind="next_step"),
    ),
    Case(
        "a target that is also a feature",
        _steps(),
        "data.csv, column 'c'",
        "the target 'c' is also a feature",
        "--kind next_step",
        "--features",
        options=ReadOptions(target="c", features=("c", "x"), kind="tagging"),
    ),
    Case(
        "no second step",
        "id,act\n1,a\n2,b\n3,a\n",
        "data.csv",
        "no sequence has a second step",
        "at least two steps",
        "--sequence",
        options=ReadOptions(target="act", kind="next_step", layout="long"),
    ),
    Case(
        "a text that is only a space",
        "a\tone two three\nb\t \n" * 12,
        "data.tsv, line 2, column 'text'",
        "the text is empty (12 such rows)",
        "at least one character or word",
        "Delete the row",
        file="data.tsv",
        options=ReadOptions(layout="lines", tokens="word"),
    ),
    Case(
        "a table without text",
        "label,a,b\nu,one two,three\nv,four,five\n",
        "data.csv",
        "2 columns could be the text",
        "a column named text",
        "--text",
        options=ReadOptions(layout="lines"),
    ),
    Case(
        "texts without labels",
        "text,other\none two,1\nfour,2\n",
        "data.csv",
        "no column is the target",
        "target, label or y",
        "--target",
    ),
    Case(
        "labels that hardly occur twice",
        "label,text\n" + "\n".join(f"name{i},one two three {i}" for i in range(1200)),
        "data.csv, line 2, column 'label'",
        "1200 different labels in 1200 rows",
        "again and again",
        "--kind regression",
    ),
    Case(
        "an empty word",
        "cat\tK AE T\n\tD UW\n",
        "data.tsv, line 2, column 1",
        "the word is empty",
        "at least one letter",
        "delete it",
        options=ReadOptions(layout="words"),
        file="data.tsv",
    ),
    Case(
        "no such column of labels",
        WORDS,
        "data.tsv, line 1, column 'sound'",
        "there is no column 'sound'",
        "column_1 to column_2",
        "--separator",
        options=ReadOptions(layout="words", target="sound"),
        file="data.tsv",
    ),
    Case(
        "broken quotes",
        _steps(_cell(4, 3, '"u')),
        "data.csv, line 6, column 5",
        "the row has 4 columns",
        "5 columns, as in line 1",
        "quote cells",
    ),
    Case(
        "a test file of another kind of values",
        "label,text\n" + "\n".join(f"{'ab'[i % 2]},one two three {i}" for i in range(30)),
        "test.csv, line 3, column 'text'",
        "the text is empty",
        "at least one character or word",
        "Delete the row",
        test="label,text\na,one two three\nb,\n",
    ),
    Case(
        "a kind that does not fit",
        _steps(),
        "data.csv",
        "kind 'tagging' does not fit a row per sequence",
        "classification",
        "--kind",
        options=ReadOptions(kind="tagging", layout="wide"),
    ),
    Case(
        "words in a table",
        JSON,
        "data.jsonl",
        "layout 'words' is for text files",
        "long, wide",
        "--layout",
        options=ReadOptions(layout="words"),
        file="data.jsonl",
    ),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_bad_input_is_named(tmp_path: Path, case: Case) -> None:
    path = tmp_path / case.file
    if case.content is not None:
        path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    test = None if case.test is None else tmp_path / "test.csv"
    if test is not None and case.test is not None:
        test.write_text(case.test, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        split(read(path, case.options, test), 0)
    error = caught.value
    assert str(tmp_path) in error.where
    assert error.where.endswith(case.where if case.where != "." else str(tmp_path))
    assert case.problem in error.problem
    assert error.expected
    assert case.expected in error.expected
    assert error.next_move
    assert case.next_move in error.next_move
    assert str(error).count("\n") == 0


WORKS = [
    Case("unordered time", _steps(_swapped), problem="The rows of 1 sequences were out of order: sorted by 't'"),
    Case("missing values", _steps(_cell(4, 2, "")), problem="Column 'x': 1 of 90 values are missing"),
    Case("a column without any value", _steps(_column(2, "NA")), problem="Column 'x' has no value at all: left out"),
    Case("semicolons", _steps().replace(",", ";"), problem="Columns are separated by a semicolon"),
    Case("a byte order mark", b"\xef\xbb\xbf" + _steps().encode(), problem="Column 'id' names the sequence"),
    Case("Windows line ends", _steps().replace("\n", "\r\n"), problem="Target 'label' has 2 distinct names"),
    Case("names among numbers", _steps(_column(2, "x7")), problem="Features that are names: x (1 values), c"),
    Case(
        "latin-1", _steps().replace("s1,", "sé,").encode("latin-1"), problem="", options=ReadOptions(encoding="latin-1")
    ),
    Case(
        "100,000 steps shortened",
        _long_sequence(100_000),
        problem="1 sequences were longer than 50 steps: their last 50",
        options=ReadOptions(max_steps=50),
    ),
    Case(
        "100,000 steps with labels",
        _long_sequence(100_000, "ab"),
        problem="longer than 512 steps: cut into windows",
        options=ReadOptions(kind="tagging"),
    ),
    Case(
        "a validation part alone",
        _steps(_parts("train", "train", "val"), header="id,t,x,split,label"),
        problem="The file's validation part became dev",
    ),
]


@pytest.mark.parametrize("case", WORKS, ids=lambda case: case.name)
def test_odd_input_works_and_says_so(tmp_path: Path, case: Case) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content if isinstance(case.content, bytes) else str(case.content).encode())
    sequences = read(path, case.options)
    assert any(case.problem in note for note in sequences.notes), sequences.notes
    result = split(sequences, 0)
    assert len(result.test)


def test_a_table_of_at_least_twenty_cases() -> None:
    assert len(REFUSED) >= 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "guess"}, "kind 'guess' does not exist; expected one of classification, regression"),
        ({"kind": "forecasting"}, "kind 'forecasting' is not there yet"),
        ({"kind": "multilabel"}, "many labels per step"),
        ({"layout": "square"}, "layout 'square' does not exist; expected one of long, wide"),
        ({"tokens": "byte"}, "tokens 'byte' does not exist; expected one of char, word"),
        ({"channels": 0}, "channels is 0; expected a whole number from 1 on"),
        ({"max_steps": -5}, "max_steps is -5"),
        ({"separator": "::"}, "separator '::' cannot separate columns"),
        ({"channel_order": "mixed"}, "channel_order 'mixed' does not exist"),
        ({"categorical": ("x",), "numeric": ("x",)}, "named in categorical and in numeric"),
    ],
)
def test_unknown_option_values(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        ReadOptions(**options)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert caught.value.next_move
    assert isinstance(caught.value, LeadlineError)
