"""Whole networks in compiled code: one call does many updates, the interpreter's lock released.

The recurrence alone is a fifth of what an update of a small network costs; the rest is the going back and forth
between small tensor operations. Here embedding, stack, readout, loss, clipping, AdamW and the average of the
weights are one call on plain arrays (`leadline_network` of csrc/leadline.h). A network shares nothing, so its result
does not depend on what else is trained beside it, bit for bit. It is trained by one thread; where torch has two or
more, the directions of a layer run at once, to the same bits.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.errors import KernelError
from leadline.kernels import library, team

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]

_SIZES = (
    *("cell", "layers", "hidden", "directions", "residual", "layer_norm", "past", "look_ahead"),
    *("convolutions", "channels", "ends", "mlp"),
    *("pooling", "objective", "score", "per_step"),
    *("numeric", "columns", "outputs", "parameters", "grams_per_name"),
)
_POINTERS = (
    *("names", "widths", "buckets", "grams", "offsets", "codes", "rows_of_grams", "values", "labels", "targets"),
    *("weights", "gradient", "first", "second", "average"),
)
_RATES = ("learning_rate", "weight_decay", "clip", "averaging", "dropout", "forget")


class _Network(ctypes.Structure):
    """`leadline_network` of csrc/leadline.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in _SIZES),
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_double) for name in _RATES),
        ("seed", ctypes.c_uint64),
        ("together", ctypes.c_void_p),
    )


@dataclass(frozen=True, eq=False)
class Data:
    """Encoded sequences, and the columns that become vectors.

    Args:
        offsets: (n + 1,) first row of each sequence.
        values: (rows, numeric).
        codes, names: (rows, columns): index into a column's table, and into its table of n-grams.
        sizes, widths: (columns,) rows and features of each column's table.
        buckets: (columns,) rows of its n-grams' table, 0 where it has none.
        grams: for each column its (names, grams per name) buckets, or None.
        labels, targets: one of them: by row where there is one target per step, else by sequence.
        per_step: which of the two.
    """

    offsets: Whole
    values: Floats
    codes: Whole
    names: Whole
    sizes: Whole
    widths: Whole
    buckets: Whole
    grams: tuple[Whole | None, ...]
    labels: Whole | None
    targets: Floats | None
    per_step: bool


@dataclass(frozen=True)
class Layout:
    """The network's shape and how it is trained; the numbers of the enumerations of csrc/leadline.h."""

    cell: int
    layers: int
    hidden: int
    directions: int
    residual: bool
    layer_norm: bool
    past: int
    look_ahead: int
    convolutions: int
    channels: int
    ends: int
    mlp: int
    pooling: int
    objective: int
    score: int
    outputs: int
    learning_rate: float
    weight_decay: float
    clip: float
    averaging: float
    dropout: float
    forget: float
    seed: int


@dataclass(eq=False)
class Machine:
    """A network in training: its weights, and everything that the compiled code writes.

    Args:
        layout: shape and recipe.
        data: what it is trained on.
        weights: (parameters,) float32, in the order of csrc/leadline.h; changed in place.
    """

    layout: Layout
    data: Data
    weights: Floats
    gradient: Floats = field(init=False)
    average: Floats = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.weights)
        self.gradient, self.average = np.zeros(count, np.float32), self.weights.copy()
        self._moments = np.zeros((2, count), np.float32)
        self._tables = (ctypes.c_void_p * max(1, len(self.data.grams)))(*map(_address, self.data.grams))
        self._struct = self._described()
        self._calls = library.functions()
        expected = self._calls.leadline_parameters(self._network())
        if expected != count:
            raise KernelError(f"{count} weights for this network", expected=f"{expected}")

    def train(self, done: int, batches: Sequence[Whole]) -> NDArray[np.float64]:
        """Losses of the updates `done + 1`, ...; they end behind the first that is not finite."""
        sizes, sequences = _flat(batches)
        losses = np.zeros(len(batches))
        count = self._calls.leadline_train(
            self._network(), done, len(batches), *map(_address, (sizes, sequences, losses))
        )
        library.check(-min(count, 0))
        return losses[:count]

    def loss(self, update: int, sequences: Whole) -> float:
        """Mean loss of one batch, its gradient into `gradient`; with the dropout of `update`, none for 0."""
        loss = ctypes.c_double()
        sequences = np.ascontiguousarray(sequences)
        library.check(
            self._calls.leadline_gradient(
                self._network(), update, len(sequences), _address(sequences), ctypes.byref(loss)
            )
        )
        return loss.value

    def scores(self, weights: Floats, batches: Sequence[Whole]) -> NDArray[np.float64]:
        """Summed score of each sequence, in the order of `batches`."""
        sizes, sequences = _flat(batches)
        sums = np.zeros(len(sequences))
        library.check(
            self._calls.leadline_score(
                self._network(), _address(weights), len(batches), *map(_address, (sizes, sequences, sums))
            )
        )
        return sums

    def _network(self) -> Any:
        """What a call is given: the network, and who runs its directions."""
        self._struct.together = team.entry()
        return ctypes.byref(self._struct)

    def _described(self) -> _Network:
        data, first = self.data, next((grams for grams in self.data.grams if grams is not None), None)
        arrays: dict[str, NDArray[Any] | None] = {
            **{"names": data.sizes, "widths": data.widths, "buckets": data.buckets, "offsets": data.offsets},
            **{"codes": data.codes, "rows_of_grams": data.names, "values": data.values},
            **{"labels": data.labels, "targets": data.targets},
            **{"weights": self.weights, "gradient": self.gradient, "average": self.average},
            **{"first": self._moments[0], "second": self._moments[1]},
        }
        return _Network(
            **vars(self.layout),
            **{name: _address(array) for name, array in arrays.items()},
            per_step=data.per_step,
            numeric=data.values.shape[1],
            columns=data.codes.shape[1],
            parameters=len(self.weights),
            grams_per_name=0 if first is None else first.shape[1],
            grams=ctypes.addressof(self._tables),
        )


def _flat(batches: Sequence[Whole]) -> tuple[Whole, Whole]:
    sizes = np.array([len(batch) for batch in batches], dtype=np.int64)
    return sizes, np.ascontiguousarray(np.concatenate([*batches, np.zeros(0, np.int64)]), dtype=np.int64)


def _address(array: NDArray[Any] | None) -> int | None:
    if array is None:
        return None
    if not array.flags.c_contiguous:
        raise KernelError("an array that is not contiguous", expected="C order")
    return int(array.ctypes.data)
