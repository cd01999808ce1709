"""What gradient boosting sees of a whole sequence: its length, its ends, how often each name comes, and the mean,
spread and slope of each number over the whole, its halves, quarters and eighths.

The three figures per interval are those of the time series forest (Deng, Runger, Tuv & Vladimir 2013); intervals are
fixed shares of a sequence, so that sequences of unequal length can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from leadline.baselines.last_value import position_of
from leadline.baselines.name_codes import NameCodes, frequent
from leadline.baselines.saving import JSON
from leadline.baselines.step_features import restored_codes
from leadline.data.sequences import Sequences

Floats = NDArray[np.float64]

SHARES = (1, 2, 4, 8)
"""Into how many intervals a sequence is cut: finer ones are left out where there are many numeric features."""
MOST_NUMERIC = 256
"""Figures of all numeric features together, unless whole sequences alone need more: trees take time in proportion."""
MOST_COUNTED = 64
"""Names that are counted, the most frequent of a column: rarer ones are too rare to split by."""
ENDS = 4
"""Steps at either end whose names are told apart."""
A_COLUMN, AN_INTERVAL = 4, 3
"""Figures of a numeric feature beside its intervals (smallest, largest, first, last), and of each interval."""


@dataclass(frozen=True)
class SequenceFeatures:
    """Which features a sequence has, names first.

    Args:
        codes: for each category feature its table of names, then that of the names counted.
        numbers: numeric features.
        shares: into how many intervals a sequence is cut.
    """

    codes: tuple[NameCodes, ...]
    numbers: tuple[str, ...]
    shares: tuple[int, ...]

    @property
    def num_names(self) -> int:
        """Features that are names; they come first."""
        return len(self.codes) // 2 * 2 * ENDS

    def of_rows(self, data: Sequences, sources: Sequence[Floats], rows: NDArray[np.int64]) -> Floats:
        """(rows, features) of some sequences, given what `sources` gave for the data."""
        return sources[0][rows]

    def sources(self, data: Sequences) -> list[Floats]:
        """One array, (n, features): NaN where a sequence has no such step or no known number."""
        names = [self.codes[place].of_steps(data) for place in range(len(self.codes))]
        found = [_ends(steps, data) for steps in names[::2]]
        found += [_counted(steps, table, data) for steps, table in zip(names[1::2], self.codes[1::2], strict=True)]
        for name in self.numbers:
            found.append(_figures(data.numeric[:, position_of(data, name)].astype(np.float64), data, self.shares))
        return [np.concatenate([*found, data.lengths[:, None].astype(np.float64)], axis=1)]

    def config(self) -> JSON:
        """Everything but the arrays."""
        tables: list[JSON] = [table.config() for table in self.codes]
        return {"codes": tables, "numbers": list(self.numbers), "shares": list(self.shares)}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The tables of names."""
        tables = enumerate(self.codes)
        return {f"codes.{place}.{name}": array for place, table in tables for name, array in table.arrays().items()}

    @classmethod
    def restore(cls, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """What `config` and `arrays` gave."""
        shares = tuple(int(share) for share in config["shares"])
        return cls(restored_codes(config, arrays), tuple(map(str, config["numbers"])), shares)


def learn(train: Sequences) -> tuple[SequenceFeatures, list[Floats]]:
    """The features of a train part, and the sources of its own sequences."""
    codes: list[NameCodes] = []
    for position in range(len(train.category_columns)):
        codes += [frequent(train, position, "name"), frequent(train, position, "name", MOST_COUNTED)]
    columns = max(len(train.numeric_names), 1)
    totals = np.cumsum(SHARES) * AN_INTERVAL + A_COLUMN
    levels = max(1, int((totals * columns <= MOST_NUMERIC).sum()))
    features = SequenceFeatures(tuple(codes), train.numeric_names, SHARES[:levels])
    return features, features.sources(train)


def _ends(steps: Floats, data: Sequences) -> Floats:
    """(n, 2 * ENDS) values of the first and of the last steps; NaN where there are fewer."""
    found = np.full((len(data), 2 * ENDS), np.nan)
    for place in range(ENDS):
        long = data.lengths > place
        found[long, place] = steps[data.offsets[:-1][long] + place]
        found[long, ENDS + place] = steps[data.offsets[1:][long] - 1 - place]
    return found


def _counted(steps: Floats, table: NameCodes, data: Sequences) -> Floats:
    """(n, names) share of the steps that have each name of the table."""
    owner, width = np.repeat(np.arange(len(data)), data.lengths), table.other + 1
    counts = np.bincount(owner * width + steps.astype(np.int64), minlength=len(data) * width)
    return np.asarray(counts.reshape(len(data), width)[:, :-1] / np.maximum(data.lengths, 1)[:, None])


def _figures(values: Floats, data: Sequences, shares: tuple[int, ...]) -> Floats:
    """(n, figures) of one numeric feature."""
    known = ~np.isnan(values)
    lowest, highest = np.full(len(data), np.nan), np.full(len(data), np.nan)
    some = np.bincount(np.repeat(np.arange(len(data)), data.lengths)[known], minlength=len(data)) > 0
    if some.any():
        starts = data.offsets[:-1][some]
        ends = np.append(starts[1:], data.offsets[-1])
        lowest[some] = _by_sequence(np.minimum, np.where(known, values, np.inf), starts, ends)
        highest[some] = _by_sequence(np.maximum, np.where(known, values, -np.inf), starts, ends)
    firsts_and_lasts = _ends(values, data)[:, [0, ENDS]]
    columns = [lowest, highest, *firsts_and_lasts.T, *_intervals(values, known, data, shares)]
    return np.stack(columns, axis=1).astype(np.float32).astype(np.float64)


def _by_sequence(reduce: np.ufunc, values: Floats, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Floats:
    """Of each sequence that has a known value; those between two starts that have none are the reduction's neutral."""
    return np.asarray(reduce.reduceat(values[: ends[-1]], starts))


def _intervals(values: Floats, known: NDArray[np.bool_], data: Sequences, shares: tuple[int, ...]) -> Iterator[Floats]:
    """Mean, standard deviation and slope per step of every interval, NaN where it has too few known values."""
    step = (np.arange(len(values)) - np.repeat(data.offsets[:-1], data.lengths)).astype(np.float64)
    centre = float(values[known].mean()) if known.any() else 0.0
    x = np.where(known, values - centre, 0.0)
    terms = (known.astype(np.float64), x, x * x, step * known, step * step * known, step * x)
    sums = [np.concatenate([[0.0], np.cumsum(term)]) for term in terms]
    for share in shares:
        for part in range(share):
            start = data.offsets[:-1] + part * data.lengths // share
            end = data.offsets[:-1] + (part + 1) * data.lengths // share
            many, s_x, s_xx, s_t, s_tt, s_tx = (total[end] - total[start] for total in sums)
            n = np.maximum(many, 1.0)
            spread_t, together = s_tt - s_t * s_t / n, s_tx - s_t * s_x / n
            yield np.where(many > 0, centre + s_x / n, np.nan)
            yield np.where(many > 1, np.sqrt(np.maximum(s_xx / n - (s_x / n) ** 2, 0.0)), np.nan)
            yield np.where(many > 1, together / np.maximum(spread_t, 0.5), np.nan)
