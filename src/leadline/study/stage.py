"""One stage: some moves from an incumbent, screened, paired and decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadline.records import Comparison, Decision, Trial
from leadline.stats.paired import Estimate
from leadline.study import verdict
from leadline.study.book import Book
from leadline.study.moves import Candidate, seeing
from leadline.study.tuning import Steps, longest_rung, screened, tune
from leadline.study.verdict import LOOKS, Option

PURSUED = 3
LARGER = frozenset({"wider", "deeper"})
MOST_PAIRS = 400


@dataclass(frozen=True)
class Settled:
    """A comparison and the candidate that it was about."""

    candidate: Candidate
    row: Comparison


def incumbent_trials(book: Book, pairs: int) -> list[Trial]:
    """The incumbent's half of the first `pairs` pairs at this incumbent."""
    return [book.pair_trial(book.incumbent, stage_name(book), i) for i in range(pairs)]


def stage_name(book: Book) -> str:
    """Name of the random streams of the pairs at this incumbent: fresh seeds for each incumbent."""
    return f"pair-{len(book.incumbents) - 1}"


def run(book: Book, candidates: Sequence[Candidate], down: bool = False) -> Steps[list[Settled]]:
    """Screen the candidates, pair the promising ones with the incumbent, decide; write all of them into the book."""
    if not candidates:
        return []
    specs = [candidate.spec for candidate in candidates]
    deep = {c.spec for c in candidates if c.move == "deeper"}
    yield from tune(book, [book.incumbent, *specs], always={book.incumbent, *deep})
    candidates = yield from _bisected(book, candidates)
    pursued = list(candidates) if down else shortlist(book, candidates)
    paired = [candidate.spec for candidate in pursued]
    yield from tune(book, paired, always=paired)
    rows = yield from _pairs(book, pursued, down)
    rows += [Settled(c, _not_pursued(book, c)) for c in candidates if c not in pursued]
    book.moves += [settled.row for settled in rows]
    return rows


