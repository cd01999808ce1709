"""Two networks side by side: planted errors are counted, found by kind, and nothing is claimed of noise."""

from __future__ import annotations

import networks
import numpy as np
import pytest
import torch

from leadline.analysis import modules
from leadline.analysis.compare import Arms, contrast, exchanged
from leadline.analysis.contrast import Contrast, Kind
from leadline.analysis.measured import Measured
from leadline.analysis.subject import Subject
from leadline.data.arrays import from_arrays
from leadline.data.encode import fit
from leadline.stats.discovery import discoveries

COUNT, STEPS, CLASSES = 400, 6, 3
SMALL = 1e-3
RANDOM = np.random.default_rng(0)
INPUTS = [RANDOM.normal(size=(STEPS, 2)).astype(np.float32) for _ in range(COUNT)]
LABELS = RANDOM.integers(0, CLASSES, size=(COUNT, STEPS))
DATA = from_arrays(INPUTS, list(LABELS), kind="tagging")
ENCODER = fit(DATA, np.arange(COUNT), np.arange(COUNT))
POSITION = np.broadcast_to(np.arange(STEPS), LABELS.shape)


def answering(answers: np.ndarray, layers: int) -> Subject:
    """Layer 1 holds both inputs, layer 2 the first alone; the readout gives `answers`, (sequences, steps)."""
    weights = [(SMALL * np.eye(2), np.zeros((2, 2))), (np.diag([1.0, 0.0]), np.zeros((2, 2)))]
    rnn = networks.linear_rnn(*weights[:layers])
    taken = modules.take_over(rnn, np.stack(INPUTS)).subject
    logits = torch.nn.functional.one_hot(torch.from_numpy(answers.ravel()), CLASSES).float()
    return Subject(taken.spec, taken.recurrent, taken.embed, lambda top, lengths: logits)


def mistaken(where: np.ndarray) -> np.ndarray:
    return np.where(where, (LABELS + 1) % CLASSES, LABELS)


def held_side_by_side(first: list[np.ndarray], second: list[np.ndarray]) -> Contrast:
    sides = [answering(a, 1) for a in first], [answering(a, 2) for a in second]
    arms = Arms(("one", "two"), tuple(range(len(first))), *sides)
    return contrast(arms, ENCODER, DATA, np.arange(COUNT), 0, "% right", lambda what, share: None)


def planted() -> tuple[Contrast, list[np.ndarray], list[np.ndarray]]:
    """The first has half of class 2 wrong, the second a third of the last two steps."""
    random = np.random.default_rng(1)
    before = [mistaken((LABELS == 2) & (random.random(LABELS.shape) < 0.5)) for _ in range(3)]
    after = [mistaken((POSITION >= 4) & (random.random(LABELS.shape) < 0.33)) for _ in range(3)]
    return held_side_by_side(before, after), before, after


def test_what_became_right_and_wrong_is_counted():
    found, before, after = planted()
    ok = np.array([[a == LABELS for a in side] for side in (before, after)])
    assert found.targets == COUNT * STEPS
    assert found.removed.value == pytest.approx(100 * (ok[1] & ~ok[0]).mean())
    assert found.added.value == pytest.approx(100 * (ok[0] & ~ok[1]).mean())
    assert found.gain.value == pytest.approx(100 * (ok[1].mean() - ok[0].mean()))
    assert found.removed.interval[0] < found.removed.value < found.removed.interval[1]


def test_planted_kinds_are_found_and_no_others():
    found, _, _ = planted()
    by_name = {(kind.grouping, kind.group): kind for kind in found.kinds}
    assert by_name["class", "2"].sure == "more"
    assert by_name["class", "2"].removed.value == pytest.approx(50 - 11, abs=6)
    assert by_name["position", "last third"].sure == "less"
    assert by_name["position", "first third"].sure == "more"
    assert by_name["class", "0"].sure == "less"
    said = " ".join(found.sentences)
    assert "It removes errors most on 2 (from 5" in said
    assert "It adds errors most on the last third of the sequence" in said


def test_two_networks_that_err_alike_differ_in_nothing():
    claims = 0
    for study in range(10):
        random = np.random.default_rng(100 + study)
        wrong = [mistaken(random.random(LABELS.shape) < 0.2) for _ in range(6)]
        found = held_side_by_side(wrong[:3], wrong[3:])
        claims += any(kind.sure != "open" for kind in found.kinds)
        assert found.exchanged == pytest.approx(100 * 0.2 * 0.8, abs=2)
    assert claims <= 2
    assert "No single kind of error changed with certainty." in found.sentences


def test_examples_show_what_most_pairs_agree_on():
    found, _, _ = planted()
    assert found.fixed
    assert found.broken
    for one in found.fixed:
        assert one.second == one.target != one.first
    for one in found.broken:
        assert one.first == one.target != one.second
    assert {one.target for one in found.fixed} == {"2"}


def test_what_a_top_layer_lost_is_said():
    found, _, _ = planted()
    by_name = {held.annotation: held for held in found.held}
    one, other = (by_name[f"current {name}"] for name in DATA.numeric_names)
    assert one.first[0].value == pytest.approx(100, abs=1)
    assert [layer.value for layer in one.second] == pytest.approx([100, 100], abs=1)
    assert [layer.value for layer in other.second] == pytest.approx([100, 0], abs=2)
    assert other.sure == "less"
    assert abs(one.gain.value) < 1
    assert other.gain.value == pytest.approx(other.second[-1].value - other.first[-1].value)
    assert f"The top layer holds less than before of current {DATA.numeric_names[1]} (" in " ".join(found.sentences)


def test_one_pair_says_that_it_is_one():
    right = mistaken(np.zeros_like(LABELS, dtype=bool))
    found = held_side_by_side([right], [right])
    assert found.exchanged is None
    assert "one pair of networks" in found.sentences[0]
    assert found.fixed == found.broken == ()


def test_exchange_is_what_pairs_of_seeds_count():
    right = np.random.default_rng(0).random((5, 300)) < 0.7
    pairs = [(a & ~b).mean() for i, a in enumerate(right) for j, b in enumerate(right) if i != j]
    assert exchanged(right) == pytest.approx(100 * np.mean(pairs))


def test_discoveries_of_a_known_table():
    """The fifteen chances of Benjamini & Hochberg's own example, where four stand at 5 %."""
    small = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    chances = np.array([*small, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0])
    assert discoveries(chances[::-1], 0.05).sum() == 4
    assert discoveries(np.zeros(0), 0.05).tolist() == []


def test_a_record_survives_json():
    found, _, _ = planted()
    assert Contrast.from_json(found.to_json()) == found
    assert isinstance(found.kinds[0], Kind)
    assert isinstance(found.gain, Measured)
