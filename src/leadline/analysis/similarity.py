"""Alike or not: debiased linear CKA, effective dimension, saturated gates, dead units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from leadline.analysis.annotations import owners
from leadline.analysis.capture import Captured, Place, places, step_rows
from leadline.analysis.findings import Shape, Similarity
from leadline.analysis.gates import gates
from leadline.analysis.measured import Direction
from leadline.analysis.sample import Sample
from leadline.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Interval = tuple[float, float]

ROWS = 1000
GROUPS = 10
LEVEL = 0.95
LOW, HIGH = 0.1, 0.9
STILL = 1e-3


def cka(first: Floats, second: Floats) -> float:
    """Debiased linear centred kernel alignment (Kornblith et al. 2019, with the estimator of Song et al. 2007).

        CKA = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)),    K = X X', L = Y Y', diagonals left out

    The plain one is near 1 for any two wide sets of states; this one is about 0 where they are unrelated.

    Args:
        first: (rows, width) states.
        second: (rows, other width) on the same rows, at least 4.

    Returns:
        1 for states that are alike up to rotation and scale; may be a little below 0; NaN for states that do not move.

    >>> states = np.random.default_rng(0).normal(size=(50, 4))
    >>> round(cka(states, -3.0 * states[:, ::-1]), 6)
    1.0
    """
    return alignment(gram(first), gram(second))


def alignment(k: Floats, l_: Floats) -> float:
    """`cka` from both `gram`s."""
    scale = _hsic(k, k) * _hsic(l_, l_)
    return float(_hsic(k, l_) / np.sqrt(scale)) if scale > 0 else float("nan")


def jackknife(k: Floats, l_: Floats, clusters: Ints) -> Interval | None:
    """95 % interval of `cka` over sequences, by leaving out one tenth of them after the other.

        se^2 = (G - 1) / G sum_g (c_g - mean c)^2,    c +- t(G - 1) se

    Neither the means that a subset has nor its size change what the debiased estimate estimates, so each c_g is read
    off the same two matrices of products (jackknife by groups, Tukey 1958; Shao & Tu 1995).

    Args:
        k, l_: `gram` of both, on the same rows.
        clusters: (rows,) sequence or group of each row.

    Returns:
        None for fewer than ten clusters.
    """
    _, numbers = np.unique(clusters, return_inverse=True)
    if int(numbers.max()) + 1 < GROUPS:
        return None
    kept = [np.flatnonzero(numbers % GROUPS != group) for group in range(GROUPS)]
    left = np.array([alignment(k[np.ix_(rows, rows)], l_[np.ix_(rows, rows)]) for rows in kept])
    if not np.isfinite(left).all():
        return None
    error = np.sqrt((GROUPS - 1) / GROUPS * float(((left - left.mean()) ** 2).sum()))
    reach = float(stdtrit(GROUPS - 1, 0.5 + LEVEL / 2)) * error
    whole = alignment(k, l_)
    return whole - reach, whole + reach


def gram(values: Floats) -> Floats:
    """(rows, rows) products of centred states, the diagonal left out."""
    centred = values - values.mean(0)
    found: Floats = centred @ centred.T
    np.fill_diagonal(found, 0.0)
    return found


def _hsic(k: Floats, l_: Floats) -> float:
    """n (n - 3) times the unbiased estimator."""
    n = len(k)
    both = float(k.sum()) * float(l_.sum()) / ((n - 1) * (n - 2))
    return float((k * l_).sum()) + both - 2.0 / (n - 2) * float(k.sum(0) @ l_.sum(0))


def similarities(subjects: Sequence[Captured], sample: Sample, seed: int) -> list[Similarity]:
    """Every pair of layers and directions, and each layer with the same layer of the first twin."""
    rows = generator(seed, "explain", "cka").permutation(int(sample.sequences.offsets[-1]))[:ROWS]
    if len(rows) < 4:
        return []
    clusters = sample.clusters[owners(sample.sequences)][rows]
    own = {p: gram(step_rows(subjects[0], sample, p)[rows]) for p in places(subjects[0].subject)}
    layers = [p for p in own if p.direction == "all"]
    pairs = [(a, b) for i, a in enumerate(layers) for b in layers[i + 1 :]]
    halves = [(p, p._replace(direction="backward")) for p in own if p.direction == "forward"]
    named = [(_name(a), _name(b), own[a], own[b]) for a, b in [*pairs, *halves]]
    if len(subjects) > 1:
        twins = {p: gram(step_rows(subjects[1], sample, p)[rows]) for p in layers}
        named += [(_name(p), f"{_name(p)}, untrained", own[p], twins[p]) for p in layers]
    found = [
        Similarity(first=one, second=other, cka=alignment(a, b), interval=jackknife(a, b, clusters))
        for one, other, a, b in named
    ]
    return [one for one in found if np.isfinite(one.cka)]


def _name(place: Place) -> str:
    layer = "input" if place.layer == 0 else f"layer {place.layer}"
    return layer if place.direction == "all" else f"{layer}, {place.direction}"


def shapes(subjects: Sequence[Captured], sample: Sample) -> list[Shape]:
    """Effective dimension, dead units and saturated gates, for each layer and direction."""
    spec = subjects[0].subject.spec
    found = []
    for layer in range(1, spec.num_layers + 1):
        for number in range(spec.num_directions):
            way: Direction = ("forward", "backward")[number] if spec.bidirectional else "all"
            own, *others = (step_rows(captured, sample, Place(layer, way)) for captured in subjects)
            found.append(
                Shape(
                    layer=layer,
                    direction=way,
                    dimension=dimension(own),
                    untrained_dimension=float(np.mean([dimension(o) for o in others])) if others else float("nan"),
                    units=spec.hidden_size,
                    dead=int((own.std(0) < STILL * max(float(own.std()), 1e-12)).sum()),
                    saturated=saturated(subjects[0], sample, layer, number),
                    untrained_saturated=saturated(subjects[1], sample, layer, number) if others else {},
                )
            )
    return found


def dimension(values: Floats) -> float:
    """Participation ratio of the covariance, (sum of eigenvalues)^2 / sum of their squares: from 1 to the width.

    >>> round(dimension(np.repeat(np.eye(3), 20, axis=0)), 6)
    2.0
    """
    centred = values - values.mean(0)
    covariance = centred.T @ centred
    squares = float((covariance**2).sum())
    return float(np.trace(covariance)) ** 2 / squares if squares > 0 else 0.0


def saturated(captured: Captured, sample: Sample, layer: int, direction: int) -> dict[str, float]:
    """Per cent of each gate's values below .1 or above .9 (Karpathy, Johnson & Fei-Fei 2015)."""
    found = gates(captured, sample, layer, direction)
    return {name: 100.0 * float(((values < LOW) | (values > HIGH)).mean()) for name, values in found.items()}
