"""Generated tasks: every figure that a docstring promises is computed here from the data."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from leadline.data import best_reached, tasks, teacher
from leadline.data.tasks import TASKS
from leadline.errors import OptionError


def grid(data):
    """(inputs, targets) of a task as (sequences, steps) arrays."""
    shape = (len(data), int(data.lengths[0]))
    return data.categories[:, 0].reshape(shape), data.targets.reshape(shape)


@pytest.mark.parametrize("name", TASKS)
def test_same_seed_same_data_and_other_seed_other_data(name):
    first, again, other = (TASKS[name](6, seed=seed) for seed in (3, 3, 4))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    assert (first.classes, first.category_columns) == (other.classes, other.category_columns)


@pytest.mark.parametrize("name", TASKS)
def test_arrays_fit_together(name):
    data = TASKS[name](5, seed=1)
    rows = int(data.offsets[-1])
    assert len(data) == len(data.ids) == 5
    assert data.numeric.shape == (rows, len(data.numeric_names))
    assert data.categories.shape == (rows, len(data.category_columns))
    assert data.targets.shape == (rows if data.per_step else 5,)
    for position, column in enumerate(data.category_columns):
        assert 0 <= data.categories[:, position].min() <= data.categories.max() < len(column.vocabulary)
    if data.classes:
        assert data.targets.dtype == np.int64
        assert 0 <= data.targets.min() <= data.targets.max() < data.num_classes
    assert not np.isnan(data.numeric).any()


@pytest.mark.parametrize("name", TASKS)
def test_no_sequences_are_refused(name):
    with pytest.raises(OptionError, match=f"{name}: 0 sequences"):
        TASKS[name](0)


def test_iid_labels_are_uniform_and_independent_of_the_input():
    data = tasks.iid_labels(4000, length=10, num_classes=4)
    joint = np.histogram2d(data.categories[:, 0], data.targets, bins=4)[0] / len(data.targets)
    assert joint == pytest.approx(np.full((4, 4), 1 / 16), abs=0.004)


def test_noise_floor_is_what_the_true_conditional_loses():
    data = tasks.noisy_function(5000, length=20)
    right = data.targets == (data.categories[:, 0] + 1) % 4
    p = np.where(right, 0.8, 0.2 / 3)
    assert best_reached.noise_floor(0.2, 4) == pytest.approx(0.720, abs=5e-4)
    assert -np.log(p).mean() == pytest.approx(0.720, abs=0.008)
    assert right.mean() == pytest.approx(0.8, abs=0.005)
    wrong = (data.targets - data.categories[:, 0] - 1)[~right] % 4
    assert np.bincount(wrong)[1:] / len(wrong) == pytest.approx(np.full(3, 1 / 3), abs=0.02)


def test_entropy_rate_of_a_chain_known_by_hand():
    """Two states that change with probability 1/4 and 1/2: pi = (2/3, 1/3)."""
    table = np.array([[0.75, 0.25], [0.5, 0.5]])
    assert best_reached.stationary(table) == pytest.approx([2 / 3, 1 / 3])
    by_hand = -2 / 3 * (0.75 * np.log(0.75) + 0.25 * np.log(0.25)) + np.log(2) / 3
    assert best_reached.entropy_rate(table) == pytest.approx(by_hand)


def test_markov_chain_moves_by_its_table_and_costs_its_entropy_rate():
    data = tasks.markov_chain(2000, length=50, chain=2)
    x, y = grid(data)
    assert np.array_equal(x[:, 1:], y[:, :-1])
    table = tasks.transitions(8, chain=2)
    seen = np.bincount(x.ravel(), minlength=8) / x.size
    assert seen == pytest.approx(best_reached.stationary(table), abs=0.01)
    assert np.bincount(x[:, 0], minlength=8) / len(x) == pytest.approx(best_reached.stationary(table), abs=0.04)
    assert -np.log(table[x, y]).mean() == pytest.approx(best_reached.entropy_rate(table), abs=0.01)


def test_flip_flop_holds_the_last_pulse_of_every_channel():
    data = tasks.flip_flop(20, length=40)
    assert data.num_classes == 8
    assert set(np.unique(data.numeric)) == {-1.0, 0.0, 1.0}
    for i in range(len(data)):
        held = [0, 0, 0]
        for row in data.rows(np.array([i])):
            held = [int(pulse) if pulse else last for pulse, last in zip(data.numeric[row], held, strict=True)]
            assert data.classes[data.targets[row]] == "".join("+" if sign > 0 else "-" for sign in held)
    later = np.delete(data.numeric.reshape(20, 40, 3), 0, axis=1)
    assert (later != 0).mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("modulus", [2, 3])
def test_parity_is_the_running_sum(modulus):
    x, y = grid(tasks.parity(200, length=80, modulus=modulus))
    assert np.array_equal(y[:, 0], x[:, 0])
    assert np.array_equal((y[:, :-1] + x[:, 1:]) % modulus, y[:, 1:])
    assert np.bincount(y.ravel()) / y.size == pytest.approx(np.full(modulus, 1 / modulus), abs=0.02)


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_conditional_flip_flop_writes_only_below_a_one(levels):
    data = tasks.conditional_flip_flop(50, levels=levels)
    names = data.category_columns[0].vocabulary
    x, y = grid(data)
    for commands, labels in zip(x, y, strict=True):
        registers = {0: 1, **dict.fromkeys(range(1, levels + 1), 0)}
        for command, label in zip(commands, labels, strict=True):
            register, bit = (int(part) for part in names[command].split("="))
            if registers[register - 1]:
                registers[register] = bit
            assert registers[levels] == label
    assert 0 < y.mean() < 1


def test_recall_asks_for_one_of_the_symbols():
    data = tasks.recall(300, count=5, num_symbols=6, delay=7)
    x = data.categories[:, 0].reshape(300, -1)
    names = data.category_columns[0].vocabulary
    assert x.shape == (300, 13)
    assert {names[i] for i in np.unique(x[:, 5:12])} == {"-"}
    for row, answer in zip(x, data.targets, strict=True):
        query = names[row[-1]]
        assert query[0] == "?"
        assert names[row[int(query[1:]) - 1]] == data.classes[answer]


def test_adding_sums_one_marked_number_of_each_half():
    data = tasks.adding(6000, length=20)
    values, marks = data.numeric.reshape(6000, 20, 2).transpose(2, 0, 1)
    assert (marks[:, :10].sum(axis=1) == 1).all()
    assert (marks[:, 10:].sum(axis=1) == 1).all()
    assert data.targets == pytest.approx((values * marks).sum(axis=1), abs=1e-6)
    assert np.mean((data.targets - 1) ** 2) == pytest.approx(1 / 6, abs=0.01)
    assert np.abs(data.targets - 1).mean() == pytest.approx(1 / 3, abs=0.01)


def test_copy_repeats_after_the_delay():
    data = tasks.copy(100, count=3, num_symbols=4, delay=9)
    x, y = grid(data)
    names = data.category_columns[0].vocabulary
    assert x.shape == (100, 15)
    assert np.array_equal(y[:, 12:], x[:, :3])
    assert {data.classes[label] for label in np.unique(y[:, :12])} == {"-"}
    assert [names[symbol] for symbol in x[0, 3:]] == ["-"] * 8 + ["go"] + ["-"] * 3


def test_copy_without_memory_reaches_the_promised_figures():
    data = tasks.copy(3000)
    _, y = grid(data)
    p = np.zeros((120, 9))
    p[:110, 8], p[110:, :8] = 1.0, 1 / 8
    loss = -np.log(p[np.arange(120), y]).mean()
    assert loss == pytest.approx(10 * np.log(8) / 120)
    assert (y == p.argmax(axis=1)).mean() == pytest.approx((110 + 10 / 8) / 120, abs=0.002)


@pytest.mark.parametrize("shift", [-3, 1, 2, 4])
def test_shifted_looks_that_far(shift):
    data = tasks.shifted(50, length=12, shift=shift)
    x, y = grid(data)
    for t in range(12):
        inside = 0 <= t + shift < 12
        assert np.array_equal(y[:, t], x[:, t + shift] if inside else np.full(50, 4))
    assert data.classes[4] == "-"


HMM_ACCURACY = {0: 0.796, 1: 0.818, 2: 0.831, 4: 0.846, 8: 0.856, None: 0.858}


@pytest.fixture(scope="module")
def long_hmm():
    return tasks.hmm(300, length=2000, seed=5)


@pytest.mark.parametrize("look_ahead", HMM_ACCURACY)
def test_hmm_accuracy_of_the_exact_posterior(long_hmm, look_ahead):
    p = best_reached.hmm_posterior(long_hmm, look_ahead).reshape(300, 2000, 2)[:, 50:-50]
    _, y = grid(long_hmm)
    right = (p.argmax(axis=2) == y[:, 50:-50]).mean()
    assert right == pytest.approx(HMM_ACCURACY[look_ahead], abs=0.0025)
    assert p.max(axis=2).mean() == pytest.approx(right, abs=0.0025), "an exact posterior is calibrated"


def test_hmm_posterior_by_enumeration():
    """Against the sum over all 2**5 paths of hidden states."""
    data = tasks.hmm(1, length=5, seed=2)
    x = data.categories[:, 0]
    for look_ahead in (0, 2, None):
        for t in range(5):
            last = 5 if look_ahead is None else min(5, t + look_ahead + 1)
            totals = np.zeros(2)
            for code in range(32):
                path = [code >> i & 1 for i in range(5)]
                weight = 0.5
                weight *= np.prod([0.95 if a == b else 0.05 for a, b in pairwise(path)])
                weight *= np.prod([0.7 if path[i] == x[i] else 0.3 for i in range(last)])
                totals[path[t]] += weight
            found = best_reached.hmm_posterior(data, look_ahead)[t]
            assert found == pytest.approx(totals / totals.sum(), abs=1e-12)


def test_xor_both_is_balanced_and_neither_bit_tells():
    x, y = grid(tasks.xor_both(4000, length=30, distance=3))
    inside = slice(3, 27)
    assert np.array_equal(y[:, inside], x[:, :24] ^ x[:, 6:])
    assert y[:, inside].mean() == pytest.approx(0.5, abs=0.005)
    for bit in (x[:, :24], x[:, 3:27], x[:, 6:]):
        for value in (0, 1):
            assert y[:, inside][bit == value].mean() == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(y[:, :3], x[:, 3:6])
    assert np.array_equal(y[:, 27:], x[:, 24:27])


def test_xor_both_defeats_every_sum_of_left_and_right():
    """Logistic regression on both bits, without their product, stays at ln 2."""
    x, y = grid(tasks.xor_both(4000, length=30, distance=3))
    design = np.stack([np.ones(4000 * 24), x[:, :24].ravel(), x[:, 6:].ravel()], axis=1).astype(float)
    answer, weights = y[:, 3:27].ravel(), np.zeros(3)
    for _ in range(20):
        p = 1 / (1 + np.exp(-design @ weights))
        hessian = (design * (p * (1 - p))[:, None]).T @ design
        weights += np.linalg.solve(hessian, design.T @ (answer - p))
    p = 1 / (1 + np.exp(-design @ weights))
    loss = -np.log(np.where(answer == 1, p, 1 - p)).mean()
    assert loss == pytest.approx(np.log(2), abs=1e-3)


def test_hierarchy_adds_up_the_words_that_have_ended():
    data = tasks.hierarchy(60, words=6)
    x, y = grid(data)
    assert x.shape == (60, 24)
    for bits, labels in zip(x, y, strict=True):
        total = 0
        for t in range(24):
            if t % 4 == 3:
                total += tasks.WORD_VALUES[int("".join(map(str, bits[t - 3 : t + 1])), 2)]
            assert labels[t] == total % 3


def test_every_bit_of_a_word_matters():
    values = np.array(tasks.WORD_VALUES)
    for bit in range(4):
        assert (values != values[np.arange(16) ^ (1 << bit)]).mean() >= 0.5


def test_gru_teacher_is_torchs_gru():
    data = tasks.gru_teacher(20, length=15)
    weight_ih, weight_hh, readout = teacher.weights(4, 8, 4)
    gru = torch.nn.GRU(4, 8, bias=False, batch_first=True).double()
    with torch.no_grad():
        gru.weight_ih_l0.copy_(torch.from_numpy(weight_ih))
        gru.weight_hh_l0.copy_(torch.from_numpy(weight_hh))
        states, _ = gru(torch.from_numpy(data.numeric.reshape(20, 15, 4)).double())
    scores = np.sort(states.numpy() @ readout.T, axis=2)
    clear = (scores[..., -1] - scores[..., -2] > 1e-5).ravel()
    labels = (states.numpy() @ readout.T).argmax(axis=2).ravel()
    assert clear.mean() > 0.99
    assert np.array_equal(labels[clear], data.targets[clear])
    assert np.bincount(data.targets, minlength=4).min() > 0.03 * len(data.targets)


def test_the_teachers_past_matters():
    """Another first input changes the label of a later step in more than one sequence of ten."""
    data = tasks.gru_teacher(400, length=4)
    x = data.numeric.reshape(400, 4, 4).astype(np.float64)
    weight_ih, weight_hh, readout = teacher.weights(4, 8, 4)
    other = x.copy()
    other[:, 0] = x[::-1, 0]
    labels = [(teacher.states(z, weight_ih, weight_hh)[:, -1] @ readout.T).argmax(axis=1) for z in (x, other)]
    assert (labels[0] != labels[1]).mean() > 0.1
