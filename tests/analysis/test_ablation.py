"""What breaks: layers that copy, layers that matter, layers that nothing reads."""

from __future__ import annotations

from dataclasses import replace

import networks
import numpy as np
import pytest
import torch

from leadline.analysis import ablation, estimates, history, modules, reading, sample
from leadline.analysis.capture import Captured, capture
from leadline.analysis.findings import Ablation, Findings, Looked
from leadline.analysis.measured import Measured
from leadline.analysis.sentences import broken, removed
from leadline.analysis.subject import Subject
from leadline.data.arrays import from_arrays
from leadline.data.encode import fit

SMALL = 1e-3
LOOKED = Looked(
    network="tanh RNN 2 x 2",
    data="signs",
    kind="tagging",
    cell="tanh",
    num_layers=2,
    hidden_size=2,
    bidirectional=False,
    sequences=200,
    steps=2000,
    components=2,
    twins=0,
    seed=0,
    score_unit="% right",
)


def solved(module: torch.nn.RNN, reads: int, shift: int = 0):
    """A network whose readout gives the sign of unit `reads`; the target is the sign of the input `shift` back."""
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(10, 1)).astype(np.float32) for _ in range(200)]
    labels = [["+" if x > 0 else "-" for x in np.roll(row[:, 0], shift)] for row in inputs]
    data = from_arrays(inputs, labels, kind="tagging")
    encoder = replace(fit(data, np.arange(200)), means=(0.0,), scales=(1.0,))
    taken = modules.take_over(module, np.stack(inputs))

    def read(top: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        unit = top.transpose(0, 1)[torch.arange(top.shape[0])[None] < lengths[:, None]][:, reads] / SMALL
        plus = data.classes.index("+")
        return torch.stack([unit if i == plus else -unit for i in range(2)], 1)

    subject = Subject(taken.subject.spec, taken.subject.recurrent, modules.pass_on, read)
    drawn = sample.draw(data, encoder, 0)
    return capture(subject, drawn), drawn, encoder


def rnn(*layers) -> torch.nn.RNN:
    return networks.linear_rnn(*layers)


HOLD = (np.array([[SMALL], [0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]]))
COPY = (np.eye(2), np.zeros((2, 2)))


def found(captured: Captured, drawn, encoder):
    return ablation.ablations(captured, drawn, encoder, reading.views([captured], drawn), 0)


def test_a_layer_that_copies_is_used_and_adds_nothing():
    captured, drawn, encoder = solved(rnn(HOLD, COPY), reads=1, shift=1)
    first, second = found(captured, drawn, encoder)
    assert second.used.value == pytest.approx(40, abs=8)
    assert estimates.is_above(second.used)
    assert abs(second.adds.value) < 1
    assert abs(second.exit_gain.value) < 1
    assert estimates.is_above(first.adds)
    assert first.adds.value > 30
    assert first.exit_gain.value > 30
    said = [sentence.text for sentence in broken(Findings(looked=LOOKED, ablation=(first, second)))]
    assert "does what no linear map does" in said[0]
    assert "adds nothing" in said[1]


def test_a_layer_whose_states_nobody_reads_is_not_used():
    ignored = (np.array([[1.0, 0.0], [1.0, 0.0]]), np.zeros((2, 2)))
    dead = (np.zeros((2, 2)), np.zeros((2, 2)))
    captured, drawn, encoder = solved(rnn(HOLD, ignored, dead), reads=0)
    first, second, third = found(captured, drawn, encoder)
    for layer in (first, second, third):
        assert layer.used.value == pytest.approx(0.0, abs=1e-9)


def test_history_says_how_far_the_score_reaches():
    captured, drawn, encoder = solved(rnn(HOLD), reads=1, shift=1)
    points = {point.steps: point for point in history.histories(captured, drawn, encoder, 0)}
    assert points[0].truncated.value < 70
    assert points[1].truncated.value == points[1].full.value
    assert points[0].lost.interval is not None
    assert points[0].lost.interval[0] > points[0].margin > 0
    assert points[1].lost.interval == (0.0, 0.0)
    assert points[0].shuffled.value < 75
    assert points[2].shuffled.value == points[1].full.value


@pytest.mark.parametrize(("reads", "shift"), [(2, 2), (5, -2)])
def test_history_reaches_to_either_side(reads, shift):
    """Both ways, two steps back or two ahead: the forward half holds the past, the backward half what comes."""
    weights = np.array([[SMALL], [0.0], [0.0]]), np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    module = networks.linear_rnn(weights, both=True)
    captured, drawn, encoder = solved(module, reads, shift)
    points = {point.steps: point for point in history.histories(captured, drawn, encoder, 0)}
    assert points[2].full.value > 75
    for near in (0, 1):
        assert points[near].truncated.value < 70
        assert points[near].shuffled.value < 75
    assert points[2].truncated.value == points[3].truncated.value == points[2].full.value
    assert points[2].shuffled.value == points[2].full.value


def test_resampled_states_come_from_other_sequences():
    captured, drawn, _ = solved(rnn(HOLD), reads=1)
    for states in ablation._resampled(captured, drawn, 1, 0):
        assert bool((states[3] != captured.layers[1][3]).any(-1).all())


def test_errors_are_counted_by_kind():
    captured, drawn, _ = solved(rnn(HOLD, COPY), reads=1, shift=1)
    kinds = ablation.error_kinds(reading.views([captured], drawn), [], 0)
    by_class = {kind.group: kind for kind in kinds if kind.layer == 1 and kind.grouping == "class"}
    assert set(by_class) == {"+", "-"}
    assert sum(kind.rows for kind in by_class.values()) == 2000
    assert sum(kind.rows * kind.removed.value for kind in by_class.values()) / 2000 > 30
    assert all(kind.removed.value == pytest.approx(kind.below - kind.here) for kind in kinds)
    assert {kind.grouping for kind in kinds} == {"class", "rarity", "position"}


def test_a_class_lies_in_one_third_of_rarity():
    counts = np.array([50, 10, 30, 10])
    thirds = ablation.rarity(counts)
    assert thirds.tolist() == [2, 0, 1, 0]
    drawn = solved(rnn(HOLD, COPY), reads=1, shift=1)[1]
    asked = ablation.target_of(drawn, 0)
    groups = {name: rows for name, _, rows in ablation.groupings(asked, drawn, [])}
    for label in (0, 1):
        assert len(np.unique(groups["rarity"][groups["class"] == label])) == 1


def test_states_come_from_sequences_that_are_long_enough():
    random = np.random.default_rng(0)
    inputs = np.ones((40, 12, 1), dtype=np.float32) + random.random((40, 12, 1)).astype(np.float32)
    lengths = random.integers(3, 13, 40)
    taken = modules.take_over(rnn(HOLD), inputs, lengths=lengths)
    drawn = sample.draw(modules.as_sequences(taken), taken.encoder, 0)
    captured = capture(taken.subject, drawn)
    longest = drawn.sequences.lengths == drawn.sequences.lengths.max()
    assert longest.sum() > 1
    for states in ablation._resampled(captured, drawn, 1, 0):
        for row, length in enumerate(drawn.sequences.lengths.tolist()):
            assert bool((states[:length, row] != 0).any(-1).all())


def test_without_an_interval_nothing_is_claimed():
    known = Measured(value=30.0, interval=(20.0, 40.0))
    for used, adds in ((Measured(value=12.0), known), (known, Measured(value=3.0))):
        one = Ablation(layer=1, used=used, adds=adds, exit_score=None, exit_gain=None)
        assert list(broken(Findings(looked=LOOKED, ablation=(one,)))) == []
    wide = Measured(value=30.0, interval=(-1.0, 61.0))
    one = Ablation(layer=1, used=wide, adds=known, exit_score=None, exit_gain=None)
    (said,) = broken(Findings(looked=LOOKED, ablation=(one,)))
    assert said.text == "No use of layer 1 was shown: states of other sequences in its place cost 30.0 (-1.0 to 61.0)."


@pytest.mark.parametrize(("kind", "words"), [("tagging", "fewer errors"), ("regression", "of the target's variance")])
def test_an_exit_is_told_in_the_unit_of_its_probe(kind, words):
    gain = Measured(value=5.0, interval=(4.0, 6.0))
    one = Ablation(layer=2, used=None, adds=None, exit_score=gain, exit_gain=gain)
    looked = LOOKED.model_copy(update={"kind": kind})
    (said,) = removed(Findings(looked=looked, ablation=(one,)))
    assert words in said.text
