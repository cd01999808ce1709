"""How often a whole study says something false, or advises worse than it says: simulated scores, nothing trained.

    python benchmarks/whole_studies.py [--studies 200] [--seed 0] [--words 2000]

Every study is played to its end in a world of its own: what depth, size, direction, look-ahead, cell, readout, dropout
and data are worth is drawn from nothing to three margins, and a training adds noise of its own, of the examples, and
of examples times networks. A study errs where any settled word of its sheet is false of the true effect.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable

import numpy as np
from calibration import table, upper
from simulated import World, play, state_for

from leadline.data.datasets.letters import letters
from leadline.plan.arms import Arm
from leadline.records.answers import SETTLED, Word
from leadline.records.trial import BaselineSpec
from leadline.search import finals, race
from leadline.search.state import State
from leadline.spec import StackSpec
from leadline.study.assemble import latest

TRUE: dict[Word, Callable[[float, float], bool]] = {
    "yes": lambda effect, margin: effect > margin,
    "a_little": lambda effect, margin: 0 < effect < margin,
    "at_least_a_little": lambda effect, margin: effect > 0,
    "no": lambda effect, margin: effect < margin,
    "worse": lambda effect, margin: effect < 0,
}
SIZES = np.array([0.0, 0.0, 0.2, 0.5, 0.9, 1.1, 2.0, 3.0])
"""Effects in margins. Those just below and above the margin are the hardest to tell apart."""


def world(random: np.random.Generator, margin: float) -> World:
    """A world with effects of its own."""
    names = ("deep", "third", "both", "window", "lstm", "mlp", "doubling")
    worth = {name: float(random.choice(SIZES) * random.choice([1, 1, -1])) * margin for name in names}
    worth["doubling"] = abs(worth["doubling"]) / 2
    dropped, starved = float(random.choice(SIZES)) * margin, float(random.choice(SIZES)) * margin

    def truth(spec: StackSpec) -> float:
        value = 70 + worth["doubling"] * np.log2(spec.num_parameters / 19_000)
        value += worth["deep"] * (spec.num_layers > 1) + worth["third"] * (spec.num_layers > 2)
        value += worth["both"] * spec.bidirectional + worth["window"] * (spec.look_ahead > 0)
        value += worth["lstm"] * (spec.cell == "lstm") + worth["mlp"] * (spec.readout == "mlp")
        return float(value - dropped * (spec.dropout >= 0.25))

    def lost(fraction: float) -> float:
        return starved * (fraction**-0.5 - 1)

    baseline = 70 + float(random.choice([-10, -3, 0, 1])) * margin
    return World(truth, baseline, 10.0, training=0.25, starved=lost)


def true_mean(state: State, world: World, name: str, fraction: float | None = None) -> float:
    """The true score of an arm, trained at the rate that was tuned for it."""
    arm: Arm = state.arms[name]
    if isinstance(arm.spec, BaselineSpec):
        return world.baseline
    share = arm.fraction if fraction is None else fraction
    return world.truth(arm.spec) - world.rate_cost(state.recipe(arm.spec)) - world.starved(share)


def false_words(state: State, world: World) -> list[str]:
    """Settled words that are false."""
    judged = latest(state)
    if judged is None:
        return []
    found = []
    for _, question, told in race.told(state, judged):
        if told.word not in SETTLED:
            continue
        if question.name == "more_data":
            effect = true_mean(state, world, question.of, 2.0) - true_mean(state, world, question.of)
        else:
            effect = true_mean(state, world, question.of) - true_mean(state, world, question.against)
        if not TRUE[told.word](effect, state.margin):
            found.append(f"{question.name}: {told.word}, truly {effect / state.margin:.2f} margins")
    return found


def false_advice(state: State, world: World) -> bool:
    """Whether an arm that raced is further ahead of the advised one than the study says."""
    judged = latest(state)
    standing = race.stand(state, judged) if judged is not None else None
    if standing is None:
        return False
    raced = [arm.id for arm in state.arms.values() if arm.eligible and finals.mean(state, arm) is not None]
    best = max(true_mean(state, world, name) for name in raced)
    return best - true_mean(state, world, standing.arm) > standing.at_most + 1e-9


def main() -> None:
    """Play, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--words", type=int, default=2000)
    given = parser.parse_args()
    data = letters(given.words)
    wrong, advice, settled, trainings, about = 0, 0, 0, [], Counter[str]()
    for number in range(given.studies):
        state = state_for(data, seed=given.seed + number)
        played = world(np.random.default_rng([given.seed, number]), margin=0.9)
        play(state, played)
        false = false_words(state, played)
        wrong, advice = wrong + bool(false), advice + false_advice(state, played)
        settled += state.log[-1].reason == "settled"
        trainings.append(sum(trial.role == "race" for trial in state.results))
        about.update(false)
        if false:
            print(f"study {number}: {'; '.join(false)}", flush=True)
    count = given.studies
    shown = [
        ["studies with a false settled word", f"{100 * wrong / count:.1f} %", f"{100 * upper(wrong, count):.1f} %"],
        ["advice further behind than said", f"{100 * advice / count:.1f} %", f"{100 * upper(advice, count):.1f} %"],
        ["sheet settled", f"{100 * settled / count:.0f} %", ""],
        ["trainings in the race, median", f"{np.median(trainings):.0f}", ""],
    ]
    print(table(["of " + str(count), "", "upper 95 % bound"], shown))


if __name__ == "__main__":
    main()
