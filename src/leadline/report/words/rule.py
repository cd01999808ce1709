"""How it was decided: the rule in a few sentences, its numbers, and a glossary."""

from __future__ import annotations

from leadline.records.verdict import Verdict
from leadline.report import figures
from leadline.report.words import sheet


def rule(verdict: Verdict) -> tuple[str, ...]:
    """The rule."""
    margin = figures.margin_text(figures.scale(verdict), verdict.margin)
    looks = ", ".join(map(str, verdict.policy.looks))
    level, sure = verdict.policy.row_level, 1 - verdict.policy.alpha
    return (
        "A map of networks, trained short, chose where to look. There all arms raced: a block trains each of them "
        "once, on another fold of the development data, so that after all folds every development sequence has been "
        "judged.",
        f"Questions were written down before the first block, and looked at after blocks {looks}. A range holds its "
        f"question's true effect at all looks with {figures.percent(level)}. A word counts as settled only where the "
        f"ranges of all questions hold at once, with {figures.percent(sure)}.",
        f"An effect has to be worth its cost: the margin is {margin}.",
    )


def glossary() -> tuple[str, ...]:
    """Ten words."""
    terms = {
        "arm": "a network, or a baseline, that raced",
        "baseline": "a predictor without recurrence",
        "block": "one training of every arm that is still in the race, on one fold",
        "both ways": "every layer reads the sequence from both ends",
        "depth": "the number of recurrent layers",
        "dev, test": "dev decides; test is scored at the end",
        "look-ahead": "how many next steps a network sees beside its own",
        "margin": "the smallest effect that is worth its cost",
        "range": "95 % sure to hold the true effect, looks included",
        "twin": "a network of the same size with one layer",
    }
    return tuple(f"{term}: {meaning}." for term, meaning in terms.items())


def words(verdict: Verdict) -> tuple[str, ...]:
    """What the words mean that this sheet uses."""
    used = dict.fromkeys(answer.word for answer in verdict.answers)
    return tuple(f"{sheet.WORDS[word]}: {sheet.MEANINGS[word]}." for word in used)


def run_facts(verdict: Verdict) -> dict[str, str]:
    """What is needed to run it again."""
    budget = verdict.budget
    return {
        "Data": f"{verdict.data.name}, fingerprint {verdict.data.fingerprint}",
        "Seed": str(verdict.seed),
        "Seed of the parts": str(verdict.split_seed),
        "Budget": "no limit" if budget.minutes is None else figures.duration(budget.minutes * 60),
        "Spent": f"{figures.duration(budget.seconds)} on {figures.plural(budget.jobs, 'worker')}",
        "Trainings": f"{figures.count(budget.trials)}, of them {figures.count(budget.trainings)} in the race",
        "Folds": str(verdict.data.folds),
        "Sequences": ", ".join(f"{name} {figures.count(count)}" for name, count in verdict.data.parts.items()),
        **{f"Version of {name}": value for name, value in verdict.versions.items()},
    }
