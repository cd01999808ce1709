"""The learning rate of each arm, by successive halving on shortened runs: equal draws for every arm.

Tuning runs are scored on tune and are never evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from leadline.baselines.names import is_trained
from leadline.plan.draws import Draw, regularised, shortened
from leadline.records.trial import BaselineSpec, Trial
from leadline.search.state import Spec, State, Steps
from leadline.spec import StackSpec


def tune(state: State, specs: Sequence[Spec], extra: Draw | None = None) -> Steps[None]:
    """Find the learning rate of each arm that has none yet.

    First rung: all rates. Second: the best `tune_kept`. Deep arms start slower, so no arm is dropped, only rates.

    Args:
        state: of the study.
        specs: networks and baselines that are trained by gradient; others are left out.
        extra: weight decay and dropout for all of them, as `regularisation` chose them at the centre.
    """
    policy = state.plan.policy
    fresh = [spec for spec in dict.fromkeys(specs) if spec not in state.draws and _is_trained(spec)]
    base = extra or Draw(0.0)
    draws = [Draw(rate, base.weight_decay, base.dropout) for rate in policy.tune_rates]
    yield [_trial(state, spec, draw, 0) for spec in fresh for draw in draws]
    kept = {spec: best(state, spec, draws, 0)[: policy.tune_kept] for spec in fresh}
    yield [_trial(state, spec, draw, 1) for spec in fresh for draw in kept[spec]]
    for spec in fresh:
        state.draws[spec] = best(state, spec, kept[spec], 1)[0]


def regularisation(state: State, centre: StackSpec) -> Steps[Draw]:
    """Whether weight decay or a little dropout helps the centre: what helps it, all arms get.

    One rule for all keeps arms comparable: a tool that regularises one arm reports regularisation as depth.
    """
    yield from tune(state, [centre])
    plain = state.draws[centre]
    variants = [plain, *(draw for draw in regularised(plain) if draw.dropout <= 0 or centre.dropout < draw.dropout)]
    yield [_trial(state, centre, draw, 1) for draw in variants]
    state.draws[centre] = best(state, centre, variants, 1)[0]
    return state.draws[centre]


def best(state: State, spec: Spec, draws: Sequence[Draw], rung: int) -> list[Draw]:
    """The draws by their tune score on a rung; of equal ones the plainer first."""
    return sorted(draws, key=lambda d: (-_score(state, spec, d, rung), d.learning_rate, d.weight_decay, d.dropout))


def _is_trained(spec: Spec) -> bool:
    return is_trained(spec.name) if isinstance(spec, BaselineSpec) else True


def _trial(state: State, spec: Spec, draw: Draw, rung: int) -> Trial:
    recipe = shortened(draw.put_into(state.plan.recipe), state.plan.policy.tune_rungs[rung])
    return Trial(spec=spec, recipe=recipe, seed=state.stream("tune"), fold=0, role="map")


def _score(state: State, spec: Spec, draw: Draw, rung: int) -> float:
    result = state.results[_trial(state, spec, draw, rung)]
    return result.tune if result.status == "finished" else float("-inf")
