"""What a model keeps to read the files that it is to predict."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from leadline.data.options import ReadOptions
from leadline.data.read import read, read_settled
from leadline.data.settle import like
from leadline.errors import OptionError

CASES = {
    "long": (
        "steps.csv",
        "id,x,c,result\n1,0.5,7,u\n1,1,q,u\n2,2,7,v\n",
        "id,x,c\n9,1,7\n9,2,7\n",
        ReadOptions(target="result"),
    ),
    "groups": (
        "steps.csv",
        "id,x,y,who\n1,0.5,u,a\n1,1,u,a\n2,2,v,b\n",
        "id,x\n9,1\n9,2\n",
        ReadOptions(group="who"),
    ),
    "wide": ("pen.csv", "0,1,2,3,a\n4,5,6,7,b\n", "9,8,7,6\n", ReadOptions(channels=2)),
    "one channel": ("wave.csv", "0,1,2,3,a\n4,5,6,7,b\n", "9,8,7,6\n", ReadOptions()),
    "numbered": (
        "pen.csv",
        "x0,y0,x1,y1,digit\n0,1,2,3,a\n4,5,6,7,b\n",
        "x0,y0,x1,y1\n9,8,7,6\n",
        ReadOptions(target="digit"),
    ),
    "lines": ("names.tsv", "de\tMax\nen\tEmma\n", "Ottilie\n", ReadOptions()),
    "words": ("letters.tsv", "cat\tK AE T\ndo\tD UW\n", "dog\n", ReadOptions()),
    "sentences": ("ud.tsv", "The\tD\ncat\tN\n\nIt\tP\nsat\tV\n\n", "We\nsat\n\nIt\nsat\n\n", ReadOptions()),
    "text": ("a.txt", "to be or not to be\n" * 3, "that is\n", ReadOptions()),
    "next step": (
        "log.csv",
        "id,act\n1,5\n1,6\n2,5\n2,5\n",
        "id,act\n7,6\n",
        ReadOptions(target="act", kind="next_step"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_without_target_reads_like_the_first(tmp_path: Path, case: str) -> None:
    name, first, second, options = CASES[case]
    (tmp_path / name).write_text(first, encoding="utf-8")
    sequences, settled = read_settled(tmp_path / name, options)
    kept = ReadOptions.from_dict(json.loads(json.dumps(asdict(settled))))
    assert kept == settled
    fresh = tmp_path / f"new{Path(name).suffix}"
    fresh.write_text(second, encoding="utf-8")
    unseen = read(fresh, kept, needs_target=False)
    assert unseen.targets is None
    assert unseen.kind == sequences.kind
    assert unseen.numeric_names == sequences.numeric_names
    names = [(column.name, column.form) for column in sequences.category_columns]
    assert [(column.name, column.form) for column in unseen.category_columns] == names


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("text", "next step")])
def test_the_same_file_reads_the_same(tmp_path: Path, case: str) -> None:
    name, first, _, options = CASES[case]
    (tmp_path / name).write_text(first, encoding="utf-8")
    sequences, settled = read_settled(tmp_path / name, options)
    again = read(tmp_path / name, settled, needs_target=False)
    assert again.fingerprint() == sequences.fingerprint()
    np.testing.assert_array_equal(again.targets, sequences.targets)


def test_an_option_that_does_not_exist() -> None:
    with pytest.raises(OptionError, match="there is no option 'colour'"):
        ReadOptions.from_dict({"colour": "red"})


@pytest.mark.parametrize("case", ["lines", "words", "sentences", "text"])
def test_the_layout_of_text_is_told_from_the_columns(tmp_path: Path, case: str) -> None:
    name, first, _, options = CASES[case]
    (tmp_path / name).write_text(first, encoding="utf-8")
    sequences, settled = read_settled(tmp_path / name, options)
    assert like(sequences, options) == settled


def test_the_layout_of_numbers_is_left_open(tmp_path: Path) -> None:
    name, first, _, options = CASES["wide"]
    (tmp_path / name).write_text(first, encoding="utf-8")
    sequences = read(tmp_path / name, options)
    assert like(sequences, options).layout is None
    assert like(sequences, ReadOptions(layout="wide")).layout == "wide"
