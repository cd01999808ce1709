"""Probes of states whose contents are known."""

from __future__ import annotations

import math

import networks
import numpy as np
import pytest
import torch
from torch import nn

from leadline.analysis import codelength, estimates, probes, reading
from leadline.analysis.annotations import Annotation, controls, derived, lagged, owners, types
from leadline.analysis.capture import Captured, Place
from leadline.analysis.distance_words import by_distance
from leadline.data.datasets.synthetic.moved import shifted
from leadline.seeds import generator


def planted(layer: int, seed: int = 0, steps: int = 10):
    """Captured states of a two-layer network where `layer` alone carries a hidden label; and the label."""
    rnn = nn.GRU(3, 12, num_layers=2, batch_first=True)
    subjects, sample = networks.looked_at(rnn, networks.noise(200, steps, 3, seed=seed), twins=2)
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, int(sample.sequences.offsets[-1]))
    own = subjects[0]
    layers = [values.clone() for values in own.layers]
    marked = layers[layer].transpose(0, 1)
    flat = marked[sample.batch.mask]
    flat[:, 0] = flat[:, 0] + 2.0 * (2.0 * _as(labels) - 1.0)
    marked[sample.batch.mask] = flat
    layers[layer] = marked.transpose(0, 1)
    return [Captured(own.subject, own.features, layers), *subjects[1:]], sample, labels


def _as(labels: np.ndarray):
    return torch.from_numpy(labels).float()


def of_layers(found, origin_layer):
    return {p.layer: p for p in found if p.direction == "all"}[origin_layer]


@pytest.mark.parametrize("layer", [1, 2])
def test_what_is_planted_in_one_layer_is_found_there_and_nowhere_else(layer):
    subjects, sample, labels = planted(layer)
    asked = reading.ask(Annotation("planted", labels, ("no", "yes")), sample, 0)
    found = reading.probe(asked, reading.views(subjects, sample), 0, tests=2)
    there, other = of_layers(found, layer), of_layers(found, 3 - layer)
    assert there.supported
    assert there.score.value > 90
    assert not other.supported
    assert other.score.value < 60
    assert there.against_untrained == "more"
    assert of_layers(found, 2).against_below == ("more" if layer == 2 else "less")
    assert there.bits < 0.6 < other.bits


def test_the_code_ranks_the_layers_the_same_over_seeds():
    ranks = []
    for seed in range(5):
        subjects, sample, labels = planted(2, seed)
        asked = reading.ask(Annotation("planted", labels, ("no", "yes")), sample, seed)
        found = reading.probe(asked, reading.views(subjects, sample), seed, tests=2)
        bits = {p.layer: p.bits for p in found if p.direction == "all"}
        ranks.append(min(bits, key=bits.get))
    assert ranks == [2] * 5


def test_random_labels_are_never_supported():
    """A label drawn for each type of input is what the control is: selectivity holds zero."""
    claimed, inside = 0, 0
    for seed in range(12):
        tokens = np.random.default_rng(seed).integers(0, 6, size=(200, 10))
        one_hot = np.eye(6)[tokens]
        subjects, sample = networks.looked_at(nn.GRU(6, 16, batch_first=True), one_hot)
        keys = types(sample.sequences)
        labels = generator(seed, "labels").integers(0, 2, keys.max() + 1)[keys]
        asked = reading.ask(Annotation("random", labels, ("a", "b")), sample, seed)
        found = reading.probe(asked, reading.views(subjects, sample), seed, tests=1)
        layer = of_layers(found, 1)
        claimed += layer.supported
        inside += layer.selectivity.interval[0] <= 0 <= layer.selectivity.interval[1]
    assert claimed == 0
    assert inside >= 10


def test_the_input_is_read_where_it_was_put():
    """A delay line: unit i holds the input of i steps ago, and nothing holds more than that."""
    size = 5
    shift = np.diag(np.ones(size - 1), -1)
    first = np.zeros((size, 1))
    first[0, 0] = 1e-3
    rnn = networks.linear_rnn((first, shift))
    subjects, sample = networks.looked_at(rnn, networks.noise(200, 14, 1), twins=1)
    seen = reading.views(subjects, sample)
    scores = {}
    for annotation in lagged(sample.sequences, 6):
        asked = reading.ask(annotation, sample, 0)
        scores[annotation.lag] = of_layers(reading.probe(asked, seen, 0, 1), 1).score.value
    assert all(scores[-lag] > 95 for lag in range(5))
    assert scores[-5] < 10
    assert scores[1] < 10


