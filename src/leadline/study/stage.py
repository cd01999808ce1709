"""One stage: some moves from an incumbent, screened, paired and decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from leadline.records.evidence import Comparison, Screened
from leadline.spec import StackSpec
from leadline.study import verdict
from leadline.study.book import Book, Match
from leadline.study.moves import Candidate, seeing
from leadline.study.pairing import open_rows, option, settle
from leadline.study.tuning import (
    RUNGS,
    SCREENING,
    Steps,
    best_score,
    common_rung,
    longest_rung,
    screen,
    screened,
    shortened,
    tune,
)
from leadline.study.verdict import Stage

PURSUED = 3
EARLY = 12
"""Pairs of a comparison before others that are not measured yet: breadth first, the last pairs last."""


@dataclass(frozen=True)
class Settled:
    """A comparison and the candidate that it was about."""

    candidate: Candidate
    row: Comparison


def run(
    book: Book, candidates: Sequence[Candidate], kind: Stage, most: int = verdict.MOST_PAIRS
) -> Steps[list[Settled]]:
    """Screen the candidates, pair the promising ones with the incumbent, decide; write all of them into the book.

    What is open after `most` pairs is set aside, for `resume`.
    """
    if not candidates:
        return []
    book.candidates = tuple(candidates)
    down = kind in ("bold", "downward")
    specs = [candidate.spec for candidate in candidates]
    deep = {c.spec for c in candidates if c.move == "deeper"}
    yield from tune(book, [book.incumbent, *specs], always={book.incumbent, *deep})
    candidates = yield from _bisected(book, candidates)
    book.candidates = tuple(candidates)
    pursued = list(candidates) if down else shortlist(book, candidates)
    paired = [candidate.spec for candidate in pursued]
    yield from tune(book, paired, always=paired)
    found = yield from settle(book, [Match(c, book.incumbent) for c in pursued], kind, down, most)
    settled = [Settled(match.candidate, row) for match, row in found.items()]
    settled += [Settled(c, _not_pursued(book, c, pursued)) for c in candidates if c not in pursued]
    return _written(book, settled)


def resume(book: Book, settled: Sequence[Settled], kind: Stage) -> Steps[list[Settled]]:
    """Give what `run` set aside the rest of its pairs; of the others nothing changes."""
    pursued = [s.candidate for s in settled if s.row.decision != "not_pursued"]
    if not pursued:
        return []
    found = yield from settle(book, [Match(c, book.incumbent) for c in pursued], kind)
    return _written(book, [Settled(match.candidate, row) for match, row in found.items()])


def retry(book: Book, settled: Sequence[Settled]) -> Steps[list[Settled]]:
    """Moves that failed to train once more, with residual connections and normalisation in *both* arms.

    The row of a retried move is the comparison of the two helped arms. Where the move wins there, it has to win
    against the incumbent itself as well, and the row is that comparison.
    """
    failed = [s.candidate for s in settled if s.row.decision == "failed_to_train"]
    if not failed or _helped(book.incumbent) == book.incumbent:
        return []
    against = _helped(book.incumbent)
    again = [Candidate(c.move, _helped(c.spec)) for c in failed]
    specs = [against, *(c.spec for c in again)]
    yield from tune(book, specs, always=specs)
    matches = [Match(c, arm) for c in again for arm in (against, book.incumbent)]
    found = yield from settle(book, matches, "retry")
    rows = [found[Match(c, against)] for c in again]
    rows = [found[Match(c, book.incumbent)] if r.decision == "better" else r for c, r in zip(again, rows, strict=True)]
    return _written(book, [Settled(c, row) for c, row in zip(again, rows, strict=True)])


def rows(book: Book) -> list[Comparison]:
    """Every comparison for the verdict: those of finished stages, with fresh effects, and those that a cut left."""
    done = [
        row.model_copy(update={"fresh": book.fresh.get(i), "size_control": book.controls.get(i)})
        for i, row in enumerate(book.moves)
    ]
    known = {_key(row): row.pairs for row in done}
    return _merged(done, [row for row in open_rows(book) if row.pairs > known.get(_key(row), -1)])


def screening(book: Book) -> list[Screened]:
    """What is known of a stage's moves where a cut came before their first pairs: the longest runs first, and of
    runs of one length the most promising."""
    if any(row.pairs for row in book.opened.values()):
        return []
    shown = [row for candidate in book.candidates if (row := _screened(book, candidate)) is not None]
    return sorted(shown, key=lambda row: (-row.updates, row.against_score - row.score))


def _screened(book: Book, candidate: Candidate) -> Screened | None:
    """None before both arms have all draws of a rung, and where one of them failed to train."""
    rung = common_rung(book, candidate.spec, book.incumbent, SCREENING)
    if rung < 0:
        return None
    score, against = (best_score(book, spec, rung) for spec in (candidate.spec, book.incumbent))
    if not np.isfinite([score, against]).all():
        return None
    return Screened(
        source=book.incumbent.describe(),
        move=candidate.move,
        to=candidate.spec.describe(),
        score=score,
        against_score=against,
        updates=shortened(book.plan.recipe, RUNGS[rung]).max_updates,
    )


def _written(book: Book, settled: list[Settled]) -> list[Settled]:
    book.moves = _merged(book.moves, [s.row for s in settled])
    book.opened, book.candidates = {}, ()
    return settled


def _merged(rows: Sequence[Comparison], newer: Sequence[Comparison]) -> list[Comparison]:
    """Rows with newer ones in the place of those about the same two networks, else at the end."""
    return list({_key(row): row for row in (*rows, *newer)}.values())


def _key(row: Comparison) -> tuple[str, str, str, str]:
    return row.source, row.move, row.to, row.against


def _helped(spec: StackSpec) -> StackSpec:
    return replace(spec, residual=True, layer_norm=True)


def shortlist(book: Book, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The `PURSUED` best by screening, one look-ahead among them at most, and `wider` and `deeper` always.

    Shortened runs put deep arms at a disadvantage, so depth is never ruled out by screening; `wider` is its control.
    Of the look-ahead windows the smallest that comes within the margin of the best one stands for all.
    """
    chosen = smallest_window(book, candidates)
    candidates = [c for c in candidates if c.move != "look_ahead" or c is chosen]
    ranked = sorted(candidates, key=lambda c: (-_rung(book, c), -_score(book, c)))[:PURSUED]
    return [c for c in candidates if c in ranked or c.move in ("wider", "deeper")]


