"""A verdict in plain sentences: pure functions, every figure out of the record.

Each function gives sentences without markup; an empty tuple says that there is nothing to say.
"""

from __future__ import annotations

from leadline.records.verdict import ArmFacts, Comparison, CurvePoint, Recommendation, TestRow, Verdict
from leadline.report import figures

MOVES: dict[str, str] = {
    "regularise": "regularise",
    "both_directions": "both directions",
    "look_ahead": "look ahead",
    "wider": "wider",
    "deeper": "deeper",
    "readout": "another readout",
    "other_cell": "another cell",
    "narrower": "narrower",
    "shallower": "shallower",
    "one_direction": "one direction",
    "recurrence": "recurrence",
}
DOWN = frozenset({"narrower", "shallower", "one_direction"})
CELLS: dict[str, str] = {"tanh": "a tanh RNN", "gru": "a GRU", "lstm": "an LSTM"}
KINDS: dict[str, str] = {
    "classification": "one label per sequence",
    "regression": "one number per sequence",
    "tagging": "one label per step",
    "step_regression": "one number per step",
    "next_step": "the next step",
}
ROLES: dict[str, str] = {
    "advised": "Advised",
    "start": "The network at the start",
    "best_causal": "Best network that sees no future",
    "best_baseline": "Best baseline without recurrence",
}
PARTIAL: dict[str, str] = {
    "budget": "The budget ended before every question was settled.",
    "interrupted": "The run was interrupted, so this verdict is partial.",
    "undecided": "At least one further move could not be settled.",
}


def move_name(move: str) -> str:
    """A move for people, and several at once.

    >>> move_name("both_directions+deeper")
    'both directions and deeper'
    """
    return " and ".join(MOVES.get(part, part.replace("_", " ")) for part in move.split("+"))


def is_down(move: str) -> bool:
    """Whether a move makes the network smaller: it is taken when it costs no more than the margin."""
    return set(move.split("+")) <= DOWN


def role_name(verdict: Verdict, role: str) -> str:
    """What a test row stands for; an advice that is not final is the best so far."""
    return "Best so far" if role == "advised" and verdict.stop_reason in PARTIAL else ROLES[role]


def find_arm(verdict: Verdict, name: str) -> ArmFacts | None:
    """The arm of that name, where the record holds it."""
    return next((arm for arm in verdict.arms if arm.name == name), None)


def arm_name(verdict: Verdict, name: str) -> str:
    """What an arm is, for people; its bare name where the record does not hold it."""
    arm = find_arm(verdict, name)
    baseline = next((baseline for baseline in verdict.baselines if baseline.name == name), None)
    return (arm or baseline).description if arm or baseline else name  # type: ignore[union-attr]


def network(advice: Recommendation) -> str:
    """The recommended network as a phrase.

    >>> network(Recommendation(cell="gru", num_layers=2, hidden_size=80, bidirectional=True, readout="mlp"))
    'a GRU of 2 layers, each with 80 units per direction, reading both ways, with an MLP readout'
    """
    cell = CELLS.get(advice.cell or "", f"a {advice.cell} network")
    return ", ".join(part for part in (f"{cell}{_size(advice)}", _sight(advice), *_extras(advice)) if part)


def headline(verdict: Verdict) -> str:
    """The verdict as a sentence or two; what the evidence does not carry is not said."""
    advice = verdict.recommendation
    if advice.baseline is not None:
        return _baseline_headline(verdict)
    if advice.cell is None:
        return _no_advice(verdict)
    what = network(advice)
    if verdict.stop_reason in PARTIAL and all(move.effect is None for move in verdict.moves):
        return f"No verdict yet. The study starts from {what}; no comparison was finished."
    ends = {
        "noise_floor": f"Use {what}. The error that remains is noise: no network can remove it.",
        "more_data": f"Use {what}, and collect more data: that promises more than a larger network.",
        "failed_to_train": (
            f"Use {what}. Larger networks could not be trained, which does not say that they would not help."
        ),
        "undecided": f"Undecided: for now use {what}. {PARTIAL['undecided']}",
        "budget": f"Best so far: {what}. {PARTIAL['budget']}",
        "interrupted": f"Best so far: {what}. {PARTIAL['interrupted']}",
    }
    return ends.get(verdict.stop_reason, f"Use {what}.")


def reason(verdict: Verdict) -> tuple[str, ...]:
    """Why the study stopped there."""
    if verdict.stop_sentence:
        return (verdict.stop_sentence,)
    refused = [move for move in final_moves(verdict) if move.decision == "not_worth_it"]
    if verdict.stop_reason != "nothing_more_pays" or not refused:
        return ()
    margin = figures.margin_text(figures.scale(verdict), verdict.margin)
    names = listing([move_name(move.move) for move in refused])
    return (f"From there nothing more pays by more than the margin of {margin}: tested were {names}.",)


