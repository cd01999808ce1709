"""Clusters: sets of sequences that must not be torn apart."""

from __future__ import annotations

import hashlib

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from leadline.data.identical import input_keys
from leadline.data.sequences import Sequences

COMMON_SHARE = 0.01
COMMON_COUNT = 10
COMMON_SHARE_OF_FEW = 0.05


def clusters_of(sequences: Sequences) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(n,) cluster of each sequence, numbered by first appearance, and what was joined.

    A group is one cluster; sequences with identical inputs are one cluster; what overlaps is joined. Inputs
    that occur in more than 1 % of the sequences (and more than 10 times, or in 5 % of few sequences) are not
    joined: they are as much part of the task as a frequent word is, and would fill a part by themselves.
    """
    keys, counts = _codes(input_keys(sequences))
    total = len(sequences)
    common = counts > max(2, COMMON_SHARE * total, min(COMMON_COUNT, COMMON_SHARE_OF_FEW * total))
    alone = np.where(common[keys], len(counts) + np.arange(len(sequences)), keys)
    groups = np.arange(len(sequences)) if sequences.groups is None else sequences.groups
    joined = _numbered(_components(_codes(alone)[0], _codes(groups)[0]))
    return joined, _notes(counts, common)


def _codes(values: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return codes.astype(np.int64), counts


def _components(one: NDArray[np.int64], two: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sequences that share a value of `one` or of `two`, directly or over others."""
    shift = int(one.max()) + 1
    size = shift + int(two.max()) + 1
    links = scipy.sparse.coo_matrix((np.ones(len(one)), (one, two + shift)), shape=(size, size))
    _, labels = scipy.sparse.csgraph.connected_components(links, directed=False)
    return np.asarray(labels)[one].astype(np.int64)


def _numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[codes]


def _notes(counts: NDArray[np.int64], common: NDArray[np.bool_]) -> tuple[str, ...]:
    notes = []
    joined = (counts > 1) & ~common
    if joined.any():
        notes.append(
            f"{int(counts[joined].sum())} sequences share their inputs with others ({int(joined.sum())} sets "
            "of identical ones): each set stays in one part, where the file does not part it."
        )
    if common.any():
        notes.append(
            f"{int(common.sum())} inputs occur so often ({int(counts[common].sum())} sequences in all) that "
            "they are not kept together: they belong to the task."
        )
    return tuple(notes)


def name_keys(sequences: Sequences, clusters: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """(clusters,) random keys that depend on the seed and on names only, not on the order of rows."""
    prefix = f"{seed}\x1f".encode()
    keys = [
        int.from_bytes(hashlib.blake2b(prefix + name.encode(), digest_size=8).digest(), "little")
        for name in sequences.ids
    ]
    smallest = np.full(int(clusters.max()) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, clusters, np.array(keys, dtype=np.uint64))
    return smallest
