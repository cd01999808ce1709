"""The map: many networks trained short, to choose where the race is held. An order of networks, and no evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from leadline.plan.draws import DROPOUT, Draw, shortened
from leadline.plan.networks import POOLINGS, Limits, grown, seeing, sees_future
from leadline.plan.setup import Plan
from leadline.plan.sizes import costly
from leadline.records.answers import Event, MapFactor, MapPoint
from leadline.records.trial import Trial
from leadline.search.state import State, Steps
from leadline.seeds import generator
from leadline.spec import StackSpec, with_parameters
from leadline.stats.paired import Floats

SIZES = (1.0, 2.5, 6.25)
"""Parameters of the map's networks over those of the smallest: the race's own factor, twice."""

LAYERS = (1, 2, 3)
RATES = (0.0025, 0.006)
"""The middle of the rates that tuning tries: one of them is near the best for nearly every small recurrent network."""

SHORT = 2.0
LSTMS = 1 / 3
MLPS = 1 / 2
DROPPED = 1 / 3


@dataclass(frozen=True)
class Place:
    """A network of the map and how it is trained."""

    spec: StackSpec
    draw: Draw


def places(plan: Plan) -> list[Place]:
    """The networks of the map: {1, 2, 3 layers} x sights x {small, 2.5, 6.25 times the parameters}, each with a cell,
    readout, dropout, pooling and rate that are drawn in balance. A factorial estimates every effect from all networks
    (Fisher 1935), where one change at a time would use two for each.
    """
    random = generator(plan.seed, plan.stream, "map")
    small = plan.blank.num_parameters
    grid = [
        spec
        for sight, layers, size in product(sights(plan.limits), LAYERS, SIZES)
        if not costly(spec := _network(plan.blank, layers, sight, small * size))
    ]
    count = len(grid)
    cells = _dealt(random, count, LSTMS)
    readouts = _dealt(random, count, MLPS)
    dropped = _dealt(random, count, DROPPED)
    fast = _dealt(random, count, 0.5)
    pools = random.permutation(np.arange(count) % len(POOLINGS))
    found = []
    for i, spec in enumerate(grid):
        changed = replace(spec, cell="lstm" if cells[i] else "gru", readout="mlp" if readouts[i] else "linear")
        if spec.pooling != "step":
            changed = replace(changed, pooling=POOLINGS[pools[i]])
        changed = with_parameters(changed, spec.num_parameters)
        found.append(Place(changed, Draw(RATES[int(fast[i])], dropout=DROPOUT if dropped[i] else 0.0)))
    return found


def sights(limits: Limits) -> tuple[int | str, ...]:
    """What the map's networks see: nothing ahead, a window where one means anything, both ways where allowed."""
    windows = [k for k in limits.windows if limits.allows(StackSpec(1, 1, look_ahead=k))]
    middle = (windows[min(1, len(windows) - 1)],) if windows else ()
    return (0, *middle, *(("all",) if limits.both_directions else ()))


def survey(state: State) -> Steps[StackSpec]:
    """Train the map by successive halving and choose the centre.

    See `choose`.
    """
    policy = state.plan.policy
    alive = places(state.plan)
    everywhere = alive
    for rung in range(len(policy.map_rungs)):
        yield [trial(state, place, rung) for place in alive]
        if rung + 1 < len(policy.map_rungs):
            alive = _best(state, alive, rung, max(4, math.ceil(len(alive) * policy.map_kept)))
    state.map = [_point(state, place) for place in everywhere]
    state.factors = regression(state.map)
    state.say(Event(kind="mapped", arms=tuple(point.description for point in state.map)))
    centre = choose(state)
    state.say(Event(kind="centred", arms=(centre.describe(),)))
    return centre


def choose(state: State) -> StackSpec:
    """The smallest network that is near the best on the longest rung: within `SHORT` margins, since short trainings
    favour large networks, which learn faster, by about a margin; and the race asks for more width anyway."""
    last = max(point.rung for point in state.map)
    ended = [point for point in state.map if point.rung == last and point.score is not None]
    if not ended:
        return state.plan.blank
    top = max(point.score for point in ended if point.score is not None)
    near = [point for point in ended if point.score is not None and point.score >= top - SHORT * state.margin]
    return min(near, key=_plainness).spec


