"""Models of pairs: which are kept, where they lie, and that keeping decides nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from simulated import book_for

from leadline.data.datasets.letters import letters
from leadline.records.trial import Trial
from leadline.spec import StackSpec
from leadline.study import trial as trials
from leadline.study.book import MOST_KEPT, Book
from leadline.study.diagnosis import on_share
from leadline.study.draws import Draw
from leadline.study.ledger import Ledger, key, model_folder


@pytest.fixture(scope="module")
def book() -> Book:
    return book_for(letters(600))


def kept(book: Book, spec: StackSpec) -> int:
    book.draws[spec] = Draw(0.01)
    return sum(book.pair_trial(spec, "pair-0", i).keep for i in range(20))


def test_the_first_pairs_are_kept_fewer_of_a_large_network(book: Book) -> None:
    assert kept(book, book.plan.start) == MOST_KEPT
    assert kept(book, replace(book.plan.start, num_layers=3, hidden_size=512)) == 3


def test_keeping_is_no_part_of_a_trial_on_disk(book: Book) -> None:
    kept(book, book.plan.start)
    trial = book.pair_trial(book.plan.start, "pair-0", 0)
    plain = trial.model_copy(update={"keep": False})
    assert trial.keep
    assert key(trial) == key(plain)
    assert Trial.model_validate_json(trial.model_dump_json()) == plain


def test_a_kept_trial_gives_its_model_and_a_shorter_one_does_not(book: Book) -> None:
    kept(book, book.plan.start)
    trial = book.pair_trial(book.plan.start, "pair-0", 0)
    trial = trial.model_copy(update={"recipe": replace(trial.recipe, max_updates=5)})
    outcome = trials.run(book.material, trial)
    plain = trials.run(book.material, trial.model_copy(update={"keep": False}))
    assert outcome.model is not None
    assert plain.model is None
    assert outcome.result.dev == plain.result.dev
    assert outcome.result.test is None
    assert trials.run(book.material, on_share(trial, 0.5)).model is None


def test_what_lies_off_the_path_is_forgotten(book: Book, tmp_path: Path) -> None:
    start = book.plan.start
    other = replace(start, num_layers=2)
    kept(book, start)
    kept(book, other)
    done = [
        book.pair_trial(start, "pair-0", 0),
        book.pair_trial(other, "pair-0", 0),
        book.pair_trial(other, "pair-0", 1).model_copy(update={"final": True}),
    ]
    short = replace(done[0].recipe, max_updates=2)
    with Ledger(tmp_path, {"a": "b"}) as ledger:
        for trial in done:
            outcome = trials.run(book.material, trial.model_copy(update={"recipe": short}))
            assert outcome.model is not None
            outcome.model.save(ledger.model_folder(trial))
            ledger.add(trial, outcome.result, 0.0)
        ledger.forget([start])
    there = [(model_folder(tmp_path, trial) / "model.json").exists() for trial in done]
    assert there == [True, False, True]
    assert [model_folder(tmp_path, trial).parent.name for trial in done] == ["pairs", "pairs", "finals"]
