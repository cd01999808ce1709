"""What a layer combines: parts of its state variance owed to single inputs, to pairs and to triples of them.

Inputs are swapped one by one between two sequences. With d factors (the steps of a window, and everything else as
one) and both versions of each, the states of all 2^d mixtures have the Walsh coefficients

    g_S = 2^-d sum_T (-1)^|S and T| h(T),        E g_S^2 = sum_{U contains S} 2^-|U| v_U

with v_U the variance that only the inputs U together explain (Hoeffding 1948; Sobol 1993). Solved for v_U from the
largest set down, this is unbiased for any network, with no model of it: an additive one has v_U = 0 wherever |U| > 1.
What is swapped is drawn as if inputs were independent: the shares are about what the network does with its inputs, not
about which of them occur together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from leadline.analysis.capture import Captured
from leadline.analysis.estimates import resamples
from leadline.analysis.findings import Share
from leadline.analysis.measured import Measured
from leadline.analysis.sample import Sample
from leadline.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PAIRS = 300
CAUSAL_WINDOW = (4, 0)
BOTH_WINDOW = (2, 2)
RESAMPLES = 200
GROUPS = ("current", "others", "beyond", "pairs", "triples", "more")


@dataclass(frozen=True, eq=False)
class Pairing:
    """Two sequences for each row, and the step that is looked at.

    Args:
        first, second: (pairs,) sequences of the sample; both are cut to the shorter one's length.
        steps: (pairs,) the step, far enough from the ends for the whole window where the lengths allow.
        window: steps before and after it that are factors of their own.
    """

    first: Ints
    second: Ints
    steps: Ints
    window: tuple[int, int]


def draw_pairs(captured: Captured, sample: Sample, seed: int) -> Pairing:
    """Random pairs of different sequences; those too short for the window come only if nothing else is there."""
    spec, lengths = captured.subject.spec, sample.sequences.lengths
    before, after = BOTH_WINDOW if spec.bidirectional else CAUSAL_WINDOW
    after = min(spec.look_ahead, 2) if spec.look_ahead else after
    random = generator(seed, "explain", "pairs")
    before, after = _fitting(int(lengths.max()), before, after)
    fit = np.flatnonzero(lengths > before + after)
    first = random.choice(fit, size=PAIRS)
    second = random.choice(fit, size=PAIRS)
    second = np.where(second == first, np.roll(fit, 1)[np.searchsorted(fit, first)], second)
    shorter = np.minimum(lengths[first], lengths[second])
    room = shorter - before - after
    steps = before + np.floor(random.random(PAIRS) * room).astype(np.int64)
    return Pairing(first, second, steps, (before, after))


def _fitting(longest: int, before: int, after: int) -> tuple[int, int]:
    """A window that the longest sequence has room for."""
    while before + after >= longest:
        before, after = (before - 1, after) if before >= after else (before, after - 1)
    return before, after


def shares(subjects: Sequence[Captured], sample: Sample, seed: int) -> list[Share]:
    """Shares of every layer, of the network and of the first twin."""
    pairing = draw_pairs(subjects[0], sample, seed)
    found = []
    for number, captured in enumerate(subjects[:2]):
        states = _mixtures(captured, sample, pairing)
        for layer in range(1, captured.subject.spec.num_layers + 1):
            effects = components(states[layer - 1])
            found.append(_share(effects, layer, number > 0, pairing, sample.clusters, seed))
    return found


def _mixtures(captured: Captured, sample: Sample, pairing: Pairing) -> list[Floats]:
    """For each layer (2^d, pairs, width) states at the step, bit i of the index: factor i from the second sequence."""
    lengths = torch.from_numpy(
        np.minimum(sample.sequences.lengths[pairing.first], sample.sequences.lengths[pairing.second])
    )
    longest = int(lengths.max())
    one, two = (captured.features[:longest, torch.from_numpy(w)] for w in (pairing.first, pairing.second))
    masks = [_factor(pairing, longest, number) for number in range(_factors(pairing))]
    found: list[list[Tensor]] = [[] for _ in range(captured.subject.spec.num_layers)]
    rows = torch.arange(len(pairing.steps))
    for index in range(2 ** len(masks)):
        swapped = torch.zeros(longest, len(rows), dtype=torch.bool)
        for number, mask in enumerate(masks):
            if index >> number & 1:
                swapped |= mask
        with torch.no_grad():
            layers = captured.subject.layers(torch.where(swapped[..., None], two, one), lengths)[1:]
        for kept, values in zip(found, layers, strict=True):
            kept.append(values[torch.from_numpy(pairing.steps), rows].double())
    return [torch.stack(kept).numpy() for kept in found]


def _factors(pairing: Pairing) -> int:
    return sum(pairing.window) + 2


def _factor(pairing: Pairing, longest: int, number: int) -> Tensor:
    """(seq, pairs) which inputs belong to a factor: the steps of the window in order, then all others."""
    before, after = pairing.window
    distance = np.arange(longest)[:, None] - pairing.steps[None]
    if number == before + after + 1:
        return torch.from_numpy((distance < -before) | (distance > after))
    return torch.from_numpy(distance == number - before)


def components(states: Floats) -> Floats:
    """Estimates of v_U for each pair of sequences, summed over units.

    Args:
        states: (2^d, pairs, units).

    Returns:
        (2^d, pairs), the set U as the bits of the index; index 0 stands for what no factor changes.

    >>> product = np.array([0.0, 0.0, 0.0, 1.0]).reshape(4, 1, 1)
    >>> components(product)[:, 0].tolist()
    [0.0, 0.0, 0.0, 0.25]
    """
    count = len(states)
    coefficients = states.copy()
    step = 1
    while step < count:
        shaped = coefficients.reshape(count // (2 * step), 2, step, *states.shape[1:])
        coefficients = np.stack([shaped[:, 0] + shaped[:, 1], shaped[:, 0] - shaped[:, 1]], 1).reshape(states.shape)
        step *= 2
    squares = ((coefficients / count) ** 2).sum(-1)
    step = 1
    while step < count:
        shaped = squares.reshape(count // (2 * step), 2, step, -1)
        squares = np.stack([shaped[:, 0] - shaped[:, 1], shaped[:, 1]], 1).reshape(count, -1)
        step *= 2
    orders = np.array([index.bit_count() for index in range(count)])
    result: Floats = squares * (2.0**orders)[:, None]
    result[0] = 0.0
    return result


def _share(effects: Floats, layer: int, untrained: bool, pairing: Pairing, clusters: Ints, seed: int) -> Share:
    """With a bootstrap over clusters: a pair counts as often as both of its sequences were drawn."""
    random = generator(seed, "explain", "shares", layer, int(untrained))
    groups = _grouped(effects, pairing)
    drawn = resamples(clusters, RESAMPLES, random)
    counts = drawn[:, pairing.first] * drawn[:, pairing.second]
    point = _percent(groups.sum(1))
    resampled = np.stack([_percent(groups @ count) for count in counts])
    ends = np.quantile(resampled, [0.025, 0.975], axis=0)
    measured = {
        name: Measured(value=float(point[i]), interval=(float(ends[0, i]), float(ends[1, i])))
        for i, name in enumerate(GROUPS)
    }
    return Share(layer=layer, untrained=untrained, window=pairing.window, **measured)


def _grouped(effects: Floats, pairing: Pairing) -> Floats:
    """(6, pairs) the effects added up by the groups that are reported."""
    before = pairing.window[0]
    beyond = 1 << (_factors(pairing) - 1)
    groups = np.zeros((len(GROUPS), effects.shape[1]))
    for index in range(1, len(effects)):
        order = index.bit_count()
        if order == 1:
            number = 0 if index == 1 << before else 2 if index == beyond else 1
        else:
            number = min(order + 1, 5)
        groups[number] += effects[index]
    return groups


def _percent(groups: Floats) -> Floats:
    total = groups.sum()
    return 100.0 * groups / total if total > 0 else np.zeros(len(groups))
