"""From the state of a study, finished or cut short, to the `Verdict` record."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from importlib import metadata

from leadline.kernels import choose
from leadline.plan.arms import Arm
from leadline.records.answers import Advice, ArmFacts, BaselineFacts
from leadline.records.trial import TrialResult
from leadline.records.verdict import Budget, DataFacts, StopReason, Verdict
from leadline.search import decide, finals, race
from leadline.search.decide import Judge
from leadline.search.floor import noise_floor
from leadline.search.state import Spec, State, described
from leadline.spec import StackSpec
from leadline.study import rows, sight
from leadline.trials.material import Material


def assemble(
    state: State,
    stop: StopReason,
    advised: Spec | None,
    budget: Budget,
    warnings: Sequence[str],
    minutes: rows.Minutes,
    split_seed: int = 0,
    command: str = "",
) -> Verdict:
    """Everything that the verdict says."""
    metric, judged = state.plan.metric, latest(state)
    pair = finals.look_pair(state)
    return Verdict(
        data=data_facts(state.material),
        metric=metric.name,
        unit=metric.unit,
        loss_unit=metric.loss_unit,
        perfect=metric.perfect,
        trivial=state.trivial,
        margin=state.margin,
        answers=rows.answers(state, judged, minutes),
        advice=advice(state, judged, advised),
        arms=tuple(_arm(state, arm, judged) for arm in state.arms.values()) if judged else (),
        baselines=_baselines(state),
        map=tuple(state.map),
        factors=tuple(state.factors),
        streaming=sight.streaming(state, judged),
        reading_curve=sight.reading(state, advised),
        test=tuple(state.tests),
        deep=Arm(pair[0]).id if pair else "",
        twin=Arm(pair[1]).id if pair else "",
        floor=noise_floor(state.material),
        stop_reason=stop,
        causal=state.plan.limits.causal,
        max_look_ahead=state.plan.limits.max_look_ahead,
        policy=state.plan.policy,
        budget=budget,
        seed=state.plan.seed,
        split_seed=split_seed,
        command=command,
        warnings=tuple(warnings),
        versions=versions(),
        log=tuple(state.log),
    )


def latest(state: State) -> Judge | None:
    """A judge at the last look; None before the first."""
    look = race.last_look(state)
    return race.judge_at(state, look) if look else None


def advice(state: State, judged: Judge | None, advised: Spec | None) -> Advice:
    """What to use."""
    if advised is None:
        return Advice()
    found = race.stand(state, judged) if judged is not None else None
    arm = Arm(advised)
    tried = len({point.spec for point in state.map} | {a.spec for a in state.arms.values() if a.fraction == 1})
    common = {
        "arm": arm.id,
        "best": found.best if found else arm.id,
        "behind": found.behind if found else 0.0,
        "at_most": found.at_most if found and math.isfinite(found.at_most) else None,
        "within_margin": found is not None and found.at_most <= state.margin,
        "raced": sum(finals.mean(state, a) is not None for a in state.arms.values() if a.fraction == 1),
        "tried": tried,
        "by_map": found is None,
    }
    if not isinstance(advised, StackSpec):
        return Advice(baseline=advised.name, description=described(advised), **common)
    recipe = state.recipe(advised)
    results = _results(state, arm)
    timed = [r.microseconds_per_step for t, r in state.results.items() if t.spec == advised and r.microseconds_per_step]
    return Advice(
        spec=recipe.as_trained(advised),
        description=advised.describe(),
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        num_parameters=results[0].num_parameters if results else state.parameters(arm),
        state_size=advised.state_size,
        operations_per_step=advised.operations_per_step,
        microseconds_per_step=timed[0] if timed else None,
        **common,
    )


def data_facts(material: Material) -> DataFacts:
    """What the verdict is about."""
    data, split = material.sequences, material.split
    fold = split.folds[0]
    parts = {"train": fold.train, "tune": fold.tune, "dev": fold.dev, "test": split.test}
    return DataFacts(
        name=data.name,
        source=data.source,
        fingerprint=data.fingerprint(),
        kind=data.kind,
        num_sequences=len(data),
        num_steps=int(data.offsets[-1]),
        longest=int(data.lengths.max()),
        features=(*data.numeric_names, *(column.name for column in data.category_columns)),
        target=data.target_name,
        classes=data.classes,
        parts={name: len(indices) for name, indices in parts.items()},
        split_by=split.by,
        folds=len(split.folds),
        notes=(*data.notes, *split.notes),
    )


def versions() -> dict[str, str]:
    """Versions of what the figures depend on."""
    found = {name: metadata.version(name) for name in ("leadline", "torch", "numpy", "scipy")}
    return {**found, "python": platform.python_version(), "machine": platform.machine(), "kernels": choose.routine()}


def _results(state: State, arm: Arm) -> list[TrialResult]:
    most = max(state.plan.policy.looks)
    found = (state.results.get(state.trial(arm, block)) for block in range(most))
    return [result for result in found if result is not None]


def _arm(state: State, arm: Arm, judged: Judge) -> ArmFacts:
    results, recipe = _results(state, arm), state.recipe(arm.spec)
    evidence = judged.evidence
    place = evidence.names.index(arm.id) if arm.id in evidence.names else None
    interval = None if place is None else decide.interval_of_mean(evidence, judged.known.noise, place, 0.95)

    def average(part: str) -> float | None:
        return sum(getattr(r, part) for r in results) / len(results) if results else None

    facts: dict[str, object] = {}
    if isinstance(arm.spec, StackSpec):
        facts = {
            "spec": arm.spec,
            "learning_rate": recipe.learning_rate,
            "weight_decay": recipe.weight_decay,
            "dropout": recipe.as_trained(arm.spec).dropout,
            "num_parameters": state.parameters(arm) or arm.spec.num_parameters,
            "state_size": arm.spec.state_size,
            "operations_per_step": arm.spec.operations_per_step,
        }
    else:
        facts = {"baseline": arm.spec.name}
    return ArmFacts(
        id=arm.id,
        description=described(arm.spec) if arm.fraction == 1 else arm.id,
        causal=finals.causal_of(state, arm),
        score=None if interval is None else (interval[0] + interval[1]) / 2,
        interval=interval,
        train=average("train"),
        tune=average("tune"),
        blocks=len(results),
        failed=0 if place is None else int(evidence.failed[place]),
        still_improving=sum(r.still_improving for r in results) * 2 > len(results),
        seconds_per_trial=average("seconds"),
        **facts,
    )


def _baselines(state: State) -> tuple[BaselineFacts, ...]:
    tested = {row.arm: row.score for row in state.tests}
    return tuple(b.model_copy(update={"test": tested.get(b.name)}) for b in state.baselines)
