"""Tasks with a known answer: what all of them share, and that what they promise can be reached."""

from __future__ import annotations

import re
import shlex
from typing import get_args

import numpy as np
import pytest
from solvers import SOLVERS, score

from leadline.data.datasets.synthetic import counters, files
from leadline.data.datasets.synthetic.catalogue import TASKS, task
from leadline.data.datasets.synthetic.known import ANYTHING, SMALL, ZERO, Question
from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.errors import OptionError, OutputError

NAMES = [known.name for known in TASKS]
DRAWN = [name for name in NAMES if name != "letters_to_sounds"]
FEW = 60


def few(name, seed=0):
    return task(name).draw(FEW, seed=seed)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_data_and_other_seed_other_data(name):
    first, again, other = (few(name, seed) for seed in (3, 3, 4))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert (first.classes, first.category_columns) == (other.classes, other.category_columns)


@pytest.mark.parametrize("name", NAMES)
def test_arrays_fit_together(name):
    data = few(name)
    rows, targets = int(data.offsets[-1]), data.targets
    assert len(data.ids) == len(data) == len(set(data.ids))
    assert data.numeric.shape == (rows, len(data.numeric_names))
    assert data.categories.shape == (rows, len(data.category_columns))
    assert targets.shape == (rows if data.per_step else len(data),)
    for position, column in enumerate(data.category_columns):
        assert 0 <= data.categories[:, position].min() <= data.categories.max() < len(column.vocabulary)
    if data.classes:
        assert targets.dtype == np.int64
        assert 0 <= targets.min() <= targets.max() < data.num_classes
    assert not np.isnan(data.numeric).any()


@pytest.mark.parametrize("name", NAMES)
def test_no_sequences_are_refused(name):
    with pytest.raises(OptionError, match=r"\b0 sequences"):
        task(name).draw(0)


def decoded(data):
    """Everything that a study sees, by name: (kind, features by name, targets, lengths)."""
    named = {
        column.name: np.array(column.vocabulary)[data.categories[:, i]]
        for i, column in enumerate(data.category_columns)
    }
    numbers = {name: data.numeric[:, i] for i, name in enumerate(data.numeric_names)}
    targets = np.array(data.classes)[data.targets] if data.classes else data.targets
    return data.kind, {**named, **numbers}, targets, data.lengths


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_read_as_what_was_drawn(name, suffix, tmp_path):
    data, path = few(name), tmp_path / f"task{suffix}"
    files.write(data, path)
    _, _, _, *options = shlex.split(files.command(data, path))
    assert options == (["--kind", "next_step"] if name.startswith("markov") else [])
    kind, features, targets, lengths = decoded(read(path, ReadOptions(kind=options[1] if options else None)))
    wanted = decoded(data)
    assert kind == wanted[0]
    assert list(features) == list(wanted[1])
    for column, values in wanted[1].items():
        assert np.array_equal(features[column], values), column
    assert np.array_equal(targets, wanted[2])
    assert np.array_equal(lengths, wanted[3])


def test_families_of_words_stay_together_in_the_file(tmp_path):
    data = few("letters_to_sounds")
    files.write(data, tmp_path / "words.csv")
    groups = read(tmp_path / "words.csv").groups
    assert np.array_equal(groups[:, None] == groups, data.groups[:, None] == data.groups)


@pytest.mark.parametrize(("where", "kind"), [("task.txt", OptionError), ("no/such/folder/task.csv", OutputError)])
def test_a_file_that_cannot_be_written_is_an_error(where, kind, tmp_path):
    with pytest.raises(kind, match=re.escape(where)):
        files.write(few("parity"), tmp_path / where)


@pytest.mark.parametrize("name", DRAWN)
def test_a_textbook_solver_reaches_the_promised_score(name):
    """Within four standard errors; counting from so much data costs a little more."""
    known = task(name)
    data = known.draw(known.sequences, seed=11)
    reached, error = score(data, *SOLVERS[name](data))
    learning = {"markov_chain": 0.03, "markov_pairs": 0.05, "autoregression": 0.01, "hmm": 0.3, "lookup_few": 0.5}
    assert reached == pytest.approx(known.best, abs=4 * error + learning.get(name, 1e-5))


