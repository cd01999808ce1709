"""After the race: fresh seeds of what is advised and of what it is held against, scored on the test part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from leadline.baselines.names import baseline_is_causal, is_drawn
from leadline.plan.arms import Arm, is_causal
from leadline.plan.draws import Draw
from leadline.plan.sizes import costly
from leadline.records.answers import Event
from leadline.records.trial import BaselineSpec, Trial
from leadline.records.verdict import TestRow
from leadline.search import race
from leadline.search.decide import Judge
from leadline.search.state import Spec, State, Steps, described
from leadline.search.tuning import tune
from leadline.spec import StackSpec
from leadline.stats import paired, tails

Role = Literal["advised", "start", "yours", "best_streaming", "best_baseline"]
LEVEL = 0.95
LOOKED = 3
"""Networks of each depth that are looked into: one says little about the next."""

LOOK: dict[str, object] = {"role": "look", "keep": True}
"""A training to look into, that never sees the test part."""


@dataclass(frozen=True)
class Final:
    """What is tested, in which role, by which trials."""

    role: Role
    spec: Spec
    trials: tuple[Trial, ...]


def finals(state: State, advised: Spec) -> Steps[list[Final]]:
    """Train the finals and write their test rows."""
    chosen = roles(state, advised)
    _take_the_maps(state, advised)
    yield from tune(state, [spec for _, spec in chosen])
    planned = [Final(role, spec, trials(state, spec)) for role, spec in chosen]
    yield [trial for final in planned for trial in final.trials]
    state.tests = [_row(state, final, planned[0]) for final in planned]
    return planned


def _take_the_maps(state: State, advised: Spec) -> None:
    """Before the race a network of the map is trained as the map trained it."""
    point = next((point for point in state.map if point.spec == advised), None)
    if point is not None and advised not in state.draws:
        state.draws[advised] = Draw(point.learning_rate, point.weight_decay, point.dropout)


def roles(state: State, advised: Spec) -> list[tuple[Role, Spec]]:
    """What is tested, never the same thing twice. Where the map alone advises it is that and the best baseline."""
    found: list[tuple[Role, Spec]] = [("advised", advised)]
    raced = bool(state.happened("looked"))
    if raced and state.plan.yours is not None:
        found.append(("yours", state.plan.yours))
    if raced:
        found.append(("start", state.plan.blank))
    streaming = best_streaming(state)
    if streaming is not None:
        found.append(("best_streaming", streaming))
    best = best_baseline(state)
    if best is not None:
        found.append(("best_baseline", best))
    seen: dict[Spec, Role] = {}
    for role, spec in found:
        seen.setdefault(spec, role)
    return [(role, spec) for spec, role in seen.items()]


def best_baseline(state: State) -> BaselineSpec | None:
    """The baseline with the best mean in the race, else on tune."""
    raced = [arm for arm in state.arms.values() if isinstance(arm.spec, BaselineSpec)]
    scored = {arm.spec: score for arm in raced if (score := mean(state, arm)) is not None}
    if scored:
        return max(scored, key=lambda spec: scored[spec])  # type: ignore[return-value]
    known = [facts for facts in state.baselines if facts.raced] or state.baselines
    return BaselineSpec(name=max(known, key=lambda facts: facts.tune).name) if known else None


def best_streaming(state: State) -> StackSpec | None:
    """Of the networks that raced and see no future, the one with the best mean."""
    scored: dict[StackSpec, float] = {}
    for arm in state.arms.values():
        score = mean(state, arm) if isinstance(arm.spec, StackSpec) and arm.fraction == 1 else None
        if score is not None and isinstance(arm.spec, StackSpec) and is_causal(arm, True):
            scored[arm.spec] = score
    return max(scored, key=lambda spec: scored[spec], default=None)


def mean(state: State, arm: Arm) -> float | None:
    """Mean dev score over the arm's first blocks, as many as every arm has; None before the first look."""
    first = state.plan.policy.looks[0]
    results = [state.results.get(state.trial(arm, block)) for block in range(first)]
    known = [result.dev for result in results if result is not None and result.status == "finished"]
    return float(np.mean(known)) if len(known) == first else None


