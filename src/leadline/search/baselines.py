"""Baselines first: the trivial one sets the margin, and the best ones race like any arm."""

from __future__ import annotations

from leadline.baselines.names import baseline_description, baseline_is_causal, is_trained
from leadline.plan.arms import Arm
from leadline.plan.draws import shortened
from leadline.records.answers import BaselineFacts
from leadline.records.trial import BaselineSpec, Trial
from leadline.search.state import State, Steps
from leadline.search.tuning import tune


def baselines(state: State) -> Steps[tuple[str, ...]]:
    """Train each baseline once, freeze the margin, and name those that race: the best on tune, never the trivial one.

    One that is counted is trained to its end; one that is trained by gradient as long as the last rung of tuning.
    """
    names = state.plan.baselines
    yield [_trial(state, name) for name in names if not is_trained(name)]
    trained = [BaselineSpec(name=name) for name in names if is_trained(name)]
    state.trivial = state.results[_trial(state, names[0])].dev
    given, share = state.plan.margin, state.plan.policy.margin_share
    state.margin = given if given is not None else share * (state.plan.metric.perfect - state.trivial)
    yield from tune(state, trained)
    yield [_trial(state, spec.name) for spec in trained]
    ranked = sorted(names[1:], key=lambda name: -state.results[_trial(state, name)].tune)
    racing = tuple(ranked[: state.plan.policy.raced_baselines])
    state.baselines = [_facts(state, name, name in racing) for name in names]
    return racing


def _trial(state: State, name: str) -> Trial:
    """A baseline's first training, on the first fold."""
    if not is_trained(name):
        return state.trial(Arm(BaselineSpec(name=name)), 0)
    spec = BaselineSpec(name=name)
    recipe = shortened(state.recipe(spec), state.plan.policy.tune_rungs[-1])
    return Trial(spec=spec, recipe=recipe, seed=state.stream("tune"), role="map")


def _facts(state: State, name: str, raced: bool) -> BaselineFacts:
    result = state.results[_trial(state, name)]
    return BaselineFacts(
        name=name,
        description=baseline_description(name),
        dev=result.dev,
        tune=result.tune,
        causal=baseline_is_causal(name, state.material.causal),
        seconds=result.seconds,
        raced=raced,
    )
