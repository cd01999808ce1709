"""Large files are read in blocks, to the bit as small ones are, or else as small ones are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leadline.data import large
from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.data.sequences import Sequences
from leadline.errors import DataError


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is large, a block holds a few lines, and the head fewer than a file."""
    monkeypatch.setattr(large, "LARGE", 1)
    monkeypatch.setattr(large, "BLOCK", 200)
    monkeypatch.setattr(large, "SAMPLE", 3)
    monkeypatch.setattr(large, "HEAD", 300)


def _lines(count: int = 40, steps: int = 5, seed: int = 0) -> list[str]:
    random = np.random.default_rng(seed)
    modes, labels = ["walk", "run", "na me", ""], ["a", "b"]
    return [
        f"{sequence:03},{t},{random.normal()},{random.normal() * 1e6:.3f},{random.choice(modes)},{labels[sequence % 2]}"
        for sequence in range(count)
        for t in range(steps)
    ]


HEADER = "id,t,x,y2,mode,label"


def _same(one: Sequences, two: Sequences) -> None:
    assert one.fingerprint() == two.fingerprint()
    assert one.notes == two.notes
    assert (one.kind, one.source, one.name) == (two.kind, two.source, two.name)


def _both(path: Path, options: ReadOptions = ReadOptions(), in_blocks: bool = True) -> None:  # noqa: B008
    """Read in blocks, and whole, with the same result; `in_blocks` says which way it is expected to go."""
    assert (large.large_table(path, options, needs_target=True) is not None) == in_blocks
    found = _attempt(path, options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "LARGE", 10**12)
        whole = _attempt(path, options)
    if isinstance(found, Sequences) and isinstance(whole, Sequences):
        _same(found, whole)
    else:
        assert found == whole


def _attempt(path: Path, options: ReadOptions) -> Sequences | str:
    try:
        return read(path, options)
    except DataError as error:
        return str(error)


def _written(folder: Path, lines: list[str], header: str = HEADER, end: str = "\n") -> Path:
    path = folder / "rows.csv"
    path.write_bytes((end.join([header, *lines]) + end).encode())
    return path


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blocks_give_what_the_whole_gives(tmp_path: Path, end: str) -> None:
    _both(_written(tmp_path, _lines(), end=end))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "options",
    [
        ReadOptions(exclude=("x",)),
        ReadOptions(features=("x", "mode")),
        ReadOptions(categorical=("y2",)),
        ReadOptions(target="y2"),
        ReadOptions(target="mode", kind="next_step"),
        ReadOptions(target="x", exclude=("label",)),
        ReadOptions(sequence="mode", time="none", exclude=("id",)),
        ReadOptions(group="mode"),
    ],
)
def test_options_mean_the_same(tmp_path: Path, options: ReadOptions) -> None:
    path = _written(tmp_path, _lines())
    in_blocks = large.large_table(path, options, needs_target=True) is not None
    _both(path, options, in_blocks)


@pytest.mark.usefixtures("small_blocks")
def test_a_column_that_goes_on_with_text_is_kept_as_text(tmp_path: Path) -> None:
    lines = _lines()
    lines[150] = "030,0,much,1.0,walk,a"
    _both(_written(tmp_path, lines))
    lines[60:] = [line.replace(",walk,", ",1,") for line in lines[60:]]
    _both(_written(tmp_path, lines))
    huge = _lines()
    huge[120] = "024,0,1e39,1.0,walk,a"
    _both(_written(tmp_path, huge))


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("place", "line", "in_blocks"),
    [
        (150, "030,0,0.5,1.0,walk", False),
        (150, "030,0,0.5,1.0,walk,a,more", False),
        (150, '030,0,0.5,1.0,"walk\non",a', False),
        (150, '030,0,0.5,1.0,"walk, on",a', True),
        (150, "030,0,0.5,1.0,walk,", True),
        (150, "", True),
        (150, ",,,,,", True),
        (150, "030,0,nan,?,N/A,a", True),
        (151, "030,0,0.5,1.0,walk,a", True),
        (150, "030,0,inf,1.0,walk,a", True),
        (150, "030,0,0.5,1.0,walk,b", True),
        (150, ",0,0.5,1.0,walk,a", True),
    ],
)
def test_unusual_rows_are_named_or_read_as_in_a_small_file(
    tmp_path: Path, place: int, line: str, in_blocks: bool
) -> None:
    lines = _lines()
    lines[place] = line
    _both(_written(tmp_path, lines), in_blocks=in_blocks)


@pytest.mark.usefixtures("small_blocks")
def test_bytes_that_are_not_utf_8_are_named(tmp_path: Path) -> None:
    path = _written(tmp_path, _lines())
    path.write_bytes(path.read_bytes().replace(b"na me", b"na\xe9me"))
    _both(path, in_blocks=False)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\xe9", "é".encode()))
    _both(path)


@pytest.mark.usefixtures("small_blocks")
def test_what_is_no_large_table_is_read_whole(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_text("x0,x1,label\n" + "".join(f"{i},{i / 7},{i % 2}\n" for i in range(60)))
    _both(wide, in_blocks=False)
    lone = _written(tmp_path, _lines(), end="\r")
    _both(lone, in_blocks=False)


@pytest.mark.usefixtures("small_blocks")
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_the_cells_both_ways_agree(tmp_path: Path, data: st.DataObject) -> None:
    lines = _lines(30, 4, seed=data.draw(st.integers(0, 99)))
    cells = st.sampled_from(["", " 7 ", "7", "7.0", "-0", "1e40", "x", '"q"', '"a""b"', "NA", "2024-01-02", "é", "007"])
    for _ in range(data.draw(st.integers(1, 4))):
        place, column = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, 5))
        changed = lines[place].split(",")
        changed[column] = data.draw(cells)
        lines[place] = ",".join(changed)
    path = _written(tmp_path, lines)
    options = ReadOptions()
    _both(path, options, large.large_table(path, options, needs_target=True) is not None)


@pytest.mark.usefixtures("small_blocks")
def test_columns_are_kept_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "BLOCK", 3000)
    table = large.large_table(_written(tmp_path, _lines()), ReadOptions(exclude=("y2",)), needs_target=True)
    assert table is not None
    kinds = [str(kind).split("(")[0] for kind in table.frame.dtypes]
    assert kinds == ["Enum", "Float64", "Float32", "Null", "Enum", "Enum"]


def test_a_small_file_is_read_whole(tmp_path: Path) -> None:
    assert large.large_table(_written(tmp_path, _lines()), ReadOptions(), needs_target=True) is None
