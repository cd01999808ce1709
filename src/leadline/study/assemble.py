"""From the state of a study, finished or cut short, to the `Verdict` record."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib import metadata

from leadline.baselines.names import baseline_description
from leadline.kernels import choose
from leadline.plan.arms import Arm
from leadline.plan.questions import Question
from leadline.records.answers import SETTLED, Advice, Answer, ArmFacts, BaselineFacts, Effect, LookAheadPoint
from leadline.records.base import Interval
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import Budget, DataFacts, StopReason, Verdict
from leadline.search import decide, finals, race
from leadline.search.decide import Judge, Told
from leadline.search.floor import noise_floor
from leadline.search.state import Spec, State
from leadline.spec import StackSpec
from leadline.trials.material import Material

Minutes = Callable[[list[Trial]], float]


def assemble(
    state: State,
    stop: StopReason,
    advised: Spec | None,
    budget: Budget,
    warnings: Sequence[str],
    minutes: Minutes,
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
        answers=answers(state, judged, minutes),
        advice=advice(state, judged, advised),
        arms=tuple(_arm(state, arm, judged) for arm in state.arms.values()) if judged else (),
        baselines=_baselines(state),
        map=tuple(state.map),
        factors=tuple(state.factors),
        streaming=streaming(state, judged),
        reading_curve=_reading(state, advised),
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
    look = max((event.block for event in state.happened("looked")), default=0)
    return race.judge_at(state, look) if look else None


def answers(state: State, judged: Judge | None, minutes: Minutes) -> tuple[Answer, ...]:
    """The sheet's rows: of several questions that serve a row, the one whose arm does best."""
    if judged is None:
        return from_map(state)
    told = _told(state, judged)
    rows: list[Answer] = []
    for name in ORDER:
        found = [(question, one, number) for question, one, number in told if question.name == name]
        rows += _rows(state, judged, name, found, minutes)
    return tuple(rows)


ORDER = (
    "recurrence",
    "future",
    "width",
    "depth",
    "depth_equal_size",
    "cell",
    "readout",
    "dropout",
    "more_data",
    "deep_or_both_ways",
    "yours",
)
ALL_ROWS = ("depth", "depth_equal_size", "width", "future")
"""Questions of which every one is a row: each step is one of its own."""


def _told(state: State, judged: Judge) -> list[tuple[Question, Told, int]]:
    """Every question with its answer: as it was when it closed, else as it stands."""
    closed = {(e.round, e.question, e.arms): Told(e.word or "not_known", e.effect) for e in state.happened("closed")}
    found = []
    for number, asked in enumerate(state.rounds):
        at = race.levels_at(state, number) if asked else None
        for question in asked:
            key = (number, question.name, (question.of, question.against))
            if at is not None:
                found.append((question, closed.get(key) or judged.ask(question, at), number))
    return found


def _rows(
    state: State, judged: Judge, name: str, found: list[tuple[Question, Told, int]], minutes: Minutes
) -> list[Answer]:
    if not found:
        return []
    if name in ALL_ROWS:
        chosen = found
    elif name == "recurrence":  # held against the best of the baselines, the one with the smallest gain over it
        chosen = [min(found, key=lambda row: row[1].effect.effect if row[1].effect else float("inf"))]
    else:
        chosen = [max(found, key=lambda row: row[1].effect.effect if row[1].effect else float("-inf"))]
    return [_answer(state, judged, question, told, number, minutes) for question, told, number in chosen]


def _answer(state: State, judged: Judge, question: Question, told: Told, number: int, minutes: Minutes) -> Answer:
    extra: dict[str, object] = {}
    if question.name == "future":
        window = enough(state, judged, question.of)
        if window is not None:
            extra = {"look_ahead": window[0], "look_ahead_effect": window[1]}
    limits = state.plan.limits
    spec = state.arms[question.of].spec
    allowed = not isinstance(spec, StackSpec) or limits.allows(spec)
    price = None if told.word in SETTLED else _price(state, judged, question, number)
    return Answer(
        question=question.name,
        word=told.word,
        of=question.of,
        against=question.against,
        effect=told.effect,
        layers=question.layers,
        factor=question.factor,
        allowed=allowed,
        more_trainings=None if price is None else len(price),
        more_minutes=None if price is None else minutes(price),
        **extra,
    )


def _price(state: State, judged: Judge, question: Question, number: int) -> list[Trial] | None:
    """Trainings that would probably settle a question, if any number that the policy allows would."""
    policy = state.plan.policy
    look = decide.blocks_to_settle(judged, question, race.levels_at(state, number), policy)
    if look is None:
        return None
    wanted = [state.trial(state.arms[name], block) for name in sorted(question.arms) for block in range(look)]
    return [trial for trial in wanted if trial not in state.results] or None


def enough(state: State, judged: Judge, both: str) -> tuple[int, float] | None:
    """The smallest window that is not worse than both ways by the margin, and what it brings."""
    for question, told, _ in _told(state, judged):
        if question.name == "look_ahead" and question.of == both and told.word in ("no", "a_little", "worse"):
            assert question.look_ahead is not None
            one_way = next((q.against for q in state.questions() if q.name == "future" and q.of == both), "")
            gain = judged.contrast(((question.against, 1.0), (one_way, -1.0))) if one_way else None
            return question.look_ahead, gain.effect if gain is not None else 0.0
    return None


