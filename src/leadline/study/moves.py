"""The moves: the steps from an incumbent to its neighbours. Specs in, specs out.

Upwards, each move spends a stated budget: `wider` and `deeper` the same larger one, all others the incumbent's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from leadline.errors import OptionError
from leadline.records.trial import Kind
from leadline.spec import Cell, Pooling, StackSpec, with_parameters

GROWTH = 2.5
WINDOWS = (1, 2, 4, 8)
DROPOUTS = (0.25, 0.5)
SMALL = 64
SMALLEST = 4
POOLINGS: tuple[Pooling, ...] = ("last", "mean", "max")
MOVES = (
    "regularise",
    "look_ahead",
    "both_directions",
    "readout",
    "other_cell",
    "wider",
    "deeper",
    "one_direction",
    "shallower",
    "narrower",
)
DOWN = frozenset({"narrower", "shallower", "one_direction"})


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
    def both_directions(self) -> bool:
        """Whether a layer may read the sequence from its end."""
        return not self.causal and self.max_look_ahead is None and self.kind != "next_step"

    @property
    def windows(self) -> tuple[int, ...]:
        """The look-ahead windows to be tried; a window means nothing where the whole sequence is read anyway."""
        if self.causal or self.kind not in ("tagging", "step_regression"):
            return ()
        if self.max_look_ahead is None:
            return WINDOWS
        return tuple(k for k in (*WINDOWS, self.max_look_ahead) if k <= self.max_look_ahead)


@dataclass(frozen=True)
class Candidate:
    """A move and where it leads."""

    move: str
    spec: StackSpec


def upward(incumbent: StackSpec, limits: Limits) -> tuple[Candidate, ...]:
    """Every move from `incumbent` that may make it better.

    >>> spec = StackSpec(input_size=8, output_size=4, hidden_size=16)
    >>> [c.move for c in upward(spec, Limits("next_step"))]
    ['readout', 'other_cell', 'wider', 'deeper']
    """
    found = [
        *_look_ahead(incumbent, limits),
        *_both_directions(incumbent, limits),
        *_readout(incumbent),
        *_other_cell(incumbent),
        Candidate("wider", grown(incumbent)),
        Candidate("deeper", deeper(incumbent)),
    ]
    return _distinct(incumbent, found)


def regularise(incumbent: StackSpec) -> tuple[Candidate, ...]:
    """The next dropout probability; none beyond the last."""
    stronger = [p for p in DROPOUTS if p > incumbent.dropout]
    return (Candidate("regularise", replace(incumbent, dropout=stronger[0])),) if stronger else ()


def bold(incumbent: StackSpec) -> tuple[Candidate, ...]:
    """Several moves to a smaller network at once: straight to the small start, from a network much larger than it."""
    return _distinct(incumbent, _bold(incumbent))


def downward(incumbent: StackSpec) -> tuple[Candidate, ...]:
    """Every single move to a smaller network."""
    single: list[Candidate] = []
    if incumbent.bidirectional:
        single.append(Candidate("one_direction", replace(incumbent, bidirectional=False)))
    if incumbent.num_layers > 1:
        single.append(Candidate("shallower", replace(incumbent, num_layers=incumbent.num_layers - 1)))
    narrow = with_parameters(incumbent, round(incumbent.num_parameters / GROWTH))
    if SMALLEST <= narrow.hidden_size < incumbent.hidden_size:
        single.append(Candidate("narrower", narrow))
    return _distinct(incumbent, single)


def pairs(incumbent: StackSpec, limits: Limits) -> tuple[Candidate, ...]:
    """Two moves at once, for data on which no single move pays: direction (or a window) with depth or readout, depth
    with width (each spends its budget: `GROWTH` twice), and what is larger together with what holds it back.

    >>> spec = StackSpec(input_size=8, output_size=4, hidden_size=16)
    >>> [c.move for c in pairs(spec, Limits("next_step"))]
    ['deeper+readout', 'deeper+wider', 'deeper+regularise', 'wider+regularise']
    """
    sighted = [*_both_directions(incumbent, limits), *_look_ahead(incumbent, limits)]
    found = []
    for first in sighted:
        found.append(Candidate(f"{first.move}+deeper", deeper(first.spec)))
        found += [Candidate(f"{first.move}+{c.move}", c.spec) for c in _readout(first.spec)]
    found += [Candidate(f"deeper+{c.move}", c.spec) for c in _readout(deeper(incumbent))]
    found.append(Candidate("deeper+wider", grown(deeper(incumbent))))
    for larger in (Candidate("deeper", deeper(incumbent)), Candidate("wider", grown(incumbent))):
        found += [Candidate(f"{larger.move}+{c.move}", c.spec) for c in regularise(larger.spec)]
    return _distinct(incumbent, found)


def grown(spec: StackSpec) -> StackSpec:
    """`wider`: the width for `GROWTH` times the parameters."""
    return with_parameters(spec, round(spec.num_parameters * GROWTH))


def deeper(spec: StackSpec) -> StackSpec:
    """`deeper`: one more layer, at the parameters of `grown`: the same budget spent the other way."""
    return with_parameters(replace(spec, num_layers=spec.num_layers + 1), grown(spec).num_parameters)


def flatter(spec: StackSpec) -> StackSpec:
    """One layer less at the same number of parameters: what tells depth from size."""
    return with_parameters(replace(spec, num_layers=spec.num_layers - 1), spec.num_parameters)


def seeing(spec: StackSpec, steps: int | str) -> StackSpec:
    """`spec` with a look-ahead of `steps`, or both ways for "all", at the same parameters."""
    changed = replace(spec, bidirectional=steps == "all", look_ahead=0 if steps == "all" else int(steps))
    return with_parameters(changed, spec.num_parameters)


def parse_start(text: str, blank: StackSpec) -> StackSpec:
    """The network that `--start` names, for instance "lstm:3x256:both" or "gru:1x64:ahead2:mlp".

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
            f"--start {text!r} ({error})",
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
    most = 0 if limits.causal or limits.kind == "next_step" else limits.max_look_ahead
    sees = (spec.bidirectional and not limits.both_directions) or (most is not None and spec.look_ahead > most)
    per_step = limits.kind in ("tagging", "step_regression", "next_step")
    if sees or per_step != (spec.pooling == "step"):
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


