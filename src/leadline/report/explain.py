"""The sentences that go with charts and tables: titles that say what one sees, and why it is so."""

from __future__ import annotations

from leadline.records.evidence import Comparison, Diagnosis, Effect, Square
from leadline.records.verdict import Verdict
from leadline.report import effect_charts, figures, streaming_words, words
from leadline.spec import StackSpec

OPEN = "Open, and what it would cost to close"
FAILED = "Could not be trained, which is not the same as no help"


def ruled_out_title(verdict: Verdict) -> str:
    """What being ruled out means, with the margin."""
    return f"Ruled out: no gain above the margin of {_margin(verdict)}"


def lines(verdict: Verdict) -> str:
    """How to read the upright lines of an effect chart."""
    return f"Solid line: no effect. Dashed line: the margin, {_margin(verdict)}."


def moves_note(verdict: Verdict) -> str:
    """How to read the chart of all moves."""
    text = f"{lines(verdict)} Moves that were never paired stand only in the table."
    if any(words.is_down(move.move) and move.interval for move in verdict.moves):
        text = f"{text} A smaller network is taken when its interval lies right of minus the margin, the dotted line."
    if effect_charts.moves_are_stretched(verdict):
        text = f"{text} The axis is stretched around zero."
    return text


def diagnoses(verdict: Verdict) -> tuple[str, ...]:
    """What the study said about each network on the path."""
    return tuple(
        f"{words.arm_name(verdict, stand.incumbent)}: {' '.join(stand.words)}"
        for stand in verdict.diagnosis
        if stand.words
    )


def about(verdict: Verdict) -> str:
    """What the verdict is about."""
    data = verdict.data
    steps = f"{figures.plural(data.num_steps, 'step')}, the longest {figures.count(data.longest)}"
    size = f"{figures.plural(data.num_sequences, 'sequence')}, {steps}"
    classes = f" ({figures.count(len(data.classes))} classes)" if data.classes else ""
    return f"{data.name}: {size}. Predicted is {words.KINDS[data.kind]}, {data.target}{classes}."


def test_title(verdict: Verdict) -> str:
    """The advice against the start."""
    rows = {row.role: row for row in verdict.test}
    scale = figures.scale(verdict)
    first = rows.get("advised") or next(iter(verdict.test), None)
    if first is None:
        return ""
    text = f"{words.role_name(verdict, first.role)}: {figures.loss_text(scale, first.score)}"
    others = {
        "start": "the start",
        "best_causal": "the best network without sight of the future",
        "best_baseline": "the best baseline",
    }
    rest = [
        f"{name} {figures.loss_number(scale, rows[role].score)}"
        for role, name in others.items()
        if role in rows and rows[role].arm != first.arm
    ]
    return f"{text}; {words.listing(rest)}" if rest else text


test_title.__test__ = False  # type: ignore[attr-defined]


def path_title(verdict: Verdict) -> str:
    """From the first loss to the last."""
    known = [words.find_arm(verdict, name) for name in verdict.incumbents]
    scores = [arm.dev.score for arm in known if arm is not None and arm.dev is not None]
    if len(scores) < 2:
        return ""
    scale = figures.scale(verdict)
    ends = f"{figures.loss_number(scale, scores[0])} to {figures.loss_number(scale, scores[-1])}"
    return f"The path leads from {figures.with_unit(scale, ends)}"


def square_title(verdict: Verdict) -> str:
    """What depth buys in one direction and in both."""
    square = verdict.square
    if square is None:
        return ""
    parts = [
        f"{way} {_effect(verdict, effect)}"
        for way, effect in (("one way", square.depth_one_way), ("both ways", square.depth_both_ways))
        if effect is not None
    ]
    return f"What depth buys: {'; '.join(parts)}" if parts else "One layer and a deep stack, one way and both ways"


def square(verdict: Verdict) -> tuple[str, ...]:
    """What the square holds equal."""
    if verdict.square is None:
        return ()
    size = figures.count(verdict.square.num_parameters)
    each = "each with whichever readout does better for it, a linear one or an MLP"
    readout = {"mlp": "with an MLP readout", "linear": "with a linear readout"}.get(verdict.square.readout, each)
    return (
        f"One layer and a deep stack, one way and both ways: all four at about {size} parameters, {readout}. "
        "Moves interact: one that is worth little alone may pay after another.",
    )


