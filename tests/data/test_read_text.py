"""Lines, words, sentences and plain text."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.errors import DataError, OptionError


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_label_and_text_in_characters(tmp_path: Path) -> None:
    sequences = read(_write(tmp_path / "names.tsv", "de\tMax\nen\tEmma\n\nen\tAl\n"))
    assert sequences.kind == "classification"
    assert sequences.classes == ("de", "en")
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [0, 1, 1]
    assert sequences.lengths.tolist() == [3, 4, 2]
    vocabulary = sequences.category_columns[0].vocabulary
    assert "".join(vocabulary[i] for i in sequences.categories[:, 0]) == "MaxEmmaAl"
    assert sequences.category_columns[0].form == "category"
    assert any("A step is a character" in note for note in sequences.notes)


def test_label_and_text_in_words(tmp_path: Path) -> None:
    sequences = read(_write(tmp_path / "sms.tsv", 'ham\t"It\'s ok, ""really"" ok"\t\t\nspam\tWIN now! Call me\n'))
    column = sequences.category_columns[0]
    assert column.form == "word"
    words = [column.vocabulary[i] for i in sequences.categories[:, 0]]
    assert words == ["it's", "ok", ",", '"', "really", '"', "ok", "win", "now", "!", "call", "me"]
    assert any("lower-cased" in note for note in sequences.notes)


def test_tokens_overrule(tmp_path: Path) -> None:
    path = _write(tmp_path / "sms.tsv", "a\tone two three\nb\tfour\n")
    assert read(path).lengths.tolist() == [13, 4]
    assert read(path, ReadOptions(tokens="word")).lengths.tolist() == [3, 1]
    assert read(path, ReadOptions(tokens="char")).lengths.tolist() == [13, 4]


@pytest.mark.parametrize("name", ["texts.csv", "texts.jsonl"])
def test_columns_label_and_text(tmp_path: Path, name: str) -> None:
    csv = 'label,text\ngood,"nice, very nice indeed"\nbad,not so good\n'
    lines = '{"label": "good", "text": "nice, very nice indeed"}\n{"label": "bad", "text": "not so good"}\n'
    sequences = read(_write(tmp_path / name, csv if name.endswith("csv") else lines))
    assert sequences.lengths.tolist() == [5, 3]
    assert sequences.classes == ("bad", "good")


def test_numbers_beside_texts_are_regression(tmp_path: Path) -> None:
    sequences = read(_write(tmp_path / "stars.csv", "text,y\nso good it is,4.5\nso bad it is,1.25\n"))
    assert sequences.kind == "regression"
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [4.5, 1.25]


def test_texts_without_labels_to_predict(tmp_path: Path) -> None:
    path = _write(tmp_path / "new.txt", "Anna\nBob\n")
    options = ReadOptions(layout="lines", kind="classification", tokens="char")
    sequences = read(path, options, needs_target=False)
    assert sequences.lengths.tolist() == [4, 3]
    assert sequences.targets is None


@pytest.mark.parametrize("labels", ["K AE T", "KAT"])
def test_words_and_a_label_per_letter(tmp_path: Path, labels: str) -> None:
    path = tmp_path / "letters.tsv.gz"
    path.write_bytes(gzip.compress(f"cat\t{labels}\t-1-\ndo\tD UW\t-1\nsee\tS IY _\t-1-\n".encode()))
    sequences = read(path, ReadOptions(layout="words"))
    assert sequences.kind == "tagging"
    assert sequences.ids == ("cat", "do", "see")
    assert sequences.lengths.tolist() == [3, 2, 3]
    assert sequences.targets is not None
    first = [sequences.classes[i] for i in sequences.targets[:3]]
    assert first == (labels.split() if " " in labels else list(labels))
    assert any("Not used: column_3" in note for note in sequences.notes)


def test_another_column_of_labels(tmp_path: Path) -> None:
    path = _write(tmp_path / "letters.tsv", "cat\tK AE T\t010\ndo\tD UW\t01\n")
    sequences = read(path, ReadOptions(target="column_3"))
    assert sequences.classes == ("0", "1")
    assert sequences.targets is not None
    assert sequences.targets.tolist() == [0, 1, 0, 0, 1]


def test_words_to_predict(tmp_path: Path) -> None:
    path = _write(tmp_path / "new.txt", "cat\ndo\n")
    sequences = read(path, ReadOptions(layout="words", kind="tagging"), needs_target=False)
    assert sequences.ids == ("cat", "do")
    assert sequences.targets is None


SENTENCES = "The\tDET\tx\ncat\tNOUN\ty\n\nIt\tPRON\tx\nsat\tVERB\ty\n.\tPUNCT\tz\n\n"


def test_sentences(tmp_path: Path) -> None:
    sequences = read(_write(tmp_path / "ud.tsv", SENTENCES))
    assert sequences.kind == "tagging"
    assert sequences.lengths.tolist() == [2, 3]
    column = sequences.category_columns[0]
    assert column.form == "word"
    assert [column.vocabulary[i] for i in sequences.categories[:, 0]] == ["The", "cat", "It", "sat", "."]
    assert sequences.targets is not None
    assert [sequences.classes[i] for i in sequences.targets] == ["DET", "NOUN", "PRON", "VERB", "PUNCT"]


def test_sentences_with_another_target_and_a_second_feature(tmp_path: Path) -> None:
    options = ReadOptions(target="column_3", features=("column_1", "column_2"))
    sequences = read(_write(tmp_path / "ud.tsv", SENTENCES), options)
    assert sequences.classes == ("x", "y", "z")
    assert [column.name for column in sequences.category_columns] == ["word", "column_2"]
    assert sequences.category_columns[1].vocabulary[sequences.categories[1, 1]] == "NOUN"


def test_plain_text_predicts_the_next_character(tmp_path: Path) -> None:
    text = "To be, or not to be: that is the question.\n" * 10
    sequences = read(_write(tmp_path / "hamlet.txt", text))
    assert sequences.kind == "next_step"
    assert sequences.lengths.tolist() == [128, 128, 128, 45]
    assert sequences.targets is not None
    vocabulary = sequences.category_columns[0].vocabulary
    assert vocabulary == sequences.classes
    assert "".join(vocabulary[i] for i in sequences.categories[:, 0]) == text[:-1]
    assert "".join(vocabulary[i] for i in sequences.targets) == text[1:]
    assert sequences.groups is not None
    assert sequences.groups.tolist() == [0, 0, 0, 0]


def test_windows_of_another_length(tmp_path: Path) -> None:
    path = _write(tmp_path / "hamlet.txt", "abcde " * 20)
    assert read(path, ReadOptions(max_steps=50)).lengths.tolist() == [50, 50, 19]


def test_next_words_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="next word of a plain text"):
        read(_write(tmp_path / "hamlet.txt", "to be or not\n" * 5), ReadOptions(tokens="word"))


def test_kinds_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="kind 'tagging' does not fit plain text"):
        read(_write(tmp_path / "hamlet.txt", "to be or not\n" * 5), ReadOptions(kind="tagging"))


def test_texts_with_ids_groups_and_parts(tmp_path: Path) -> None:
    rows = ["id,group,split,label,text,note", "7,x,train,u,one two three,-", "8,x,test,v,four five six seven,-"]
    sequences = read(_write(tmp_path / "texts.csv", "\n".join(rows)))
    assert sequences.ids == ("7", "8")
    assert sequences.parts == ("train", "test")
    assert sequences.groups is not None
    assert sequences.groups.tolist() == [0, 0]
    assert any("Columns beside the text are not used: note" in note for note in sequences.notes)


def test_blank_lines_alone_make_no_sentences(tmp_path: Path) -> None:
    sequences = read(_write(tmp_path / "list.txt", "apple\npear\n\nplum\nfig\n\n" * 5))
    assert sequences.kind == "next_step"
