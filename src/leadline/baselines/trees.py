"""Boosted trees as arrays: what scikit-learn's histogram gradient boosting has learned, and how it answers.

A row's raw answer for output k is `start[k]` plus the value of the leaf that it falls into in every tree of k. The
leaf is found without walking: each feature of the row becomes a small code (between which two thresholds it lies, or
which name it is), and each tree has a table per feature from the code to the set of leaves that are still possible, as
a bit mask. The masks of all features together leave one leaf (Lucchese et al. 2015, "QuickScorer"; Ye et al. 2018,
"RapidScorer"). In NumPy that took a fifth of the time of scikit-learn's own walk, and the sums run in its order, so
that the answers are its own to the last bit. No scikit-learn is needed to answer, and nothing is pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_LEAVES = 16
"""Leaves of a tree: as many as a mask of 16 bits tells apart; half of scikit-learn's 31, for thinned rows."""
NODE = ("feature", "threshold", "left", "right", "missing_left", "value", "names_left")


@dataclass(frozen=True)
class Trees:
    """Trees of `outputs` numbers per row, output after output within an iteration.

    Args:
        start: (outputs,) raw answer before the first tree.
        seen: for each categorical feature, which are the first ones, its values in training, ascending; any other
            value counts as missing.
        roots: (trees + 1,) first node of each tree, then the number of nodes.
        feature: (nodes,) the feature that the node splits by; -1 in a leaf.
        threshold: (nodes,) numbers up to it go left.
        left, right: (nodes,) children, counted within the tree.
        missing_left: (nodes,) 1 where missing values go left.
        value: (nodes,) what a leaf adds.
        names_left: (nodes, 8) bits of the positions in `seen` that go left.
    """

    start: Floats
    seen: tuple[Floats, ...]
    roots: NDArray[np.int64]
    feature: NDArray[np.int32]
    threshold: Floats
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.uint8]
    value: Floats
    names_left: NDArray[np.int64]

    @property
    def iterations(self) -> int:
        """Rounds of boosting, each a tree per output."""
        return (len(self.roots) - 1) // len(self.start)

    def raw(self, rows: Floats) -> Floats:
        """(rows, outputs) sums of the leaves; `rows` is (rows, features), NaN where missing."""
        found = np.tile(self.start, (len(rows), 1))
        for number, values in enumerate(self.stages(rows)):
            found[:, number % len(self.start)] += values
        return found

    def stages(self, rows: Floats) -> Iterable[Floats]:
        """(rows,) what each tree adds, tree after tree."""
        codes = {feature: self._codes(feature, rows[:, feature]) for feature in self._used}
        for masks, values in self._tables:
            reached = np.full(len(rows), (1 << len(values)) - 1, dtype=np.uint16)
            for feature, table in masks:
                reached &= table[codes[feature]]
            yield values[_lowest_bit(reached)]

    def first(self, iterations: int) -> Self:
        """The same trees, up to an iteration."""
        roots = self.roots[: iterations * len(self.start) + 1]
        nodes = {name: getattr(self, name)[: roots[-1]] for name in NODE}
        return replace(self, roots=roots, **nodes)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything."""
        seen = {f"seen.{place}": values for place, values in enumerate(self.seen)}
        return {"start": self.start, "roots": self.roots, **{name: getattr(self, name) for name in NODE}, **seen}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `arrays` gave."""
        seen = tuple(arrays[f"seen.{place}"] for place in range(sum(name.startswith("seen.") for name in arrays)))
        return cls(arrays["start"], seen, arrays["roots"], *(arrays[name] for name in NODE))

    @cached_property
    def _used(self) -> tuple[int, ...]:
        return tuple(np.unique(self.feature[self.feature >= 0]).tolist())

    @cached_property
    def _thresholds(self) -> dict[int, Floats]:
        return {feature: np.unique(self.threshold[self.feature == feature]) for feature in self._used}

    def _codes(self, feature: int, values: Floats) -> NDArray[np.intp]:
        """A small number for each value; the largest for a missing one."""
        if feature < len(self.seen):
            return positions(self.seen[feature], values)
        bounds = self._thresholds[feature]
        return np.where(np.isnan(values), len(bounds) + 1, np.searchsorted(bounds, values))

    @cached_property
    def _tables(self) -> list[tuple[list[tuple[int, NDArray[np.uint16]]], Floats]]:
        """For each tree its mask tables by feature, and the values of its leaves."""
        return [self._tree(slice(*self.roots[number : number + 2])) for number in range(len(self.roots) - 1)]

    def _tree(self, nodes: slice) -> tuple[list[tuple[int, NDArray[np.uint16]]], Floats]:
        feature, left, right = self.feature[nodes], self.left[nodes], self.right[nodes]
        below = np.zeros(len(feature), dtype=np.uint16)
        below[feature < 0] = 1 << np.arange(int((feature < 0).sum()))
        masks: dict[int, NDArray[np.uint16]] = {}
        for node in range(len(feature) - 1, -1, -1):
            if feature[node] < 0:
                continue
            # Children stand behind their parent, so what lies below them is known.
            below[node] = below[left[node]] | below[right[node]]
            goes = self._goes_left(nodes.start + node)
            table = masks.setdefault(int(feature[node]), np.full(len(goes), 0xFFFF, dtype=np.uint16))
            table &= np.where(goes, ~below[right[node]], ~below[left[node]])
        return list(masks.items()), self.value[nodes][feature < 0]

    def _goes_left(self, node: int) -> NDArray[np.bool_]:
        """(codes,) which codes of the node's feature go left, the missing value last."""
        feature, missing = int(self.feature[node]), bool(self.missing_left[node])
        if feature < len(self.seen):
            names = np.arange(len(self.seen[feature]))
            return np.append((self.names_left[node][names // 32] >> (names % 32)) & 1 == 1, missing)
        bounds = self._thresholds[feature]
        return np.append(np.arange(len(bounds) + 1) <= np.searchsorted(bounds, self.threshold[node]), missing)


def positions(seen: Floats, values: Floats) -> NDArray[np.intp]:
    """(rows,) where each value stands in `seen`, `len(seen)` where it does not."""
    place = np.searchsorted(seen, values)
    inside = np.minimum(place, len(seen) - 1)
    return np.where(seen[inside] == values, inside, len(seen)) if len(seen) else place * 0


def _lowest_bit(masks: NDArray[np.uint16]) -> NDArray[np.intp]:
    """The position of the one bit that is set: the exponent of a power of two."""
    exponent: NDArray[np.intp] = np.frexp(masks.astype(np.float32))[1].astype(np.intp)
    return exponent - 1


def no_trees(start: Floats, seen: tuple[Floats, ...]) -> Trees:
    """What answers `start` for every row."""
    none, floats = np.zeros(0, dtype=np.int32), np.zeros(0)
    bits, names = np.zeros(0, dtype=np.uint8), np.zeros((0, 8), dtype=np.int64)
    return Trees(start, seen, np.zeros(1, dtype=np.int64), none, floats, none, none, bits, floats, names)


def from_sklearn(model: Any, seen: tuple[Floats, ...]) -> Trees:
    """The trees of a fitted `HistGradientBoostingClassifier` or `HistGradientBoostingRegressor`.

    scikit-learn has no public way to its nodes, so this reads private attributes; a test holds the answers together.
    """
    predictors = [tree for iteration in model._predictors for tree in iteration]
    nodes = np.concatenate([tree.nodes for tree in predictors])
    bits = [_names_left(tree.nodes, tree.raw_left_cat_bitsets) for tree in predictors]
    return Trees(
        start=np.asarray(model._baseline_prediction, dtype=np.float64).ravel(),
        seen=seen,
        roots=np.cumsum([0, *(len(tree.nodes) for tree in predictors)]).astype(np.int64),
        feature=np.where(nodes["is_leaf"] == 1, -1, nodes["feature_idx"]).astype(np.int32),
        threshold=np.where(nodes["is_leaf"] == 1, 0.0, nodes["num_threshold"]).astype(np.float64),
        left=nodes["left"].astype(np.int32),
        right=nodes["right"].astype(np.int32),
        missing_left=nodes["missing_go_to_left"].astype(np.uint8),
        value=nodes["value"].astype(np.float64),
        names_left=np.concatenate(bits),
    )


def _names_left(nodes: NDArray[Any], bitsets: NDArray[np.uint32]) -> NDArray[np.int64]:
    found = np.zeros((len(nodes), 8), dtype=np.int64)
    split = (nodes["is_categorical"] == 1) & (nodes["is_leaf"] == 0)
    found[split] = bitsets[nodes["bitset_idx"][split]]
    return found