def test_sentence(verdict: Verdict) -> str:
    """The test part's answer, with what it is held against; "" before the test part was read."""
    rows = {row.role: row for row in verdict.test}
    advised = rows.get("advised")
    if advised is None:
        return ""
    scale = figures.scale(verdict)
    seeds = figures.plural(len(advised.seed_scores), "seed")
    score = figures.loss_text(scale, advised.score, advised.interval)
    text = f"On test data that no decision has seen: {score}, {seeds}"
    others = [_held_against(verdict, row) for role, row in rows.items() if role != "advised" and row.arm != advised.arm]
    return f"{text}. For comparison: {'; '.join(others)}." if others else f"{text}."


def taken(verdict: Verdict) -> tuple[Comparison | None, ...]:
    """The comparison behind each step of the path; None where the record does not hold it."""
    steps = zip(verdict.path, verdict.incumbents, verdict.incumbents[1:], strict=False)
    return tuple(
        next((m for m in reversed(verdict.moves) if (m.move, m.source, m.to) == (move, source, to)), None)
        for move, source, to in steps
    )


def path(verdict: Verdict) -> tuple[str, ...]:
    """The way from the start to the advice, one sentence a step."""
    if not verdict.incumbents:
        return ()
    start = f"Start: {arm_name(verdict, verdict.incumbents[0])}."
    if not verdict.path:
        return (f"{start} No move was taken.",) if verdict.moves else ()
    rows = zip(verdict.path, verdict.incumbents[1:], taken(verdict), strict=False)
    return (start, *(_step(verdict, *row) for row in rows))


def final_moves(verdict: Verdict) -> tuple[Comparison, ...]:
    """The moves from the last incumbent: only these are ruled out or open."""
    last = verdict.incumbents[-1] if verdict.incumbents else None
    return tuple(move for move in verdict.moves if move.source == last)


def ruled_out(verdict: Verdict) -> tuple[str, ...]:
    """The moves that were tested at the end of the path and refused."""
    return tuple(_refused(verdict, move) for move in final_moves(verdict) if move.decision == "not_worth_it")


def could_not_train(verdict: Verdict) -> tuple[str, ...]:
    """The moves at the end of the path that failed by optimisation, apart from those that do not help."""
    failed = [move for move in final_moves(verdict) if move.decision == "failed_to_train"]
    return tuple(_with_reason(f"{_named(verdict, move)}.", move) for move in failed)


def still_open(verdict: Verdict) -> tuple[str, ...]:
    """What is not settled at the end of the path, and what it would cost to settle it."""
    moves = (*final_moves(verdict), *(move for move in verdict.moves if move.move == "recurrence"))
    lines = tuple(_undecided(verdict, move) for move in moves if move.decision == "undecided")
    followed = [move for move in final_moves(verdict) if move.decision == "better"]
    lines += tuple(f"{_told(verdict, move)}; better, but not followed any more." for move in followed)
    skipped = listing(list(dict.fromkeys(move_name(move.move) for move in moves if move.decision == "not_pursued")))
    if not skipped:
        return lines
    return (*lines, f"Not pursued, because screening promised less: {skipped}. That is no test of them.")


def against_baseline(verdict: Verdict) -> str:
    """The network against the best predictor without recurrence, on dev data; "" where it was not paired."""
    move = next((move for move in verdict.moves if move.move == "recurrence" and move.effect is not None), None)
    if move is None:
        return ""
    return (
        f"Held against the best baseline on dev data, {arm_name(verdict, move.source)}, the network "
        f"{arm_name(verdict, move.to)} has {_measured(verdict, move)}."
    )


def cost(verdict: Verdict) -> tuple[str, ...]:
    """Parameters, state, operations and measured time per step of the advice."""
    advice = verdict.recommendation
    parts = []
    if advice.num_parameters is not None:
        parts.append(f"{figures.count(advice.num_parameters)} parameters")
    if advice.state_size is not None:
        parts.append(f"{figures.count(advice.state_size)} numbers of state")
    if advice.operations_per_step is not None:
        parts.append(f"{figures.count(advice.operations_per_step)} multiply-adds per step")
    if not parts:
        return ()
    sentence = f"{listing(parts)}."
    if advice.microseconds_per_step is None:
        return (sentence,)
    time = figures.step_time(advice.microseconds_per_step)
    return (sentence, f"Measured on this machine, one sequence at a time: {time} per step.")


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


def listing(items: list[str]) -> str:
    """Items as a list in a sentence.

    >>> listing(["wider", "deeper", "readout"])
    'wider, deeper and readout'
    """
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _size(advice: Recommendation) -> str:
    if advice.num_layers is None or advice.hidden_size is None:
        return ""
    units = figures.plural(advice.hidden_size, "unit") + (" per direction" if advice.bidirectional else "")
    return (
        f" of one layer with {units}"
        if advice.num_layers == 1
        else f" of {advice.num_layers} layers, each with {units}"
    )


def _sight(advice: Recommendation) -> str:
    if advice.bidirectional:
        return "reading both ways"
    if advice.look_ahead:
        return f"seeing {figures.plural(advice.look_ahead, 'step')} ahead"
    return "reading forward only" if advice.bidirectional is False else ""


