"""The learning rate of each arm, by successive halving on shortened runs. It is scored on tune and never evidence."""

from __future__ import annotations

from collections.abc import Sequence

from leadline.baselines.names import is_trained
from leadline.plan.draws import Draw, regularised, shortened
from leadline.records.trial import BaselineSpec, Trial
from leadline.search.state import Spec, State, Steps
from leadline.spec import StackSpec

LIKE_SIZE = 1.6
"""Half-way, by ratio, to the next size of the race: networks nearer than that want the same learning rate."""

MANY = 20_000
"""Targets of a tune part that tell decay and dropout apart; where there are fewer, the parts of two folds are taken."""

NEIGHBOURS = 3
"""Rates that an arm tries: the centre's and one on each side. Each is 2.5 times the next; of 17 arms around one
centre none did best with a rate further off."""


def tune(state: State, specs: Sequence[Spec], extra: Draw | None = None) -> Steps[None]:
    """Find the learning rate of each arm that has none yet.

    First rung: all rates. Second: the best `tune_kept`, as far as they lie within the margin of the best; one that is
    alone there has won. Arms that differ in sight or dropout alone share a rate, the first's: it depends on cell,
    depth, size and readout.

    Args:
        state: of the study.
        specs: networks and baselines that are trained by gradient; others are left out.
        extra: what was found at the centre: weight decay and dropout for all of them, and the rate around which they
            look. Without it all rates are tried.
    """
    fresh = [spec for spec in dict.fromkeys(specs) if spec not in state.draws and _is_trained(spec)]
    leaders = {spec: _leader(state, spec, fresh) for spec in fresh}
    tuned = sorted({one for one in leaders.values() if one not in state.draws}, key=_dearest)
    draws = _draws(state, extra)
    yield [_trial(state, spec, draw, 0) for spec in tuned for draw in draws]
    kept = {spec: _kept(state, spec, draws) for spec in tuned}
    yield [_trial(state, spec, draw, 1) for spec in tuned for draw in kept[spec] if len(kept[spec]) > 1]
    for spec in tuned:
        state.draws[spec] = best(state, spec, kept[spec], 1)[0] if len(kept[spec]) > 1 else kept[spec][0]
    for spec, leader in leaders.items():
        state.draws[spec] = state.draws[leader]


def regularisation(state: State, centre: StackSpec) -> Steps[Draw]:
    """Whether weight decay or a little dropout helps the centre: what helps it, all arms get.

    One rule for all keeps arms comparable: a tool that regularises one arm reports regularisation as depth. The
    trainings have their whole length: in a short one nothing is learned by heart yet, and decay only costs.
    """
    yield from tune(state, [centre])
    plain = state.draws[centre]
    variants = [plain, *(draw for draw in regularised(plain) if draw.dropout <= 0 or centre.dropout < draw.dropout)]
    enough = state.material.tune_targets() >= MANY
    folds = range(min(1 if enough else 2, state.num_folds))
    whole = {draw: [_whole(state, centre, draw, fold) for fold in folds] for draw in variants}
    yield [trial for trials in whole.values() for trial in trials]
    state.draws[centre] = max(variants, key=lambda draw: sum(_tuned(state, trial) for trial in whole[draw]))
    return state.draws[centre]


def best(state: State, spec: Spec, draws: Sequence[Draw], rung: int) -> list[Draw]:
    """The draws by their tune score on a rung; of equal ones the plainer first."""
    return sorted(draws, key=lambda d: (-_score(state, spec, d, rung), d.learning_rate, d.weight_decay, d.dropout))


def rates_around(rates: Sequence[float], centre: float) -> tuple[float, ...]:
    """`NEIGHBOURS` of the rates, those nearest to the centre's.

    >>> rates_around((0.001, 0.0025, 0.006, 0.015), 0.006), rates_around((0.001, 0.0025, 0.006, 0.015), 0.015)
    ((0.0025, 0.006, 0.015), (0.0025, 0.006, 0.015))
    """
    place = min(range(len(rates)), key=lambda i: abs(rates[i] - centre))
    first = max(0, min(place - NEIGHBOURS // 2, len(rates) - NEIGHBOURS))
    return tuple(rates[first : first + NEIGHBOURS])


def _draws(state: State, extra: Draw | None) -> list[Draw]:
    rates = state.plan.policy.tune_rates
    if extra is None:
        return [Draw(rate) for rate in rates]
    near = rates_around(rates, extra.learning_rate)
    return [Draw(rate, extra.weight_decay, extra.dropout) for rate in near]


def _kept(state: State, spec: Spec, draws: Sequence[Draw]) -> list[Draw]:
    ranked = best(state, spec, draws, 0)[: state.plan.policy.tune_kept]
    top = _score(state, spec, ranked[0], 0)
    return [draw for draw in ranked if draw is ranked[0] or _score(state, spec, draw, 0) >= top - state.margin]


def _leader(state: State, spec: Spec, fresh: Sequence[Spec]) -> Spec:
    """Whose rate `spec` takes: that of the first network like it, or its own."""
    return next((one for one in (*state.draws, *fresh) if _alike(one, spec)), spec)


def _alike(one: Spec, other: Spec) -> bool:
    if isinstance(one, BaselineSpec) or isinstance(other, BaselineSpec):
        return one == other
    ratio = one.num_parameters / other.num_parameters
    return _kind(one) == _kind(other) and 1 / LIKE_SIZE < ratio < LIKE_SIZE


def _kind(spec: StackSpec) -> tuple[object, ...]:
    return spec.cell, spec.num_layers, spec.readout, spec.pooling, spec.residual, spec.layer_norm


def _dearest(spec: Spec) -> tuple[int, str]:
    """Dear trainings first: the last ones are short, and no worker waits long for another."""
    return (-spec.operations_per_step, spec.describe()) if isinstance(spec, StackSpec) else (0, spec.name)


def _is_trained(spec: Spec) -> bool:
    return is_trained(spec.name) if isinstance(spec, BaselineSpec) else True


def _trial(state: State, spec: Spec, draw: Draw, rung: int) -> Trial:
    recipe = shortened(draw.put_into(state.plan.recipe), state.plan.policy.tune_rungs[rung])
    return Trial(spec=spec, recipe=recipe, seed=state.stream("tune"), fold=0, role="map")


def _whole(state: State, spec: Spec, draw: Draw, fold: int) -> Trial:
    recipe = draw.put_into(state.plan.recipe)
    return Trial(spec=spec, recipe=recipe, seed=state.stream("tune"), fold=fold, role="map")


def _score(state: State, spec: Spec, draw: Draw, rung: int) -> float:
    return _tuned(state, _trial(state, spec, draw, rung))


def _tuned(state: State, trial: Trial) -> float:
    result = state.results[trial]
    return result.tune if result.status == "finished" else float("-inf")