def test_probes_of_shifted_copies_find_the_shift():
    """The target is the input two steps back: read off exactly where that lag is."""
    data = shifted(150, length=12, shift=-2)
    random = np.random.default_rng(0)
    one_hot = np.eye(4)[data.categories[:, 0].reshape(150, 12)] + 0.01 * random.normal(size=(150, 12, 4))
    subjects, sample = networks.looked_at(nn.GRU(4, 24, batch_first=True), one_hot, twins=1)
    values = data.targets.reshape(150, 12)[[int(i) for i in sample.which]].ravel()
    target = Annotation("target", np.where(values < 4, values, -1), ("0", "1", "2", "3"))
    seen = reading.views(subjects, sample)
    asked = reading.ask(target, sample, 0)
    back = reading.ask(Annotation("two back", target.values, target.classes), sample, 0)
    one, two = (of_layers(reading.probe(a, seen, 0, 1), 1).score.value for a in (asked, back))
    assert one == two
    assert one > 60


def test_labels_of_a_type_share_their_random_answer():
    keys = np.array([3, 1, 3, 2, 1])
    found = controls(Annotation("x", np.array([0, 1, 1, 0, 1]), ("a", "b")), keys, 4, np.random.default_rng(0))
    assert found.shape == (4, 5)
    assert (found[:, 0] == found[:, 2]).all()
    assert (found[:, 1] == found[:, 4]).all()


def test_an_annotation_with_one_class_is_left_out():
    _, sample = networks.looked_at(nn.GRU(1, 2, batch_first=True), networks.noise(30, 5, 1), twins=0)
    rows = int(sample.sequences.offsets[-1])
    assert reading.ask(Annotation("same", np.zeros(rows, np.int64), ("a", "b")), sample, 0) is None
    assert reading.ask(Annotation("rare", np.r_[np.zeros(9), np.full(rows - 9, np.nan)]), sample, 0) is None


def test_a_label_of_a_whole_sequence_is_read_from_its_last_state():
    inputs = networks.noise(200, 6, 2)
    rnn = networks.linear_rnn((1e-3 * np.eye(2), np.eye(2)))
    subjects, sample = networks.looked_at(rnn, inputs, twins=1)
    total = inputs[sample.which, :, 0].sum(1)
    annotation = Annotation("sum", (total > 0).astype(np.int64), ("low", "high"), per_sequence=True)
    found = reading.probe(reading.ask(annotation, sample, 0), reading.views(subjects, sample), 0, 1)
    assert of_layers(found, 1).rows == 200
    assert of_layers(found, 1).score.value > 90


