"""A verdict in plain sentences: pure functions, every figure out of the record.

Each function gives sentences without markup; an empty tuple says that there is nothing to say.
"""

from __future__ import annotations

from leadline.records.verdict import ArmFacts, Recommendation, TestRow, Verdict
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
    if advice.weight_decay:
        extras.append(f"weight decay {advice.weight_decay:g}")
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


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]
