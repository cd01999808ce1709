"""What gradient boosting sees of a step: a window of names and numbers, and averages over longer stretches.

- A category feature of up to `MOST_CODES` names: the names of the step and its neighbours.
- One of more names, words above all: the same for its most frequent names, the two labels that names of the window
  usually have, and for the step itself its last letters and its form.
- A numeric feature: the values of the step and its neighbours, and its mean over 8, 32 and 128 steps.

Beyond the ends of a sequence, and where a number is missing, there is NaN. Without the future, no feature of a step
looks at a later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.last_value import position_of
from leadline.baselines.name_codes import VIEWS, NameCodes, frequent, usual_labels
from leadline.baselines.saving import JSON
from leadline.data.sequences import LABELLED, Sequences

Floats = NDArray[np.float64]

MOST_FEATURES = 48
"""Features that all columns share: trees take time in proportion, and half of them are near the step."""
FEWEST_A_COLUMN = 3
REACH = 8
"""Neighbours to each side, as far as the n-gram baseline looks."""
OPEN_REACH = 2
"""Neighbours of words: beyond two, words add next to nothing to a tagger's features (Ratnaparkhi 1996)."""
STRETCHES = (8, 32, 128)


@dataclass(frozen=True)
class StepFeatures:
    """Which features a step has, names first.

    Args:
        codes: tables of names.
        numbers: numeric features.
        names_at: (table, offset) of each categorical feature.
        values_at: (numeric feature, offset) of each value.
        means_over: (numeric feature, steps) of each mean; a negative number of steps are those after the step, itself
            included.
    """

    codes: tuple[NameCodes, ...]
    numbers: tuple[str, ...]
    names_at: tuple[tuple[int, int], ...]
    values_at: tuple[tuple[int, int], ...]
    means_over: tuple[tuple[int, int], ...]

    @property
    def num_names(self) -> int:
        """Features that are names; they come first."""
        return len(self.names_at)

    def sources(self, data: Sequences) -> list[Floats]:
        """(rows,) arrays that the features are taken from: tables, numbers, means."""
        numbers = [data.numeric[:, position_of(data, name)].astype(np.float64) for name in self.numbers]
        means = [running_mean(numbers[number], data, steps) for number, steps in self.means_over]
        return [*(table.of_steps(data) for table in self.codes), *numbers, *means]

    def of_rows(self, data: Sequences, sources: Sequence[Floats], rows: NDArray[np.int64]) -> Floats:
        """(rows, features) of some rows, given what `sources` gave for the data."""
        owner = np.searchsorted(data.offsets, rows, side="right") - 1
        first, last = data.offsets[owner], data.offsets[owner + 1] - 1
        tables, numbers = len(self.codes), len(self.codes) + len(self.numbers)
        near = [*self.names_at, *((tables + number, offset) for number, offset in self.values_at)]
        near += [(numbers + place, 0) for place in range(len(self.means_over))]
        found = np.full((len(rows), len(near)), np.nan, order="F")
        for column, (source, offset) in enumerate(near):
            at = rows + offset
            inside = (at >= first) & (at <= last)
            found[inside, column] = sources[source][at[inside]]
        return found

    def config(self) -> JSON:
        """Everything but the arrays."""
        pairs = (self.names_at, self.values_at, self.means_over)
        names, values, means = (_listed(pair) for pair in pairs)
        tables: list[JSON] = [table.config() for table in self.codes]
        return {
            "codes": tables,
            "numbers": list(self.numbers),
            "names_at": names,
            "values_at": values,
            "means_over": means,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The tables of names."""
        tables = enumerate(self.codes)
        return {f"codes.{place}.{name}": array for place, table in tables for name, array in table.arrays().items()}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` gave."""
        pairs = (tuple((int(a), int(b)) for a, b in config[name]) for name in ("names_at", "values_at", "means_over"))
        return cls(restored_codes(config, arrays), tuple(map(str, config["numbers"])), *pairs)


def _listed(pairs: Sequence[tuple[int, int]]) -> list[JSON]:
    return [[first, second] for first, second in pairs]


def restored_codes(config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> tuple[NameCodes, ...]:
    """The tables of names out of a saved baseline."""
    return tuple(
        NameCodes.restore(table, {name: arrays[f"codes.{place}.{name}"] for name in ("keys", "values")})
        for place, table in enumerate(config["codes"])
    )


def learn(train: Sequences, causal: bool, seed: int) -> tuple[StepFeatures, list[Floats]]:
    """The features of a train part, and the sources of its own steps, whose usual labels come from other sequences."""
    share = max(FEWEST_A_COLUMN, MOST_FEATURES // (len(train.category_columns) + len(train.numeric_names)))
    codes: list[NameCodes] = []
    told: dict[int, Floats] = {}
    names_at: list[tuple[int, int]] = []
    for position in range(len(train.category_columns)):
        place = len(codes)
        codes.append(frequent(train, position, "name"))
        rare = bool((codes[place].of_steps(train) == codes[place].other).any())
        near = offsets(OPEN_REACH if rare else REACH, causal)
        names_at += [(place, offset) for offset in near[:share]]
        if rare and train.kind in LABELLED:
            for table, answers in usual_labels(train, position, seed):
                names_at += [(len(codes), offset) for offset in near]
                told[len(codes)] = answers
                codes.append(table)
        if rare:
            for view in list(VIEWS)[1:]:
                names_at.append((len(codes), 0))
                codes.append(frequent(train, position, view))
    values_at, means_over = _numeric(len(train.numeric_names), share, causal)
    features = StepFeatures(tuple(codes), train.numeric_names, tuple(names_at), values_at, means_over)
    sources = features.sources(train)
    return features, [told.get(place, source) for place, source in enumerate(sources)]


def offsets(reach: int, causal: bool) -> list[int]:
    """The step itself, then its neighbours, near ones first."""
    return [0, *(sign * step for step in range(1, reach + 1) for sign in ((-1,) if causal else (-1, 1)))]


def _numeric(columns: int, share: int, causal: bool) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """Values and means of every numeric feature: the step, its nearest neighbours, means, then further neighbours."""
    near = [("at", offset) for offset in offsets(REACH, causal)]
    means = [("over", sign * steps) for steps in STRETCHES for sign in ((1,) if causal else (1, -1))]
    wanted = [near[0], near[1], *means, *near[2:]][:share]
    values = tuple((column, by) for column in range(columns) for form, by in wanted if form == "at")
    return values, tuple((column, by) for column in range(columns) for form, by in wanted if form == "over")


def running_mean(values: Floats, data: Sequences, steps: int) -> Floats:
    """(rows,) mean over the last `steps` steps up to each, or over the next -`steps` from it on; fewer at the ends.

    Missing values are left out; NaN where all are missing. Rounded to single precision, since the running sum carries
    rounding errors of the sequences before.
    """
    known = ~np.isnan(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    rows = np.arange(len(values), dtype=np.int64)
    first, last = np.repeat(data.offsets[:-1], data.lengths), np.repeat(data.offsets[1:], data.lengths)
    start = np.maximum(rows + 1 - steps, first) if steps > 0 else rows
    end = rows + 1 if steps > 0 else np.minimum(rows - steps, last)
    many = counts[end] - counts[start]
    means = np.where(many > 0, (sums[end] - sums[start]) / np.maximum(many, 1), np.nan)
    return means.astype(np.float32).astype(np.float64)
