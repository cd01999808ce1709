"""`Encoder`: from `Sequences` to the numbers that a network reads, fitted on the train part alone.

- A numeric feature is standardised; a missing value becomes 0 (the train mean), and every feature that is
  missing somewhere in the development data gets a second column that is 1 where it is missing.
- A category becomes the index of its name among those seen in training, from 1; 0 stands for every name not
  seen there and for a missing one.
- A word also becomes the set of its character n-grams, hashed into buckets, so that a word not seen in
  training is still read by its parts (Bojanowski et al. 2017).
- Class targets keep their index, numeric targets are standardised.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leadline.data.sequences import LABELLED, CategoryColumn, Sequences
from leadline.errors import DataError

GRAMS = (3, 4)
GRAMS_PER_WORD = 24
BUCKETS = 4096


@dataclass(frozen=True)
class EncodedColumn:
    """A category feature as the encoder knows it.

    Args:
        name: the column's name.
        form: "category" or "word".
        vocabulary: names seen in training, in a fixed order.
        width: features that the column becomes.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {
        "extra": "forbid"
    }  # out of JSON, too, an unknown field is an error

    name: str
    form: str
    vocabulary: tuple[str, ...]
    width: int


@dataclass(frozen=True)
class Encoder:
    """What was learned from the train part. Plain values: `config` goes through JSON, and pydantic reads it back.

    Args:
        numeric_names: numeric features, in order.
        means, scales: (numeric features) of the train part, missing values left out.
        indicators: positions of the features that are missing somewhere.
        columns: the category features.
        kind: kind of target.
        classes: class names.
        target_mean, target_scale: of a numeric target; 0 and 1 for classes.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "allow_inf_nan": False}

    numeric_names: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    indicators: tuple[int, ...]
    columns: tuple[EncodedColumn, ...]
    kind: str
    classes: tuple[str, ...]
    target_name: str
    target_mean: float
    target_scale: float

    @property
    def numeric_size(self) -> int:
        """Columns of the encoded numeric array, indicators included."""
        return len(self.numeric_names) + len(self.indicators)

    @property
    def output_size(self) -> int:
        """Numbers that a network has to give per target."""
        return len(self.classes) if self.kind in LABELLED else 1

    def config(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Encoded:
    """Sequences as numbers.

    Args:
        offsets: (n + 1,) first row of each sequence.
        numeric: (rows, numeric_size) float32.
        codes: (rows, columns) int64, 0 for unseen or missing.
        grams: for each category column its (names, GRAMS_PER_WORD) int64 bucket table, padded with 0, or None.
        names: (rows, columns) int64 row in `grams`, which also holds names not seen in training.
        targets: (rows,) or (n,) int64 or float32; None when only predicting.
        per_step: whether there is one target per step.
    """

    offsets: NDArray[np.int64]
    numeric: NDArray[np.float32]
    codes: NDArray[np.int64]
    grams: tuple[NDArray[np.int64] | None, ...]
    names: NDArray[np.int64]
    targets: NDArray[Any] | None
    per_step: bool


def fit(sequences: Sequences, train: NDArray[np.int64], development: NDArray[np.int64] | None = None) -> Encoder:
    """Learn an encoder from the sequences `train`.

    Args:
        sequences: all of them.
        train: whose means, names and spread count.
        development: what the *sizes* are taken from (which features need an indicator, how wide a column
            becomes), so that they are the same for every re-split; `train` by default.
    """
    part = sequences.take(train)
    whole = part if development is None else sequences.take(development)
    missing = np.isnan(part.numeric)
    counts = np.maximum((~missing).sum(0), 1)
    filled = np.where(missing, 0.0, part.numeric).astype(np.float64)
    means = filled.sum(0) / counts
    spread = np.where(missing, 0.0, part.numeric - means)
    scales = np.sqrt((spread.astype(np.float64) ** 2).sum(0) / counts)
    scales[scales < 1e-8] = 1.0
    target_mean, target_scale = _target_scale(part)
    return Encoder(
        numeric_names=sequences.numeric_names,
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        indicators=tuple(np.flatnonzero(np.isnan(whole.numeric).any(0)).tolist()),
        columns=tuple(
            EncodedColumn(
                column.name,
                column.form,
                _seen(column, part.categories[:, i]),
                width_for(len(_seen(column, whole.categories[:, i]))),
            )
            for i, column in enumerate(sequences.category_columns)
        ),
        kind=sequences.kind,
        classes=sequences.classes,
        target_name=sequences.target_name,
        target_mean=target_mean,
        target_scale=target_scale,
    )


def width_for(names: int) -> int:
    """Features that a column of so many names becomes: 3 sqrt(names), from 4 to 64.

    The square root is a compromise between one feature per name, which is needed for few names, and the 50-100
    features at which word embeddings saturate in small taggers.

    >>> width_for(1), width_for(26), width_for(100_000)
    (4, 15, 64)
    """
    return min(64, max(4, round(3 * math.sqrt(names))))


def apply(encoder: Encoder, sequences: Sequences) -> Encoded:
    """Encode sequences, also ones with other vocabularies than those fitted on.

    Raises:
        DataError: a feature that the encoder knows is not there, or a class that it does not know.
    """
    numeric = _numeric(encoder, sequences)
    positions = {column.name: i for i, column in enumerate(sequences.category_columns)}
    codes, names, grams = [], [], []
    for column in encoder.columns:
        if column.name not in positions:
            raise _lacks(column.name, sequences)
        at = positions[column.name]
        vocabulary = sequences.category_columns[at].vocabulary
        index = {name: i + 1 for i, name in enumerate(column.vocabulary)}
        table = np.array([0, *(index.get(name, 0) for name in vocabulary)], dtype=np.int64)
        values = sequences.categories[:, at].astype(np.int64) + 1
        codes.append(table[values])
        names.append(values)
        grams.append(_gram_table(vocabulary) if column.form == "word" else None)
    rows = len(sequences.numeric)
    return Encoded(
        offsets=sequences.offsets,
        numeric=numeric,
        codes=np.stack(codes, 1) if codes else np.zeros((rows, 0), np.int64),
        grams=tuple(grams),
        names=np.stack(names, 1) if names else np.zeros((rows, 0), np.int64),
        targets=_targets(encoder, sequences),
        per_step=sequences.per_step,
    )


def _numeric(encoder: Encoder, sequences: Sequences) -> NDArray[np.float32]:
    positions = {name: i for i, name in enumerate(sequences.numeric_names)}
    for name in encoder.numeric_names:
        if name not in positions:
            raise _lacks(name, sequences)
    chosen = sequences.numeric[:, [positions[name] for name in encoder.numeric_names]]
    missing = np.isnan(chosen)
    scaled = (chosen - np.array(encoder.means)) / np.array(encoder.scales)
    scaled = np.where(missing, 0.0, scaled)
    indicators = missing[:, list(encoder.indicators)]
    return np.concatenate([scaled, indicators], 1).astype(np.float32)


def _targets(encoder: Encoder, sequences: Sequences) -> NDArray[Any] | None:
    targets = sequences.targets
    if targets is None:
        return None
    if encoder.kind not in LABELLED:
        scaled: NDArray[np.float32] = ((targets - encoder.target_mean) / encoder.target_scale).astype(np.float32)
        return scaled
    index = {name: i for i, name in enumerate(encoder.classes)}
    unknown = [name for name in sequences.classes if name not in index]
    if unknown:
        raise DataError(
            f"class {unknown[0]!r} of {sequences.target_name!r} was not among the model's classes",
            where=sequences.source,
            expected="one of " + ", ".join(encoder.classes[:20]),
        )
    table = np.array([index[name] for name in sequences.classes], dtype=np.int64)
    known: NDArray[np.int64] = table[targets]
    return known


def _target_scale(part: Sequences) -> tuple[float, float]:
    if part.targets is None or part.kind in LABELLED:
        return 0.0, 1.0
    scale = float(part.targets.std())
    return float(part.targets.mean()), scale if scale > 1e-8 else 1.0


def _seen(column: CategoryColumn, values: NDArray[np.int32]) -> tuple[str, ...]:
    present = np.unique(values[values >= 0])
    return tuple(column.vocabulary[i] for i in present.tolist())


def _gram_table(vocabulary: tuple[str, ...]) -> NDArray[np.int64]:
    """Row 0 is the missing word; bucket 0 is padding."""
    table = np.zeros((len(vocabulary) + 1, GRAMS_PER_WORD), dtype=np.int64)
    for row, word in enumerate(vocabulary, 1):
        marked = f"<{word}>"
        grams = [marked[i : i + n] for n in GRAMS for i in range(max(1, len(marked) - n + 1))]
        buckets = [zlib.crc32(gram.encode()) % BUCKETS + 1 for gram in grams[:GRAMS_PER_WORD]]
        table[row, : len(buckets)] = buckets
    return table


def _lacks(name: str, sequences: Sequences) -> DataError:
    have = ", ".join((*sequences.numeric_names, *(c.name for c in sequences.category_columns)))
    return DataError(f"no feature {name!r}", where=sequences.source, expected=f"the model's features; here are {have}")
