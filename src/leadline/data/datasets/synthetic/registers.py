"""Registers that are written now and then and read at every step."""

from __future__ import annotations

import numpy as np

from leadline.data.datasets.synthetic.draws import digit_names, named, numeric_steps, random_stream
from leadline.data.datasets.synthetic.known import ONE_GATED_LAYER, YES, KnownTask, rights, solved
from leadline.data.sequences import Sequences


def flip_flop(num_sequences: int, length: int = 50, bits: int = 3, pulse: float = 0.1, seed: int = 0) -> Sequences:
    """Each channel gives 0, or with probability `pulse` +1 or -1; its state is its last pulse.

    The label is the state of all channels together ("+-+", 2**bits classes); every channel pulses at step 0.

    Right: one GRU or LSTM layer is enough (16 units for 3 bits), and its dynamics have exactly 2**bits stable
    fixed points, 8 for 3 bits (Sussillo & Barak 2013). Accuracy 1.0.

    Proof: the label is a function of the state before and the present input, which a gate per channel computes
    (open where |x| = 1); so one layer reaches 1.0. A channel is silent for w steps with chance (1 - p)^w, and then
    its bit is a toss for one who sees no more: far from the beginning, w steps allow (1 - (1 - p)^w / 2)^3 of the
    labels, 72 % for the 15 steps of the widest baseline (`flip_flop_in_window`).
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


def flip_flop_in_window(steps: int, bits: int = 3, pulse: float = 0.1) -> float:
    """Best accuracy on `flip_flop` of one who sees the last `steps` steps, far from the beginning.

    >>> round(flip_flop_in_window(15), 3)
    0.722
    """
    return float((1.0 - (1.0 - pulse) ** steps / 2.0) ** bits)


def conditional_flip_flop(num_sequences: int, length: int = 40, levels: int = 2, seed: int = 0) -> Sequences:
    """Registers r_1..r_k, all 0 at first. Each step asks for one register to be set to one bit ("2=1").

    r_1 is always written; r_i only if r_{i-1} holds 1 at that moment. The label is r_k after the step.

    Right: one GRU or LSTM layer. A layer whose gates see the input alone (minGRU) needs exactly k layers: in
    one layer its update at t depends on x_t, and whether a write counts depends on the state. Accuracy 1.0.

    Proof: one GRU or LSTM layer's gates see the state, and the table (registers, command) -> registers is finite. No
    window is enough: which register holds what was settled by the last write that counted, arbitrarily long ago.
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


TASKS = (
    KnownTask(
        name="flip_flop",
        title="the last pulse of three channels: one layer holds eight states",
        draw=flip_flop,
        sequences=1000,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(YES, "recurrence")),
        advised=(ONE_GATED_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
    KnownTask(
        name="conditional_flip_flop",
        title="a register that is written only when another holds 1: one gated layer is enough",
        draw=conditional_flip_flop,
        sequences=1500,
        right=(*solved(16, "future", "deep_or_both_ways"), *rights(YES, "recurrence")),
        advised=(ONE_GATED_LAYER,),
        baseline=False,
        best=100.0,
        tolerance=1.5,
    ),
)
