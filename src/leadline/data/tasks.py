"""Generated tasks whose right answer is known beforehand: what a verdict can be held against.

Every function draws `num_sequences` sequences from the streams of `seed` (same seed, same data; another seed,
fresh data of the same task) and says in its docstring what is right and which number can be reached. All are
noise-free unless they say otherwise, so the number is 1.0 of accuracy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from leadline.data import teacher
from leadline.data.best_reached import stationary
from leadline.data.generated import digit_names, named, numeric_steps, random_stream
from leadline.data.sequences import Sequences
from leadline.seeds import generator

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

WORD_BITS = 4
WORD_VALUES = (0, 2, 1, 1, 2, 0, 0, 1, 2, 1, 0, 2, 1, 2, 0, 1)
"""Value of each 4-bit word, first bit highest: a table without a rule, so that all four bits must be in."""
NOTHING = "-"


def iid_labels(num_sequences: int, length: int = 20, num_classes: int = 4, seed: int = 0) -> Sequences:
    """y_t uniform over K classes, independent of everything.

    Right: irreducible noise. Nothing helps. Best accuracy 1/K, best loss ln K nats.
    """
    stream = random_stream("iid_labels", seed, num_sequences, length)
    x = stream.integers(num_classes, size=(num_sequences, length))
    y = stream.integers(num_classes, size=(num_sequences, length))
    return named("iid_labels", "tagging", x, digit_names(num_classes), y, digit_names(num_classes))


def noisy_function(
    num_sequences: int, length: int = 20, num_classes: int = 4, noise: float = 0.2, seed: int = 0
) -> Sequences:
    """y_t = (x_t + 1) mod K with probability 1 - p, else one of the other K - 1 classes, x_t uniform over K.

    Right: a noise floor, and no recurrence: the present step says all there is. Best accuracy 1 - p; best
    loss H(p) + p ln(K - 1), 0.720 nats with p = 0.2 and K = 4 (`noise_floor`). Training and validation loss
    meet there, which is no reason to enlarge the network.
    """
    stream = random_stream("noisy_function", seed, num_sequences, length)
    x = stream.integers(num_classes, size=(num_sequences, length))
    wrong = stream.random(x.shape) < noise
    off = stream.integers(1, num_classes, size=x.shape)
    y = (x + 1 + np.where(wrong, off, 0)) % num_classes
    return named("noisy_function", "tagging", x, digit_names(num_classes), y, digit_names(num_classes))


def markov_chain(
    num_sequences: int, length: int = 50, num_symbols: int = 8, chain: int = 0, seed: int = 0
) -> Sequences:
    """x_{t+1} ~ P[x_t], a first-order Markov chain in its stationary state; the next symbol is asked.

    Right: the baseline is enough: an n-gram table of order 1 reaches the entropy rate
    -sum_i pi_i sum_j P_ij ln P_ij (`entropy_rate(transitions(num_symbols, chain))`); memory adds nothing.

    Args:
        num_sequences: sequences.
        length: steps of each.
        num_symbols: V.
        chain: which chain: the transitions depend on this and V alone, not on `seed`.
        seed: of the draws.
    """
    stream = random_stream("markov_chain", seed, num_sequences, length)
    table = transitions(num_symbols, chain)
    edges = np.cumsum(table, axis=1)
    x = np.empty((num_sequences, length + 1), dtype=np.int64)
    x[:, 0] = stream.choice(num_symbols, size=num_sequences, p=stationary(table))
    draws = stream.random(x.shape)
    for t in range(length):
        x[:, t + 1] = (draws[:, t, None] > edges[x[:, t], :-1]).sum(axis=1)
    names = digit_names(num_symbols)
    return named("markov_chain", "next_step", x[:, :-1], names, x[:, 1:], names)


def transitions(num_symbols: int, chain: int = 0) -> Floats:
    """(V, V) rows P[i] ~ Dirichlet(1/2) of a `markov_chain`."""
    return generator(chain, "tasks", "transitions").dirichlet(np.full(num_symbols, 0.5), size=num_symbols)


def flip_flop(num_sequences: int, length: int = 50, bits: int = 3, pulse: float = 0.1, seed: int = 0) -> Sequences:
    """Each channel gives 0, or with probability `pulse` +1 or -1; its state is its last pulse.

    The label is the state of all channels together ("+-+", 2**bits classes); every channel pulses at step 0.

    Right: one GRU or LSTM layer is enough (16 units for 3 bits), and its dynamics have exactly 2**bits stable
    fixed points, 8 for 3 bits (Sussillo & Barak 2013). Accuracy 1.0.
    """
    stream = random_stream("flip_flop", seed, num_sequences, length)
    shape = (num_sequences, length, bits)
    signs = stream.choice([-1, 1], size=shape)
    pulses = np.where(stream.random(shape) < pulse, signs, 0)
    pulses[:, 0] = signs[:, 0]
    steps = np.arange(length)[None, :, None]
    latest = np.maximum.accumulate(np.where(pulses != 0, steps, 0), axis=1)
    state = np.take_along_axis(pulses, latest, axis=1) > 0
    classes = tuple("".join("-+"[s >> b & 1] for b in reversed(range(bits))) for s in range(2**bits))
    y = state @ (1 << np.arange(bits)[::-1])
    names = tuple(f"channel {b + 1}" for b in range(bits))
    return numeric_steps("flip_flop", "tagging", pulses, names, y, classes)


def parity(num_sequences: int, length: int = 20, modulus: int = 2, seed: int = 0) -> Sequences:
    """y_t = (x_1 + ... + x_t) mod m with x_t uniform over 0..m-1: parity for m = 2.

    Right: a nonlinear cell (tanh, GRU, LSTM) does it in one layer; a recurrence with non-negative linear
    gates never does, at any depth, so there the cell must change and not the depth. Train at 20 steps and
    score at 80: a network that has learned the rule stays at 1.0, one that has not falls to 1/m.
    """
    stream = random_stream("parity", seed, num_sequences, length)
    x = stream.integers(modulus, size=(num_sequences, length))
    y = np.cumsum(x, axis=1) % modulus
    return named("parity", "tagging", x, digit_names(modulus), y, digit_names(modulus))


def conditional_flip_flop(num_sequences: int, length: int = 40, levels: int = 2, seed: int = 0) -> Sequences:
    """Registers r_1..r_k, all 0 at first. Each step asks for one register to be set to one bit ("2=1").

    r_1 is always written; r_i only if r_{i-1} holds 1 at that moment. The label is r_k after the step.

    Right: one GRU or LSTM layer. A layer whose gates see the input alone (minGRU) needs exactly k layers: in
    one layer its update at t depends on x_t, and whether a write counts depends on the state. Accuracy 1.0.
    """
    stream = random_stream("conditional_flip_flop", seed, num_sequences, length)
    level = stream.integers(levels, size=(num_sequences, length))
    bit = stream.integers(2, size=level.shape)
    registers = np.zeros((num_sequences, levels + 1), dtype=np.int64)
    registers[:, 0] = 1
    rows = np.arange(num_sequences)
    y = np.empty_like(level)
    for t in range(length):
        asked = level[:, t]
        allowed = registers[rows, asked] == 1
        registers[rows[allowed], asked[allowed] + 1] = bit[allowed, t]
        y[:, t] = registers[:, levels]
    names = tuple(f"{i + 1}={b}" for i in range(levels) for b in range(2))
    return named("conditional_flip_flop", "tagging", 2 * level + bit, names, y, digit_names(2))


def recall(num_sequences: int, count: int = 4, num_symbols: int = 8, delay: int = 20, seed: int = 0) -> Sequences:
    """M symbols of n, `delay` empty steps, and a query "?i": which symbol was the i-th?

    Right: wider. The state must carry M log2(n) bits until the query comes, so the units needed grow linearly
    with M; depth does not help. Accuracy 1.0; 1/n for one who forgot.
    """
    stream = random_stream("recall", seed, num_sequences, count + delay + 1)
    symbols = stream.integers(num_symbols, size=(num_sequences, count))
    query = stream.integers(count, size=num_sequences)
    empty = np.full((num_sequences, delay), num_symbols)
    x = np.hstack([symbols, empty, num_symbols + 1 + query[:, None]])
    names = (*digit_names(num_symbols), NOTHING, *(f"?{i + 1}" for i in range(count)))
    y = symbols[np.arange(num_sequences), query]
    return named("recall", "classification", x, names, y, digit_names(num_symbols))


def adding(num_sequences: int, length: int = 200, seed: int = 0) -> Sequences:
    """u_t uniform on [0, 1); one step in each half is marked; y is the sum of the two marked numbers.

    The adding problem of Hochreiter & Schmidhuber (1997). Right: a longer memory (a gated cell instead of
    tanh), not depth. Answering 1 always gives a mean squared error of 1/6 and a mean absolute error of 1/3;
    0 can be reached.
    """
    stream = random_stream("adding", seed, num_sequences, length, shortest=2)
    values = stream.random((num_sequences, length))
    half, rows = length // 2, np.arange(num_sequences)
    first = stream.integers(half, size=num_sequences)
    second = stream.integers(half, length, size=num_sequences)
    marks = np.zeros_like(values)
    marks[rows, first] = marks[rows, second] = 1.0
    x = np.stack([values, marks], axis=2)
    return numeric_steps("adding", "regression", x, ("value", "marker"), (values * marks).sum(axis=1), ())


def copy(num_sequences: int, count: int = 10, num_symbols: int = 8, delay: int = 100, seed: int = 0) -> Sequences:
    """S symbols, `delay` empty steps with a "go" as the last, S empty steps: there the symbols are repeated.

    The label is "-" before the answer. Right: a longer memory (a gated cell instead of tanh), not depth.
    Accuracy 1.0; without memory the loss is S ln(n) / (2 S + delay) nats a step and the accuracy
    (S + delay + S / n) / (2 S + delay).
    """
    stream = random_stream("copy", seed, num_sequences, delay, shortest=1)
    symbols = stream.integers(num_symbols, size=(num_sequences, count))
    empty = np.full((num_sequences, delay + count), num_symbols)
    x = np.hstack([symbols, empty])
    x[:, count + delay - 1] = num_symbols + 1
    y = np.hstack([empty, symbols])
    digits = digit_names(num_symbols)
    return named("copy", "tagging", x, (*digits, NOTHING, "go"), y, (*digits, NOTHING))


def shifted(num_sequences: int, length: int = 30, shift: int = 2, num_symbols: int = 4, seed: int = 0) -> Sequences:
    """y_t = x_{t+k}, x_t uniform over n symbols; "-" where t + k lies outside the sequence.

    Right for k > 0: a look-ahead of k, or both directions; the score jumps from about 1/n to 1.0 at k, and
    nothing else helps. For k < 0 a memory of -k steps: one causal layer.
    """
    stream = random_stream("shifted", seed, num_sequences, length)
    x = stream.integers(num_symbols, size=(num_sequences, length))
    digits = digit_names(num_symbols)
    return named("shifted", "tagging", x, digits, _moved(x, shift, num_symbols), (*digits, NOTHING))


def hmm(num_sequences: int, length: int = 100, stay: float = 0.95, flip: float = 0.3, seed: int = 0) -> Sequences:
    """A hidden bit that stays with probability `stay`; x_t shows it, flipped with probability `flip`.

    The label is the hidden bit. Right: a look-ahead of 6-8 or both directions, one layer. The best accuracy
    of one who sees x_1..x_{t+k} is that of the exact posterior (`hmm_posterior`), far from the ends, for 0.95
    and 0.3:

        k     0      1      2      4      8      all
              .796   .818   .831   .846   .856   .858
    """
    stream = random_stream("hmm", seed, num_sequences, length)
    start = stream.integers(2, size=(num_sequences, 1))
    changes = stream.random((num_sequences, length - 1)) > stay
    y: Ints = np.hstack([start, start + np.cumsum(changes, axis=1)]) % 2
    flipped = stream.random(y.shape) < flip
    x = np.where(flipped, 1 - y, y)
    return named("hmm", "tagging", x, digit_names(2), y, digit_names(2))


def xor_both(num_sequences: int, length: int = 30, distance: int = 3, seed: int = 0) -> Sequences:
    """y_t = x_{t-k} XOR x_{t+k}, bits; outside the sequence x is 0.

    Right: both directions *and* deeper (or a nonlinear readout); equally right, one layer with a look-ahead
    of k. Where both bits are inside, a sum of something seen from the left and something seen from the
    right, such as one layer both ways under a linear readout, cannot beat ln 2, and the past alone says
    nothing: so neither move helps alone. The 2 k steps near the ends need one bit only: a loss of (1 - 2 k
    / T) ln 2 without the pair. Accuracy 1.0.
    """
    stream = random_stream("xor_both", seed, num_sequences, length)
    x = stream.integers(2, size=(num_sequences, length))
    y = _moved(x, -distance, 0) ^ _moved(x, distance, 0)
    return named("xor_both", "tagging", x, digit_names(2), y, digit_names(2))


def hierarchy(num_sequences: int, words: int = 20, seed: int = 0) -> Sequences:
    """Words of 4 bits with a value of 0, 1 or 2 from a fixed table; y_t sums all words ended, mod 3.

    Right: deeper at equal parameters: a fast layer reads the word, a slow one keeps the sum, and layer 2's
    half-life is at least 4 times layer 1's. Accuracy 1.0.
    """
    stream = random_stream("hierarchy", seed, num_sequences, words)
    x = stream.integers(2, size=(num_sequences, words, WORD_BITS))
    values = np.array(WORD_VALUES)[x @ (1 << np.arange(WORD_BITS)[::-1])]
    ended = np.cumsum(values, axis=1) % 3
    y = np.repeat(np.hstack([np.zeros((num_sequences, 1), dtype=np.int64), ended]), WORD_BITS, axis=1)
    y = y[:, 1 : 1 + words * WORD_BITS]
    return named("hierarchy", "tagging", x.reshape(num_sequences, -1), digit_names(2), y, digit_names(3))


def gru_teacher(
    num_sequences: int,
    length: int = 30,
    inputs: int = 4,
    hidden: int = 8,
    num_classes: int = 4,
    seed: int = 0,
) -> Sequences:
    """y_t = argmax(V h_t), h_t a GRU with fixed random weights over x_t ~ N(0, I).

        r = s(W_r x + U_r h)    z = s(W_z x + U_z h)    n = tanh(W_n x + r * (U_n h))    h' = (1 - z) n + z h

    Right: with 50-100 sequences more data (or regularise), with 5,000 one layer closes the gap. Accuracy
    1.0 in the limit. The teacher does not depend on `seed`.
    """
    stream = random_stream("gru_teacher", seed, num_sequences, length)
    x = stream.standard_normal((num_sequences, length, inputs))
    weight_ih, weight_hh, readout = teacher.weights(inputs, hidden, num_classes)
    y = (teacher.states(x, weight_ih, weight_hh) @ readout.T).argmax(axis=2)
    names = tuple(f"input {i + 1}" for i in range(inputs))
    return numeric_steps("gru_teacher", "tagging", x, names, y, digit_names(num_classes))


TASKS: dict[str, Callable[..., Sequences]] = {
    "iid_labels": iid_labels,
    "noisy_function": noisy_function,
    "markov_chain": markov_chain,
    "flip_flop": flip_flop,
    "parity": parity,
    "conditional_flip_flop": conditional_flip_flop,
    "recall": recall,
    "adding": adding,
    "copy": copy,
    "shifted": shifted,
    "hmm": hmm,
    "xor_both": xor_both,
    "hierarchy": hierarchy,
    "gru_teacher": gru_teacher,
}


def _moved(x: Ints, by: int, outside: int) -> Ints:
    """x_{t+by} at t, `outside` beyond the ends."""
    steps = np.arange(x.shape[1]) + by
    inside = (steps >= 0) & (steps < x.shape[1])
    return np.where(inside, x[:, np.clip(steps, 0, x.shape[1] - 1)], outside)