def advise(state: State, judged: Judge | None) -> Spec | None:
    """What to use: by the race, or before it the centre of the map or a baseline that is ahead of it on tune."""
    found = race.stand(state, judged) if judged is not None else None
    if found is not None:
        return state.arms[found.arm].spec
    centre = state.centre()
    best = max(state.baselines, key=lambda facts: facts.tune, default=None)
    if centre is not None and centre.score is not None and (best is None or best.tune <= centre.score):
        return centre.spec
    return BaselineSpec(name=best.name) if best is not None else None


def look_pair(state: State) -> tuple[StackSpec, StackSpec] | None:
    """The best deep arm and its one-layer twin of equal size, by the latest question about the two."""
    for question in reversed(state.questions()):
        if question.name == "depth_equal_size" and {question.of, question.against} <= set(state.arms):
            deep, twin = state.arms[question.of], state.arms[question.against]
            if mean(state, deep) is not None and mean(state, twin) is not None:
                assert isinstance(deep.spec, StackSpec)
                assert isinstance(twin.spec, StackSpec)
                return deep.spec, twin.spec
    return None


def looks(state: State, advised: Spec) -> Steps[None]:
    """Train the networks that are looked into."""
    yield look_trials(state, advised)


def look_trials(state: State, advised: Spec) -> list[Trial]:
    """Trainings of both networks of `look_pair` on one fold with the same seeds, those of the finals: one that is
    tested is not trained once more."""
    tested = [spec for _, spec in roles(state, advised) if seeds_of(state, spec) >= LOOKED]
    planned = [_final(state, spec, i) for i in range(LOOKED) for spec in look_pair(state) or ()]
    return [trial if trial.spec in tested else trial.model_copy(update=LOOK) for trial in planned]


def seeds_of(state: State, spec: Spec) -> int:
    """How many are trained for the test: one of a costly network, and of what has no seed."""
    if isinstance(spec, BaselineSpec):
        return state.plan.policy.final_seeds if is_drawn(spec.name) else 1
    return 1 if costly(spec) else state.plan.policy.final_seeds


def trials(state: State, spec: Spec) -> tuple[Trial, ...]:
    """The final trainings of a network or baseline."""
    return tuple(_final(state, spec, i) for i in range(seeds_of(state, spec)))


def _final(state: State, spec: Spec, number: int) -> Trial:
    return Trial(spec=spec, recipe=state.recipe(spec), seed=state.stream("final", number), role="final")


def handed_over(state: State, final: Final) -> Trial:
    """The final that the user gets: the best on tune, which no decision and no test has used."""
    return max(final.trials, key=lambda trial: state.results[trial].tune)


def say_advised(state: State, spec: Spec) -> None:
    """Write the advice into the log."""
    state.say(Event(kind="advised", arms=(Arm(spec).id,)))


def causal_of(state: State, arm: Arm) -> bool:
    """Whether an arm sees no future step."""
    if isinstance(arm.spec, BaselineSpec):
        return baseline_is_causal(arm.spec.name, state.material.causal)
    return is_causal(arm, True)


def _row(state: State, final: Final, advised: Final) -> TestRow:
    results = [state.results[trial] for trial in final.trials]
    weights = state.material.test_weights()
    sums = np.array([result.test_clusters for result in results])
    estimate = tails.interval(paired.crossed(sums, weights), LEVEL)
    against = None
    if final is not advised:
        others = np.array([state.results[trial].test_clusters for trial in advised.trials])
        pairs = min(len(sums), len(others))
        found = tails.interval(paired.crossed(others[:pairs] - sums[:pairs], weights), LEVEL)
        against = (found.effect, found.low, found.high)
    return TestRow(
        role=final.role,
        arm=Arm(final.spec).id,
        description=described(final.spec),
        num_parameters=results[0].num_parameters if isinstance(final.spec, StackSpec) else None,
        score=estimate.effect,
        interval=(estimate.low, estimate.high),
        seed_scores=tuple(result.test for result in results if result.test is not None),
        against_advised=against,
    )
