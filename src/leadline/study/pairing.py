"""Pairs of trials, block by block: comparisons are looked at, closed, given up or carried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.records.evidence import Comparison, Decision
from leadline.records.trial import Trial
from leadline.spec import StackSpec
from leadline.stats import power
from leadline.stats.collapse import collapsed
from leadline.stats.rule import Design
from leadline.study import verdict
from leadline.study.book import Book, Match
from leadline.study.moves import Candidate
from leadline.study.tuning import Steps, screened
from leadline.study.verdict import Dev, Option, Stage

LARGER = frozenset({"wider", "deeper"})
FUTILE = 0.1
MOST_FAILURES = 1 / 3


@dataclass(frozen=True)
class Standing:
    """A comparison after a look, and the chance that further looks close it; None where no further look could."""

    row: Comparison
    chance: float | None


def stage_name(book: Book) -> str:
    """Name of the random streams of the pairs at this incumbent: fresh seeds for each incumbent."""
    return f"pair-{len(book.incumbents) - 1}"


def incumbent_trials(book: Book, pairs: int) -> list[Trial]:
    """The incumbent's half of the first `pairs` pairs at this incumbent."""
    return trials(book, book.incumbent, pairs)


def trials(book: Book, spec: StackSpec, pairs: int) -> list[Trial]:
    """The half of `spec` in the first `pairs` pairs at this incumbent."""
    return [book.pair_trial(spec, stage_name(book), i) for i in range(pairs)]


def kept(book: Book, *arms: Sequence[Trial]) -> list[list[Trial]]:
    """The pairs of all arms without those in which a run collapsed; all of them, where fewer than two are left."""
    lost = _lost(book, arms)
    if (~lost).sum() < 2:
        return [list(arm) for arm in arms]
    return [[trial for trial, gone in zip(arm, lost, strict=True) if not gone] for arm in arms]


def _lost(book: Book, arms: Sequence[Sequence[Trial]]) -> NDArray[np.bool_]:
    """Pairs that say nothing, since a run collapsed. Where an arm's runs mostly diverge, that is what it has to show:
    its pairs count as they came out."""
    masks = [_collapsed(book, arm) for arm in arms if _diverged(book, arm).mean() <= MOST_FAILURES]
    return np.asarray(np.any([*masks, np.zeros(len(arms[0]), np.bool_)], axis=0))


def settle(
    book: Book, matches: Sequence[Match], kind: Stage, down: bool = False, most: int = verdict.MOST_PAIRS
) -> Steps[dict[Match, Comparison]]:
    """A look after each block of pairs, for all matches together, until none is worth another block.

    A match gets its share of alpha here, before its first pair. It is given up when it is closed; when the chance to
    close it by the last look falls below `FUTILE`; or when another move is better already and this one is not
    ahead of it (but for a retry, whose matches are two gates of one move). Each look is left in `book.opened`, so
    that a cut leaves what is known.

    With `most` below the last planned look, what is open there is set aside: called again with the same matches
    and without it, this repeats the looks that were taken, from the results in the book, and goes on.
    """
    planned = verdict.design(len(book.incumbents) - 1, kind, len(matches), book.num_folds)
    taken = [look for look in planned.looks if look <= most] or list(planned.looks[:1])
    book.opened = {match: _unpaired(book, match, planned) for match in matches}
    alive, words = list(matches), dict.fromkeys(matches, _still_open(taken[-1], planned))
    for look in taken:
        specs = dict.fromkeys(spec for match in alive for spec in (match.against, match.candidate.spec))
        yield [book.pair_trial(spec, stage_name(book), i) for i in range(look) for spec in specs]
        found = {match: _look(book, match, planned, look, down) for match in alive}
        book.opened.update({match: standing.row for match, standing in found.items()})
        if look < planned.looks[-1]:
            ends = {match: _given_up(book, match, found[match], kind, down) for match in alive}
            words.update({match: why for match, why in ends.items() if why is not None})
            alive = [match for match in alive if ends[match] is None]
        if not alive:
            break
    return {match: _ended(row, words[match]) for match, row in book.opened.items()}


def _still_open(look: int, planned: Design) -> str:
    if look == planned.looks[-1]:
        return f"still open after {look} pairs, the most spent"
    return f"set aside after {look} pairs for steps not yet measured"


def open_rows(book: Book) -> list[Comparison]:
    """What the present stage has found out so far: after a cut, its rows; empty between stages."""
    return [
        row if row.decision != "undecided" else _worded(row, "the study ended before this was settled")
        for row in book.opened.values()
    ]


def row_of(
    book: Book, arms: Mapping[str, Any], devs: tuple[list[Dev], list[Dev]], planned: Design, look: int, down: bool
) -> Standing:
    """The record of one look at paired scores.

    Args:
        book: for the margin.
        arms: the fields `source`, `move`, `to` and `against`.
        devs: the candidate's and the other arm's scores, pair by pair.
        planned: looks and alpha.
        look: which look this is.
        down: the move leads to a smaller network.
    """
    found = verdict.evidence(*devs)
    decision, bounds = verdict.judge(found, planned, look, book.margin, down)
    held = verdict.bar(book.margin, down)
    is_open, distance = decision == "undecided", abs(bounds.effect - held)
    pairs = power.further_pairs(found, distance, planned, look) if is_open else None
    row = Comparison(
        **arms,
        decision=decision,
        effect=bounds.effect,
        interval=(bounds.low, bounds.high),
        level=1 - planned.alpha,
        pairs=found.pairs,
        pairs_to_close=pairs,
        dev_to_close=power.further_examples(found, distance, planned, look) if is_open and pairs is None else None,
        rule="bet" if bounds.robust else "t",
        reason="the differences lean to one side: the bound on that side is the robust one" if bounds.robust else "",
        example_correlation=verdict.example_correlation(*devs),
        seed_correlation=verdict.seed_correlation(*devs),
    )
    return Standing(row, power.chance_to_close(found, held, planned, look) if is_open else None)


