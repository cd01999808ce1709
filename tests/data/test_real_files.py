"""The reader and the splitter on well-known files, where they lie beside the checkout."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from leadline.data.checks import check
from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.errors import DataError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def _file(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the checkout")
    return path


def _assert_parts(sequences: Sequences) -> None:
    result = split(sequences, 0)
    for fold in result.folds:
        together = np.concatenate([fold.train, fold.tune, fold.dev, result.test])
        assert np.sort(together).tolist() == list(range(len(sequences)))


def test_pendigits() -> None:
    path, test = _file("pendigits/pendigits_train_30writers.csv"), _file("pendigits/pendigits_test_14writers.csv")
    sequences = read(path, ReadOptions(channels=2), test=test)
    assert (sequences.kind, len(sequences), sequences.num_classes) == ("classification", 7494 + 3498, 10)
    assert set(sequences.lengths.tolist()) == {8}
    np.testing.assert_array_equal(sequences.numeric[:2], [[0, 100], [62, 99]])
    result = split(sequences, 0)
    assert result.test.tolist() == list(range(7494, 10992))
    assert len(result.folds) == 5
    assert check(sequences, result) == ()


def test_surnames(tmp_path: Path) -> None:
    files = sorted(_file("surnames/Arabic.txt").parent.glob("[A-Z]*.txt"))
    rows = [
        f"{path.stem}\t{name}"
        for path in files
        if path.stem != "SOURCE"
        for name in path.read_text(encoding="utf-8").split("\n")
        if name.strip()
    ]
    (tmp_path / "surnames.tsv").write_text("\n".join(rows), encoding="utf-8")
    sequences = read(tmp_path / "surnames.tsv")
    assert (sequences.kind, len(sequences), sequences.num_classes) == ("classification", len(rows), 18)
    assert sequences.category_columns[0].name == "character"
    result = split(sequences, 0)
    assert any("share their inputs" in note for note in result.notes)
    assert len(set(result.clusters.tolist())) < 18_012
    found = check(sequences, result)
    assert not any("same inputs as one in train" in text for text in found)
    assert any("have the inputs of others but another target" in text for text in found)


def test_sms_spam() -> None:
    sequences = read(_file("sms_spam/SMSSpamCollection.tsv"))
    assert (sequences.kind, len(sequences), sequences.classes) == ("classification", 5574, ("ham", "spam"))
    assert sequences.targets is not None
    assert int(sequences.targets.sum()) == 747
    assert sequences.category_columns[0].form == "word"
    words = [sequences.category_columns[0].vocabulary[i] for i in sequences.categories[:4, 0]]
    assert words == ["go", "until", "jurong", "point"]
    assert any("share their inputs" in note for note in split(sequences, 0).notes)


def _vowels(path: Path, part: str) -> list[str]:
    lines = path.read_text(encoding="utf-8").split("@data\n")[1].strip().split("\n")
    rows = []
    for number, line in enumerate(lines):
        *channels, label = line.split(":")
        steps = zip(*(channel.split(",") for channel in channels), strict=True)
        rows += [",".join([f"{part}{number}", str(t), label, part, *step]) for t, step in enumerate(steps)]
    return rows


def test_japanese_vowels(tmp_path: Path) -> None:
    train, test = _file("japanese_vowels/JapaneseVowels_TRAIN.ts"), _file("japanese_vowels/JapaneseVowels_TEST.ts")
    header = "id,t,label,split," + ",".join(f"lpc{i}" for i in range(12))
    text = "\n".join([header, *_vowels(train, "train"), *_vowels(test, "test")])
    (tmp_path / "vowels.csv").write_text(text, encoding="utf-8")
    sequences = read(tmp_path / "vowels.csv")
    assert (sequences.kind, len(sequences), sequences.num_classes) == ("classification", 640, 9)
    assert sequences.numeric.shape[1] == 12
    assert (sequences.lengths.min(), sequences.lengths.max()) == (7, 29)
    result = split(sequences, 0)
    assert (len(result.test), len(result.folds)) == (370, 10)
    _assert_parts(sequences)
    assert check(sequences, result) == ()


def test_nyc_taxi_is_refused_by_name_and_works_as_told(tmp_path: Path) -> None:
    path = _file("nyc_taxi/taxi_new_york_passengers.csv")
    with pytest.raises(DataError, match=r"forecasting is not there yet.*step_regression"):
        read(path)
    rows = path.read_text(encoding="utf-8").strip().split("\n")[1:]
    values = [row.split(",")[1] for row in rows]
    shifted = [f"{row},{following}" for row, following in zip(rows, values[1:], strict=False)]
    (tmp_path / "taxi.csv").write_text("\n".join(["time,passengers,target", *shifted]), encoding="utf-8")
    sequences = read(tmp_path / "taxi.csv", ReadOptions(max_steps=48, kind="step_regression"))
    assert sequences.kind == "step_regression"
    assert sequences.offsets[-1] == 10_319
    assert sequences.targets is not None
    np.testing.assert_array_equal(sequences.targets[:-1], sequences.numeric[1:, 0])
    result = split(sequences, 0)
    assert result.by == "time"
    _assert_parts(sequences)


def test_helpdesk_next_activity() -> None:
    path = _file("event_logs/helpdesk.csv")
    sequences = read(path, ReadOptions(sequence="CaseID", target="ActivityID", kind="next_step"))
    assert (sequences.kind, sequences.num_classes) == ("next_step", 9)
    assert len(sequences) == 3803
    assert sequences.offsets[-1] == 13_710 - 3804
    assert sequences.targets is not None
    inner = np.setdiff1d(np.arange(1, sequences.offsets[-1]), sequences.offsets)
    np.testing.assert_array_equal(sequences.targets[inner - 1], sequences.categories[inner, 0])
    _assert_parts(sequences)


def test_tiny_shakespeare() -> None:
    path = _file("tiny_shakespeare/input.txt")
    sequences = read(path)
    assert (sequences.kind, sequences.num_classes) == ("next_step", 65)
    assert sequences.offsets[-1] == 1_115_393
    assert len(sequences) == -(-1_115_393 // 128)
    result = split(sequences, 0)
    assert (result.by, len(result.folds)) == ("time", 5)
    _assert_parts(sequences)


@pytest.mark.parametrize(("target", "count"), [(None, 17), ("column_5", 50)])
def test_english_web_treebank(target: str | None, count: int) -> None:
    train, test = _file("ud_english_ewt/train.tsv.gz"), _file("ud_english_ewt/test.tsv")
    sequences = read(train, ReadOptions(target=target), test=test)
    assert sequences.kind == "tagging"
    assert len(sequences) == 12_544 + 2_077
    assert sequences.offsets[-1] == 204_577 + 25_094
    assert abs(sequences.num_classes - count) <= 3
    assert len(split(sequences, 0).test) == 2_077


def test_masc() -> None:
    sequences = read(_file("masc_pos/train.tsv.gz"))
    assert sequences.kind == "tagging"
    assert len(sequences) == 24_418
    assert "NN" in sequences.classes
    _assert_parts(sequences)


def test_letters_to_sounds() -> None:
    sequences = read(_file("cmudict_g2p/cmudict_common_aligned.tsv"))
    assert sequences.kind == "tagging"
    assert (len(sequences), sequences.offsets[-1]) == (42_630, 340_889)
    assert sequences.ids[0] == "aardvark"


def test_a_hundred_thousand_sequences_are_read_quickly(tmp_path: Path) -> None:
    """A file of 26 MB; generously bounded, to notice a loop over rows and not a busy machine."""
    random = np.random.default_rng(0)
    count, steps = 100_000, 10
    ids = np.repeat(np.arange(count), steps)
    values = random.normal(size=(count * steps, 2)).round(4)
    labels = np.repeat(random.integers(0, 3, count), steps)
    table = np.column_stack([ids, np.tile(np.arange(steps), count), values, labels])
    path = tmp_path / "large.csv"
    np.savetxt(path, table, fmt=["%d", "%d", "%.4f", "%.4f", "%d"], delimiter=",", header="id,t,x,y,label", comments="")
    start = time.process_time()
    sequences = read(path, ReadOptions(target="label"))
    result = split(sequences, 0)
    assert len(sequences) == count
    assert len(result.test) == pytest.approx(15_000, abs=10)
    assert time.process_time() - start < 30
