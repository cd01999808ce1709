"""Baselines that scikit-learn learns: each against scikit-learn or a case by hand, and what they may not see."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from leadline.baselines import boosting, convolution_features, sequence_features, step_features, tfidf
from leadline.baselines.boosting import Boosting
from leadline.baselines.convolution_features import KERNELS, convolved, taps_of
from leadline.baselines.name_codes import frequent, usual_labels
from leadline.baselines.saving import BLOCK, UNSEEN, over_all_classes, within
from leadline.baselines.tables import make, restore
from leadline.baselines.tfidf import TfIdf
from leadline.baselines.trees import from_sklearn
from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic import chains, memory
from leadline.data.sequences import CategoryColumn, Sequences
from leadline.errors import DataError

LEARNED = ("tfidf", "random_convolutions", "boosting")


def build(kind, lengths, targets, classes=(), numeric=None, names=None, vocabulary=(), form="category"):
    rows = sum(lengths)
    columns = () if names is None else (CategoryColumn("x", tuple(vocabulary), form),)
    return Sequences(
        kind=kind,
        offsets=np.cumsum([0, *lengths]),
        numeric=np.zeros((rows, 0), np.float32) if numeric is None else np.asarray(numeric, np.float32),
        categories=np.zeros((rows, 0), np.int32) if names is None else np.asarray(names, np.int32)[:, None],
        numeric_names=() if numeric is None else tuple(f"n{i}" for i in range(np.shape(numeric)[1])),
        category_columns=columns,
        targets=np.asarray(targets),
        target_name="y",
        classes=tuple(classes),
        ids=tuple(map(str, range(len(lengths)))),
    )


def waves(count=120, seed=0, kind="classification"):
    """Two kinds of noisy waves of unequal length, and a feature that says nothing."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 40, count)
    labels = random.integers(0, 2, count)
    steps = [
        np.sin(np.arange(n) * (0.4 if y else 1.3) + random.uniform(0, 6)) for n, y in zip(lengths, labels, strict=True)
    ]
    values = np.stack([np.concatenate(steps), random.normal(size=lengths.sum())], 1)
    values[random.random(values.shape) < 0.03] = np.nan
    targets = labels if kind == "classification" else labels * 2.0 + lengths / 10.0
    return build(kind, lengths.tolist(), targets, ("slow", "fast") if kind == "classification" else (), values)


