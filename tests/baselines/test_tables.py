"""Baselines that are counted: tiny cases by hand, what all of them share, and real figures."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest

from leadline.baselines import ngram, saving
from leadline.baselines.contexts import Context, keys
from leadline.baselines.ngram import NO_CONTEXT, count, find, grown, refine
from leadline.baselines.tables import DESCRIPTIONS, Table, make, restore, tables_for
from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic import chains, counters, memory, moved, registers
from leadline.data.sequences import CategoryColumn, Sequences
from leadline.errors import DataError, ModelError, OptionError

KINDS = {
    "majority": lambda: counters.parity(30, length=6),
    "median": lambda: memory.adding(30, length=6),
    "last_value": lambda: memory.adding(30, length=6),
    "ngram": lambda: moved.shifted(30, length=6, shift=-1),
    "naive_bayes": lambda: memory.recall(30, count=2, num_symbols=3, delay=2),
    "tfidf": lambda: memory.recall(30, count=2, num_symbols=3, delay=2),
    "random_convolutions": lambda: memory.adding(30, length=6),
    "boosting": lambda: moved.shifted(30, length=6, shift=-1),
}


def sequences(kind, texts, targets, classes=(), form="category", vocabulary=None):
    """Data with one category feature "x": texts are strings, or lists of words."""
    vocabulary = vocabulary or tuple(sorted({name for text in texts for name in text}))
    names = {name: index for index, name in enumerate(vocabulary)}
    codes = np.array([names[name] for text in texts for name in text], dtype=np.int32)
    return Sequences(
        kind=kind,
        offsets=np.cumsum([0, *map(len, texts)]),
        numeric=np.zeros((len(codes), 0), dtype=np.float32),
        categories=codes[:, None],
        numeric_names=(),
        category_columns=(CategoryColumn("x", tuple(vocabulary), form),),
        targets=np.array(targets),
        target_name="y",
        classes=classes,
        ids=tuple(str(i) for i in range(len(texts))),
    )


def numbers(kind, values, targets, lengths=None):
    """Data with numeric features; `values` has one row per step."""
    values = np.array(values, dtype=np.float32).reshape(len(values), -1)
    lengths = lengths or [len(values)]
    return Sequences(
        kind=kind,
        offsets=np.cumsum([0, *lengths]),
        numeric=values,
        categories=np.zeros((len(values), 0), dtype=np.int32),
        numeric_names=tuple("abcd"[: values.shape[1]]),
        category_columns=(),
        targets=np.array(targets, dtype=np.float32),
        target_name="y",
        classes=(),
        ids=tuple(str(i) for i in range(len(lengths))),
    )


def fitted(name, data, causal=True, train=None, tune=None):
    everything = np.arange(len(data))
    table = make(name, causal)
    table.fit(data, everything if train is None else train, everything if tune is None else tune)
    return table


# What all share ---------------------------------------------------------------------------------------------


def test_the_cases_cover_every_table():
    assert set(KINDS) == set(DESCRIPTIONS)


@pytest.mark.parametrize("name", KINDS)
def test_a_table_survives_saving(name):
    data = KINDS[name]()
    table = fitted(name, data, train=np.arange(20), tune=np.arange(20, 30))
    again = restore(json.loads(json.dumps(table.config())), {k: v.copy() for k, v in table.arrays().items()})
    assert isinstance(again, Table)
    assert (type(again), again.causal, again.config()) == (type(table), table.causal, table.config())
    assert np.array_equal(again.predict(data), table.predict(data))
    safe = {"int64", "int32", "uint8", "float32", "float64"}
    assert {array.dtype.name for array in table.arrays().values()} <= safe


@pytest.mark.parametrize("name", KINDS)
def test_answers_have_the_shape_of_the_targets_and_need_none(name):
    data = KINDS[name]()
    table = fitted(name, data)
    answers = table.predict(replace(data, targets=None))
    assert answers.shape == (len(data.targets), data.num_classes)[: 2 if data.classes else 1]
    assert np.array_equal(answers, table.predict(data))
    if data.classes:
        assert (answers > 0).all()
        assert answers.sum(axis=1) == pytest.approx(np.ones(len(answers)))


@pytest.mark.parametrize("name", KINDS)
def test_training_reads_the_train_and_tune_parts_alone(name):
    data = KINDS[name]()
    other = data.targets.copy()
    held_back = data.rows(np.arange(25, 30)) if data.per_step else np.arange(25, 30)
    other[held_back] = data.targets[held_back][::-1].copy()
    other[held_back[0]] = (data.targets[held_back[0]] + 1) % max(data.num_classes, 2)
    parts = {"train": np.arange(20), "tune": np.arange(20, 25)}
    tables = [fitted(name, one, **parts) for one in (data, replace(data, targets=other))]
    assert np.array_equal(tables[0].predict(data), tables[1].predict(data))


@pytest.mark.parametrize("name", KINDS)
def test_what_cannot_be_fitted_is_refused(name):
    data, some = KINDS[name](), np.arange(5)
    with pytest.raises(DataError):
        make(name, True).fit(replace(data, targets=None), some, some)
    with pytest.raises(DataError, match="tune part is empty"):
        make(name, True).fit(data, some, some[:0])
    numbers_alone = ("majority", "ngram", "naive_bayes", "tfidf")
    unsuited = chains.markov_chain(10) if name not in numbers_alone and name != "last_value" else memory.adding(10)
    unsuited = counters.parity(10) if name == "last_value" else unsuited
    with pytest.raises(DataError, match="tables_for"):
        make(name, True).fit(unsuited, some, some)
    with pytest.raises(ModelError, match="not fitted"):
        make(name, True).predict(data)


@pytest.mark.parametrize("name", KINDS)
def test_an_incomplete_save_is_refused(name):
    table = fitted(name, KINDS[name]())
    config, arrays = table.config(), table.arrays()
    lost = next(name for name in arrays if not name.startswith("seen"))
    with pytest.raises(ModelError, match=lost.replace(".", r"\.")):
        restore(config, {key: value for key, value in arrays.items() if key != lost})
    lost = next(key for key in config if key not in ("name", "causal"))
    with pytest.raises(ModelError, match=lost):
        restore({key: value for key, value in config.items() if key != lost}, arrays)


def test_unknown_names_are_refused():
    with pytest.raises(OptionError, match="'average'; expected majority, median"):
        make("average", True)
    with pytest.raises(ModelError, match="average"):
        restore({"name": "average"}, {})


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (counters.parity(4), ("majority", "ngram", "boosting")),
        (registers.flip_flop(4), ("majority", "boosting")),
        (chains.markov_chain(4), ("majority", "last_value", "ngram")),
        (memory.recall(4), ("majority", "naive_bayes", "tfidf", "boosting")),
        (memory.adding(4), ("median", "last_value", "random_convolutions", "boosting")),
        (sequences("regression", ["ab", "b"], [1.0, 2.0]), ("median", "boosting")),
    ],
)
def test_which_tables_suit(data, names):
    for causal in (True, False):
        assert tables_for(data.kind, data, causal) == names
    for name in names:
        fitted(name, data)


# Constants --------------------------------------------------------------------------------------------------


def test_majority_by_hand():
    data = sequences("tagging", ["aab", "b"], [0, 0, 0, 2], ("p", "q", "r"))
    assert fitted("majority", data).predict(data.take(np.array([1]))) == pytest.approx(
        np.array([[4 / 7, 1 / 7, 2 / 7]])
    )


def test_median_is_not_moved_by_an_outlier():
    data = numbers("regression", [0, 0, 0], [1, 2, 90], lengths=[1, 1, 1])
    assert fitted("median", data).predict(data).tolist() == [2.0, 2.0, 2.0]


# Last value -------------------------------------------------------------------------------------------------


def test_last_value_copies_where_copying_is_best():
    data = numbers("step_regression", [1, 2, 3, 4], [1, 2, 3, 9])
    assert fitted("last_value", data).predict(data).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_last_value_finds_the_feature_and_its_line():
    x = np.array([[0, 5], [1, 3], [2, 8], [3, 1]])
    data = numbers("step_regression", x, 10 + 2 * x[:, 1])
    table = fitted("last_value", data)
    assert table.config()["column"] == "b"
    assert table.predict(data) == pytest.approx([20, 16, 26, 12])


def test_last_value_carries_over_what_is_missing_but_never_across_sequences():
    data = numbers("step_regression", [1, np.nan, 3, np.nan, 5], [1, 1, 3, 3, 5], lengths=[3, 2])
    assert fitted("last_value", data).predict(data).tolist() == [1, 1, 3, 3, 5]
    assert fitted("last_value", data).config()["column"] == "a"
    middle = np.median([1, 1, 3, 3, 5])
    first_missing = replace(data, numeric=np.array([[1], [2], [4], [np.nan], [7]], dtype=np.float32))
    assert fitted("last_value", data).predict(first_missing).tolist() == [1, 2, 4, middle, 7]


def test_last_value_of_a_sequence_is_its_last_step():
    data = numbers("regression", [9, 1, 9, 2, 9, np.nan, 3], [1, 2, 9], lengths=[2, 2, 3])
    data = replace(data, targets=np.array([1, 2, 3], dtype=np.float32))
    assert fitted("last_value", data).predict(data).tolist() == [1.0, 2.0, 3.0]
    empty = replace(data, offsets=np.array([0, 0, 4, 7]))
    assert fitted("last_value", data).predict(empty).tolist() == [2.0, 2.0, 3.0]


def test_last_value_repeats_the_token():
    """4 of 8 steps repeat; EM solves mean[same q / (q + (1 - q) p(y))] = q."""
    text = "aabbaabba"
    data = sequences("next_step", [text[:-1]], ["ab".index(c) for c in text[1:]], ("a", "b"))
    table = fitted("last_value", data)
    p = table.predict(data)
    q, usual = table.arrays()["numbers"][0], np.array([0.5, 0.5])
    assert usual == pytest.approx(table.arrays()["numbers"][1:])
    assert q == pytest.approx(0.0, abs=0.05), "no more repeats than chance gives"
    sticky = sequences("next_step", ["aaaabbbb"], [0, 0, 0, 1, 1, 1, 1, 0], ("a", "b"))
    p = fitted("last_value", sticky).predict(sticky)
    assert p[0, 0] == pytest.approx(6 / 8, abs=0.01), "the best q makes p(same) the share of repeats"
    assert p[4, 1] == pytest.approx(p[0, 0])


# n-grams ----------------------------------------------------------------------------------------------------


def test_back_off_by_hand():
    """Contexts: none, then the letter. Labels of a: P P Q; of b: Q."""
    data = sequences("tagging", ["aaab"], [0, 0, 1, 1], ("P", "Q"))
    contexts = [NO_CONTEXT, Context(0, 0)]
    p = np.full((4, 2), 0.5)
    for context in contexts:
        found = keys(data, (0,), context)
        level = count(found, data.targets, 2)
        refine(p, level, find(level, found), 1.0)
    none = (2 + 2 * 0.5) / (4 + 2)
    for_a = (2 + 2 * none) / (3 + 2)
    for_b = (0 + 1 * none) / (1 + 1)
    assert p[:, 0] == pytest.approx([for_a, for_a, for_a, for_b])
    assert p.sum(axis=1) == pytest.approx(np.ones(4))


def test_an_unseen_context_changes_nothing():
    data = sequences("tagging", ["ab"], [0, 1], ("P", "Q"), vocabulary="abc")
    other = sequences("tagging", ["c"], [0], ("P", "Q"), vocabulary="abc")
    level = count(keys(data, (0,), Context(0, 0)), data.targets, 2)
    p = np.array([[0.3, 0.7]])
    refine(p, level, find(level, keys(other, (0,), Context(0, 0))), 1.0)
    assert p.tolist() == [[0.3, 0.7]]


def test_contexts_stop_at_the_ends_of_a_sequence():
    data = sequences("tagging", ["ab", "ab", "b"], [0] * 5, ("P",))
    left, right = (keys(data, (0,), context) for context in (Context(1, 0), Context(0, 1)))
    assert left[0] == left[2] != left[4]
    assert left[1] == left[3] != left[4], "b after a is not b at the beginning"
    assert right[1] == right[3] == right[4]
    assert left[1] == right[0], "a window is what it holds, not where it lies"
    assert len({*left.tolist(), *right.tolist()}) == 4


def test_contexts_grow_step_by_step():
    assert grown("rl", words=False)[:5] == [
        NO_CONTEXT,
        Context(0, 0),
        Context(0, 1),
        Context(1, 1),
        Context(1, 2),
    ]
    assert grown("l", words=True)[1:5] == [*(Context(0, 0, suffix) for suffix in (1, 2, 3)), Context(0, 0)]
    assert grown("l", words=False)[-1] == Context(8, 0)


@pytest.mark.parametrize(("shift", "causal", "right"), [(-2, True, True), (2, False, True), (2, True, False)])
def test_it_reaches_back_and_ahead_only_where_it_may(shift, causal, right):
    data = moved.shifted(600, length=12, shift=shift, num_symbols=3)
    table = fitted("ngram", data, causal, np.arange(400), np.arange(400, 500))
    rows = data.rows(np.arange(500, 600))
    accuracy = (table.predict(data)[rows].argmax(axis=1) == data.targets[rows]).mean()
    assert (accuracy > 0.99) if right else (accuracy < 0.55)
    assert table.causal == causal


def test_no_reading_ahead_of_the_next_step():
    data = chains.markov_chain(10)
    with pytest.raises(OptionError, match="next step is the target"):
        fitted("ngram", data, causal=False)


def test_a_markov_chain_costs_its_entropy_rate():
    data = chains.markov_chain(1200, length=50, chain=1)
    table = fitted("ngram", data, True, np.arange(900), np.arange(900, 1000))
    rows = data.rows(np.arange(1000, 1200))
    loss = -np.log(table.predict(data)[rows, data.targets[rows]]).mean()
    assert loss == pytest.approx(chains.entropy_rate(chains.transitions(8, chain=1)), abs=0.015)
    assert Context(0, 0) in [Context(*window) for window in table.config()["contexts"]]


@pytest.mark.parametrize("name", ["ngram", "naive_bayes", "last_value", "tfidf", "boosting"])
def test_names_count_and_not_their_numbers(name):
    """The same data under a longer vocabulary in another order give the same answers."""
    data = chains.markov_chain(20) if name == "last_value" else KINDS[name]()
    table = fitted(name, data)
    column = data.category_columns[0]
    vocabulary = ("new", *reversed(column.vocabulary))
    codes = len(column.vocabulary) - data.categories
    other = replace(data, categories=codes.astype(np.int32), category_columns=(replace(column, vocabulary=vocabulary),))
    assert np.array_equal(table.predict(other), table.predict(data))
    unknown = replace(other, categories=np.zeros_like(codes, dtype=np.int32))
    missing = replace(other, categories=np.full_like(codes, -1, dtype=np.int32))
    for answers in (table.predict(unknown), table.predict(missing)):
        assert answers.shape == table.predict(data).shape
        assert np.isfinite(answers).all()


@pytest.mark.parametrize("name", ["ngram", "naive_bayes", "last_value", "tfidf", "boosting"])
def test_a_feature_that_is_gone_is_named(name):
    data = chains.markov_chain(20) if name == "last_value" else KINDS[name]()
    table = fitted(name, data)
    other = replace(data, category_columns=(replace(data.category_columns[0], name="letters"),))
    with pytest.raises(ModelError, match=r"no (category )?feature 'symbol'"):
        table.predict(other)


def test_unknown_words_are_read_by_their_endings():
    known = ["walking", "talking", "walked", "talked", "jumping", "jumped"] * 3
    labels = [0 if word.endswith("ing") else 1 for word in known]
    other = sequences("tagging", [["smiling", "smiled"]], [0, 1], ("ing", "ed"), form="word")
    for form, right in (("word", True), ("category", False)):
        data = sequences("tagging", [[word] for word in known], labels, ("ing", "ed"), form=form)
        p = fitted("ngram", data).predict(other)
        assert (p.argmax(axis=1).tolist() == [0, 1] and p[0, 0] > 0.6) == right


def test_it_finds_the_feature_that_tells():
    stream = np.random.default_rng(0)
    codes = stream.integers(3, size=(600, 2)).astype(np.int32)
    data = replace(
        sequences("tagging", ["abc" * 4] * 50, codes[:, 1].astype(np.int64), ("0", "1", "2")),
        categories=codes,
        category_columns=(CategoryColumn("noise", tuple("abc")), CategoryColumn("tells", tuple("abc"))),
    )
    assert fitted("ngram", data).config()["columns"] == ["tells"]
    both = replace(data, targets=((codes[:, 0] + codes[:, 1]) % 3).astype(np.int64))
    table = fitted("ngram", both)
    assert table.config()["columns"] == ["noise", "tells"]
    assert (table.predict(both).argmax(axis=1) == both.targets).mean() > 0.99


def test_blocks_are_joined_without_a_seam(monkeypatch):
    data = moved.shifted(40, length=10, shift=-1)
    table = fitted("ngram", data)
    whole = table.predict(data)
    monkeypatch.setattr(saving, "BLOCK", 7)
    assert np.array_equal(table.predict(data), whole)


def test_tuning_on_a_sample_takes_one_sequence_at_least(monkeypatch):
    data = moved.shifted(40, length=10, shift=-1)
    monkeypatch.setattr(ngram, "TUNE_CELLS", 1)
    table = fitted("ngram", data)
    assert (table.predict(data).argmax(axis=1) == data.targets).mean() > 0.95


# Naive Bayes ------------------------------------------------------------------------------------------------


def test_naive_bayes_by_hand():
    """Single letters: class P has a a b, class Q has b b; alpha = 1 and V = 2, priors (2 + 1) / 5 and (1 + 1) / 5."""
    data = sequences("classification", ["aa", "b", "bb"], [0, 0, 1], ("P", "Q"))
    config = {"name": "naive_bayes", "classes": ["P", "Q"], "columns": ["x"], "order": 1, "alpha": 1.0}
    table = fitted("naive_bayes", data)
    assert table.config()["order"] in (1, 2, 3)
    grams = np.unique(keys(data, (0,), Context(0, 0)))
    of_a = int(np.flatnonzero(grams == keys(data, (0,), Context(0, 0))[0])[0])
    counts = {of_a: [2.0], 1 - of_a: [1.0, 2.0]}
    arrays = {
        "prior": np.log([3 / 5, 2 / 5]),
        "grams": grams.view(np.int64),
        "starts": np.array([0, len(counts[0]), 3]),
        "labels": np.array([label for gram in (0, 1) for label in ([0] if gram == of_a else [0, 1])]),
        "counts": np.array(counts[0] + counts[1]),
    }
    by_hand = restore({**config, "sharpness": 1.0}, arrays)
    p_a, p_b = np.array([3 / 5, 1 / 4]), np.array([2 / 5, 3 / 4])
    joint = np.array([3 / 5, 2 / 5]) * np.array([p_a * p_a, p_b, p_b * p_b])
    assert by_hand.predict(data) == pytest.approx(joint / joint.sum(axis=1, keepdims=True))
    flat = restore({**config, "sharpness": 0.5}, arrays).predict(data)
    assert flat == pytest.approx(np.sqrt(joint) / np.sqrt(joint).sum(axis=1, keepdims=True))


def test_naive_bayes_counts_what_it_is_given():
    data = sequences("classification", ["aa", "b", "bb"] * 4, [0, 0, 1] * 4, ("P", "Q"))
    table = fitted("naive_bayes", data)
    arrays = table.arrays()
    assert arrays["prior"] == pytest.approx(np.log([9 / 14, 5 / 14]))
    letters_only = {1: 20, 2: 20 + 20 + 12, 3: 20 + 20 + 12 + 20 + 12}
    assert arrays["counts"].sum() == letters_only[table.config()["order"]]


def test_the_order_of_letters_counts_within_an_n_gram():
    texts = ["abab", "ababab", "ab", "baba", "bababa", "ba"] * 5
    labels = [0, 0, 0, 1, 1, 1] * 5
    data = sequences("classification", texts, labels, ("ab", "ba"))
    table = fitted("naive_bayes", data)
    assert table.config()["order"] >= 2
    assert (table.predict(data).argmax(axis=1) == labels).all()


def test_a_sequence_of_unknown_names_gets_the_prior():
    data = sequences("classification", ["a", "a", "b"], [0, 0, 1], ("P", "Q"))
    other = sequences("classification", ["zz"], [0], ("P", "Q"))
    table = fitted("naive_bayes", data)
    prior = np.array([3 / 5, 2 / 5]) ** table.config()["sharpness"]
    assert table.predict(other)[0] == pytest.approx(prior / prior.sum())


# Letters to sounds ------------------------------------------------------------------------------------------


def test_letters_to_sounds_on_unseen_families():
    data = letters()
    tenth = data.groups % 10
    train, tune, test = (np.flatnonzero(part) for part in (tenth > 1, tenth == 1, tenth == 0))
    rows = data.rows(test)
    right, seconds = {}, {}
    for causal in (False, True):
        start = time.process_time()
        table = fitted("ngram", data, causal, train, tune)
        seconds[causal] = time.process_time() - start
        right[causal] = (table.predict(data)[rows].argmax(axis=1) == data.targets[rows]).mean()
    assert right[False] == pytest.approx(0.893, abs=0.02)
    assert right[True] == pytest.approx(0.75, abs=0.025)
    assert max(seconds.values()) < 20
