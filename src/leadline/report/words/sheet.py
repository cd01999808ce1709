"""The answer sheet: one line for each question, its word, its effect and its range."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.records.answers import Answer, Word
from leadline.records.verdict import Verdict
from leadline.report import figures
from leadline.report.words import names

WORDS: dict[Word, str] = {
    "yes": "yes",
    "a_little": "a little",
    "at_least_a_little": "at least a little",
    "no": "no",
    "worse": "worse",
    "leaning_yes": "leaning yes",
    "leaning_little": "leaning to a little",
    "leaning_no": "leaning no",
    "leaning_worse": "leaning to worse",
    "not_known": "not known yet",
}
QUESTIONS: dict[str, str] = {
    "recurrence": "recurrence?",
    "future": "the future?",
    "width": "more width?",
    "depth": "more depth?",
    "depth_equal_size": "depth, same size?",
    "cell": "another cell?",
    "readout": "another readout?",
    "dropout": "dropout?",
    "more_data": "more data?",
}
MEANINGS: dict[Word, str] = {
    "yes": "the whole range lies above the margin",
    "a_little": "above zero, and below the margin",
    "at_least_a_little": "above zero; whether it reaches the margin is open",
    "no": "below the margin, and zero is not excluded",
    "worse": "below zero",
    "leaning_yes": "its own range says so, the whole study's does not yet",
    "leaning_little": "its own range lies between zero and the margin, the whole study's does not yet",
    "leaning_no": "its own range says so, the whole study's does not yet",
    "leaning_worse": "its own range lies below zero, the whole study's does not yet",
    "not_known": "the range holds both, or the question was not reached",
}


@dataclass(frozen=True)
class Row:
    """A line of the sheet.

    Args:
        question: "more depth?".
        word: "a little".
        code: the word's code, for colours.
        effect: "0.5", or "".
        interval: "0.3 to 0.7", or "".
        note: what it is, and a price where it is open.
        answer: the record.
    """

    question: str
    word: str
    code: Word
    effect: str
    interval: str
    note: str
    answer: Answer


def rows(verdict: Verdict) -> tuple[Row, ...]:
    """The questions that a verdict answers with a word; a repeated question is named once."""
    found: list[Row] = []
    for answer in verdict.answers:
        if answer.question not in QUESTIONS:
            continue
        name = QUESTIONS[answer.question]
        repeated = found and found[-1].answer.question == answer.question
        found.append(_row(verdict, answer, "" if repeated else name))
    return tuple(found)


def header(verdict: Verdict) -> str:
    """What the figures count, as the head of their column."""
    scale = figures.scale(verdict)
    unit = {"accuracy": "points fewer errors", "negative_nats": "nats less"}.get(
        scale.metric, f"{scale.loss_unit}, less by"
    )
    return f"{unit}, {figures.percent(verdict.policy.row_level)} range"


def extra(verdict: Verdict) -> tuple[str, ...]:
    """The two questions that are sentences: deep or both ways, and the user's own network."""
    found = []
    both = verdict.answer("deep_or_both_ways")
    if both is not None and both.effect is not None:
        found.append(f"Deep one way, or one layer both ways?  {_deep_or_both(verdict, both)}")
    yours = verdict.answer("yours")
    if yours is not None:
        found.append(f"Yours ({yours.of})?  {_yours(verdict, yours)}")
    return tuple(found)


def _row(verdict: Verdict, answer: Answer, question: str) -> Row:
    scale, effect = figures.scale(verdict), answer.effect
    shown = "" if effect is None else figures.number(scale, effect.effect)
    interval = "" if effect is None else _interval(verdict, answer)
    note = "; ".join(part for part in (_note(verdict, answer), _price(answer)) if part)
    return Row(question, WORDS[answer.word], answer.word, shown, interval, note, answer)


def _interval(verdict: Verdict, answer: Answer) -> str:
    scale = figures.scale(verdict)
    assert answer.effect is not None
    low, high = possible(verdict, answer.effect.interval)
    return f"{figures.number(scale, low)} to {figures.number(scale, high)}"