def _look_ahead(spec: StackSpec, limits: Limits) -> list[Candidate]:
    if spec.bidirectional:
        return []
    return [Candidate("look_ahead", seeing(spec, k)) for k in limits.windows if k > spec.look_ahead]


def _both_directions(spec: StackSpec, limits: Limits) -> list[Candidate]:
    if spec.bidirectional or not limits.both_directions:
        return []
    return [Candidate("both_directions", seeing(spec, "all"))]


def _readout(spec: StackSpec) -> list[Candidate]:
    variants = [replace(spec, readout="mlp")] if spec.readout == "linear" else []
    if spec.pooling != "step":
        variants += [replace(spec, pooling=p) for p in POOLINGS if p != spec.pooling]
    return [Candidate("readout", with_parameters(v, spec.num_parameters)) for v in variants]


def _other_cell(spec: StackSpec) -> list[Candidate]:
    others: tuple[Cell, ...] = ("lstm",) if spec.cell == "gru" else ("gru",)
    changed = (replace(spec, cell=cell) for cell in others)
    return [Candidate("other_cell", with_parameters(c, spec.num_parameters)) for c in changed]


def _bold(spec: StackSpec) -> list[Candidate]:
    small = replace(spec, num_layers=1, hidden_size=min(spec.hidden_size, SMALL))
    variants = [replace(small, bidirectional=False), small] if spec.bidirectional else [small]
    return [
        Candidate("+".join(_differences(spec, variant)), variant)
        for variant in variants
        if len(_differences(spec, variant)) > 1
    ]


def _differences(before: StackSpec, after: StackSpec) -> list[str]:
    changes = {
        "one_direction": before.bidirectional and not after.bidirectional,
        "shallower": after.num_layers < before.num_layers,
        "narrower": after.hidden_size < before.hidden_size,
    }
    return [name for name, changed in changes.items() if changed]


def _distinct(incumbent: StackSpec, found: Iterable[Candidate]) -> tuple[Candidate, ...]:
    seen: set[StackSpec] = {incumbent}
    kept = []
    for candidate in found:
        if candidate.spec not in seen:
            seen.add(candidate.spec)
            kept.append(candidate)
    return tuple(kept)