def _plainness(point: MapPoint) -> tuple[int, int, bool, bool, bool, int]:
    """Size in steps of the map's own factor, so that a few parameters decide nothing; of one size the plainer first."""
    step, spec = math.log(point.spec.num_parameters, SIZES[1]), point.spec  # without what embeds names
    others = spec.num_layers, spec.bidirectional, spec.readout != "linear", spec.cell != "gru"
    return round(step), *others, spec.num_parameters


def trial(state: State, place: Place, rung: int) -> Trial:
    """A short training of a network of the map."""
    recipe = shortened(place.draw.put_into(state.plan.recipe), state.plan.policy.map_rungs[rung])
    return Trial(spec=place.spec, recipe=recipe, seed=state.stream("map", place.spec.describe()), role="map")


def regression(points: Sequence[MapPoint]) -> list[MapFactor]:
    """Effects over the map: least squares of the first rung's score on layers, sight, size, cell, readout, dropout
    and rate.

    With fewer than two networks for each factor the last of `_columns` are left out: their share is noise then, since
    they were dealt at random.
    """
    scored = [point for point in points if point.short_score is not None]
    columns = _columns([point.spec for point in scored], scored)
    names = [name for name, values in columns.items() if np.ptp(values) > 0][: max(0, len(scored) // 2 - 1)]
    if not names:
        return []
    inputs = np.column_stack([np.ones(len(scored)), *(columns[name] for name in names)])
    targets = np.array([point.short_score for point in scored], dtype=np.float64)
    solved, _, rank, _ = np.linalg.lstsq(inputs, targets, rcond=None)
    rest = targets - inputs @ solved
    spread = float(rest @ rest) / max(len(scored) - int(rank), 1)
    errors = np.sqrt(np.maximum(np.diag(spread * np.linalg.pinv(inputs.T @ inputs)), 0.0))
    found = [MapFactor(factor=name, effect=float(solved[i]), error=float(errors[i])) for i, name in enumerate(names, 1)]
    return [*found, MapFactor(factor="rest", effect=0.0, error=spread**0.5)]


def _columns(specs: Sequence[StackSpec], points: Sequence[MapPoint]) -> dict[str, Floats]:
    """What may explain the scores, those first that the sheet asks about."""
    size = np.log2([spec.num_parameters for spec in specs]) if specs else np.zeros(0)  # without what embeds names
    deep, both = np.array([spec.num_layers > 1 for spec in specs]), np.array([sees_future(spec) for spec in specs])
    found = {
        "future": [spec.bidirectional for spec in specs],
        "window": [spec.look_ahead > 0 for spec in specs],
        "depth": deep,
        "width": size - size.mean() if len(size) else size,
        "cell": [spec.cell == "lstm" for spec in specs],
        "readout": [spec.readout == "mlp" for spec in specs],
        "dropout": [point.dropout > 0 for point in points],
        "rate": np.log2([point.learning_rate for point in points]) if points else np.zeros(0),
        "third_layer": [spec.num_layers > 2 for spec in specs],
        "depth_and_future": deep & both,
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in found.items()}


def _network(blank: StackSpec, layers: int, sight: int | str, parameters: float) -> StackSpec:
    base = seeing(replace(blank, num_layers=layers), sight)
    return grown(base, parameters / base.num_parameters)


def _dealt(random: np.random.Generator, count: int, share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """So many of `count` places in a random order."""
    return random.permutation(np.arange(count) < round(share * count))


def _best(state: State, alive: list[Place], rung: int, count: int) -> list[Place]:
    scores = {place: _score(state, place, rung) for place in alive}
    chosen = set(sorted(alive, key=lambda place: -scores[place])[:count])
    return [place for place in alive if place in chosen]


def _score(state: State, place: Place, rung: int) -> float:
    result = state.results[trial(state, place, rung)]
    return result.tune if result.status == "finished" else float("-inf")


def _point(state: State, place: Place) -> MapPoint:
    rungs = [rung for rung in range(len(state.plan.policy.map_rungs)) if trial(state, place, rung) in state.results]
    last = trial(state, place, rungs[-1])
    first = state.results[trial(state, place, 0)]
    result = state.results[last]
    return MapPoint(
        spec=place.spec,
        description=place.spec.describe(),
        learning_rate=place.draw.learning_rate,
        weight_decay=place.draw.weight_decay,
        dropout=place.draw.dropout,
        num_parameters=first.num_parameters,
        short_score=first.tune if first.status == "finished" else None,
        score=result.tune if result.status == "finished" else None,
        updates=last.recipe.max_updates,
        rung=rungs[-1],
    )