def test_distance_splits_the_score():
    """The label is one or three steps back; a layer that keeps one step reads the near ones only."""
    inputs = networks.noise(250, 10, 1)
    rnn = networks.linear_rnn((np.array([[1e-3], [0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])))
    subjects, sample = networks.looked_at(rnn, inputs, twins=1)
    flat = inputs[sample.which, :, 0]
    random = np.random.default_rng(0)
    away = random.choice([1, 3], size=flat.shape)
    steps = np.arange(10)[None] - away
    labels = np.where(steps < 0, -1, np.take_along_axis(flat, np.maximum(steps, 0), 1) > 0).astype(np.int64)
    annotation = Annotation("sign of it", labels.ravel(), ("-", "+"), distances=away.ravel())
    found = reading.probe(reading.ask(annotation, sample, 0), reading.views(subjects, sample), 0, 1)
    near, far = of_layers(found, 1).distances
    assert (near.name, far.name) == ("1", "3 to 4")
    assert near.score.value > far.score.value + 25


def test_gains_by_distance_find_the_layer_that_sees_farther():
    """Layer 1 keeps the last step, layer 2 two more: layer 2 gains on far labels alone, and the sentence says so."""
    inputs = networks.noise(300, 12, 1)
    first = (np.array([[1e-3], [0.0], [0.0], [0.0]]), np.diag([1.0, 0.0, 0.0], k=-1))
    second = (np.diag([1.0, 1.0, 0.0, 0.0]), np.zeros((4, 4)))
    second[1][2, 1], second[1][3, 2] = 1.0, 1.0
    subjects, sample = networks.looked_at(networks.linear_rnn(first, second), inputs, twins=1)
    flat = inputs[sample.which, :, 0]
    away = np.random.default_rng(0).choice([1, 3], size=flat.shape)
    steps = np.arange(12)[None] - away
    labels = np.where(steps < 0, -1, np.take_along_axis(flat, np.maximum(steps, 0), 1) > 0).astype(np.int64)
    annotation = Annotation("sign", labels.ravel(), ("-", "+"), distances=away.ravel())
    found = reading.probe(reading.ask(annotation, sample, 0), reading.views(subjects, sample), 0, 1)
    probe = of_layers(found, 2)
    assert of_layers(found, 0).gains == ()
    near, far = probe.gains
    below = of_layers(found, 1).distances
    for gain, here, lower in zip(probe.gains, probe.distances, below, strict=True):
        assert gain.score.value == pytest.approx(here.score.value - lower.score.value)
        assert gain.rows == here.rows
    assert far.score.interval[0] > near.score.interval[1]
    (said,) = by_distance(found)
    assert "What layer 2 gains over layer 1 in sign grows with distance" in said.text
    assert f"{far.score.value:+.1f} points" in said.text
    level = probe.model_copy(update={"gains": (near, near.model_copy(update={"name": "8 or more"}))})
    assert list(by_distance([level, probe.model_copy(update={"layer": 1})])) == []


def test_ridge_agrees_with_least_squares_where_the_penalty_is_small():
    random = np.random.default_rng(0)
    states = probes.whitened(random.normal(size=(400, 5)), 5)
    numbers = states @ random.normal(size=5) + 0.1 * random.normal(size=400)
    folds = np.arange(400) % 4
    found = probes.predicted(states, numbers[:, None], folds)[:, 0]
    for fold in range(4):
        fit, use = folds != fold, folds == fold
        wide = np.c_[states, np.ones(400)]
        by_hand = wide[use] @ np.linalg.lstsq(wide[fit], numbers[fit], rcond=None)[0]
        np.testing.assert_allclose(found[use], by_hand, atol=0.01)


def test_a_reader_never_sees_the_rows_that_it_answers():
    """With as many components as rows anything can be fitted; held-out random labels stay at chance."""
    random = np.random.default_rng(0)
    states = probes.whitened(random.normal(size=(300, 200)), 200)
    answers = probes.Answers(random.integers(0, 2, (1, 300)), 2)
    assert abs(probes.row_scores(states, answers, np.arange(300) % 4).mean() - 50) < 10


def test_code_of_labels_that_nobody_can_guess_is_their_entropy():
    random = np.random.default_rng(0)
    bits = codelength.bits_per_row(random.normal(size=(3000, 4)), random.integers(0, 4, 3000), 4, random)
    assert bits == pytest.approx(2.0, abs=0.05)
    skewed = (random.random(3000) < 0.1).astype(np.int64)
    entropy = -0.1 * math.log2(0.1) - 0.9 * math.log2(0.9)
    assert codelength.bits_per_row(random.normal(size=(3000, 4)), skewed, 2, random) == pytest.approx(entropy, abs=0.05)


def test_directions_are_their_own_places():
    subjects, sample = networks.looked_at(nn.GRU(2, 6, batch_first=True, bidirectional=True), networks.noise(40, 6, 2))
    seen = reading.views(subjects, sample)
    assert seen.places == (Place(0), Place(1), Place(1, "forward"), Place(1, "backward"))
    assert seen.steps[0][Place(1, "forward")].shape[1] == 6
    assert owners(sample.sequences).max() == 39


def test_over_twenty_networks_what_is_not_there_is_not_claimed():
    """Labels in a wrong order: claimed in at most 1 of 20 networks."""
    absent = 0
    for seed in range(20):
        subjects, sample, labels = planted(1 + seed % 2, seed, steps=6)
        seen = reading.views(subjects, sample)
        wrong = np.random.default_rng(1000 + seed).permutation(labels)
        asked = reading.ask(Annotation("shuffled", wrong, ("no", "yes")), sample, seed)
        absent += any(p.supported for p in reading.probe(asked, seen, seed, 4, ("all",)))
    assert absent <= 1


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_a_network_that_was_never_trained_holds_nothing(seed):
    """Eight units: one such network may lie far from the mean of five others, as each of them does."""
    torch.manual_seed(seed)
    module = nn.LSTM(3, 8, 2, batch_first=True)
    subjects, sample = networks.looked_at(module, np.random.default_rng(seed).normal(size=(60, 12, 3)), twins=5)
    seen = reading.views(subjects, sample)
    asked = [a for one in derived(sample.sequences) if not one.classes and (a := reading.ask(one, sample, seed))]
    found = [p for one in asked for p in reading.probe(one, seen, seed, 2 * len(asked), ("all",)) if p.layer]
    assert len(found) > 20
    assert [(p.annotation, p.layer) for p in found if p.supported or p.against_untrained != "open"] == []


def test_an_interval_for_one_more_holds_where_one_more_lies():
    """600 networks, each held against five more of the same kind: the difference is away from zero in about 5 %."""
    random = np.random.default_rng(0)
    clusters = np.arange(40)
    scores = random.normal(0, 1.0, (600, 6, 1)) + random.normal(0, 0.3, (600, 6, 40))
    scores += random.normal(0, 2.0, (600, 1, 40))
    missed = {}
    for one_more in (True, False):
        found = [estimates.mean(s[0] - s[1:], clusters, one_more=one_more).interval for s in scores]
        missed[one_more] = np.mean([low > 0 or high < 0 for low, high in found])
    assert 0.025 < missed[True] < 0.075
    assert missed[False] > 0.25


def test_bits_of_numbers_are_those_of_the_predictions_one_after_another():
    """The closed form is the product of Student-t predictions, row after row, whatever the order."""
    from scipy.stats import t

    random = np.random.default_rng(3)
    states = random.normal(size=(40, 3))
    numbers = states @ [1.0, -0.5, 0.0] + 0.3 * random.normal(size=40)
    for order in (np.arange(40), random.permutation(40)):
        x = np.concatenate([states, np.ones((40, 1))], 1)[order]
        y = ((numbers - numbers.mean()) / numbers.std())[order]
        bits = 0.0
        for row in range(40):
            precision = x[:row].T @ x[:row] + codelength.PRECISION * np.eye(4)
            told = np.linalg.solve(precision, x[:row].T @ y[:row])
            shape = codelength.SHAPE + row / 2
            rest = codelength.SHAPE * codelength.STEP**2 + (y[:row] @ y[:row] - told @ precision @ told) / 2
            spread = rest / shape * (1 + x[row] @ np.linalg.solve(precision, x[row]))
            bits -= t.logpdf(y[row], 2 * shape, x[row] @ told, np.sqrt(spread)) / np.log(2)
        expected = bits / 40 - np.log2(codelength.STEP)
        assert codelength.bits_of_numbers(states, numbers) == pytest.approx(expected, rel=1e-6)


def test_bits_of_numbers_that_say_nothing_or_everything():
    random = np.random.default_rng(4)
    states = random.normal(size=(4000, 5))
    alone = np.log2(np.sqrt(2 * np.pi * np.e) / codelength.STEP)
    assert codelength.bits_of_numbers(states, random.normal(size=4000)) == pytest.approx(alone, abs=0.02)
    assert codelength.bits_of_numbers(states, states[:, 0]) < 2.5
    half = states[:, 0] + random.normal(size=4000)
    assert codelength.bits_of_numbers(states, half) == pytest.approx(alone - 0.5, abs=0.03)
    assert codelength.bits_of_numbers(states, np.ones(4000)) == 0.0


def test_halves_of_a_layer_have_their_control():
    rnn = nn.GRU(3, 8, batch_first=True, bidirectional=True)
    subjects, sample = networks.looked_at(rnn, networks.noise(120, 6, 3), twins=2)
    asked = reading.ask(derived(sample.sequences)[0], sample, 0)
    found = reading.probe(asked, reading.views(subjects, sample), 0, 4)
    halves = [p for p in found if p.direction in ("forward", "backward")]
    assert len(halves) == 2
    assert all(p.control is not None and p.selectivity is not None for p in halves)