def series(count=40, seed=0, classes=3):
    """One label or number per step from numbers and names around it."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 30, count)
    rows = int(lengths.sum())
    values, names = random.normal(size=(rows, 2)), random.integers(0, 5, rows)
    if not classes:
        return build("step_regression", lengths.tolist(), values[:, 0] + names, (), values, names, "abcde")
    targets = ((values[:, 0] > 0).astype(int) + (names > 2)) % classes
    return build("tagging", lengths.tolist(), targets, "pqr"[:classes], values, names, "abcde")


def halves(data):
    return np.arange(len(data) // 2), np.arange(len(data) // 2, len(data))


def fitted(table, data):
    table.fit(data, *halves(data))
    return table


CASES = {
    "tfidf": lambda: memory.recall(60, count=2, num_symbols=3, delay=2),
    "random_convolutions": waves,
    "random_convolutions, numbers": lambda: waves(kind="regression"),
    "boosting, sequences": waves,
    "boosting, numbers": lambda: waves(kind="regression"),
    "boosting, labels": series,
    "boosting, step numbers": lambda: series(classes=0),
    "boosting, names": lambda: memory.recall(60, count=2, num_symbols=3, delay=2),
}


def of_case(case, causal=True, seed=0):
    data = CASES[case]()
    return fitted(make(case.partition(",")[0], causal, seed), data), data


# Trees ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_trees_answer_as_scikit_learn_does(classes):
    """To the last bit: categories, unseen ones, missing values that training had or had not, ties with thresholds."""
    random = np.random.default_rng(classes)
    x = random.integers(0, 12, (1500, 5)).astype(float)
    x[:, 3:] += random.normal(size=(1500, 2)).round(1)
    x[random.random(x.shape) < 0.1] = np.nan
    x[:, 4] = np.nan_to_num(x[:, 4])
    y = np.nan_to_num(x[:, 0]) * 3 + np.nan_to_num(x[:, 3]) + (x[:, 1] == 4) * 7
    settings = {"max_iter": 12, "max_leaf_nodes": 16, "categorical_features": [0, 1, 2], "max_features": 0.5}
    form = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = form(**settings, early_stopping=False, random_state=1)
    model.fit(x, (y % classes).astype(int) if classes else y)
    trees = from_sklearn(model, tuple(np.arange(12.0) for _ in range(3)))
    asked = x.copy()
    asked[:40, 0] = 40.0
    asked[40:80, 4] = np.nan
    theirs = model.decision_function(asked) if classes else model.predict(asked)
    assert np.array_equal(trees.raw(asked), theirs.reshape(len(asked), -1))
    assert np.ptp(theirs) > 1
    first = form(**{**settings, "max_iter": 5}, early_stopping=False, random_state=1)
    first.fit(x, (y % classes).astype(int) if classes else y)
    theirs = first.decision_function(x) if classes else first.predict(x)
    assert np.array_equal(trees.first(5).raw(x), theirs.reshape(len(x), -1))


def test_boosting_is_scikit_learns_on_the_same_features():
    data = series(120)
    table = fitted(Boosting(causal=False, seed=3), data)
    found, state = table.predict(data), table._ready()
    features = state.features
    rows = np.arange(int(data.offsets[-1]))
    x = features.of_rows(data, features.sources(data), rows)
    raw = state.trees.raw(x)
    p = np.exp(raw) / np.exp(raw).sum(1, keepdims=True)
    assert found == pytest.approx(over_all_classes(p, np.arange(3), 3))
    ahead = data.rows(halves(data)[1])
    assert (found[ahead].argmax(1) == data.targets[ahead]).mean() > 0.9


# Features ---------------------------------------------------------------------------------------------------


def test_running_means_by_hand():
    data = build("step_regression", [4, 2], [0.0] * 6, (), [[1], [2], [np.nan], [6], [10], [20]])
    values = data.numeric[:, 0].astype(float)
    assert step_features.running_mean(values, data, 2).tolist() == [1, 1.5, 2, 6, 10, 15]
    assert step_features.running_mean(values, data, -2).tolist() == [1.5, 2, 6, 6, 15, 20]
    unknown = build("step_regression", [2], [0.0] * 2, (), [[np.nan], [3]])
    assert np.isnan(step_features.running_mean(unknown.numeric[:, 0].astype(float), unknown, 8)).tolist() == [
        True,
        False,
    ]


def test_intervals_by_hand():
    """One sequence of 1 3 5 7, one of a single step, one without a known value."""
    data = build("regression", [4, 1, 2], [0.0] * 3, (), [[1], [3], [5], [7], [2], [np.nan], [np.nan]])
    features, (found,) = sequence_features.learn(data)
    assert features.shares == (1, 2, 4, 8)
    whole = np.array([1, 7, 1, 7, 4, np.sqrt(5), 2, 2, 1, 2, 6, 1, 2])
    assert found[0, : len(whole)] == pytest.approx(whole, abs=1e-6)
    assert found[1, :5].tolist() == [2, 2, 2, 2, 2]
    assert np.isnan(found[1, 5:7]).all()
    assert np.isnan(found[2, :-1]).all()
    assert found[:, -1].tolist() == [4, 1, 2]


def test_usual_labels_are_told_by_other_sequences():
    """A name that occurs once has a usual label for others, and none where it was learned."""
    lengths = [2] * 10
    names, targets = [0, *range(1, 11), *[0] * 9], [1, *[0] * 10, *[1] * 9]
    data = build("tagging", lengths, targets, "pq", None, names, "abcdefghijk")
    (first, told), (second, _) = usual_labels(data, 0, seed=0)
    of_steps = first.of_steps(data)
    assert of_steps[0] == 1
    assert of_steps[1:11].tolist() == [0] * 10
    assert told[1:11].tolist() == [2] * 10
    assert second.of_steps(data)[0] == 2
    assert told[0] == 1


def test_rare_names_share_a_code():
    data = build("tagging", [6], [0] * 6, "p", None, [0, 0, 1, 1, 2, 3], "abcd")
    table = frequent(data, 0, "name", 2)
    codes = table.of_steps(data)
    assert codes[0] == codes[1] != codes[2] == codes[3]
    assert codes[4] == codes[5] == table.other == 2
    missing = replace(data, categories=np.full((6, 1), -1, np.int32))
    assert table.of_steps(missing).tolist() == [2.0] * 6


def test_convolutions_are_the_papers():
    random = np.random.default_rng(0)
    x = random.normal(size=30).astype(np.float32)
    offsets = np.array([0, 13, 13, 30])
    assert len(KERNELS) == 84
    for dilation in (1, 2, 5):
        found = convolved(taps_of(x, offsets, dilation))
        for kernel, heavy in ((0, KERNELS[0]), (50, KERNELS[50])):
            weights = np.full((9 - 1) * dilation + 1, 0.0)
            weights[::dilation] = [2.0 if tap in heavy else -1.0 for tap in range(9)]
            parts = [np.convolve(part, weights[::-1]) for part in (x[:13], x[13:])]
            by_numpy = [part[4 * dilation : len(part) - 4 * dilation] for part in parts]
            assert found[kernel] == pytest.approx(np.concatenate(by_numpy), abs=1e-4)


def test_shares_of_steps_by_hand():
    """A constant sequence has c = 0 inside; its share above b is 0 for b > 0, and counts all steps for b < 0."""
    data = build("classification", [20, 0, 1], [0, 1, 0], "pq", np.full((21, 1), 5.0))
    drawn = convolution_features.Convolutions(
        ("n0",),
        np.array([4.0]),
        np.array([1.0]),
        np.ones((1, 1), np.float32),
        np.array([1]),
        np.full((1, 84), 50.0, np.float32),
    )
    assert drawn.of(data).tolist() == np.zeros((3, 84)).tolist()
    below = replace(drawn, thresholds=np.full((1, 84), -50.0, np.float32))
    assert below.of(data)[:, 0].tolist() == [1.0, 0.0, 1.0]


# TF-IDF -----------------------------------------------------------------------------------------------------


def test_tfidf_is_scikit_learns(monkeypatch):
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("abcdef"), random.integers(1, 9))) for _ in range(80)]
    labels = [int("a" in text) + 2 * int(text.endswith("c")) for text in texts]
    labels = [min(label, 2) for label in labels]
    vocabulary = "abcdef"
    names = [vocabulary.index(letter) for text in texts for letter in text]
    data = build("classification", list(map(len, texts)), labels, "pqr", None, names, vocabulary)
    monkeypatch.setattr(tfidf, "STRENGTHS", (10.0,))
    monkeypatch.setattr(tfidf, "MOST_ITERATIONS", 1000)
    table = fitted(TfIdf(), data)

    def grams(text):
        """Up to four names that end at each step, `<` before the first; and up to three at the end, with `>`."""
        marked = "<<<" + text
        runs = [marked[at + 4 - n : at + 4] for n in range(1, 5) for at in range(len(text))]
        return runs + [marked[-n:] + ">" for n in range(1, 4)]

    theirs = TfidfVectorizer(analyzer=grams, sublinear_tf=True)
    train, tune = halves(data)
    x = theirs.fit_transform([texts[i] for i in train])
    with threadpool_limits(1):
        model = LogisticRegression(C=10.0, max_iter=1000, tol=1e-8).fit(x, [labels[i] for i in train])
    expected = model.predict_proba(theirs.transform([texts[i] for i in tune]))
    assert x.shape[1] == len(table.arrays()["grams"])
    assert table.predict(data)[tune] == pytest.approx((1 - UNSEEN) * expected + UNSEEN / 3, abs=2e-3)


def test_unseen_words_are_read_by_their_letters():
    words = ["walking", "talking", "baking", "red", "bed", "shed", "making", "fed"]
    labels = [0, 0, 0, 1, 1, 1, 0, 1]
    data = build("classification", [1] * 8, labels, ("ing", "ed"), None, range(8), words, "word")
    table = TfIdf()
    table.fit(data, np.arange(6), np.arange(6))
    assert table.predict(data)[6:].argmax(1).tolist() == [0, 1]


# What all share ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_saved_and_loaded_they_answer_the_same(case):
    table, data = of_case(case)
    again = restore(json.loads(json.dumps(table.config())), {k: v.copy() for k, v in table.arrays().items()})
    assert np.array_equal(again.predict(data), table.predict(data))


@pytest.mark.parametrize("case", CASES)
def test_a_sequence_alone_gets_the_answer_that_it_gets_among_others(case):
    table, data = of_case(case)
    together = table.predict(data)
    for number in (0, 7, len(data) - 1):
        rows = data.rows(np.array([number])) if data.per_step else np.array([number])
        alone = table.predict(data.take(np.array([number])))
        assert alone == pytest.approx(together[rows], abs=1e-9)


@pytest.mark.parametrize("case", ["boosting, labels", "boosting, step numbers"])
@pytest.mark.parametrize("causal", [True, False])
def test_the_future_changes_no_causal_answer(case, causal):
    table, data = of_case(case, causal)
    cut = data.offsets[:-1] + data.lengths // 2
    past = np.arange(int(data.offsets[-1])) < np.repeat(cut, data.lengths)
    other = replace(data, numeric=np.where(past[:, None], data.numeric, data.numeric * -3 + 1))
    other = replace(other, categories=np.where(past[:, None], data.categories, 4 - data.categories))
    same = np.array_equal(table.predict(other)[past], table.predict(data)[past])
    assert same == causal
    assert not np.array_equal(table.predict(other)[~past], table.predict(data)[~past])
    assert table.causal == causal


@pytest.mark.parametrize("case", CASES)
def test_the_seed_decides_and_nothing_else_does(case):
    tables = [of_case(case, seed=seed)[0] for seed in (0, 0, 1)]
    with threadpool_limits(2):
        tables.append(of_case(case, seed=0)[0])
    data = CASES[case]()
    first, same, other, threads = (table.predict(data) for table in tables)
    assert np.array_equal(first, same)
    assert np.array_equal(first, threads)
    assert np.array_equal(first, other) != tables[0].drawn


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case]().classes])
def test_a_class_that_training_lacks_stays_possible(case):
    data = CASES[case]()
    several = replace(data, classes=(*data.classes, "never"))
    p = fitted(make(case.partition(",")[0], True), several).predict(several)
    assert p.shape[1] == len(several.classes)
    assert (p[:, -1] > 0).all()
    assert p.sum(1) == pytest.approx(np.ones(len(p)))
    one = replace(data, targets=np.ones_like(data.targets))
    p = fitted(make(case.partition(",")[0], True), one).predict(one)
    assert (p.argmax(1) == 1).all()


def test_a_feature_without_a_value_is_no_obstacle():
    data = waves()
    data = replace(data, numeric=np.where([True, False], np.nan, data.numeric).astype(np.float32))
    for name in ("boosting", "random_convolutions"):
        assert np.isfinite(fitted(make(name, True), data).predict(data)).all()


def test_too_many_classes_for_trees_are_refused():
    classes = tuple(map(str, range(boosting.MOST_CLASSES + 1)))
    data = replace(series(), classes=classes)
    with pytest.raises(DataError, match="at most 64 classes"):
        fitted(Boosting(), data)


def test_trees_are_bounded_by_rows_and_classes():
    """What learning takes is below the bound wherever the fewest rounds on the fewest rows are."""
    data = letters(400)
    for width, classes in ((10, 2), (60, 50), (300, 10)):
        rounds, rows = boosting._bounds(width, np.arange(classes), data, data)
        trees = rounds * (classes if classes > 2 else 1)
        work = (rows + boosting.SEARCHED) * width * trees
        fewest = (boosting.FEWEST_ROWS + boosting.SEARCHED) * width * trees
        assert work <= max(boosting.WORK, fewest if rounds == boosting.FEWEST_ROUNDS else 0) or rows == 0
        assert boosting.FEWEST_ROUNDS <= rounds <= boosting.MOST_ROUNDS


def test_parts_are_thinned_by_steps():
    data = series(40)
    some = within(data, np.arange(40), 100, "x")
    assert 0 < int(data.lengths[some].sum()) <= 100
    assert np.array_equal(some, within(data, np.arange(40), 100, "x"))
    assert len(within(data, np.arange(40), 10_000, "x")) == 40
    assert len(within(data, np.arange(40), 0, "x")) == 1


@pytest.mark.parametrize("name", ["majority", "last_value", "ngram"])
def test_blocks_are_small_and_give_what_predict_gives(name):
    data = chains.markov_chain(300, length=100)
    table = fitted(make(name, True), data)
    blocks = list(table.blocks(data))
    assert len(blocks) > 3
    assert max(map(len, blocks)) <= BLOCK
    assert np.array_equal(np.concatenate(blocks), table.predict(data))


def test_importing_the_tables_does_not_import_scikit_learn():
    code = "import sys, leadline, leadline.cli, leadline.baselines.tables; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
