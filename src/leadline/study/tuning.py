"""Learning rates, by successive halving on shortened runs, the same grid for every arm.

Because the averaged weights are evaluated and the learning rate does not decay, a shortened run is the beginning
of the long one. Tuning runs are never evidence: pairs use fresh seeds.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from leadline.records import Trial
from leadline.seeds import child
from leadline.spec import Recipe, StackSpec
from leadline.study.book import RATES, Book

T = TypeVar("T")
Steps = Generator[list[Trial], None, T]

RUNGS = (12, 5)
SHORTEST = 100
KEPT_RATES = 2
TUNING_FOLDS = 2


def tune(book: Book, specs: Sequence[StackSpec], always: Collection[StackSpec] = ()) -> Steps[None]:
    """Find a learning rate for each spec, and screen the specs against each other.

    Rung one: a twelfth of the updates, all rates. Rung two: a fifth of the updates, the two best rates, for the
    better half of the specs and all of `always`. Fills `book.rates`.
    """
    yield from _rung(book, dict.fromkeys(specs, RATES), 0)
    ranked = sorted(specs, key=lambda s: -_best(book, s, RATES, 0)[0])
    kept = [s for s in specs if s in always or s in ranked[: (len(ranked) + 1) // 2]]
    finer = {spec: _top_rates(book, spec) for spec in kept}
    yield from _rung(book, finer, 1)
    for spec in specs:
        rung = longest_rung(book, spec)
        book.rates[spec] = _best(book, spec, _rates_run(book, spec, rung), rung)[1]


def tune_baselines(book: Book, names: Sequence[str]) -> Steps[None]:
    """A learning rate for each baseline that is trained by gradient, from the first rung's runs on the same grid."""
    planned = {(name, rate): _baseline_trial(book, name, rate) for name in names for rate in RATES}
    yield list(planned.values())
    for name in names:
        scores = {rate: book.results[planned[name, rate]].tune for rate in RATES}
        book.baseline_rates[name] = max(scores, key=scores.__getitem__)


def _baseline_trial(book: Book, name: str, rate: float) -> Trial:
    trial = book.baseline_trial(name)
    return trial.model_copy(update={"recipe": shortened(replace(book.plan.recipe, learning_rate=rate), RUNGS[0])})


def longest_rung(book: Book, spec: StackSpec) -> int:
    """The longest rung that a spec has reached; -1 for none."""
    return max((rung for rung in range(len(RUNGS)) if _rates_run(book, spec, rung)), default=-1)


def screened(book: Book, spec: StackSpec, against: StackSpec) -> float:
    """Tune score of `spec` minus that of `against` at the longest rung that both reached, best rate each."""
    for rung in reversed(range(len(RUNGS))):
        if all(_rates_run(book, s, rung) for s in (spec, against)):
            scores = [_best(book, s, _rates_run(book, s, rung), rung)[0] for s in (spec, against)]
            return scores[0] - scores[1]
    return 0.0


def _rung(book: Book, rates: Mapping[StackSpec, Sequence[float]], rung: int) -> Steps[None]:
    yield [trial for spec, grid in rates.items() for rate in grid for trial in _trials(book, spec, rate, rung)]


def _trials(book: Book, spec: StackSpec, rate: float, rung: int) -> list[Trial]:
    recipe = shortened(replace(book.plan.recipe, learning_rate=rate), RUNGS[rung])
    folds = range(min(TUNING_FOLDS, book.num_folds))
    return [Trial(spec=spec, recipe=recipe, seed=child(book.plan.seed, "screen", f), fold=f) for f in folds]


def shortened(recipe: Recipe, divisor: int) -> Recipe:
    """A recipe with a fraction of the updates and one look, at the end."""
    updates = min(recipe.max_updates, max(SHORTEST, recipe.max_updates // divisor))
    return replace(recipe, max_updates=updates, eval_every=updates)


def _rates_run(book: Book, spec: StackSpec, rung: int) -> list[float]:
    return [rate for rate in RATES if all(t in book.results for t in _trials(book, spec, rate, rung))]


def _best(book: Book, spec: StackSpec, rates: Sequence[float], rung: int) -> tuple[float, float]:
    """The best mean tune score and its rate; of equal ones the smaller rate."""
    scored = []
    for rate in rates:
        results = [book.results[trial] for trial in _trials(book, spec, rate, rung)]
        whole = all(result.status == "finished" for result in results)
        score = sum(result.tune for result in results) / len(results) if whole else float("-inf")
        scored.append((score, -rate))
    score, negative = max(scored)
    return score, -negative


def _top_rates(book: Book, spec: StackSpec) -> list[float]:
    return sorted(RATES, key=lambda rate: -_best(book, spec, [rate], 0)[0])[:KEPT_RATES]