def _with_a_linear_readout(linear: Square | None) -> tuple[tuple[str, Effect | None], ...]:
    if linear is None:
        return ()
    return (
        ("Depth, with a linear readout in every corner, while the future is hidden", linear.depth_one_way),
        ("Depth, with a linear readout in every corner, once both ways are read", linear.depth_both_ways),
    )


def square_effects(verdict: Verdict) -> tuple[str, ...]:
    """The four differences of the square, and what depth changes where no readout has a layer of its own."""
    if verdict.square is None:
        return ()
    named = (
        ("Depth, while the future is hidden", verdict.square.depth_one_way),
        ("Depth, once both ways are read", verdict.square.depth_both_ways),
        ("Both ways, with one layer", verdict.square.direction_shallow),
        ("Both ways, in the deep stack", verdict.square.direction_deep),
        *_with_a_linear_readout(verdict.square.linear),
    )
    return tuple(
        f"{name}: {_effect(verdict, effect)}, {figures.plural(effect.pairs, 'pair')}."
        for name, effect in named
        if effect is not None
    )


def look_ahead_title(verdict: Verdict) -> str:
    """How many steps ahead are enough."""
    points = streaming_words.steps_ahead(verdict.look_ahead_curve)
    if len(points) < 2:
        return ""
    near = streaming_words.level_with_all(verdict.look_ahead_curve)
    if near is not None:
        verb = "meets" if near.steps == 1 else "meet"
        return f"{figures.plural(int(near.steps), 'step')} ahead {verb} the interval of both directions"
    scale, first, best = figures.scale(verdict), points[0], max(points, key=lambda point: point.score)
    ends = f"{figures.loss_number(scale, first.score)} to {figures.loss_number(scale, best.score)}"
    tail = "; both directions stay ahead" if any(point.steps == "all" for point in verdict.look_ahead_curve) else ""
    return f"From {figures.with_unit(scale, ends)} with {figures.plural(int(best.steps), 'step')} ahead{tail}"


def reading_title(verdict: Verdict) -> str:
    """How much of a sequence is enough."""
    lines = streaming_words.reading(verdict)
    return lines[0].rstrip(".") if lines else ""


def width_depth_title(verdict: Verdict) -> str:
    """Width and depth from the last network where both were measured."""
    pairs = effect_charts.width_depth_pairs(verdict)
    if not pairs:
        return ""
    wider, deeper = pairs[-1]
    effects = f"wider {_short(verdict, wider)}, deeper {_short(verdict, deeper)}"
    return f"From {words.arm_name(verdict, wider.source)}: {effects}"


def width_and_depth(verdict: Verdict) -> tuple[str, ...]:
    """What is held against what."""
    if not effect_charts.width_depth_pairs(verdict):
        return ()
    return (
        "The same parameters spent in two ways: on more units in the same layers, and on one more layer. "
        "Each row starts from one network.",
    )


def bias_title(verdict: Verdict) -> str:
    """Training and dev loss at the end of the path."""
    if not verdict.diagnosis:
        return ""
    stand, scale = verdict.diagnosis[-1], figures.scale(verdict)
    name = words.arm_name(verdict, stand.incumbent)
    train, dev = (figures.loss_number(scale, score) for score in (stand.train, stand.dev))
    return f"{name}: {train} in training, {dev} on dev data"


def low_training_loss(verdict: Verdict) -> tuple[str, ...]:
    """Why a low training loss can still go with one more layer, in the stack or the readout, where it was measured."""
    for move in verdict.moves:
        stand = next((stand for stand in verdict.diagnosis if stand.incumbent == move.source), None)
        if move.decision == "better" and _adds_a_layer(verdict, move) and stand and _is_low(verdict, stand):
            return (_the_book(verdict, stand), _and_yet(verdict, move), _other_way(verdict, move))
    return ()


def moves_title(verdict: Verdict) -> str:
    """How many moves ended how."""
    count = {name: sum(move.decision == name for move in verdict.moves) for name in effect_charts.DECISIONS}
    parts = [f"{number} {effect_charts.DECISIONS[name][0]}" for name, number in count.items() if number]
    return f"Of {figures.plural(len(verdict.moves), 'move')}: {words.listing(parts)}" if parts else ""


