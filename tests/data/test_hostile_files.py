"""Files that are broken, huge or odd on purpose: each is read, or refused by a `DataError`; nothing else happens."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from leadline.analysis.given import read_file
from leadline.data.options import ReadOptions
from leadline.data.read import DEFAULTS, read
from leadline.errors import DataError, LeadlineError

ROWS = "".join(f"{i // 3},{i}.5,{'ab'[i // 3 % 2]}\n" for i in range(60))


def refused(path: Path, options: ReadOptions = DEFAULTS) -> DataError:
    with pytest.raises(DataError) as caught:
        read(path, options)
    error = caught.value
    assert error.where
    assert error.expected
    assert error.next_move
    assert str(error).isprintable()
    assert len(str(error)) < 10_000
    return error


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "encoding", ["undefined", "idna", "punycode", "unicode_escape", "rot13", "zlib", "utf\0", "é", "\ud800"]
)
def test_an_encoding_of_no_file(tmp_path: Path, encoding: str) -> None:
    error = refused(written(tmp_path / "data.csv", "id,x,label\n" + ROWS), ReadOptions(encoding=encoding))
    assert "encoding" in error.problem
    assert "does not exist" in error.problem


@pytest.mark.parametrize(
    ("encoding", "content", "problem"),
    [
        ("utf-7", b"id,x\n1,+2AA-\n", "utf-7"),
        ("utf-16", b"\xff\xfei\0d\0,", "byte 0x2c is not utf-16 text"),
        ("U16", "id\0,x".encode("utf-16"), "this is binary"),
        ("utf-8", b"\xef\xbb\xbfid,x\n\xff", "byte 0xff is not utf-8 text"),
    ],
)
def test_text_that_its_encoding_does_not_have(tmp_path: Path, encoding: str, content: bytes, problem: str) -> None:
    assert problem in refused(written(tmp_path / "data.csv", content), ReadOptions(encoding=encoding)).problem


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf_16", "U8"])
def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path, encoding: str) -> None:
    text = "\ufeffid,x,label\n" + ROWS
    path = written(tmp_path / "data.csv", text.encode("utf-8" if "8" in encoding else "utf-16-le"))
    assert read(path, ReadOptions(encoding=encoding)).ids[:2] == ("0", "1")


@pytest.mark.parametrize("blanks", ["\u00a0", "\x1e", "\n" * 500 + "\u2003\n", "\ufeff\n", "\t\n" * 10, " "])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt", ".jsonl", ".conll"])
def test_only_blanks(tmp_path: Path, blanks: str, suffix: str) -> None:
    assert "the file is empty" in refused(written(tmp_path / f"data{suffix}", blanks)).problem


def test_more_blank_lines_before_the_table_than_the_sample_has(tmp_path: Path) -> None:
    path = written(tmp_path / "data.csv", "\n" * 450 + " \nid,x,label\n" + ROWS)
    assert read(path).ids[:2] == ("0", "1")
    broken = written(tmp_path / "data.csv", path.read_text().replace("10.5", "ten", 1))
    assert refused(broken).where.endswith("line 463, column 'x'")


@pytest.mark.parametrize(
    "name", ["^*$", "^.*$", "*", "__record", "literal", "count", "x\ty", "a'b", "\u202e", "0", "n" * 9999]
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_odd_names_of_columns(tmp_path: Path, name: str, suffix: str) -> None:
    """As a feature, as the target, as the sequence, in long and in wide form."""
    rows = [(f"s{i // 3}", f"{i}.5", f"n{i % 4}", "ab"[i // 3 % 2]) for i in range(60)]
    frame = pl.DataFrame(rows, schema=["id", "x", name, "label"], orient="row")
    path = tmp_path / f"data{suffix}"
    write: dict[str, Callable[[], None]] = {
        ".csv": lambda: frame.write_csv(path),
        ".jsonl": lambda: frame.write_ndjson(path),
        ".parquet": lambda: frame.write_parquet(path),
    }
    write[suffix]()
    assert name in {column.name for column in read(path).category_columns}
    assert read(path, ReadOptions(target=name, kind="tagging")).num_classes == 4
    assert read(path, ReadOptions(sequence=name)).ids == ("n0", "n1", "n2", "n3")
    assert len(read(path, ReadOptions(layout="wide", target=name))) == 60


def test_names_that_are_missing_and_given(tmp_path: Path) -> None:
    assert (
        "'unnamed_2' is there 2 times" in refused(written(tmp_path / "a.csv", "id,,unnamed_2,label\n1,2,3,a\n")).problem
    )


@pytest.mark.parametrize("length", [131_073, 3_000_000])
def test_long_cells(tmp_path: Path, length: int) -> None:
    """Beyond the limit of the csv module, which stays what it was."""
    cell = "word, " * (length // 6)
    rows = "".join(f'{"ab"[i % 2]},"{cell}{i}"\n' for i in range(3))
    before = csv.field_size_limit()
    sequences = read(written(tmp_path / "data.csv", "label,text\n" + rows), ReadOptions(max_steps=10))
    assert sequences.classes == ("a", "b")
    assert csv.field_size_limit() == before


def test_a_book_in_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "book.txt", "call me ishmael, t, y; some years ago | never mind. " * 60_000)
    start = time.process_time()
    assert read(path).kind == "next_step"
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("9" * 5000, "5,000 digits"),
        ('{"a": ' + "9" * 4301 + "}", "4,301 digits"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": -Infinity}', "Infinity is no JSON"),
        ('{"a": "\\ud800"}', "half of a character"),
        ('{"\\udfff": 1}', "half of a character"),
        ("[" * 2000, "lists or objects"),
        ("[" * 2000 + "]" * 2000, "lists or objects"),
        ('{"a":' * 300 + "1" + "}" * 300, "lists or objects"),
        ('{"a":' * 300, "JSON is broken"),
        ('{"a":' * 30_000 + "1" + "}" * 30_000, "lists or objects"),
        ('{"a": "[[[", "b": [1]}', "lists or objects"),
        ('{"a": 1e999}', "cannot be read"),
        ('{"a": 1}{"a": 2}', "JSON is broken"),
        ("}", "JSON is broken"),
        ("null", "holds a NoneType"),
        ('{"a": "' + "x" * 10, "JSON is broken"),
        ("{}", "no column is left"),
    ],
)
def test_hostile_json(tmp_path: Path, line: str, problem: str) -> None:
    """Alone, and after more sound lines than the sample has."""
    start = time.process_time()
    assert problem in refused(written(tmp_path / "data.jsonl", line)).problem
    if line != "{}":
        sound = '{"id": 1, "label": "a"}\n' * 1500
        error = refused(written(tmp_path / "data.jsonl", sound + line))
        assert problem in error.problem
    assert time.process_time() - start < 5


def test_objects_with_other_keys_after_the_sample(tmp_path: Path) -> None:
    rows = [{"id": i // 3, "x": i + 0.5, "label": "ab"[i // 3 % 2]} for i in range(3300)]
    rows[3000]["late : key"] = 1
    path = written(tmp_path / "data.jsonl", "\n".join(map(json.dumps, rows)))
    assert set(read(path).numeric_names) == {"x", "late : key"}
    assert "4 different keys" in refused(path, ReadOptions(max_columns=3)).problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (gzip.compress(b"id,x\n", mtime=0), "this is gzip, not text"),
        (b"PK\x03\x04\x14\0\0", "zip archive"),
        (b"BZh91AY&SY\0", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"PAR1\x15\0", "Parquet"),
        (b"SQLite format 3\0", "SQLite"),
        (b"a,b\n" * 3000 + b"\0", "binary"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content: bytes, problem: str) -> None:
    assert problem in refused(written(tmp_path / "data.csv", content)).problem


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(path.name)


@pytest.mark.parametrize(
    "make", [_pipe, _socket, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "socket", "device"]
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".csv.gz"])
def test_what_is_no_file(
    tmp_path: Path, make: Callable[[Path], None], suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / f"data{suffix}")
    assert "a pipe, a socket or a device" in refused(tmp_path / f"data{suffix}").problem


@pytest.mark.parametrize("name", ["a\0b.csv", "loop.csv", "n" * 300 + ".csv", "no/such.csv"])
def test_paths_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    refused(tmp_path / name)


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv"))
    sequences = read(written(path, "id,x,label\n" + ROWS))
    assert sequences.name == "caf\\xe9"
    assert (sequences.source + sequences.name).isprintable()
    assert "caf" in refused(written(path, "id,x,label\n1,2\n")).where


def test_digits_without_end(tmp_path: Path) -> None:
    """In cells that are names, in names of columns and in options."""
    digits = "9" * 5000
    rows = "".join(f"{digits}{i // 3},{i}.5,{'ab'[i // 3 % 2]}\n" for i in range(60))
    path = written(tmp_path / "data.csv", "id,x,label\n" + rows)
    assert len(read(path)) == 20
    assert len(read(path, ReadOptions(target="id", sequence="label", kind="tagging")).classes) == 20
    head = f"x{digits},x{digits}9,label\n1,2,a\n3,4,b\n"
    assert len(read(written(tmp_path / "wide.csv", head))) == 2
    start = time.process_time()
    slow = "1" * 60_000 + "x"
    assert len(read(written(tmp_path / "slow.csv", f"{slow},{slow}y,label\n1,2,a\n3,4,b\n"))) == 2
    assert time.process_time() - start < 5
    words = written(tmp_path / "words.tsv", "cat\tA B C\n" * 30)
    assert "there is no column" in refused(words, ReadOptions(target=f"column_{digits}")).problem


def test_an_error_does_not_quote_megabytes(tmp_path: Path) -> None:
    rows = ROWS.replace("7.5", "z" * 2_000_000 + "\x1b[31m", 1)
    assert "is not a number" in refused(written(tmp_path / "data.csv", "id,x,label\n" + rows)).problem[-100:]


def test_numbers_beyond_64_bits_stay_labels(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [0.5] * 40, "label": [1e300, 2e300] * 20})
    frame.write_parquet(tmp_path / "data.parquet")
    sequences = read(tmp_path / "data.parquet", ReadOptions(kind="classification", layout="wide"))
    assert sequences.num_classes == 2


@pytest.mark.parametrize(
    "content",
    [
        "x\n",
        "x,label\n",
        "x\n1\n",
        "1,a\n",
        "1\n2\n3\n",
        "'",
        '"',
        '"a,b\n1,2\n',
        'a,b\n"1"x,2\n',
        "a,b\n1,2\n \n",
        ",\n,\n",
        ",,,y\n,,,\n",
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_tiny_tables(tmp_path: Path, content: str, suffix: str) -> None:
    for layout in (None, "long", "wide", "lines", "words", "text"):
        path = written(tmp_path / f"data{suffix}", content)
        try:
            assert read(path, ReadOptions(layout=layout)).fingerprint()  # type: ignore[arg-type]
        except LeadlineError as error:
            assert error.expected  # noqa: PT017 - some of these are read and some refused, as the layout is


# --- limits ---


def test_a_small_gzip_file_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "data.csv.gz", gzip.compress(b"0,0,0\n" * 6_000_000))
    error = refused(path)
    assert "unpacks to more than 32 MB" in error.problem
    assert "--max-size-mb" in error.next_move
    assert "cells" in refused(path, ReadOptions(max_size_mb=40, max_cells=1000)).problem


def test_each_limit_is_said_and_can_be_raised(tmp_path: Path) -> None:
    wide = written(tmp_path / "wide.csv", "".join(",".join([*"12" * 20, "ab"[i % 2]]) + "\n" for i in range(30)))
    for low, high, problem in (
        (ReadOptions(max_columns=40), ReadOptions(max_columns=41), "there are 41 columns"),
        (ReadOptions(max_cells=1200), ReadOptions(max_cells=1300), "cells (31 rows of 41 columns)"),
    ):
        assert problem in refused(wide, low).problem
        assert len(read(wide, high)) == 30
    text = written(tmp_path / "text.txt", "all work and no play\n" * 100)
    assert "2,100 characters" in refused(text, ReadOptions(max_cells=2000)).problem
    assert len(read(text, ReadOptions(max_cells=2100)))
    big = written(tmp_path / "big.txt", "all work and no play\n" * 100_000)
    assert "larger than 1 MB" in refused(big, ReadOptions(max_size_mb=1)).problem
    assert len(read(big, ReadOptions(max_size_mb=3)))


def test_too_many_columns_are_refused_at_once(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(300_000))
    path = written(tmp_path / "data.csv", f"{names}\n" + ("1," * 299_999 + "1\n") * 2)
    start = time.process_time()
    assert "there are 300,000 columns" in refused(path).problem
    assert time.process_time() - start < 10


def test_lines_without_a_key_in_common_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "data.jsonl", "\n".join(json.dumps({f"k{i}": i}) for i in range(2000)))
    assert "2,000 values under 2,000 different keys" in refused(path).problem
    options = ReadOptions(max_cells=10**7, layout="wide", target="k1", features=("k2", "k3"))
    assert "different keys" not in refused(path, options).problem


# --- Parquet ---


def _frame() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [i // 3 for i in range(60)],
            "x": [i + 0.5 for i in range(60)],
            "c": pl.Series(["u", "v"] * 30, dtype=pl.Categorical),
            "d": pl.Series([i % 7 for i in range(60)], dtype=pl.Decimal(10, 2)),
            "e": pl.Series([10**25 + i for i in range(60)], dtype=pl.Int128),
            "b": [b"ab", b"c"] * 30,
            "p": pl.Series(range(60), dtype=pl.Duration("us")),
            "label": ["ab"[i // 3 % 2] for i in range(60)],
        }
    )


def test_all_types_of_parquet(tmp_path: Path) -> None:
    _frame().write_parquet(tmp_path / "data.parquet")
    sequences = read(tmp_path / "data.parquet")
    assert {column.name: column.vocabulary for column in sequences.category_columns} == {
        "c": ("u", "v"),
        "b": ("ab", "c"),
    }
    assert set(sequences.numeric_names) >= {"x", "d", "e"}
    _frame().with_columns(b=pl.Series([b"\xff"] * 60)).write_parquet(tmp_path / "data.parquet")
    error = refused(tmp_path / "data.parquet")
    assert "bytes that are no text" in error.problem
    assert error.where.endswith("row 1, column 'b'")


@pytest.mark.parametrize("compression", ["snappy", "zstd", "uncompressed"])
def test_flipped_bytes_in_parquet(tmp_path: Path, compression: str) -> None:
    """A byte of every part; the library may end its process over some of them, and must not end this one."""
    file = io.BytesIO()
    _frame().select("id", "x", "c", "label").write_parquet(file, compression=compression)  # type: ignore[arg-type]
    sound = file.getvalue()
    for place in range(4, len(sound), len(sound) // 8):
        data = bytearray(sound)
        data[place] ^= 0xFF
        try:
            read(written(tmp_path / "data.parquet", bytes(data)))
        except DataError as error:
            assert error.next_move  # noqa: PT017 - a flipped byte may also leave a sound file


def test_a_reader_that_dies_is_told_from_one_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.parquet"
    _frame().write_parquet(path)
    dies = written(tmp_path / "dies.py", "import os, sys\nsys.stdin.buffer.read()\nos.abort()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("leadline.data.parquet.READER", dies.stem)
    assert "breaks down over it" in refused(path).problem
    monkeypatch.setattr("leadline.data.parquet.sys.executable", str(tmp_path / "no_python"))
    assert "no process can be started" in refused(path).problem


def test_parquet_that_unpacks_to_far_more(tmp_path: Path) -> None:
    """One long text, kept once in the file and a million times in the table."""
    path = tmp_path / "data.parquet"
    pl.DataFrame({"id": range(20_000), "text": ["x" * 5000] * 20_000, "label": ["a", "b"] * 10_000}).write_parquet(path)
    assert "unpacks to more than" in refused(path).problem
    assert "there are 3 columns" in refused(path, ReadOptions(max_columns=2)).problem
    assert "cells" in refused(path, ReadOptions(max_cells=100)).problem


def test_parquet_in_a_script_without_a_guard(tmp_path: Path) -> None:
    """The reading process does not run the user's script again, nor modules of the folder it was started in."""
    _frame().write_parquet(tmp_path / "data.parquet")
    written(tmp_path / "polars.py", "raise SystemExit('the wrong polars')\n")
    folder = written(tmp_path / "elsewhere.py", "import leadline\nprint(len(leadline.read('data.parquet')))\n")
    home = tmp_path / "scripts"
    home.mkdir()
    script = folder.rename(home / "script.py")
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["20"], done.stderr


@pytest.mark.parametrize("name", ["^*$", "*", "count", "index"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_odd_names_of_annotations(tmp_path: Path, name: str, suffix: str) -> None:
    sequences = read(written(tmp_path / "data.csv", "id,x,label\n" + ROWS))
    frame = pl.DataFrame({name: ["u", "v"] * 30})
    path = tmp_path / f"more{suffix}"
    write = {".csv": frame.write_csv, ".jsonl": frame.write_ndjson, ".parquet": frame.write_parquet}
    write[suffix](path)
    (annotation,) = read_file(path, sequences)
    assert (annotation.name, annotation.classes) == (name, ("u", "v"))