def streaming(state: State, judged: Judge | None) -> tuple[LookAheadPoint, ...]:
    """The look-ahead curve: nothing ahead, each window, and both ways."""
    if judged is None:
        return ()
    future = next((question for question in state.questions() if question.name == "future"), None)
    windows = [question for question in state.questions() if question.name == "look_ahead"]
    if future is None or not windows:
        return ()
    told = {(q.of, q.against): one for q, one, _ in _told(state, judged)}
    points = [_point(state, judged, 0, future.against, told[future.of, future.against].effect)]
    points += [
        _point(state, judged, question.look_ahead or 0, question.against, told[question.of, question.against].effect)
        for question in windows
    ]
    points.append(_point(state, judged, "all", future.of, None))
    return tuple(point for point in points if point is not None)


def _point(state: State, judged: Judge, steps: int | str, name: str, behind: Effect | None) -> LookAheadPoint | None:
    place = judged.evidence.names.index(name)
    interval = decide.interval_of_mean(judged.evidence, judged.known, place, state.plan.policy.row_level)
    if interval is None:
        return None
    spec = state.arms[name].spec
    assert isinstance(spec, StackSpec)
    return LookAheadPoint(
        steps=steps,
        arm=name,
        score=(interval[0] + interval[1]) / 2,
        interval=interval,
        behind=behind,
        num_parameters=_parameters(state, state.arms[name]) or spec.num_parameters,
    )


FACTORS = {
    "future": "future",
    "width": "width",
    "depth": "depth",
    "cell": "cell",
    "readout": "readout",
    "dropout": "dropout",
}


def from_map(state: State) -> tuple[Answer, ...]:
    """Before the race: what the regression over the map leans to. No word of it is settled."""
    rows = []
    for factor in state.factors:
        if factor.factor not in FACTORS:
            continue
        scale = 1.32 if factor.factor == "width" else 1.0  # log2 of 2.5: the race's own step
        effect, half = factor.effect * scale, 2.0 * factor.error * scale
        interval: Interval = effect - half, effect + half
        found = decide.word(interval, (float("-inf"), float("inf")), state.margin)
        rows.append(
            Answer(
                question=FACTORS[factor.factor],
                word=found,
                effect=Effect(effect=effect, interval=interval, strict=(float("-inf"), float("inf")), blocks=0),
                layers=(1, 2) if factor.factor == "depth" else None,
                factor=2.5 if factor.factor == "width" else None,
            )
        )
    return tuple(sorted(rows, key=lambda row: ORDER.index(row.question)))


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
        "at_most": found.at_most if found else None,
        "within_margin": found is not None and found.at_most <= state.margin,
        "raced": sum(a.fraction == 1 for a in state.arms.values()),
        "tried": tried,
        "by_map": found is None,
    }
    if not isinstance(advised, StackSpec):
        return Advice(baseline=advised.name, description=baseline_description(advised.name), **common)
    recipe = state.recipe(advised)
    results = _results(state, arm)
    timed = [r.microseconds_per_step for t, r in state.results.items() if t.spec == advised and r.microseconds_per_step]
    return Advice(
        spec=recipe.as_trained(advised),
        description=advised.describe(),
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        num_parameters=results[0].num_parameters if results else _parameters(state, arm),
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


def _parameters(state: State, arm: Arm) -> int | None:
    known = [r.num_parameters for t, r in state.results.items() if t.spec == arm.spec and r.num_parameters]
    return known[0] if known else None


def _arm(state: State, arm: Arm, judged: Judge) -> ArmFacts:
    results, recipe = _results(state, arm), state.recipe(arm.spec)
    network = isinstance(arm.spec, StackSpec)
    evidence = judged.evidence
    place = evidence.names.index(arm.id) if arm.id in evidence.names else None
    interval = None if place is None else decide.interval_of_mean(evidence, judged.known, place, 0.95)

    def average(part: str) -> float | None:
        return sum(getattr(r, part) for r in results) / len(results) if results else None

    facts: dict[str, object] = {}
    if isinstance(arm.spec, StackSpec):
        facts = {
            "spec": arm.spec,
            "learning_rate": recipe.learning_rate,
            "weight_decay": recipe.weight_decay,
            "dropout": recipe.as_trained(arm.spec).dropout,
            "num_parameters": _parameters(state, arm) or arm.spec.num_parameters,
            "state_size": arm.spec.state_size,
            "operations_per_step": arm.spec.operations_per_step,
        }
    else:
        facts = {"baseline": arm.spec.name}
    return ArmFacts(
        id=arm.id,
        description=arm.id if network else baseline_description(str(facts["baseline"])),
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


def _reading(state: State, advised: Spec | None) -> tuple[tuple[float, float], ...]:
    found = (r.reading_curve for t, r in state.results.items() if t.final and (advised is None or t.spec == advised))
    return next((curve for curve in found if curve), ())
