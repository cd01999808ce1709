"""What sight of the future buys, in sentences."""

from __future__ import annotations

from leadline.records.evidence import CurvePoint
from leadline.records.verdict import Verdict
from leadline.report import figures


def streaming(verdict: Verdict) -> tuple[str, ...]:
    """The answer to "if you must stream": what each step of sight ahead buys."""
    lines = (*_look_ahead(verdict), *reading(verdict))
    row = next((row for row in verdict.test if row.role == "best_causal"), None)
    if row is not None and row.arm != _advised_arm(verdict):
        text = figures.loss_text(figures.scale(verdict), row.score, row.interval)
        lines = (*lines, f"Best network that sees no future, on the test part: {row.description}, {text}.")
    return (*_can_stream(verdict), *lines) if lines else ()


def level_with_all(points: tuple[CurvePoint, ...]) -> CurvePoint | None:
    """The fewest steps ahead whose interval overlaps that of both directions."""
    whole = next((point for point in points if point.steps == "all"), None)
    if whole is None:
        return None
    near = [
        point
        for point in steps_ahead(points)
        if point.interval[1] >= whole.interval[0] and point.interval[0] <= whole.interval[1]
    ]
    return near[0] if near else None


def steps_ahead(points: tuple[CurvePoint, ...]) -> list[CurvePoint]:
    """The points with a number of steps, fewest first."""
    return sorted((point for point in points if point.steps != "all"), key=lambda point: int(point.steps))


def _can_stream(verdict: Verdict) -> tuple[str, ...]:
    advice = verdict.recommendation
    if advice.bidirectional:
        return ("The advised network reads the whole sequence before its first answer: it cannot stream.",)
    if advice.look_ahead:
        return (f"The advised network answers {figures.plural(advice.look_ahead, 'step')} late.",)
    if advice.cell is None:
        return ()
    bought = "this is what sight of the future would buy"
    if not verdict.look_ahead_curve:
        bought = "what sight of the future would buy was not measured step by step"
    kept = f" The path was kept causal; {bought}." if verdict.causal else ""
    return (f"The advised network streams as it is: it sees nothing of the future.{kept}",)


def _look_ahead(verdict: Verdict) -> tuple[str, ...]:
    points = steps_ahead(verdict.look_ahead_curve)
    if not points:
        return ()
    scale = figures.scale(verdict)
    first, near = points[0], level_with_all(verdict.look_ahead_curve)
    best = max(points, key=lambda point: point.score)
    chosen = near or best
    lines = [f"{_ahead(first)}: {figures.loss_text(scale, first.score, first.interval)}."]
    tail = ", the fewest whose interval meets that of both directions" if near else ", the best that was measured"
    if near is first:
        lines = [f"{lines[0][:-1]}, which meets the interval of both directions already."]
    elif chosen is not first:
        lines.append(f"{_ahead(chosen)}: {figures.loss_text(scale, chosen.score, chosen.interval)}{tail}.")
    whole = next((point for point in verdict.look_ahead_curve if point.steps == "all"), None)
    if whole is not None:
        lines.append(f"Both directions: {figures.loss_text(scale, whole.score, whole.interval)}.")
    lines.append(_curve_basis(verdict))
    return tuple(lines)


def _ahead(point: CurvePoint) -> str:
    steps = int(point.steps)
    return "Without any look ahead" if steps == 0 else f"Seeing {figures.plural(steps, 'step')} ahead"


def _curve_basis(verdict: Verdict) -> str:
    sizes = [point.num_parameters for point in verdict.look_ahead_curve]
    seeds = [point.seeds for point in verdict.look_ahead_curve]
    low, high = figures.count(min(sizes)), figures.count(max(sizes))
    size = f"{low} parameters" if low == high else f"{low} to {high} parameters"
    runs = figures.plural(min(seeds), "seed") if min(seeds) == max(seeds) else f"{min(seeds)} to {max(seeds)} seeds"
    return f"Dev scores at {size}, {runs} each."


def reading(verdict: Verdict) -> tuple[str, ...]:
    curve = sorted(verdict.reading_curve)
    if len(curve) < 2:
        return ()
    scale, (last_share, last_score) = figures.scale(verdict), curve[-1]
    share, score = next(point for point in curve if point[1] >= last_score - verdict.margin)
    reached = figures.loss_text(scale, last_score)
    whole = f"Read to {figures.percent(last_share)}, a network that sees no future reaches {reached}"
    if share == last_share:
        return (f"{whole}; stopping earlier costs more than the margin.",)
    return (
        f"{whole}; from {figures.percent(share)} on it is within the margin of that "
        f"({figures.loss_number(scale, score)}).",
    )


def _advised_arm(verdict: Verdict) -> str | None:
    return next((row.arm for row in verdict.test if row.role == "advised"), None)