@pytest.mark.parametrize("name", DRAWN)
def test_the_tolerance_forgives_chance_and_not_a_task_unsolved(name):
    """On a test part of 15 % a perfect predictor passes, and one that gives the most frequent answer does not."""
    known = task(name)
    data = known.draw(known.sequences, seed=5)
    best, _ = score(data, *SOLVERS[name](data))
    assert best - known.best > -known.tolerance
    if name == "iid_labels":
        return
    if data.classes:
        chances = np.bincount(data.targets, minlength=data.num_classes) / len(data.targets)
        trivial = (chances * np.log(chances)).sum() if data.kind == "next_step" else 100.0 * chances.max()
    else:
        trivial = -np.abs(data.targets - np.median(data.targets)).mean()
    assert trivial < known.best - known.tolerance


@pytest.mark.parametrize("question", get_args(Question))
def test_every_question_has_two_tasks_whose_answer_is_yes_and_two_whose_answer_is_no(question):
    """But for dropout, which no theory promises to help."""
    right = [(known.name, some.words) for known in TASKS for some in known.right if some.question == question]
    against = {"yes", "a_little"} if question == "deep_or_both_ways" else {"no", "worse"}  # where both ways wins
    helps = {name for name, words in right if words != ANYTHING and not words & against and words not in (SMALL, ZERO)}
    refuses = {name for name, words in right if words in (SMALL, ZERO)}
    assert len(refuses) >= 2
    assert len(helps) >= (0 if question == "dropout" else 2)


def test_names_are_there_once_and_every_row_of_the_evidence_is_there():
    rows = {"iid_labels", "noisy_function", "markov_chain", "flip_flop", "parity", "sum_mod_3", "conditional_flip_flop"}
    rows |= {"recall", "adding", "copy", "look_ahead_1", "look_ahead_2", "look_ahead_4", "hmm", "xor_both"}
    rows |= {"hierarchy", "gru_teacher", "letters_to_sounds"}
    assert len(set(NAMES)) == len(NAMES)
    assert rows <= set(NAMES)
    assert len(set(NAMES) - rows) >= 6


@pytest.mark.parametrize("name", NAMES)
def test_the_docstring_holds_the_proof_or_says_that_there_is_none(name):
    draw = getattr(task(name).draw, "func", task(name).draw)
    assert re.search(r"Proof( of| for|:)|No proof", draw.__doc__)


def test_an_unknown_task_names_the_next_one():
    with pytest.raises(OptionError, match=r"no task 'paritty'.*Did you mean 'parity'"):
        task("paritty")


def window_bayes(label, symbols, length, past, future):
    """Best accuracy at the last step that has `future` steps after it, of one who sees a window, over all sequences."""
    total, right = 0, {}
    for code in range(symbols**length):
        x = [code // symbols**place % symbols for place in range(length)]
        t = length - 1 - future
        seen = tuple(x[t - past : t + future + 1])
        answers = right.setdefault(seen, {})
        answers[label(x, t)] = answers.get(label(x, t), 0) + 1
        total += 1
    return sum(max(answers.values()) for answers in right.values()) / total


@pytest.mark.parametrize(
    ("label", "symbols", "best"),
    [
        (lambda x, t: sum(x[: t + 1]) % 2, 2, 1 / 2),
        (lambda x, t: sum(x[: t + 1]) % 3, 3, 1 / 3),
        (lambda x, t: x[0] ^ x[t], 2, 1 / 2),
    ],
    ids=["parity", "sum_mod_3", "with_first"],
)
def test_a_window_that_misses_the_first_step_is_left_with_a_toss(label, symbols, best):
    assert window_bayes(label, symbols, 7, past=3, future=2) == pytest.approx(best)
    assert window_bayes(label, symbols, 7, past=4, future=2) == pytest.approx(1.0)


def test_windows_of_fifteen_steps_are_not_enough_for_brackets():
    """By 20 points far from the beginning, and so by more than the margin where 15 of 40 steps see it."""
    margin = 0.01 * (1 - 0.25)
    beginning = 15 / 40
    assert 1.0 - beginning - (1.0 - beginning) * counters.brackets_in_window(15) > 10 * margin