def _look(book: Book, match: Match, planned: Design, look: int, down: bool) -> Standing:
    arms = trials(book, match.candidate.spec, look), trials(book, match.against, look)
    seconds = sum(book.results[t].seconds for arm in arms for t in arm)
    counts = int(_collapsed(book, arms[0]).sum()), int(_collapsed(book, arms[1]).sum())
    facts = {"collapsed": counts, "seconds": seconds}
    failed = counts[0] / look > MOST_FAILURES
    words = f"{counts[0]} of {look} trainings did not train, {counts[1]} of the other arm's"
    if failed or (~_lost(book, arms)).sum() < 2:
        row = _unpaired(book, match, planned).model_copy(update={**facts, "pairs": look})
        return Standing(_worded(row, words, "failed_to_train" if failed else "undecided"), None if failed else 1.0)
    clean = kept(book, *arms)
    devs = book.devs(clean[0]), book.devs(clean[1])
    standing = row_of(book, _arms(book, match), devs, planned, look, down)
    row = _guarded(book, match, clean, standing.row.model_copy(update=facts))
    if row.pairs_to_close is not None:
        row = row.model_copy(update={"minutes_to_close": row.pairs_to_close * seconds / look / 60})
    if any(counts):
        row = _worded(row, words)
    return Standing(row, None if row.decision == "failed_to_train" else standing.chance)


def _guarded(book: Book, match: Match, arms: Sequence[Sequence[Trial]], row: Comparison) -> Comparison:
    """Failing to train is told apart from failing to help, and a run cut by the cap never counts as a refusal."""
    results = [book.results[t] for t in arms[0]]
    train, other = (sum(book.results[t].train for t in arm) / len(arm) for arm in arms)
    moves = match.candidate.move.split("+")
    grows = moves[0] in LARGER and "regularise" not in moves
    if row.decision != "better" and grows and train < other - book.margin:
        return _worded(row, f"its training score stays {other - train:.2g} below the other arm's", "failed_to_train")
    floor = book.best_baseline().dev
    if row.decision != "better" and grows and train < floor <= other:
        return _worded(row, f"its training score stays {floor - train:.2g} below the best baseline", "failed_to_train")
    improving = sum(result.still_improving for result in results) * 2 > len(results)
    if row.decision == "not_worth_it" and improving:
        return _worded(row, f"still improving at the cap of {book.plan.recipe.max_updates} updates", "undecided")
    return row


def _collapsed(book: Book, trials: Sequence[Trial]) -> NDArray[np.bool_]:
    """Runs that diverged, or lie far below the arm's others in training and on dev both."""
    results = [book.results[t] for t in trials]
    far = [collapsed(np.array([getattr(r, part) for r in results]), book.margin) for part in ("train", "dev")]
    return np.asarray(_diverged(book, trials) | (far[0] & far[1]))


def _diverged(book: Book, trials: Sequence[Trial]) -> NDArray[np.bool_]:
    return np.array([book.results[t].status == "diverged" for t in trials])


def _overtaken(book: Book, match: Match, down: bool) -> bool:
    """Whether another match is better already and would be taken even if this one were better by what it shows."""
    done = {m: row for m, row in book.opened.items() if row.decision == "better" and m.against == book.incumbent}
    if not done or match in done:
        return bool(done)
    mine = option(match.candidate, book.opened[match], hoped=True)
    options = [mine, *(option(m.candidate, row) for m, row in done.items())]
    if down:
        return verdict.cheapest(options) is not mine
    return verdict.choose(options, book.incumbent.operations_per_step, book.margin) is not mine


def option(candidate: Candidate, row: Comparison, hoped: bool = False) -> Option:
    """A comparison as `verdict.choose` takes it; hoped, its lower bound is put at its effect."""
    effect = 0.0 if row.effect is None else row.effect
    low = effect if hoped or row.interval is None else row.interval[0]
    return Option(row.move, low, effect, candidate.spec.operations_per_step)


def _given_up(book: Book, match: Match, standing: Standing, kind: Stage, down: bool) -> str | None:
    """Why a comparison gets no more pairs, in words, empty where its row says it; None where it goes on."""
    if standing.chance is None:
        return ""
    if kind != "retry" and _overtaken(book, match, down):
        return "given up: another move came first"
    if standing.chance >= FUTILE:
        return None
    if standing.row.pairs_to_close is not None:
        return "given up: there was little chance to settle it"
    limit = "the choice of dev examples" if book.num_folds == 1 else "the number of sequences to split"
    return f"more seeds would not settle it: {limit} limits"


def _ended(row: Comparison, words: str) -> Comparison:
    return _worded(row, words) if words and row.decision == "undecided" else row


def _unpaired(book: Book, match: Match, planned: Design) -> Comparison:
    return Comparison(**_arms(book, match), decision="undecided", level=1 - planned.alpha)


def _arms(book: Book, match: Match) -> dict[str, Any]:
    return {
        "source": book.incumbent.describe(),
        "move": match.candidate.move,
        "to": match.candidate.spec.describe(),
        "against": match.against.describe(),
        "screening": gain if np.isfinite(gain := screened(book, match.candidate.spec, match.against)) else None,
    }


def _worded(row: Comparison, words: str, decision: Decision | None = None) -> Comparison:
    reason = "; ".join(part for part in (row.reason, words) if part)
    if decision is None:
        return row.model_copy(update={"reason": reason})
    closed = {} if decision == "undecided" else {"pairs_to_close": None, "dev_to_close": None}
    return row.model_copy(update={"reason": reason, "decision": decision, **closed})