def run_facts(verdict: Verdict) -> dict[str, str]:
    """Data, seed, budget, versions."""
    budget = verdict.budget
    limits = [f"{budget.minutes:g} minutes"] if budget.minutes is not None else []
    limits += [figures.plural(budget.max_trials, "trial")] if budget.max_trials is not None else []
    return {
        "Data": verdict.data.source,
        "Fingerprint": verdict.data.fingerprint,
        "Features": ", ".join(verdict.data.features),
        "Seed": str(verdict.seed),
        "Budget": words.listing(limits),
        "Spent": f"{figures.plural(budget.trials, 'trial')} in {figures.duration(budget.seconds)}",
        "Workers": figures.count(budget.jobs),
        "Versions": ", ".join(f"{name} {version}" for name, version in verdict.versions.items()),
    }


def code(verdict: Verdict, spec: StackSpec) -> tuple[str, ...]:
    """What the code builds."""
    size = spec.input_size
    text = (
        f"{figures.count(spec.num_parameters)} parameters. Inputs are (batch, seq, {size}), zeros at padding; "
        "lengths count from 1."
    )
    rest = (verdict.recommendation.num_parameters or spec.num_parameters) - spec.num_parameters
    if rest <= 0:
        return (text,)
    return (f"{text} What turns the columns into these {size} features holds {figures.count(rest)} parameters more.",)


def _margin(verdict: Verdict) -> str:
    return figures.margin_text(figures.scale(verdict), verdict.margin)


def _effect(verdict: Verdict, effect: Effect) -> str:
    return figures.effect_text(figures.scale(verdict), effect.effect, effect.interval)


def _short(verdict: Verdict, move: Comparison) -> str:
    return figures.effect_text(figures.scale(verdict), move.effect or 0.0, move.interval)


def _is_low(verdict: Verdict, stand: Diagnosis) -> bool:
    scale = figures.scale(verdict)
    return figures.loss(scale, stand.train) <= 0.6 * figures.loss(scale, stand.dev)


def _the_book(verdict: Verdict, stand: Diagnosis) -> str:
    scale = figures.scale(verdict)
    name = words.arm_name(verdict, stand.incumbent)
    train, dev = figures.loss_text(scale, stand.train), figures.loss_number(scale, stand.dev)
    text = (
        f"At {name} the loss is {train} in training against {dev} on dev data. By the book that gap is variance, and "
        "the cure is regularisation or more data, not a larger network."
    )
    tried = [move for move in verdict.moves if move.move == "regularise" and move.effect is not None]
    if not tried:
        return f"{text} Regularisation was not measured in pairs here."
    return f"{text} Regularisation was measured: {_short(verdict, tried[-1])}."


def _adds_a_layer(verdict: Verdict, move: Comparison) -> bool:
    """Whether a move adds a recurrent layer or a hidden layer in the readout; another pooling is no layer."""
    arm = words.find_arm(verdict, move.to)
    return move.move == "deeper" or (move.move == "readout" and arm is not None and arm.spec.readout == "mlp")


def _and_yet(verdict: Verdict, move: Comparison) -> str:
    what = "one more layer" if move.move == "deeper" else "one feed-forward layer in the readout"
    return (
        f"And yet {what} brought {_short(verdict, move)}. The two do not contradict each other: a low training loss "
        "says that the network can fit what it has seen, not that it found the rule that carries over. One more "
        "function on top of the learned ones can make such a rule easier to reach. What decides is the paired "
        "difference on dev data."
    )


def _other_way(verdict: Verdict, move: Comparison) -> str:
    name = "readout" if move.move == "deeper" else "deeper"
    what = {"readout": "A feed-forward layer in the readout", "deeper": "A recurrent layer more"}[name]
    measured = [other for other in effect_charts.paired_moves(verdict) if other.move == name]
    found = [other for other in measured if _adds_a_layer(verdict, other)]
    if not found:
        return f"{what} can buy part of the same; it was not measured in pairs here."
    source, effect = words.arm_name(verdict, found[-1].source), _short(verdict, found[-1])
    return f"{what} can buy part of the same. Measured from {source}: {effect}."
