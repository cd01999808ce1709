"""Generated tasks: every figure that a docstring promises is computed here from the data."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from leadline.data.datasets.synthetic import (
    both_sides,
    chains,
    counters,
    ends,
    hidden_bit,
    hierarchy,
    linear,
    memory,
    moved,
    noise,
    registers,
    teacher,
)


def grid(data):
    """(inputs, targets) of a task as (sequences, steps) arrays."""
    shape = (len(data), int(data.lengths[0]))
    return data.categories[:, 0].reshape(shape), data.targets.reshape(shape)


def test_iid_labels_are_uniform_and_independent_of_the_input():
    data = noise.iid_labels(4000, length=10, num_classes=4)
    joint = np.histogram2d(data.categories[:, 0], data.targets, bins=4)[0] / len(data.targets)
    assert joint == pytest.approx(np.full((4, 4), 1 / 16), abs=0.004)


def test_noise_floor_is_what_the_true_conditional_loses():
    data = noise.noisy_function(5000, length=20)
    right = data.targets == (data.categories[:, 0] + 1) % 4
    p = np.where(right, 0.8, 0.2 / 3)
    assert noise.noise_floor(0.2, 4) == pytest.approx(0.720, abs=5e-4)
    assert -np.log(p).mean() == pytest.approx(0.720, abs=0.008)
    assert right.mean() == pytest.approx(0.8, abs=0.005)
    wrong = (data.targets - data.categories[:, 0] - 1)[~right] % 4
    assert np.bincount(wrong)[1:] / len(wrong) == pytest.approx(np.full(3, 1 / 3), abs=0.02)


def test_entropy_rate_of_a_chain_known_by_hand():
    """Two states that change with probability 1/4 and 1/2: pi = (2/3, 1/3)."""
    table = np.array([[0.75, 0.25], [0.5, 0.5]])
    assert chains.stationary(table) == pytest.approx([2 / 3, 1 / 3])
    by_hand = -2 / 3 * (0.75 * np.log(0.75) + 0.25 * np.log(0.25)) + np.log(2) / 3
    assert chains.entropy_rate(table) == pytest.approx(by_hand)


def test_markov_chain_moves_by_its_table_and_costs_its_entropy_rate():
    data = chains.markov_chain(2000, length=50, chain=2)
    x, y = grid(data)
    assert np.array_equal(x[:, 1:], y[:, :-1])
    table = chains.transitions(8, chain=2)
    seen = np.bincount(x.ravel(), minlength=8) / x.size
    assert seen == pytest.approx(chains.stationary(table), abs=0.01)
    assert np.bincount(x[:, 0], minlength=8) / len(x) == pytest.approx(chains.stationary(table), abs=0.04)
    assert -np.log(table[x, y]).mean() == pytest.approx(chains.entropy_rate(table), abs=0.01)


def test_flip_flop_holds_the_last_pulse_of_every_channel():
    data = registers.flip_flop(20, length=40)
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
    x, y = grid(counters.parity(200, length=80, modulus=modulus))
    assert np.array_equal(y[:, 0], x[:, 0])
    assert np.array_equal((y[:, :-1] + x[:, 1:]) % modulus, y[:, 1:])
    assert np.bincount(y.ravel()) / y.size == pytest.approx(np.full(modulus, 1 / modulus), abs=0.02)


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_conditional_flip_flop_writes_only_below_a_one(levels):
    data = registers.conditional_flip_flop(50, levels=levels)
    names = data.category_columns[0].vocabulary
    x, y = grid(data)
    for commands, labels in zip(x, y, strict=True):
        held = {0: 1, **dict.fromkeys(range(1, levels + 1), 0)}
        for command, label in zip(commands, labels, strict=True):
            register, bit = (int(part) for part in names[command].split("="))
            if held[register - 1]:
                held[register] = bit
            assert held[levels] == label
    assert 0 < y.mean() < 1


def test_recall_asks_for_one_of_the_symbols():
    data = memory.recall(300, count=5, num_symbols=6, delay=7)
    x = data.categories[:, 0].reshape(300, -1)
    names = data.category_columns[0].vocabulary
    assert x.shape == (300, 13)
    assert {names[i] for i in np.unique(x[:, 5:12])} == {"-"}
    for row, answer in zip(x, data.targets, strict=True):
        query = names[row[-1]]
        assert query[0] == "?"
        assert names[row[int(query[1:]) - 1]] == data.classes[answer]


def test_adding_sums_one_marked_number_of_each_half():
    data = memory.adding(6000, length=20)
    values, marks = data.numeric.reshape(6000, 20, 2).transpose(2, 0, 1)
    assert (marks[:, :10].sum(axis=1) == 1).all()
    assert (marks[:, 10:].sum(axis=1) == 1).all()
    assert data.targets == pytest.approx((values * marks).sum(axis=1), abs=1e-6)
    assert np.mean((data.targets - 1) ** 2) == pytest.approx(1 / 6, abs=0.01)
    assert np.abs(data.targets - 1).mean() == pytest.approx(1 / 3, abs=0.01)


def test_copy_repeats_after_the_delay():
    data = memory.copy(100, count=3, num_symbols=4, delay=9)
    x, y = grid(data)
    names = data.category_columns[0].vocabulary
    assert x.shape == (100, 15)
    assert np.array_equal(y[:, 12:], x[:, :3])
    assert {data.classes[label] for label in np.unique(y[:, :12])} == {"-"}
    assert [names[symbol] for symbol in x[0, 3:]] == ["-"] * 8 + ["go"] + ["-"] * 3


def test_copy_without_memory_reaches_the_promised_figures():
    data = memory.copy(3000)
    _, y = grid(data)
    p = np.zeros((120, 9))
    p[:110, 8], p[110:, :8] = 1.0, 1 / 8
    loss = -np.log(p[np.arange(120), y]).mean()
    assert loss == pytest.approx(10 * np.log(8) / 120)
    assert (y == p.argmax(axis=1)).mean() == pytest.approx((110 + 10 / 8) / 120, abs=0.002)


@pytest.mark.parametrize("shift", [-3, 1, 2, 4])
def test_shifted_looks_that_far(shift):
    data = moved.shifted(50, length=12, shift=shift)
    x, y = grid(data)
    for t in range(12):
        inside = 0 <= t + shift < 12
        assert np.array_equal(y[:, t], x[:, t + shift] if inside else np.full(50, 4))
    assert data.classes[4] == "-"


HMM_ACCURACY = {0: 0.796, 1: 0.818, 2: 0.831, 4: 0.846, 8: 0.856, None: 0.858}


@pytest.fixture(scope="module")
def long_hmm():
    return hidden_bit.hmm(300, length=2000, seed=5)


@pytest.mark.parametrize("look_ahead", HMM_ACCURACY)
def test_hmm_accuracy_of_the_exact_posterior(long_hmm, look_ahead):
    p = hidden_bit.hmm_posterior(long_hmm, look_ahead).reshape(300, 2000, 2)[:, 50:-50]
    _, y = grid(long_hmm)
    right = (p.argmax(axis=2) == y[:, 50:-50]).mean()
    assert right == pytest.approx(HMM_ACCURACY[look_ahead], abs=0.0025)
    assert p.max(axis=2).mean() == pytest.approx(right, abs=0.0025), "an exact posterior is calibrated"


def test_hmm_posterior_by_enumeration():
    """Against the sum over all 2**5 paths of hidden states."""
    data = hidden_bit.hmm(1, length=5, seed=2)
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
            found = hidden_bit.hmm_posterior(data, look_ahead)[t]
            assert found == pytest.approx(totals / totals.sum(), abs=1e-12)


def test_xor_both_is_balanced_and_neither_bit_tells():
    x, y = grid(both_sides.xor_both(4000, length=30, distance=3))
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
    x, y = grid(both_sides.xor_both(4000, length=30, distance=3))
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
    data = hierarchy.hierarchy(60, words=6)
    x, y = grid(data)
    assert x.shape == (60, 24)
    for bits, labels in zip(x, y, strict=True):
        total = 0
        for t in range(24):
            if t % 4 == 3:
                total += hierarchy.WORD_VALUES[int("".join(map(str, bits[t - 3 : t + 1])), 2)]
            assert labels[t] == total % 3


def test_every_bit_of_a_word_matters():
    values = np.array(hierarchy.WORD_VALUES)
    for bit in range(4):
        assert (values != values[np.arange(16) ^ (1 << bit)]).mean() >= 0.5


def test_gru_teacher_is_torchs_gru():
    data = teacher.gru_teacher(20, length=15)
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
    data = teacher.gru_teacher(400, length=4)
    x = data.numeric.reshape(400, 4, 4).astype(np.float64)
    weight_ih, weight_hh, readout = teacher.weights(4, 8, 4)
    other = x.copy()
    other[:, 0] = x[::-1, 0]
    labels = [(teacher.states(z, weight_ih, weight_hh)[:, -1] @ readout.T).argmax(axis=1) for z in (x, other)]
    assert (labels[0] != labels[1]).mean() > 0.1


def test_pairs_of_a_chain_by_the_tables_own_sums():
    """Stationary pairs stay what they are after a step, and the loss is that of the true conditional on drawn data."""
    table = chains.pair_transitions(5)
    pairs = chains.stationary_pairs(table)
    assert pairs.sum() == pytest.approx(1.0)
    assert np.einsum("ij,ijk->jk", pairs, table) == pytest.approx(pairs, abs=1e-10)
    x, y = grid(chains.markov_pairs(3000, length=50))
    seen = np.bincount((x[:, 0] * 5 + x[:, 1]), minlength=25).reshape(5, 5) / len(x)
    assert seen == pytest.approx(pairs, abs=0.03)
    first = (pairs / pairs.sum(axis=1, keepdims=True))[x[:, 0], y[:, 0]]
    later = table[x[:, :-1], x[:, 1:], y[:, 1:]]
    loss = -(np.log(first).sum() + np.log(later).sum()) / y.size
    assert loss == pytest.approx(chains.pairs_loss(table, 50), abs=0.01)


def test_pairs_loss_of_a_chain_of_the_first_order_is_its_entropy_rate():
    table = np.array([[0.75, 0.25], [0.5, 0.5]])
    pairs = np.broadcast_to(table, (2, 2, 2))
    assert chains.stationary_pairs(pairs) == pytest.approx(np.array([[0.5, 1 / 6], [1 / 6, 1 / 6]]))
    assert chains.pairs_loss(pairs, 7) == pytest.approx(chains.entropy_rate(table))


def test_autoregression_is_stationary_and_a_linear_solver_reaches_its_error():
    data = linear.autoregression(40000)
    x = data.numeric.reshape(40000, 12)
    assert x[:, 0].std() == pytest.approx(x[:, -1].std(), rel=0.02)
    lags = np.linalg.lstsq(x[:, -2:], data.targets, rcond=None)[0]
    assert lags[::-1] == pytest.approx(linear.LAGS, abs=0.02)
    assert np.abs(data.targets - x[:, -2:] @ lags).mean() == pytest.approx(linear.SMALLEST_ERROR, abs=0.01)


@pytest.mark.parametrize("steps", [1, 4, 15])
def test_flip_flop_in_a_window(steps):
    data = registers.flip_flop(6000, length=60)
    pulses, y = data.numeric.reshape(6000, 60, 3), data.targets.reshape(6000, 60)
    silent = np.stack([(pulses[:, t - steps + 1 : t + 1] == 0).all(axis=1) for t in range(20, 60)], axis=1)
    bits = y[:, 20:, None] >> np.arange(3)[::-1] & 1
    right = np.where(silent, bits, 1).all(axis=2).mean()
    assert right == pytest.approx(registers.flip_flop_in_window(steps), abs=0.01)


def test_clock_counts_from_the_last_pulse():
    x, y = grid(counters.clock(200))
    assert (x[:, 0] == 1).all()
    for pulses, phases in zip(x, y, strict=True):
        phase = 0
        for pulse, label in zip(pulses, phases, strict=True):
            phase = 0 if pulse else (phase + 1) % 3
            assert label == phase


def test_brackets_are_counted_and_never_close_too_soon():
    data = counters.brackets(200)
    names = data.category_columns[0].vocabulary
    x, y = grid(data)
    walk = np.cumsum(np.where(x == names.index("("), 1, -1), axis=1)
    assert np.array_equal(walk, y)
    assert (y.min(), y.max()) == (0, 5)


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_brackets_in_a_window_by_counting(steps):
    """Against the most frequent depth behind every window of a long walk."""
    x, y = grid(counters.brackets(2000, length=120, deepest=3, seed=1))
    last = np.arange(40, 120)
    codes = sum(x[:, last - back] << back for back in range(steps)) if steps else np.zeros((2000, 80), dtype=int)
    joint = np.histogram2d(codes.ravel(), y[:, last].ravel(), bins=[np.arange(2**steps + 1), np.arange(5)])[0]
    assert joint.max(axis=1).sum() / joint.sum() == pytest.approx(counters.brackets_in_window(steps, 3), abs=0.01)


def test_brackets_in_fifteen_steps_as_promised():
    assert counters.brackets_in_window(15) == pytest.approx(0.796, abs=5e-4)


def test_majority_is_told_by_the_mean_and_does_not_change_in_reverse():
    data = counters.majority(500)
    votes = data.categories[:, 0].reshape(500, 15)
    assert np.array_equal(data.targets, votes.sum(axis=1) > 7)
    assert np.array_equal(data.targets, votes[:, ::-1].sum(axis=1) > 7)


def test_ends_decide():
    last, first = ends.last_step(300), ends.first_step(300)
    assert np.array_equal(last.targets, last.categories[:, 0].reshape(300, 20)[:, -1] < 3)
    assert np.array_equal(first.targets, first.categories[:, 0].reshape(300, 40)[:, 0] < 3)


def test_with_first_is_a_toss_for_one_who_has_not_seen_the_first():
    x, y = grid(ends.with_first(4000))
    assert np.array_equal(y, x[:, :1] ^ x)
    windows = sum(x[:, 10:15][:, place] << place for place in range(5))
    for window in range(32):
        assert y[windows == window, 14].mean() == pytest.approx(0.5, abs=0.15)


def test_match_is_equality_and_a_sum_of_both_sides_is_right_in_seven_of_nine():
    x, y = grid(both_sides.match(500))
    assert np.array_equal(y[:, 2:-2] == 1, x[:, :-4] == x[:, 4:])
    assert not y[:, :2].any()
    assert not y[:, -2:].any()
    assert both_sides.best_of_sums(np.eye(3, dtype=np.int64)) == pytest.approx(7 / 9)
    assert both_sides.best_of_sums(np.eye(2, dtype=np.int64)) == pytest.approx(3 / 4)


def test_best_of_sums_against_random_sums():
    """No drawn pair of functions does better, and some do as well."""
    table = np.random.default_rng(0).integers(2, size=(3, 4))
    draws = np.random.default_rng(1).normal(size=(20000, 7))
    said = draws[:, :3, None] + draws[:, None, 3:] > 0
    assert (said == table).mean(axis=(1, 2)).max() == pytest.approx(both_sides.best_of_sums(table))
