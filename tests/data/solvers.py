"""A textbook solver for every generated task: what it scores is the score that the task promises.

Each takes the data and gives (predictions of the rows that it scores, their targets): classes, chances of the classes
where nats are asked, or numbers. Those that count learn from the first half and are scored on the second.
"""

from __future__ import annotations

import numpy as np

from leadline.data.datasets.synthetic import hidden_bit, hierarchy, teacher
from leadline.data.datasets.synthetic.lookup import TRAINED_ON


def steps(data):
    """(sequences, steps) inputs and (sequences, steps) or (sequences,) targets."""
    x = data.categories[:, 0].reshape(len(data), -1)
    return x, data.targets.reshape(len(data), -1) if data.per_step else data.targets


def by_function(function):
    def solve(data):
        x, y = steps(data)
        return function(x), y

    return solve


def automaton(start, move):
    """Labels of a finite automaton: `state, label = move(state, input)` at each step."""

    def solve(data):
        x, y = steps(data)
        labels = np.empty_like(y)
        for row, inputs in enumerate(x):
            state = start
            for t, value in enumerate(inputs):
                state, labels[row, t] = move(state, value)
        return labels, y

    return solve


def registers(state, command):
    register, bit = divmod(int(command), 2)
    if register == 0 or state[register - 1]:
        state = (*state[:register], bit, *state[register + 1 :])
    return state, state[-1]


def word(state, bit):
    total, bits = state
    bits = (*bits, int(bit))
    if len(bits) == 4:
        total, bits = (total + hierarchy.WORD_VALUES[int("".join(map(str, bits)), 2)]) % 3, ()
    return (total, bits), total


def pulses(data):
    """The last pulse of every channel, by a loop."""
    given, y = data.numeric.reshape(len(data), -1, 3), data.targets.reshape(len(data), -1)
    held, labels = np.zeros((len(data), 3)), np.empty_like(y)
    for t in range(given.shape[1]):
        held = np.where(given[:, t] != 0, given[:, t], held)
        labels[:, t] = (held > 0) @ [4, 2, 1]
    return labels, y


def counted(orders):
    """Chances by counts of the last one or two symbols, from the first half of the sequences."""

    def solve(data):
        x, y = steps(data)
        size, half = data.num_classes, len(data) // 2
        context = x if orders == 1 else np.hstack([np.full((len(x), 1), size), x[:, :-1]]) * size + x
        counts = np.full((context.max() + 1, size), 0.05)
        np.add.at(counts, (context[:half].ravel(), y[:half].ravel()), 1.0)
        chances = counts / counts.sum(axis=1, keepdims=True)
        return chances[context[half:]].reshape(-1, size), y[half:].ravel()

    return solve


def linear(data):
    """Least squares on the last two steps, from the first half."""
    x, half = data.numeric.reshape(len(data), -1)[:, -2:], len(data) // 2
    lags = np.linalg.lstsq(x[:half], data.targets[:half], rcond=None)[0]
    return x[half:] @ lags, data.targets[half:]


def marked(data):
    return np.maximum(data.numeric.sum(axis=1) - 1.0, 0.0).reshape(len(data), -1).sum(axis=1), data.targets


def recalled(data):
    x, y = steps(data)
    names = data.category_columns[0].vocabulary
    return np.array([row[int(names[row[-1]][1:]) - 1] for row in x]), y


def repeated(data):
    x, y = steps(data)
    nothing = data.num_classes - 1
    count = int((y[0] != nothing).sum())
    labels = np.full_like(y, nothing)
    labels[:, -count:] = x[:, :count]
    return labels, y


def shifted(by):
    def labels(x):
        found = np.full_like(x, x.max() + 1)
        found[:, max(0, -by) : x.shape[1] - max(0, by)] = x[:, max(0, by) : x.shape[1] - max(0, -by)]
        return found

    return by_function(labels)


def both(rule, outside):
    def labels(x):
        padded = np.pad(x, ((0, 0), (2, 2)), constant_values=outside)
        early, late = padded[:, :-4].copy(), padded[:, 4:].copy()
        return rule(early, late)

    return by_function(labels)


def posterior(data):
    return hidden_bit.hmm_posterior(data).argmax(axis=1), data.targets


def taught(data):
    x = data.numeric.reshape(len(data), -1, 4).astype(np.float64)
    weight_ih, weight_hh, readout = teacher.weights(4, 8, 4)
    return (teacher.states(x, weight_ih, weight_hh) @ readout.T).argmax(axis=2), data.targets.reshape(len(data), -1)


def looked_up(data):
    """A table of pairs from the share of sequences that a study trains on."""
    x, y = steps(data)
    size, half = len(data.category_columns[0].vocabulary), round(TRAINED_ON * len(x))
    pairs = np.hstack([np.zeros((len(x), 1), dtype=x.dtype), x[:, :-1]]) * size + x
    table = np.zeros(size**2, dtype=np.int64)
    table[pairs[:half].ravel()] = y[:half].ravel()
    return table[pairs[half:]], y[half:]


SOLVERS = {
    "iid_labels": by_function(np.zeros_like),
    "noisy_function": by_function(lambda x: (x + 1) % 4),
    "markov_chain": counted(1),
    "markov_pairs": counted(2),
    "autoregression": linear,
    "last_step": by_function(lambda x: x[:, -1] < 3),
    "first_step": by_function(lambda x: x[:, 0] < 3),
    "with_first": automaton(
        None, lambda first, bit: (bit if first is None else first, bit ^ (bit if first is None else first))
    ),
    "flip_flop": pulses,
    "conditional_flip_flop": automaton((0, 0), registers),
    "parity": automaton(0, lambda state, bit: ((state + bit) % 2,) * 2),
    "sum_mod_3": automaton(0, lambda state, value: ((state + value) % 3,) * 2),
    "clock": automaton(0, lambda state, pulse: ((0 if pulse else (state + 1) % 3),) * 2),
    "brackets": automaton(0, lambda state, closing: (state + (-1 if closing else 1),) * 2),
    "majority": by_function(lambda x: x.sum(axis=1) * 2 > x.shape[1]),
    "recall": recalled,
    "recall_16": repeated,
    "copy": repeated,
    "adding": marked,
    "look_ahead_1": shifted(1),
    "look_ahead_2": shifted(2),
    "look_ahead_4": shifted(4),
    "echo": shifted(-3),
    "hmm": posterior,
    "xor_both": both(np.bitwise_xor, 0),
    "match": both(lambda early, late: (early == late) & (early >= 0), -1),
    "hierarchy": automaton((0, ()), word),
    "lookup_few": looked_up,
    "lookup": looked_up,
    "gru_teacher": taught,
}


def score(data, predicted, targets):
    """As a study scores it, and its standard error over what was scored."""
    if data.kind == "next_step":
        each = np.log(predicted[np.arange(len(targets)), targets])
    elif data.classes:
        each = 100.0 * (np.asarray(predicted).ravel() == np.asarray(targets).ravel())
    else:
        each = -np.abs(predicted - targets)
    return float(each.mean()), float(each.std() / np.sqrt(each.size))
