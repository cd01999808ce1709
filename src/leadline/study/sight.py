"""What sight of the future buys: the look-ahead curve, and how much of a sequence must be read."""

from __future__ import annotations

from leadline.records.answers import Effect, LookAheadPoint
from leadline.search import decide
from leadline.search.decide import Judge
from leadline.search.state import Spec, State
from leadline.spec import StackSpec
from leadline.study import rows


def streaming(state: State, judged: Judge | None) -> tuple[LookAheadPoint, ...]:
    """The look-ahead curve: nothing ahead, each window, and both ways."""
    if judged is None:
        return ()
    future = next((question for question in state.questions() if question.name == "future"), None)
    windows = [question for question in state.questions() if question.name == "look_ahead"]
    if future is None or not windows:
        return ()
    told = {(q.of, q.against): one for q, one, _ in rows.told(state, judged)}
    points = [_point(state, judged, 0, future.against, told[future.of, future.against].effect)]
    points += [
        _point(state, judged, question.look_ahead or 0, question.against, told[question.of, question.against].effect)
        for question in windows
    ]
    points.append(_point(state, judged, "all", future.of, None))
    return tuple(point for point in points if point is not None)


def _point(state: State, judged: Judge, steps: int | str, name: str, behind: Effect | None) -> LookAheadPoint | None:
    place = judged.evidence.names.index(name)
    interval = decide.interval_of_mean(judged.evidence, judged.known.noise, place, state.plan.policy.row_level)
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
        num_parameters=state.parameters(state.arms[name]) or spec.num_parameters,
    )


def reading(state: State, advised: Spec | None) -> tuple[tuple[float, float], ...]:
    found = (r.reading_curve for t, r in state.results.items() if t.final and (advised is None or t.spec == advised))
    return next((curve for curve in found if curve), ())