def shortlist(book: Book, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The `PURSUED` best by screening, one look-ahead among them at most, and `deeper` always.

    Shortened runs put deep arms at a disadvantage, so depth is never ruled out by screening. Of the look-ahead
    windows the smallest that comes within the margin of the best one stands for all.
    """
    gains = {c: screened(book, c.spec, book.incumbent) for c in candidates}
    chosen = smallest_window(book, candidates)
    candidates = [c for c in candidates if c.move != "look_ahead" or c is chosen]
    ranked = sorted(candidates, key=lambda c: (-longest_rung(book, c.spec), -gains[c]))[:PURSUED]
    return [c for c in candidates if c in ranked or c.move == "deeper"]


def smallest_window(book: Book, candidates: Sequence[Candidate]) -> Candidate | None:
    """The smallest look-ahead window whose screening comes within the margin of the best window's."""
    gains = {c: screened(book, c.spec, book.incumbent) for c in candidates if c.move == "look_ahead"}
    near = [c for c, gain in gains.items() if gain >= max(gains.values()) - book.margin]
    return min(near, key=lambda c: c.spec.look_ahead, default=None)


def _bisected(book: Book, candidates: Sequence[Candidate]) -> Steps[list[Candidate]]:
    """The candidates, and windows between those tried until the smallest good one is found."""
    found = list(candidates)
    chosen = smallest_window(book, found)
    while chosen is not None:
        smaller = [c.spec.look_ahead for c in found if c.move == "look_ahead"]
        below = max((k for k in smaller if k < chosen.spec.look_ahead), default=book.incumbent.look_ahead)
        middle = (below + chosen.spec.look_ahead) // 2
        if middle == below:
            break
        found.append(Candidate("look_ahead", seeing(book.incumbent, middle)))
        yield from tune(book, [book.incumbent, found[-1].spec], always=[book.incumbent, found[-1].spec])
        chosen = smallest_window(book, found)
    return found


def better(book: Book, settled: Sequence[Settled], down: bool = False) -> Settled | None:
    """The move to take, if any."""
    good = [s for s in settled if s.row.decision == "better"]
    if not good:
        return None
    options = [
        Option(s.row.to, s.row.move, s.row.interval[0], s.row.effect, s.candidate.spec.operations_per_step)  # type: ignore[index,arg-type]
        for s in good
    ]
    if down:
        chosen = verdict.cheapest(options)
    else:
        chosen = verdict.choose(options, book.incumbent.operations_per_step, book.margin)
    return good[options.index(chosen)]


def _pairs(book: Book, pursued: Sequence[Candidate], down: bool) -> Steps[list[Settled]]:
    """A look after each number of pairs in `LOOKS`; decided comparisons stop early."""
    rows: dict[Candidate, Comparison] = {}
    for look in LOOKS:
        still = [c for c in pursued if c not in rows or rows[c].decision == "undecided"]
        if not still:
            break
        mine = incumbent_trials(book, look)
        theirs = {c: [book.pair_trial(c.spec, stage_name(book), i) for i in range(look)] for c in still}
        yield [*mine, *(trial for trials in theirs.values() for trial in trials)]
        for candidate, trials in theirs.items():
            rows[candidate] = compare(book, candidate, trials, mine, down)
    return [Settled(candidate, rows[candidate]) for candidate in pursued]


def compare(
    book: Book, candidate: Candidate, trials: Sequence[Trial], against: Sequence[Trial], down: bool
) -> Comparison:
    """The record of a paired comparison."""
    confidence = verdict.level(len(book.incumbents) - 1)
    estimate = verdict.difference(book.devs(trials), book.devs(against), confidence)
    decision = verdict.decide(estimate, book.margin, down)
    decision, reason = _guard(book, candidate, trials, against, decision)
    seconds = sum(book.results[t].seconds for t in (*trials, *against))
    more = _pairs_to_close(estimate, -book.margin if down else book.margin, len(trials))
    closing = more if decision == "undecided" else None
    return Comparison(
        source=book.incumbent.describe(),
        move=candidate.move,
        to=candidate.spec.describe(),
        against=book.incumbent.describe(),
        decision=decision,
        effect=estimate.effect,
        interval=(estimate.low, estimate.high),
        level=confidence,
        pairs=len(trials),
        seconds=seconds,
        screening=screened(book, candidate.spec, book.incumbent),
        reason=reason,
        pairs_to_close=closing,
        minutes_to_close=None if closing is None else closing * seconds / len(trials) / 60,
    )


def _guard(
    book: Book, candidate: Candidate, trials: Sequence[Trial], against: Sequence[Trial], decision: Decision
) -> tuple[Decision, str]:
    """Failing to train is told apart from failing to help, and a run cut by the cap never counts as a refusal."""
    results = [book.results[t] for t in trials]
    if any(result.status == "diverged" for result in results) and decision != "better":
        return "failed_to_train", "training diverged"
    gap = _mean_train(book, trials) - _mean_train(book, against)
    grows = candidate.move.split("+")[0] in LARGER
    if decision != "better" and grows and gap < -book.margin:
        return "failed_to_train", f"its training score stays {-gap:.2g} below the incumbent's"
    improving = sum(result.still_improving for result in results) * 2 > len(results)
    if decision == "not_worth_it" and improving:
        return "undecided", f"still improving at the cap of {book.plan.recipe.max_updates} updates"
    return decision, ""


def _mean_train(book: Book, trials: Sequence[Trial]) -> float:
    return sum(book.results[t].train for t in trials) / len(trials)


def _pairs_to_close(estimate: Estimate, bar: float, pairs: int) -> int | None:
    """Further pairs until the interval would clear the bar if the effect stayed and the width fell as 1/sqrt(n)."""
    distance = abs(estimate.effect - bar)
    half = (estimate.high - estimate.low) / 2
    if distance == 0 or half == float("inf"):
        return None
    needed = pairs * (half / distance) ** 2 - pairs
    return max(1, round(needed)) if needed <= MOST_PAIRS else None


def _not_pursued(book: Book, candidate: Candidate) -> Comparison:
    gain = screened(book, candidate.spec, book.incumbent)
    return Comparison(
        source=book.incumbent.describe(),
        move=candidate.move,
        to=candidate.spec.describe(),
        against=book.incumbent.describe(),
        decision="not_pursued",
        screening=gain,
        reason="others looked better in the shortened screening runs",
    )
