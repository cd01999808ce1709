"""What a network is (`StackSpec`) and how it is trained (`Recipe`): frozen values, checked at birth.

Both are plain data: no torch here, so the planning half can count parameters and operations without it.

Per direction, a layer with `g` gates, input size I and hidden size H has

    g * H * (I + H) + 2 * g * H        parameters (torch keeps two bias vectors per gate)
    g * H * (I + H)                    multiply-adds per step

with g = 1 (tanh), 3 (GRU), 4 (LSTM).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, get_args

from leadline.errors import SpecError

Cell = Literal["tanh", "gru", "lstm"]
Readout = Literal["linear", "mlp"]
Pooling = Literal["step", "last", "mean", "max"]

GATES: dict[str, int] = {"tanh": 1, "gru": 3, "lstm": 4}
STATES: dict[str, int] = {"tanh": 1, "gru": 1, "lstm": 2}


@dataclass(frozen=True)
class StackSpec:
    """Recurrent layers plus a readout.

    Args:
        input_size: features per step.
        output_size: numbers per step or per sequence that the readout gives (classes, or 1).
        cell: the recurrence: "tanh", "gru" or "lstm".
        hidden_size: units per layer and direction.
        num_layers: depth of the stack.
        bidirectional: every layer reads the sequence both ways.
        look_ahead: how many next inputs a step sees beside its own, as a window; 0 is causal.
        readout: "linear", or "mlp" (one hidden layer as wide as the top states, ReLU).
        pooling: "step" for one output per step; for one output per sequence "last" (each direction's own
            last state), "mean" or "max" over the valid steps.
        dropout: probability of dropping a unit of *every* layer's output, the top one's included, so that
            it means the same at every depth (`torch.nn.LSTM`'s does nothing at one layer).
        residual: add a layer's input to its output where both have the same size.
        layer_norm: normalise every layer's output over its features.

    Raises:
        SpecError: a value outside its range, or two that exclude each other.

    >>> StackSpec(input_size=8, output_size=2, cell="lstm", hidden_size=16).num_parameters
    1698
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {
        "extra": "forbid"
    }  # out of JSON, too, an unknown field is an error

    input_size: int
    output_size: int
    cell: Cell = "gru"
    hidden_size: int = 64
    num_layers: int = 1
    bidirectional: bool = False
    look_ahead: int = 0
    readout: Readout = "linear"
    pooling: Pooling = "step"
    dropout: float = 0.0
    residual: bool = False
    layer_norm: bool = False

    def __post_init__(self) -> None:
        for name in ("input_size", "output_size", "hidden_size", "num_layers"):
            _check(self, name, _is_int(getattr(self, name)) and getattr(self, name) >= 1, "a whole number from 1")
        _check(self, "look_ahead", _is_int(self.look_ahead) and self.look_ahead >= 0, "a whole number from 0")
        _check(self, "dropout", 0 <= self.dropout < 1, "a number in [0, 1)")
        for name, kind in (("cell", Cell), ("readout", Readout), ("pooling", Pooling)):
            _check(self, name, getattr(self, name) in get_args(kind), "one of " + ", ".join(get_args(kind)))
        for name in ("bidirectional", "residual", "layer_norm"):
            _check(self, name, isinstance(getattr(self, name), bool), "True or False")
        if self.bidirectional and self.look_ahead:
            raise SpecError(
                f"bidirectional=True with look_ahead={self.look_ahead}",
                expected="one of the two: a bidirectional layer sees the whole sequence already",
            )

    @property
    def num_directions(self) -> int:
        """1, or 2 where both ways are read."""
        return 2 if self.bidirectional else 1

    @property
    def state_width(self) -> int:
        """Features of a layer's output: `hidden_size` times the directions."""
        return self.hidden_size * self.num_directions

    def layer_input_size(self, layer: int) -> int:
        """Features that layer `layer` (0 is the lowest) reads at each step, its window included."""
        return self.input_size * (self.look_ahead + 1) if layer == 0 else self.state_width

    @property
    def num_parameters(self) -> int:
        """Trainable numbers: recurrent layers, normalisation and readout."""
        gates = GATES[self.cell] * self.num_directions
        hidden = self.hidden_size
        layers = sum(gates * hidden * (self.layer_input_size(layer) + hidden + 2) for layer in range(self.num_layers))
        norms = 2 * self.state_width * self.num_layers if self.layer_norm else 0
        return layers + norms + self._readout_weights() + self._readout_biases()

    @property
    def state_size(self) -> int:
        """Numbers that are carried from step to step, over all layers and directions."""
        return STATES[self.cell] * self.state_width * self.num_layers

    @property
    def operations_per_step(self) -> int:
        """Multiply-adds per step of the sequence; a readout per sequence counts as if per step."""
        gates = GATES[self.cell] * self.num_directions
        hidden = self.hidden_size
        layers = sum(gates * hidden * (self.layer_input_size(layer) + hidden) for layer in range(self.num_layers))
        return layers + self._readout_weights()

    def _readout_weights(self) -> int:
        top = self.state_width
        hidden = top * top if self.readout == "mlp" else 0
        return hidden + top * self.output_size

    def _readout_biases(self) -> int:
        return self.output_size + (self.state_width if self.readout == "mlp" else 0)

    def describe(self) -> str:
        """A short name for people, for instance "GRU 2 x 64, both ways, MLP readout"."""
        name = {"tanh": "tanh RNN", "gru": "GRU", "lstm": "LSTM"}[self.cell]
        parts = [f"{name} {self.num_layers} x {self.hidden_size}"]
        if self.bidirectional:
            parts.append("both ways")
        if self.look_ahead:
            parts.append(f"{self.look_ahead} ahead")
        if self.readout == "mlp":
            parts.append("MLP readout")
        if self.pooling in ("mean", "max"):
            parts.append(f"{self.pooling} pooling")
        if self.dropout:
            parts.append(f"dropout {self.dropout:g}")
        if self.residual or self.layer_norm:
            parts.append(
                " and ".join(w for w, on in (("residual", self.residual), ("normalised", self.layer_norm)) if on)
            )
        return ", ".join(parts)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: AdamW with clipping and averaged weights.

    Args:
        learning_rate: AdamW's step size.
        weight_decay: AdamW's decoupled decay (Loshchilov & Hutter 2019).
        dropout: probability in training where the network's own is smaller; like the two above it is drawn.
        batch_size: sequences per update.
        clip: largest norm of the whole gradient; recurrent gradients explode now and then
            (Pascanu, Mikolov, Bengio 2013).
        max_updates: the cap, the same for every arm of a study.
        eval_every: updates between two looks at the tune part.
        patience: looks without a better tune score until training stops.
        averaging: decay of the exponential moving average of the weights that is evaluated and kept
            (Polyak & Juditsky 1992); it stands in for a decaying learning rate and, unlike one, does not
            depend on when training will end.

    Raises:
        SpecError: a value outside its range.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {
        "extra": "forbid"
    }  # out of JSON, too, an unknown field is an error

    learning_rate: float = 0.004
    weight_decay: float = 0.0
    dropout: float = 0.0
    batch_size: int = 64
    clip: float = 1.0
    max_updates: int = 3000
    eval_every: int = 200
    patience: int = 3
    averaging: float = 0.995

    def __post_init__(self) -> None:
        for name in ("batch_size", "max_updates", "eval_every", "patience"):
            _check(self, name, _is_int(getattr(self, name)) and getattr(self, name) >= 1, "a whole number from 1")
        for name in ("learning_rate", "clip"):
            _check(self, name, getattr(self, name) > 0, "a number above 0")
        _check(self, "weight_decay", self.weight_decay >= 0, "a number from 0")
        _check(self, "dropout", 0 <= self.dropout < 1, "a number in [0, 1)")
        _check(self, "averaging", 0 <= self.averaging < 1, "a number in [0, 1)")

    def as_trained(self, spec: StackSpec) -> StackSpec:
        """`spec` with the larger of its own dropout and the recipe's.

        >>> Recipe(dropout=0.1).as_trained(StackSpec(8, 2)).describe()
        'GRU 1 x 64, dropout 0.1'
        """
        return replace(spec, dropout=max(spec.dropout, self.dropout))


def with_parameters(spec: StackSpec, target: int) -> StackSpec:
    """`spec` at the `hidden_size` whose `num_parameters` comes closest to `target`.

    `num_parameters` grows with `hidden_size`, so bisection finds the pair around the target; of two that are
    equally close the smaller one is taken.

    >>> small = StackSpec(input_size=16, output_size=50, hidden_size=64)
    >>> both = with_parameters(StackSpec(16, 50, hidden_size=1, bidirectional=True), small.num_parameters)
    >>> both.hidden_size, both.num_parameters, small.num_parameters
    (41, 18664, 18994)
    """
    low, high = 1, 2
    while replace(spec, hidden_size=high).num_parameters < target:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if replace(spec, hidden_size=middle).num_parameters < target:
            low = middle
        else:
            high = middle
    return min(
        (replace(spec, hidden_size=width) for width in (low, high)),
        key=lambda candidate: abs(candidate.num_parameters - target),
    )


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check(owner: object, name: str, right: bool, expected: str) -> None:
    if not right:
        known = ", ".join(field.name for field in fields(owner))  # type: ignore[arg-type]
        raise SpecError(
            f"{type(owner).__name__}({name}={getattr(owner, name)!r})",
            expected=f"{name} to be {expected}",
            next_move=f"The fields are {known}.",
        )
