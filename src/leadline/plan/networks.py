"""Networks and how they change: what the user and the task allow, the neighbours of a network, and how one is named."""

from __future__ import annotations

from dataclasses import dataclass, replace

from leadline.errors import OptionError
from leadline.records.trial import Kind
from leadline.spec import Pooling, StackSpec, with_parameters

GROWTH = 2.5
"""`wider` spends so many times the parameters: twice is hard to see in the noise, five times is another class."""

WINDOWS = (1, 2, 4, 8)
"""Look-ahead windows, doubling: what lies between two of them changes the score by less than they do."""

SMALL = 64
"""Units of the default network: enough for a layer to beat tables, small enough to train in seconds."""

SMALLEST = 4
POOLINGS: tuple[Pooling, ...] = ("last", "mean", "max")
PER_STEP = ("tagging", "step_regression", "next_step")


@dataclass(frozen=True)
class Limits:
    """What the user and the kind of target allow.

    Args:
        kind: kind of target.
        causal: neither look-ahead nor both directions.
        max_look_ahead: the largest window, and then no both directions; None for no limit.
    """

    kind: Kind
    causal: bool = False
    max_look_ahead: int | None = None

    @property
    def has_future(self) -> bool:
        """Whether there is a future to see: in a next-step task it is the target itself."""
        return self.kind != "next_step"

    @property
    def both_directions(self) -> bool:
        """Whether a layer may read the sequence from its end."""
        return not self.causal and self.max_look_ahead is None and self.has_future

    @property
    def windows(self) -> tuple[int, ...]:
        """The look-ahead windows to be measured; one means nothing where the whole sequence is read anyway."""
        if self.kind not in ("tagging", "step_regression"):
            return ()
        most = self.max_look_ahead
        return (
            WINDOWS if most is None else tuple(sorted({k for k in WINDOWS if k <= most} | ({most} if most else set())))
        )

    def allows(self, spec: StackSpec) -> bool:
        """Whether a network sees no more than it may."""
        if not self.both_directions and spec.bidirectional:
            return False
        most = 0 if self.causal or not self.has_future else self.max_look_ahead
        return most is None or spec.look_ahead <= most


def grown(spec: StackSpec, factor: float = GROWTH) -> StackSpec:
    """The width for `factor` times the parameters."""
    return with_parameters(spec, round(spec.num_parameters * factor))


def with_layers(spec: StackSpec, layers: int) -> StackSpec:
    """As many layers, at the same number of parameters: what tells depth from size."""
    return with_parameters(replace(spec, num_layers=layers), spec.num_parameters)


def seeing(spec: StackSpec, steps: int | str) -> StackSpec:
    """`spec` with a look-ahead of `steps`, or both ways for "all", at the same parameters."""
    changed = replace(spec, bidirectional=steps == "all", look_ahead=0 if steps == "all" else int(steps))
    return spec if changed == spec else with_parameters(changed, spec.num_parameters)


def sees_future(spec: StackSpec) -> bool:
    """Whether the network reads beyond the present step."""
    return spec.bidirectional or spec.look_ahead > 0


def parse_network(text: str, blank: StackSpec) -> StackSpec:
    """The network that `--network` names, for instance "lstm:3x256:both" or "gru:1x64:ahead2:mlp".

    Args:
        text: cell, depth x width, then any of both, aheadK, mlp, mean, max, dropoutP, residual, norm.
        blank: input, output and pooling of the data.

    Raises:
        OptionError: a part that is not understood.
    """
    spec, (cell, *parts) = blank, text.lower().split(":")
    try:
        spec = replace(spec, cell="tanh" if cell == "rnn" else cell)  # type: ignore[arg-type]
        for part in parts:
            spec = replace(spec, **_part(part))  # type: ignore[arg-type]
    except ValueError as error:
        raise OptionError(
            f"network {text!r} ({error})",
            expected="something like lstm:3x256:both",
            next_move="Parts after cell and depth x width: both, ahead2, mlp, mean, max, dropout0.3, residual, norm.",
        ) from error
    return spec


def require_allowed(spec: StackSpec, limits: Limits) -> StackSpec:
    """`spec`, unless it sees what it may not, or pools where there is one target per step.

    Raises:
        OptionError: in a next-step task the next step is the target itself; `causal` and `max_look_ahead` hold for
            the network that the user brings, too.
    """
    per_step = limits.kind in PER_STEP
    if not limits.allows(spec) or per_step != (spec.pooling == "step"):
        raise OptionError(
            f"the network {spec.describe()!r} for {limits.kind} data",
            expected="no sight of steps that are hidden, and pooling only where a sequence has one target",
            next_move="Drop both, aheadK, mean or max from it (in a next-step task the next step is the target).",
        )
    return spec


def _part(part: str) -> dict[str, object]:
    words: dict[str, dict[str, object]] = {
        "both": {"bidirectional": True},
        "mlp": {"readout": "mlp"},
        "mean": {"pooling": "mean"},
        "max": {"pooling": "max"},
        "residual": {"residual": True},
        "norm": {"layer_norm": True},
    }
    if part in words:
        return words[part]
    if part.startswith("ahead"):
        return {"look_ahead": int(part.removeprefix("ahead"))}
    if part.startswith("dropout"):
        return {"dropout": float(part.removeprefix("dropout"))}
    layers, _, width = part.partition("x")
    return {"num_layers": int(layers), "hidden_size": int(width)}
