"""Arms: what races. Around a centre stand networks that differ from it in one thing, and their twins of equal size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from leadline.plan.networks import POOLINGS, SMALLEST, Limits, grown, seeing, sees_future, with_layers
from leadline.records.trial import BaselineSpec
from leadline.spec import Cell, StackSpec, with_parameters

Wave = Literal[0, 1, 2]
"""Arms start in three waves, those first whose answer changes the advice most: sight and depth, then size, cell and
readout, then the side questions. A short budget settles the first wave."""

SHARES = (0.5, 0.25)
DROPOUT = 0.25


@dataclass(frozen=True)
class Arm:
    """A candidate.

    Args:
        spec: a network or a baseline.
        fraction: share of the train part that it is trained on.
        wave: when it starts.
        eligible: whether it may be advised.
    """

    spec: StackSpec | BaselineSpec
    fraction: float = 1.0
    wave: Wave = 2
    eligible: bool = True

    @property
    def id(self) -> str:
        """Its name within the study."""
        name = self.spec.describe() if isinstance(self.spec, StackSpec) else self.spec.name
        return name if self.fraction == 1 else f"{name}, {self.fraction:g} of the data"

    @property
    def operations(self) -> int:
        """Multiply-adds per step, to order arms by cost; a baseline counts as free."""
        return self.spec.operations_per_step if isinstance(self.spec, StackSpec) else 0


@dataclass(frozen=True)
class Neighbours:
    """The arms around a centre, by what they are for; None where one is not possible or is the centre itself."""

    centre: StackSpec
    one_way: StackSpec | None = None
    both_ways: StackSpec | None = None
    shallow: StackSpec | None = None
    deep: StackSpec | None = None
    shallow_both: StackSpec | None = None
    deep_one: StackSpec | None = None
    layer_more: StackSpec | None = None
    layer_fewer: StackSpec | None = None
    wider: StackSpec | None = None
    narrower: StackSpec | None = None
    cell: StackSpec | None = None
    readouts: tuple[StackSpec, ...] = ()
    dropout: StackSpec | None = None
    windows: dict[int, StackSpec] = field(default_factory=dict)


def around(centre: StackSpec, limits: Limits) -> Neighbours:
    """The neighbours of a centre.

    Sight, depth, cell and readout change at equal parameters; `layer_more` and `layer_fewer` keep the width, as
    people do it. `shallow` and `deep` are the centre and its twin: one layer against the centre's depth, or two where
    the centre has one.
    """
    layers = max(2, centre.num_layers)
    shallow, deep = with_layers(centre, 1), with_layers(centre, layers)
    shallow = centre if centre.num_layers == 1 else shallow
    deep = centre if centre.num_layers > 1 else deep
    future = limits.has_future
    narrow = grown(centre, 1 / 2.5)
    return Neighbours(
        centre,
        one_way=seeing(centre, 0) if future else None,
        both_ways=seeing(centre, "all") if future else None,
        shallow=shallow,
        deep=deep,
        shallow_both=seeing(shallow, "all") if future else None,
        deep_one=seeing(deep, 0) if future else None,
        layer_more=replace(centre, num_layers=centre.num_layers + 1),
        layer_fewer=replace(centre, num_layers=centre.num_layers - 1) if centre.num_layers > 1 else None,
        wider=grown(centre),
        narrower=narrow if SMALLEST <= narrow.hidden_size < centre.hidden_size else None,
        cell=_other_cell(centre),
        readouts=_readouts(centre),
        dropout=replace(centre, dropout=DROPOUT) if centre.dropout < DROPOUT else None,
        windows={k: seeing(centre, k) for k in limits.windows},
    )


def main(
    found: Neighbours,
    limits: Limits,
    start: StackSpec,
    baselines: Iterable[str] = (),
    yours: StackSpec | None = None,
) -> tuple[Arm, ...]:
    """The arms of the first race, each once, in the order in which they start.

    The default small network races, too: it is what one would start from, and may be enough. A network that sees more
    than the user allows races, so that its price can be said, and is never advised.
    """
    first = [found.centre, found.one_way, found.both_ways, found.shallow, found.deep]
    first += [found.layer_more, found.layer_fewer]
    second = [found.wider, found.narrower, *found.readouts, found.cell, start, yours]
    named = [Arm(BaselineSpec(name=name), wave=0 if number == 0 else 1) for number, name in enumerate(baselines)]
    return distinct([*_networks(first, 0, limits), *named[:1], *_networks(second, 1, limits), *named[1:]])


def aside(found: Neighbours, limits: Limits) -> tuple[Arm, ...]:
    """The arms of the side questions."""
    specs = [found.centre, found.one_way, found.both_ways, found.shallow_both, found.deep_one, found.dropout]
    shares = [Arm(found.centre, share, 2, eligible=False) for share in SHARES]
    return distinct([*_networks([*specs, *found.windows.values()], 2, limits), *shares])


def _networks(specs: Iterable[StackSpec | None], wave: Wave, limits: Limits) -> list[Arm]:
    return [Arm(spec, wave=wave, eligible=limits.allows(spec)) for spec in specs if spec is not None]


def growth(centre: StackSpec, best: StackSpec, limits: Limits, better: Iterable[StackSpec]) -> tuple[Arm, ...]:
    """Arms around a best arm that stands on the edge of the race: once more what made it better, and all that was
    better at once; and its twin of one layer where it is deep.

    Args:
        centre: of the race.
        best: the arm that is better than it.
        limits: what is allowed.
        better: arms that are each better than the centre.
    """
    grew = [replace(best, num_layers=best.num_layers + 1), grown(best)]
    together = combined(centre, [best, *better])
    if together not in (centre, best):
        grew.insert(0, together)
    if best.num_layers > 1:
        grew.append(with_layers(best, 1))
    return distinct(Arm(spec, wave=0, eligible=limits.allows(spec)) for spec in grew)


def combined(centre: StackSpec, better: Iterable[StackSpec]) -> StackSpec:
    """The centre with every change of the networks that are better than it.

    >>> from leadline.spec import StackSpec
    >>> base = StackSpec(8, 4, hidden_size=16)
    >>> combined(base, [replace(base, num_layers=2), replace(base, readout="mlp", hidden_size=12)]).describe()
    'GRU 2 x 16, MLP readout'
    """
    changed: dict[str, object] = {}
    names = ("cell", "num_layers", "bidirectional", "look_ahead", "readout", "pooling", "dropout")
    widest = centre.hidden_size
    for spec in better:
        changes = {name: getattr(spec, name) for name in names if getattr(spec, name) != getattr(centre, name)}
        changed = {**changes, **changed}
        if not changes:
            widest = max(widest, spec.hidden_size)
    if changed.get("bidirectional", centre.bidirectional):
        changed["look_ahead"] = 0
    return replace(centre, hidden_size=widest, **changed)  # type: ignore[arg-type]


def distinct(arms: Iterable[Arm]) -> tuple[Arm, ...]:
    """Each arm once, where it comes first."""
    found: dict[str, Arm] = {}
    for arm in arms:
        found.setdefault(arm.id, arm)
    return tuple(found.values())


def is_causal(arm: Arm, baseline_is_causal: bool) -> bool:
    """Whether the arm sees no future step."""
    return not sees_future(arm.spec) if isinstance(arm.spec, StackSpec) else baseline_is_causal


def _other_cell(spec: StackSpec) -> StackSpec:
    other: Cell = "lstm" if spec.cell == "gru" else "gru"
    return with_parameters(replace(spec, cell=other), spec.num_parameters)


def _readouts(spec: StackSpec) -> tuple[StackSpec, ...]:
    other = replace(spec, readout="linear" if spec.readout == "mlp" else "mlp")
    pooled = [replace(spec, pooling=p) for p in POOLINGS if p != spec.pooling] if spec.pooling != "step" else []
    return tuple(with_parameters(v, spec.num_parameters) for v in (other, *pooled))
