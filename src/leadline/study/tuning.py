"""Learning rate, weight decay and dropout, by successive halving on shortened runs, equal draws for every arm.

Because the averaged weights are evaluated and the learning rate does not decay, a shortened run is the beginning
of the long one. Tuning runs are never evidence: pairs use fresh seeds.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from leadline.records.trial import BaselineSpec, Trial
from leadline.seeds import child
from leadline.spec import Recipe, StackSpec
from leadline.study.book import Book
from leadline.study.draws import PLAIN, Draw, regularised
from leadline.study.sizes import costly

T = TypeVar("T")
Steps = Generator[list[Trial], None, T]
Arm = StackSpec | str
"""A network, or the name of a baseline that is trained by gradient."""

RUNGS = (12, 5, 2)
SHORTEST = 100
KEPT_RATES = 2
TUNING_FOLDS = 2
WHOLE = len(RUNGS) - 1
SCREENING = 1
"""The last rung of an arm that is paired, and that of arms that are only screened or shown."""


def tune(book: Book, specs: Sequence[StackSpec], always: Collection[StackSpec] = (), last: int = WHOLE) -> Steps[None]:
    """Find the draw for each spec, and screen the specs against each other.

    Rung one: a twelfth of the updates, all rates. Rung two: a fifth of the updates, the two best rates, for the
    better half of the specs and all of `always`. Rung three: half of the updates, for `always`: the same two rates,
    since large rates lead early and fall back, and the better of them with weight decay and with dropout, which a
    shorter run would not show. It is left out with `last=SCREENING`, and for all arms beside a costly incumbent, but
    for one that came there from a smaller network and so has been on it.
    Fills `book.draws` from the longest rung up to `last`.
    """
    yield from _halving(book, specs, always, last)
    for spec in specs:
        book.draws[spec] = _chosen(book, spec, last)


def tune_baselines(book: Book, names: Sequence[str]) -> Steps[None]:
    """The draw for each baseline that is trained by gradient: the same draws on the same rungs, to the last one."""
    yield from _halving(book, names, names, WHOLE)
    for name in names:
        book.baseline_draws[name] = _chosen(book, name, WHOLE)


def screen(book: Book, specs: Sequence[StackSpec]) -> Steps[None]:
    """Bring each of the specs to the rung `SCREENING`, so that `screened` compares like with like."""
    yield from _halving(book, specs, specs, SCREENING)


def _halving(book: Book, arms: Sequence[Arm], always: Collection[Arm], last: int) -> Steps[None]:
    yield from _rung(book, arms, 0)
    ranked = sorted(arms, key=lambda arm: -_best(book, arm, 0)[0])
    kept = [arm for arm in arms if arm in always or arm in ranked[: (len(ranked) + 1) // 2]]
    yield from _rung(book, kept, 1)
    if last == WHOLE and not _left_out(book):
        yield from _rung(book, [arm for arm in kept if arm in always], WHOLE)


def _left_out(book: Book) -> bool:
    """Whether the incumbent does without the last rung: then all that it is held against do."""
    return bool(book.incumbents) and costly(book.incumbent) and longest_rung(book, book.incumbent) < WHOLE


def _draws(book: Book, arm: Arm, rung: int) -> list[Draw]:
    """An arm's draws on a rung, chosen by the one before: the same number for every arm, however many trials two
    rungs share where the cap of updates is low."""
    if rung == 0:
        return list(PLAIN)
    finer = sorted(PLAIN, key=lambda draw: -_score(book, arm, draw, 0))[:KEPT_RATES]
    return finer if rung == 1 else [*finer, *_regularised(book, arm)]


def _regularised(book: Book, arm: Arm) -> list[Draw]:
    """The best draw of the second rung with decay, and with dropout where that changes the arm."""
    decayed, dropped = regularised(_best(book, arm, 1)[1])
    return [decayed, dropped] if _drops(arm, dropped) else [decayed]


def _drops(arm: Arm, draw: Draw) -> bool:
    """Whether the draw's dropout changes the arm: a linear model has no unit to drop, and some drop more already."""
    return arm != "linear" if isinstance(arm, str) else arm.dropout < draw.dropout


def _chosen(book: Book, arm: Arm, last: int) -> Draw:
    return _best(book, arm, longest_rung(book, arm, last))[1]


def longest_rung(book: Book, arm: Arm, last: int = WHOLE) -> int:
    """The longest rung up to `last` on which an arm has all its draws; -1 for none."""
    for rung in range(last + 1):
        if any(t not in book.results for draw in _draws(book, arm, rung) for t in _trials(book, arm, draw, rung)):
            return rung - 1
    return last


def common_rung(book: Book, spec: StackSpec, against: StackSpec, last: int = WHOLE) -> int:
    """The longest rung up to `last` that two arms have reached; -1 for none."""
    return min(longest_rung(book, arm, last) for arm in (spec, against))


def best_score(book: Book, spec: StackSpec, rung: int) -> float:
    """The tune score of an arm's best draw on a rung that it has reached."""
    return _best(book, spec, rung)[0]


def screened(book: Book, spec: StackSpec, against: StackSpec, last: int = WHOLE) -> float:
    """Tune score of `spec` minus that of `against` at the longest rung that both reached, best draw each."""
    rung = common_rung(book, spec, against, last)
    return best_score(book, spec, rung) - best_score(book, against, rung) if rung >= 0 else 0.0


def _rung(book: Book, arms: Sequence[Arm], rung: int) -> Steps[None]:
    yield [t for arm in arms for draw in _draws(book, arm, rung) for t in _trials(book, arm, draw, rung)]


def _trials(book: Book, arm: Arm, draw: Draw, rung: int) -> tuple[Trial, ...]:
    return _planned(book.plan.recipe, book.plan.seed, min(TUNING_FOLDS, book.num_folds), arm, draw, rung)


@lru_cache(maxsize=10_000)
def _planned(whole: Recipe, seed: int, folds: int, arm: Arm, draw: Draw, rung: int) -> tuple[Trial, ...]:
    """A study asks for the same trials at every look: half of the time of its decisions, without the cache."""
    recipe = shortened(draw.put_into(whole), RUNGS[rung])
    spec = BaselineSpec(name=arm) if isinstance(arm, str) else arm
    return tuple(Trial(spec=spec, recipe=recipe, seed=child(seed, "screen", f), fold=f) for f in range(folds))


def shortened(recipe: Recipe, divisor: int) -> Recipe:
    """A recipe with a fraction of the updates and one look, at the end."""
    updates = min(recipe.max_updates, max(SHORTEST, recipe.max_updates // divisor))
    return replace(recipe, max_updates=updates, eval_every=updates)


def _best(book: Book, arm: Arm, rung: int) -> tuple[float, Draw]:
    """The best mean tune score and its draw; of equal ones the smaller rate, and then the plain one."""
    scores = {draw: _score(book, arm, draw, rung) for draw in _draws(book, arm, rung)}
    best = max(scores, key=lambda draw: (scores[draw], -draw.learning_rate, -draw.weight_decay, -draw.dropout))
    return scores[best], best


def _score(book: Book, arm: Arm, draw: Draw, rung: int) -> float:
    results = [book.results[trial] for trial in _trials(book, arm, draw, rung)]
    whole = all(result.status == "finished" for result in results)
    return sum(result.tune for result in results) / len(results) if whole else float("-inf")
