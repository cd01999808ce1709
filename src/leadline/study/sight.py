"""What sight of the future buys: the look-ahead curve, and how much of a sequence must be read."""

from __future__ import annotations

from leadline.records.answers import Effect, LookAheadPoint
from leadline.search import decide, race
from leadline.search.decide import Judge
from leadline.search.state import Spec, State
from leadline.spec import StackSpec


def streaming(state: State, judged: Judge | None) -> tuple[LookAheadPoint, ...]:
    """The look-ahead curve of the network that has won: nothing ahead, each window, and both ways."""
    known = [] if judged is None else race.told(state, judged)
    windows = [asked for asked in known if asked.question.name == "look_ahead"]
    if judged is None or not windows:
        return ()
    both = windows[0].question.of
    futures = [asked for asked in known if asked.question.name == "future" and asked.question.of == both]
    points = [_point(state, judged, q.look_ahead or 0, q.against, told.effect) for _, q, told in futures + windows]
    points.append(_point(state, judged, "all", both, None))
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
    """The score by how much of a sequence was read, of the advised network; () where that was not measured."""
    found = (r.reading_curve for t, r in state.results.items() if t.final and (advised is None or t.spec == advised))
    return next((curve for curve in found if curve), ())