def smallest_window(book: Book, candidates: Sequence[Candidate]) -> Candidate | None:
    """The smallest look-ahead window whose screening comes within the margin of the best window's, among those that
    were screened the longest."""
    windows = _windows(candidates)
    longest = max((_rung(book, c) for c in windows), default=SCREENING)
    scores = {c: _score(book, c) for c in windows if _rung(book, c) == longest}
    near = [c for c, score in scores.items() if score >= max(scores.values()) - book.margin]
    return min(near, key=lambda c: c.spec.look_ahead, default=None)


def _windows(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in candidates if c.move == "look_ahead"]


def _rung(book: Book, candidate: Candidate) -> int:
    return longest_rung(book, candidate.spec, SCREENING)


def _score(book: Book, candidate: Candidate) -> float:
    return best_score(book, candidate.spec, _rung(book, candidate))


def _bisected(book: Book, candidates: Sequence[Candidate]) -> Steps[list[Candidate]]:
    """The candidates, and windows between those tried until the smallest good one is found.

    Where a window is still in the running, all of them are screened as long as it is.
    """
    found = list(candidates)
    if any(_rung(book, c) == SCREENING for c in _windows(found)):
        yield from screen(book, [c.spec for c in _windows(found)])
    chosen = smallest_window(book, found)
    while chosen is not None and _rung(book, chosen) == SCREENING:
        smaller = [c.spec.look_ahead for c in _windows(found)]
        below = max((k for k in smaller if k < chosen.spec.look_ahead), default=book.incumbent.look_ahead)
        middle = (below + chosen.spec.look_ahead) // 2
        if middle == below:
            break
        found.append(Candidate("look_ahead", seeing(book.incumbent, middle)))
        yield from screen(book, [found[-1].spec])
        chosen = smallest_window(book, found)
    return found


def better(book: Book, settled: Sequence[Settled], down: bool = False) -> Settled | None:
    """The move to take, if any."""
    good = [s for s in settled if s.row.decision == "better"]
    if not good:
        return None
    options = [option(s.candidate, s.row) for s in good]
    if down:
        chosen = verdict.cheapest(options)
    else:
        chosen = verdict.choose(options, book.incumbent.operations_per_step, book.margin)
    return good[options.index(chosen)]


def _not_pursued(book: Book, candidate: Candidate, pursued: Sequence[Candidate]) -> Comparison:
    gain = screened(book, candidate.spec, book.incumbent)
    return Comparison(
        source=book.incumbent.describe(),
        move=candidate.move,
        to=candidate.spec.describe(),
        against=book.incumbent.describe(),
        decision="not_pursued",
        screening=gain if np.isfinite(gain) else None,
        reason=_passed_over(book, candidate, pursued),
    )


def _passed_over(book: Book, candidate: Candidate, pursued: Sequence[Candidate]) -> str:
    if not np.isfinite(_score(book, candidate)):
        return "it did not train in the shortened screening runs"
    smaller = [c for c in _windows(pursued) if c.spec.look_ahead < candidate.spec.look_ahead]
    if candidate.move == "look_ahead" and smaller:
        return "a smaller window looked as good in the shortened screening runs"
    return "others looked better in the shortened screening runs"
