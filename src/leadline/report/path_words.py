"""The path of a study in sentences: the steps, what was ruled out, and what stayed open."""

from __future__ import annotations

from leadline.records.evidence import Comparison
from leadline.records.verdict import Verdict
from leadline.report import figures
from leadline.report.words import arm_name, capital, find_arm, is_down, listing, move_name


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


def taken(verdict: Verdict) -> tuple[Comparison | None, ...]:
    """The comparison behind each step of the path; None where the record does not hold it."""
    return tuple(
        next((m for m in reversed(verdict.moves) if (m.move, m.source, m.to) == (move, source, to)), None)
        for move, source, to in verdict.steps
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
    return tuple(_with_reason(f"{named(verdict, move)}.", move) for move in failed)


def still_open(verdict: Verdict) -> tuple[str, ...]:
    """What is not settled at the end of the path, and what it would cost to settle it."""
    moves = (*final_moves(verdict), *(move for move in verdict.moves if move.move == "recurrence"))
    lines = tuple(_undecided(verdict, move) for move in moves if move.decision == "undecided")
    followed = [move for move in final_moves(verdict) if move.decision == "better"]
    lines += tuple(f"{_told(verdict, move)}; better, but not followed any more." for move in followed)
    paired = {move.move for move in moves if move.pairs}
    skipped = [move.move for move in moves if move.decision == "not_pursued" and move.move not in paired]
    if not skipped:
        return lines
    left = "; ".join(move_name(move) for move in dict.fromkeys(skipped))
    return (*lines, f"Not pursued after screening: {left}. That is no test of them.")


def against_baseline(verdict: Verdict) -> str:
    """The network against the best predictor without recurrence, on dev data; "" where it was not paired."""
    move = next((move for move in verdict.moves if move.move == "recurrence" and move.effect is not None), None)
    if move is None:
        return ""
    return (
        f"Held against the best baseline on dev data, {arm_name(verdict, move.source)}, the network "
        f"{arm_name(verdict, move.to)} has {_measured(verdict, move)}."
    )


def _step(verdict: Verdict, move: str, to: str, comparison: Comparison | None) -> str:
    text = f"{capital(move_name(move))}, to {arm_name(verdict, to)}"
    if comparison is None or comparison.effect is None:
        return f"{text}."
    margin = figures.margin_text(figures.scale(verdict), verdict.margin)
    why = f"; smaller, and it gives up no more than the margin of {margin}" if is_down(move) else ""
    return f"{text}: {_fresh(verdict, comparison)}{_measured(verdict, comparison)}{why}.{_of_size(verdict, comparison)}"


def _of_size(verdict: Verdict, move: Comparison) -> str:
    """What depth alone brought: the step against a network of its size with a layer less."""
    control = move.size_control
    if control is None:
        return ""
    text = figures.effect_text(figures.scale(verdict), control.effect.effect, control.effect.interval)
    against = arm_name(verdict, control.arm)
    return f" Held against a network of its size with a layer less ({against}): {text}, 95 % interval."


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
    unbounded = _beyond_possible(verdict, move)
    text = figures.effect_text(figures.scale(verdict), move.effect, None if unbounded else move.interval)
    facts = [figures.plural(move.pairs, "pair")]
    if move.level is not None and not unbounded:
        facts.insert(0, f"{figures.level(move.level)} interval")
    if move.against != move.source:
        facts.append(f"against {arm_name(verdict, move.against)}")
    if unbounded:
        facts.append("too few to bound it")
    return f"{text}, {', '.join(facts)}"


def _beyond_possible(verdict: Verdict, move: Comparison) -> bool:
    """Whether an open comparison holds gains that are larger than all that is left to gain."""
    arm = find_arm(verdict, move.against)
    known = [b.dev for b in verdict.baselines if b.name == move.against]
    score = arm.dev.score if arm and arm.dev else next(iter(known), None)
    if move.decision != "undecided" or score is None or move.interval is None or not figures.is_finite(move.interval):
        return False
    return move.interval[1] > figures.loss(figures.scale(verdict), score)


def named(verdict: Verdict, move: Comparison) -> str:
    """A move and the network that it leads to."""
    return f"{capital(move_name(move.move))} ({arm_name(verdict, move.to)})"


def _told(verdict: Verdict, move: Comparison) -> str:
    return f"{named(verdict, move)}: {_measured(verdict, move)}"


def _refused(verdict: Verdict, move: Comparison) -> str:
    why = "; it gives up more than the margin" if is_down(move.move) else ""
    return _with_reason(f"{_told(verdict, move)}{why}.", move)


def _undecided(verdict: Verdict, move: Comparison) -> str:
    return f"{_with_reason(f'{_told(verdict, move)}.', move)} {_price(move)}"


def _price(move: Comparison) -> str:
    if move.dev_to_close is not None:
        return (
            f"To settle it: a dev part about {figures.count(move.dev_to_close)} times as large, and all pairs allowed."
        )
    if move.pairs_to_close is None:
        return "What it would cost to settle is not known."
    pairs = f"To settle it: about {figures.plural(move.pairs_to_close, 'more pair')}"
    if move.minutes_to_close is None:
        return f"{pairs}."
    return f"{pairs}, {figures.duration(60 * move.minutes_to_close)} of training."


def _with_reason(text: str, move: Comparison) -> str:
    reason = capital(move.reason.strip().rstrip("."))
    return f"{text} {reason}." if reason else text
