"""What is tested in the end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from simulated import World, book_for, play

from leadline.data.datasets.letters import letters
from leadline.records.evidence import BaselineFacts
from leadline.study import finals


def test_the_best_causal_network_is_the_best_one_trained_and_not_a_twin_of_the_advised():
    """Sight pays most; of the networks without it, the wide one is best."""

    def quality(spec):
        return 60 + 20 * spec.bidirectional + 3 * (spec.hidden_size > 90 and not spec.bidirectional)

    book = play(book_for(letters(6000)), World(quality))
    assert book.incumbent.bidirectional
    chosen = finals.best_causal(book)
    assert not chosen.bidirectional
    assert not chosen.look_ahead
    assert chosen.hidden_size > 90
    assert ("best_causal", chosen) in finals.roles(book)
    dev = {
        spec: np.mean([book.results[t].dev for t in finals.evidence(book, spec)]) for spec in (chosen, book.plan.start)
    }
    assert dev[chosen] > dev[book.plan.start]


def test_before_any_training_there_is_none():
    book = book_for(letters(1500))
    book.baselines.append(BaselineFacts(name="majority", description="", dev=1.0, tune=1.0, causal=True, seconds=0.0))
    book.incumbents.append(book.plan.start)
    assert finals.best_causal(book) is None
    assert [role for role, _ in finals.roles(book) if role == "best_causal"] == []


def test_a_network_that_costs_far_more_than_the_advised_one_is_tested_once():
    book = book_for(letters(1500))
    book.incumbents.append(book.plan.start)
    wide = replace(book.plan.start, hidden_size=4 * book.plan.start.hidden_size, num_layers=2)
    assert finals.seeds_of(book, book.plan.start) == book.plan.final_seeds == 3
    assert finals.seeds_of(book, wide) == 1