def possible(verdict: Verdict, interval: tuple[float, float]) -> tuple[float, float]:
    """The interval within what a difference of two scores can be: no more than 100 points of accuracy."""
    if verdict.metric != "accuracy":
        return interval
    return max(interval[0], -verdict.perfect), min(interval[1], verdict.perfect)


def _note(verdict: Verdict, answer: Answer) -> str:
    arm = verdict.arm(answer.of)
    match answer.question:
        case "recurrence":
            return f"against {names.article(names.arm(verdict, answer.against))}"
        case "future":
            return _future(verdict, answer)
        case "width":
            return _sizes(verdict, answer)
        case "depth" if answer.layers:
            return f"{answer.layers[0]} -> {answer.layers[1]} layers"
        case "depth_equal_size" if answer.layers:
            return f"{answer.layers[0]} -> {answer.layers[1]} layers, equal size"
        case "cell":
            return names.CELLS.get(arm.spec.cell, "") if arm and arm.spec else "LSTM, by the map"
        case "readout":
            return names.readout(arm.spec) if arm and arm.spec else "MLP, by the map"
        case "dropout":
            return f"dropout {arm.spec.dropout:g}" if arm and arm.spec else "by the map"
        case "more_data":
            return "twice as much, from the learning curve"
    return ""


def _sizes(verdict: Verdict, answer: Answer) -> str:
    """From how many parameters to how many; before the race only how many times as many."""
    counts = [arm.num_parameters if arm else None for arm in map(verdict.arm, (answer.against, answer.of))]
    if counts[0] and counts[1]:
        return f"{names.parameters(counts[0])} -> {names.parameters(counts[1])} parameters"
    return f"{answer.factor:g} x the parameters" if answer.factor else ""


def _future(verdict: Verdict, answer: Answer) -> str:
    text = "both ways"
    if answer.look_ahead is not None and answer.look_ahead_effect is not None:
        gain = figures.number(figures.scale(verdict), answer.look_ahead_effect)
        text = f"both ways; {figures.plural(answer.look_ahead, 'step')} ahead bring {gain}"
    elif answer.look_ahead is None and (widest := _widest(verdict)):
        text = f"both ways; {widest}"
    return text if answer.allowed else text.replace("both ways", "both ways, which you ruled out", 1)


def _widest(verdict: Verdict) -> str:
    """What the largest window brings, where none is as good as both ways; "" where no window raced."""
    points = {point.steps: point.score for point in verdict.streaming}
    windows = [steps for steps in points if isinstance(steps, int) and steps > 0]
    if 0 not in points or not windows:
        return ""
    steps = max(windows)
    gain = figures.number(figures.scale(verdict), points[steps] - points[0])
    return f"{figures.plural(steps, 'step')} ahead bring {gain}"


def _price(answer: Answer) -> str:
    if answer.more_trainings is None or answer.more_minutes is None:
        return ""
    minutes = figures.duration(max(1.0, answer.more_minutes * 60))
    return f"about {figures.plural(answer.more_trainings, 'more training')}, {minutes}"


def _deep_or_both(verdict: Verdict, answer: Answer) -> str:
    assert answer.effect is not None
    size = figures.effect_size(figures.scale(verdict), answer.effect.effect)
    if answer.word in ("yes", "at_least_a_little", "a_little"):
        return f"Deep one way, by {size}."
    if answer.word == "worse":
        return f"One layer both ways, by {size}."
    if answer.word == "no":
        return "Neither is ahead by more than the margin; deep one way is not better."
    return "Not known yet."


def _yours(verdict: Verdict, answer: Answer) -> str:
    if answer.effect is None:
        return "Not measured yet."
    scale, effect = figures.scale(verdict), answer.effect.effect
    mine, other = verdict.arm(answer.of), verdict.arm(answer.against)
    size = figures.effect_size(scale, abs(effect))
    told = f"{size} {'better' if effect > 0 else 'worse'} than {answer.against} ({_interval(verdict, answer)})"
    if mine is None or other is None or not mine.num_parameters or not other.num_parameters:
        return f"{told}."
    ratio = mine.num_parameters / other.num_parameters
    times = f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.2g} times"
    return f"{told}, {times} the parameters."