def _extras(advice: Recommendation) -> list[str]:
    extras = []
    if advice.pooling in ("mean", "max"):
        extras.append(f"{advice.pooling} pooling over the steps")
    if advice.readout == "mlp":
        extras.append("with an MLP readout")
    if advice.dropout:
        extras.append(f"dropout {advice.dropout:g}")
    if advice.residual:
        extras.append("residual connections")
    if advice.layer_norm:
        extras.append("layer normalisation")
    return extras


def _baseline_headline(verdict: Verdict) -> str:
    name = verdict.recommendation.description or str(verdict.recommendation.baseline)
    if verdict.stop_reason in PARTIAL:
        return f"Best so far, a baseline without recurrence: {name}. {PARTIAL[verdict.stop_reason]}"
    if verdict.stop_reason == "noise_floor":
        return f"Use the baseline: {name}. The error that remains is noise: no network can remove it."
    if verdict.stop_reason == "failed_to_train":
        return f"Use the baseline: {name}; no recurrent network could be trained to beat it."
    if verdict.stop_reason == "more_data":
        return f"For now use the baseline: {name}. Collect more data before asking again."
    return f"You need no recurrent network. Use the baseline: {name}."


def _no_advice(verdict: Verdict) -> str:
    causes = {
        "interrupted": "the run was interrupted before any network could be advised",
        "budget": "the budget ended before any network could be advised",
        "failed_to_train": "no network could be trained",
    }
    return f"No recommendation: {causes.get(verdict.stop_reason, 'the evidence does not carry one')}."


def _held_against(verdict: Verdict, row: TestRow) -> str:
    role = role_name(verdict, row.role)
    scale = figures.scale(verdict)
    figure, span = figures.loss_number(scale, row.score), figures.loss_range(scale, row.interval)
    return f"{role[:1].lower()}{role[1:]} ({row.description}) {figure} ({span})"


def _step(verdict: Verdict, move: str, to: str, comparison: Comparison | None) -> str:
    text = f"{_capital(move_name(move))}, to {arm_name(verdict, to)}"
    if comparison is None or comparison.effect is None:
        return f"{text}."
    margin = figures.margin_text(figures.scale(verdict), verdict.margin)
    why = f"; smaller, and it gives up no more than the margin of {margin}" if is_down(move) else ""
    return f"{text}: {_fresh(verdict, comparison)}{_measured(verdict, comparison)}{why}."


def _fresh(verdict: Verdict, move: Comparison) -> str:
    """The effect to quote, on seeds that had no part in the choice, where they were trained."""
    if move.fresh is None:
        return ""
    text = figures.effect_text(figures.scale(verdict), move.fresh.effect, move.fresh.interval)
    return f"{text} on {figures.plural(move.fresh.pairs, 'fresh pair')}, 95 % interval; in the comparison that took it "


def _measured(verdict: Verdict, move: Comparison) -> str:
    """Effect, interval, level, pairs and the arm it is held against."""
    if move.effect is None:
        return "never measured in pairs"
    text = figures.effect_text(figures.scale(verdict), move.effect, move.interval)
    facts = [figures.plural(move.pairs, "pair")]
    if move.level is not None:
        facts.insert(0, f"{figures.level(move.level)} interval")
    if move.against != move.source:
        facts.append(f"against {arm_name(verdict, move.against)}")
    return f"{text}, {', '.join(facts)}"


def _named(verdict: Verdict, move: Comparison) -> str:
    return f"{_capital(move_name(move.move))} ({arm_name(verdict, move.to)})"


def _told(verdict: Verdict, move: Comparison) -> str:
    return f"{_named(verdict, move)}: {_measured(verdict, move)}"


def _refused(verdict: Verdict, move: Comparison) -> str:
    why = "; it gives up more than the margin" if is_down(move.move) else ""
    return _with_reason(f"{_told(verdict, move)}{why}.", move)


def _undecided(verdict: Verdict, move: Comparison) -> str:
    return f"{_with_reason(f'{_told(verdict, move)}.', move)} {_price(move)}"


def _price(move: Comparison) -> str:
    if move.pairs_to_close is None:
        return "What it would cost to settle is not known."
    pairs = f"To settle it: about {figures.plural(move.pairs_to_close, 'more pair')}"
    if move.minutes_to_close is None:
        return f"{pairs}."
    return f"{pairs}, {figures.duration(60 * move.minutes_to_close)} of training."


def _with_reason(text: str, move: Comparison) -> str:
    reason = _capital(move.reason.strip().rstrip("."))
    return f"{text} {reason}." if reason else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _can_stream(verdict: Verdict) -> tuple[str, ...]:
    advice = verdict.recommendation
    if advice.bidirectional:
        return ("The advised network reads the whole sequence before its first answer: it cannot stream.",)
    if advice.look_ahead:
        return (f"The advised network answers {figures.plural(advice.look_ahead, 'step')} late.",)
    if advice.cell is None:
        return ()
    kept = " The path was kept causal; this is what sight of the future would buy." if verdict.causal else ""
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
