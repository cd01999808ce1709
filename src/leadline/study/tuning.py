"""Learning rates, by successive halving on shortened runs, the same grid for every arm.

Because the averaged weights are evaluated and the learning rate does not decay, a shortened run is the beginning
of the long one. Tuning runs are never evidence: pairs use fresh seeds.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from leadline.records.trial import Trial
from leadline.seeds import child
from leadline.spec import Recipe, StackSpec
from leadline.study.book import RATES, Book
from leadline.study.sizes import costly

T = TypeVar("T")
Steps = Generator[list[Trial], None, T]
Arm = StackSpec | str
"""A network, or the name of a baseline that is trained by gradient."""

RUNGS = (12, 5, 2)
SHORTEST = 100
KEPT_RATES = 2
TUNING_FOLDS = 2


def tune(
    book: Book, specs: Sequence[StackSpec], always: Collection[StackSpec] = (), thorough: bool = True
) -> Steps[None]:
    """Find a learning rate for each spec, and screen the specs against each other.

    Rung one: a twelfth of the updates, all rates. Rung two: a fifth of the updates, the two best rates, for the
    better half of the specs and all of `always`. Rung three: half of the updates, the same two rates, for `always`:
    large rates lead early and fall back. Beside a costly incumbent it is left out for all arms, and unless
    `thorough`: for a picture, not for a decision. Fills `book.rates`.
    """
    yield from _halving(book, specs, always, thorough)
    for spec in specs:
        book.rates[spec] = _rate(book, spec)


def tune_baselines(book: Book, names: Sequence[str]) -> Steps[None]:
    """A learning rate for each baseline that is trained by gradient, on the same grid and the same rungs."""
    yield from _halving(book, names, (), True)
    for name in names:
        book.baseline_rates[name] = _rate(book, name)


def _halving(book: Book, arms: Sequence[Arm], always: Collection[Arm], thorough: bool) -> Steps[None]:
    yield from _rung(book, dict.fromkeys(arms, RATES), 0)
    ranked = sorted(arms, key=lambda arm: -_best(book, arm, RATES, 0)[0])
    kept = [arm for arm in arms if arm in always or arm in ranked[: (len(ranked) + 1) // 2]]
    finer = {arm: _top_rates(book, arm) for arm in kept}
    yield from _rung(book, finer, 1)
    if thorough and not (book.incumbents and costly(book.incumbent)):
        yield from _rung(book, {arm: rates for arm, rates in finer.items() if arm in always or not always}, 2)


def _rate(book: Book, arm: Arm) -> float:
    rung = longest_rung(book, arm)
    return _best(book, arm, _rates_run(book, arm, rung), rung)[1]


def longest_rung(book: Book, spec: Arm) -> int:
    """The longest rung that an arm has reached; -1 for none."""
    return max((rung for rung in range(len(RUNGS)) if _rates_run(book, spec, rung)), default=-1)


def screened(book: Book, spec: StackSpec, against: StackSpec) -> float:
    """Tune score of `spec` minus that of `against` at the longest rung that both reached, best rate each."""
    for rung in reversed(range(len(RUNGS))):
        if all(_rates_run(book, s, rung) for s in (spec, against)):
            scores = [_best(book, s, _rates_run(book, s, rung), rung)[0] for s in (spec, against)]
            return scores[0] - scores[1]
    return 0.0


def _rung(book: Book, rates: Mapping[Arm, Sequence[float]], rung: int) -> Steps[None]:
    yield [trial for spec, grid in rates.items() for rate in grid for trial in _trials(book, spec, rate, rung)]


def _trials(book: Book, arm: Arm, rate: float, rung: int) -> list[Trial]:
    recipe = shortened(replace(book.plan.recipe, learning_rate=rate), RUNGS[rung])
    if isinstance(arm, str):
        return [book.baseline_trial(arm).model_copy(update={"recipe": recipe})]
    folds = range(min(TUNING_FOLDS, book.num_folds))
    return [Trial(spec=arm, recipe=recipe, seed=child(book.plan.seed, "screen", f), fold=f) for f in folds]


def shortened(recipe: Recipe, divisor: int) -> Recipe:
    """A recipe with a fraction of the updates and one look, at the end."""
    updates = min(recipe.max_updates, max(SHORTEST, recipe.max_updates // divisor))
    return replace(recipe, max_updates=updates, eval_every=updates)


def _rates_run(book: Book, spec: Arm, rung: int) -> list[float]:
    return [rate for rate in RATES if all(t in book.results for t in _trials(book, spec, rate, rung))]


def _best(book: Book, spec: Arm, rates: Sequence[float], rung: int) -> tuple[float, float]:
    """The best mean tune score and its rate; of equal ones the smaller rate."""
    scored = []
    for rate in rates:
        results = [book.results[trial] for trial in _trials(book, spec, rate, rung)]
        whole = all(result.status == "finished" for result in results)
        score = sum(result.tune for result in results) / len(results) if whole else float("-inf")
        scored.append((score, -rate))
    score, negative = max(scored)
    return score, -negative


def _top_rates(book: Book, spec: Arm) -> list[float]:
    return sorted(RATES, key=lambda rate: -_best(book, spec, [rate], 0)[0])[:KEPT_RATES]
