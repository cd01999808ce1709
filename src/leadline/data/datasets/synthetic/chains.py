"""Markov chains, whose next symbol a table of counts predicts as well as anything can."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from leadline.data.datasets.synthetic.draws import named, random_stream, symbols
from leadline.data.datasets.synthetic.known import ONE_GATED_LAYER, SMALL, KnownTask, rights, solved
from leadline.data.sequences import Sequences
from leadline.seeds import generator

Floats = NDArray[np.float64]


def markov_chain(
    num_sequences: int, length: int = 50, num_symbols: int = 8, chain: int = 0, seed: int = 0
) -> Sequences:
    """x_{t+1} ~ P[x_t], a first-order Markov chain in its stationary state; the next symbol is asked.

    Right: the baseline is enough: an n-gram table of order 1 reaches the entropy rate
    -sum_i pi_i sum_j P_ij ln P_ij (`entropy_rate(transitions(num_symbols, chain))`); memory adds nothing.

    Proof: given x_t the next symbol is independent of all before, so no predictor loses less than the entropy
    rate, and the table of P, which counts estimate, loses just that.

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
    names = symbols(num_symbols)
    return named("markov_chain", "next_step", x[:, :-1], names, x[:, 1:], names)


def transitions(num_symbols: int, chain: int = 0) -> Floats:
    """(V, V) rows P[i] ~ Dirichlet(1/2) of a `markov_chain`."""
    return generator(chain, "tasks", "transitions").dirichlet(np.full(num_symbols, 0.5), size=num_symbols)


def markov_pairs(
    num_sequences: int, length: int = 50, num_symbols: int = 5, chain: int = 0, seed: int = 0
) -> Sequences:
    """x_{t+1} ~ Q[x_{t-1}, x_t], a second-order Markov chain in its stationary state; the next symbol is asked.

    Right: the baseline is enough: an n-gram table of order 2 is exact.

    Proof: as for `markov_chain`, with the pair (x_{t-1}, x_t) as the state. The first of `length` targets is
    predicted from one symbol, the others from two, and the expected loss is the mean of these entropies
    (`pairs_loss`).

    Args:
        num_sequences: sequences.
        length: steps of each.
        num_symbols: V.
        chain: which chain: Q depends on this and V alone, not on `seed`.
        seed: of the draws.
    """
    stream = random_stream("markov_pairs", seed, num_sequences, length)
    table = pair_transitions(num_symbols, chain)
    edges = np.cumsum(table, axis=2)
    x = np.empty((num_sequences, length + 1), dtype=np.int64)
    start = stream.choice(num_symbols**2, size=num_sequences, p=stationary_pairs(table).ravel())
    x[:, 0], x[:, 1] = start // num_symbols, start % num_symbols
    draws = stream.random(x.shape)
    for t in range(1, length):
        x[:, t + 1] = (draws[:, t, None] > edges[x[:, t - 1], x[:, t], :-1]).sum(axis=1)
    names = symbols(num_symbols)
    return named("markov_pairs", "next_step", x[:, :-1], names, x[:, 1:], names)


def pair_transitions(num_symbols: int, chain: int = 0) -> Floats:
    """(V, V, V) rows Q[i, j] ~ Dirichlet(1/2) of `markov_pairs`."""
    stream = generator(chain, "tasks", "pair transitions")
    return stream.dirichlet(np.full(num_symbols, 0.5), size=(num_symbols, num_symbols))


def stationary(table: Floats) -> Floats:
    """pi with pi P = pi, sum pi = 1."""
    size = len(table)
    equations = np.vstack([table.T - np.eye(size), np.ones(size)])
    found = np.maximum(np.linalg.lstsq(equations, np.eye(size + 1)[-1], rcond=None)[0], 0.0)
    return np.asarray(found / found.sum())


def stationary_pairs(table: Floats) -> Floats:
    """(V, V) chances of the pair (x_{t-1}, x_t) of a second-order chain."""
    size = len(table)
    moves = np.zeros((size, size, size, size))
    for j in range(size):
        moves[:, j, j, :] = table[:, j, :]
    return stationary(moves.reshape(size**2, size**2)).reshape(size, size)


def entropy_rate(table: Floats) -> float:
    """Entropy of the next symbol given the present one, in nats: -sum_i pi_i sum_j P_ij ln P_ij."""
    logs = np.log(np.where(table > 0.0, table, 1.0))
    return float(-stationary(table) @ (table * logs).sum(axis=1))


def pairs_loss(table: Floats, length: int) -> float:
    """Smallest expected loss of `markov_pairs` in nats a step: (H(x_2 | x_1) + (T - 1) H(x_3 | x_1, x_2)) / T."""
    pairs = stationary_pairs(table)
    first = pairs / pairs.sum(axis=1, keepdims=True)
    opening = -(pairs * np.log(np.where(first > 0.0, first, 1.0))).sum()
    later = -(pairs[..., None] * table * np.log(np.where(table > 0.0, table, 1.0))).sum()
    return float((opening + (length - 1) * later) / length)


@cache
def _losses() -> tuple[float, float]:
    """Of both tasks at their default sizes."""
    return entropy_rate(transitions(8)), pairs_loss(pair_transitions(5), 50)


TASKS = (
    KnownTask(
        name="markov_chain",
        title="the next symbol of a first-order Markov chain: a table of pairs is exact",
        draw=markov_chain,
        sequences=1000,
        right=(*solved(8, "deep_or_both_ways"), *rights(SMALL, "recurrence")),
        advised=(ONE_GATED_LAYER,),
        baseline=True,
        best=-_losses()[0],
        tolerance=0.05,
    ),
    KnownTask(
        name="markov_pairs",
        title="the next symbol of a second-order Markov chain: a table of triples is exact",
        draw=markov_pairs,
        sequences=1000,
        right=(*solved(16, "deep_or_both_ways"), *rights(SMALL, "recurrence")),
        advised=(ONE_GATED_LAYER,),
        baseline=True,
        best=-_losses()[1],
        tolerance=0.05,
    ),
)
