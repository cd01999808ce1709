"""The cells there are, as a literal."""

from __future__ import annotations

from leadline.cells.gru import Gru
from leadline.cells.lstm import Lstm
from leadline.cells.protocol import Cell
from leadline.cells.tanh import Tanh

CELLS: dict[str, Cell] = {"tanh": Tanh(), "gru": Gru(), "lstm": Lstm()}
