"""How often the decision rule errs, and how many pairs it takes: scores in, decisions out, nothing is trained.

    python benchmarks/calibration.py cells            false claims of one comparison, by kind of noise
    python benchmarks/calibration.py study            any false step in a study of 8 moves at 4 incumbents
    python benchmarks/calibration.py pairs            pairs to a decision, beside a t-test of fixed size
    python benchmarks/calibration.py replay RUNS.tsv.gz    published runs: depth, and A/A

`--studies` sets the number of simulated studies a cell, `--seed` their stream. Each prints a table in Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import beta, nct, t

from leadline.stats import paired, rule, tails
from leadline.stats.collapse import collapsed
from leadline.stats.paired import Evidence
from leadline.stats.rule import Design
from leadline.study import verdict

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

BLOCKS = verdict.design(0, "upward", 4).looks
EVERY_PAIR = tuple(range(2, 51))
EXAMPLES = (200, 1000, 5000)
EXAMPLE_NOISE = 0.65 * 1000**0.5
BOTH_NOISE = 0.5 * 1000**0.5
COLLAPSE = 20.0
MARGIN = 2.0
RHO = 2 / 9


def _lognormal(random: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return (np.exp(random.standard_normal(shape)) - np.exp(0.5)) / ((np.e - 1) * np.e) ** 0.5


SEEDS: dict[str, Draw] = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "uniform": lambda random, shape: (random.random(shape) - 0.5) * 12**0.5,
    "tied (rounded to 1 sd)": lambda random, shape: np.round(random.standard_normal(shape)),
    "t, 3 degrees": lambda random, shape: random.standard_t(3, shape) / 3**0.5,
    "exponential, tail up": lambda random, shape: random.standard_exponential(shape) - 1,
    "exponential, tail down": lambda random, shape: 1 - random.standard_exponential(shape),
    "lognormal, tail up": _lognormal,
    "lognormal, tail down": lambda random, shape: -_lognormal(random, shape),
}


def crossed_studies(random: np.random.Generator, seeds: Floats, examples: int) -> Iterator[tuple[int, Evidence]]:
    """(pairs, evidence) of many studies after each number of pairs, as `paired.crossed` would give it.

    Normal noise of examples and of seeds times examples enters `crossed` by its mean and by inner products of the
    residuals alone, and these are Wishart: drawn so, 5,000 examples cost as much as 200. Seeds' noise is given.
    """
    count, pairs = seeds.shape
    means = random.standard_normal((count, pairs + 1)) / examples**0.5
    effects = seeds + EXAMPLE_NOISE * means[:, :1] + BOTH_NOISE * means[:, 1:]
    factor = np.tril(random.standard_normal((count, pairs + 1, pairs + 1)), -1)
    places = np.arange(pairs + 1)
    factor[:, places, places] = random.chisquare(examples - 1 - places, (count, pairs + 1)) ** 0.5
    factor *= np.array([EXAMPLE_NOISE, *[BOTH_NOISE] * pairs])[:, None]
    scale = 1 / (examples - 1) / examples
    for n in range(2, pairs + 1):
        own = factor[:, 1 : n + 1]
        centre = own.mean(1)
        both = scale * ((factor[:, 0] + centre) ** 2).sum(-1)
        least = scale * ((own - centre[:, None]) ** 2).sum((1, 2)) / (n - 1)
        yield n, Evidence(effects[:, :n], np.maximum(both - least / n, 0.0), least, examples - 1)


def seeds_alone(seeds: Floats, ratio: float = 0.0) -> Iterator[tuple[int, Evidence]]:
    """(pairs, evidence) where the score of a pair is all there is."""
    for n in range(2, seeds.shape[1] + 1):
        yield n, paired.resplit(seeds[:, :n], ratio)


def decided(
    evidence: Iterator[tuple[int, Evidence]], design: Design, margin: float, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(count,) pairs at which `better`, and `not_worth_it`, were claimed; 0 for never. The first claim ends it."""
    better, worse = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for n, found in evidence:
        if n in design.looks:
            claims = rule.claims(found, margin, design)
            free = (better == 0) & (worse == 0)
            better[free & claims.better] = n
            worse[free & claims.not_worth_it & ~claims.better] = n
    return better, worse


def upper(errors: int, count: int, level: float = 0.95) -> float:
    """Clopper and Pearson's (1934) one-sided upper bound of a rate."""
    return 1.0 if errors == count else float(beta.ppf(level, errors + 1, count - errors))


def rate(flags: NDArray[np.bool_]) -> str:
    errors = int(flags.sum())
    return f"{100 * errors / len(flags):.1f} ({100 * upper(errors, len(flags)):.1f})"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cells(studies: int, seed: int, only: str = "") -> None:
    """False claims of one comparison that has all of alpha = 5 %, in per cent (with the upper bound at 95 %)."""
    head = ["differences", "examples", "looks", "`better` at m", "`better` at 0", "`not worth it` at m", "at m + 1 sd"]
    rows = [
        [name, str(examples or "none"), "3, 6, ... 24", *_cell(draw, examples, BLOCKS, studies, seed)]
        for name, draw in SEEDS.items()
        if only in name
        for examples in (*EXAMPLES, None)
    ]
    if only:
        print(table(head, rows))
        return
    for name in ("normal", "exponential, tail down"):
        for examples in (1000, None):
            found = _cell(SEEDS[name], examples, EVERY_PAIR, studies, seed)
            rows.append([name, str(examples or "none"), "2, 3, ... 50", *found])
    rows.append(["one collapse in ten", "none", "3, 6, ... 24", *_collapsing(studies, seed, counted=True)])
    rows.append(["the same, not recognised", "none", "3, 6, ... 24", *_collapsing(studies, seed, counted=False)])
    rows.append(["re-splits, rho = 2/9", "-", "3, 6, 10", *_resplits(studies, seed)])
    print(table(head, rows))


def _cell(draw: Draw, examples: int | None, looks: tuple[int, ...], studies: int, seed: int) -> list[str]:
    def claims(effect: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        random = np.random.default_rng(seed)
        seeds = effect + draw(random, (studies, looks[-1]))
        evidence = crossed_studies(random, seeds, examples) if examples else seeds_alone(seeds)
        return decided(evidence, Design(looks, verdict.ALPHA), MARGIN, studies)

    return _errors(claims)


def _errors(claims: Callable[[float], tuple[NDArray[np.int64], NDArray[np.int64]]]) -> list[str]:
    at_margin, at_zero, above = claims(MARGIN), claims(0.0), claims(MARGIN + 1)
    return [rate(at_margin[0] > 0), rate(at_zero[0] > 0), rate(at_margin[1] > 0), rate(above[1] > 0)]


def _resplits(studies: int, seed: int) -> list[str]:
    looks = verdict.design(0, "upward", 4, folds=10).looks

    def claims(effect: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        random = np.random.default_rng(seed)
        shared, own = random.standard_normal((studies, 1)), random.standard_normal((studies, looks[-1]))
        draws = effect + RHO**0.5 * shared + (1 - RHO) ** 0.5 * own
        return decided(seeds_alone(draws, RHO / (1 - RHO)), Design(looks, verdict.ALPHA), MARGIN, studies)

    return _errors(claims)


def _collapsing(studies: int, seed: int, counted: bool) -> list[str]:
    """The candidate's run collapses in one pair of ten; the effect is that of runs that trained.

    Where the collapse is not recognised, the effect is the mean over all runs.
    """

    def claims(effect: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        random = np.random.default_rng(seed)
        own = random.standard_normal((studies, BLOCKS[-1]))
        fails = random.random(own.shape) < 0.1
        runs = effect + (0.0 if counted else 0.1 * COLLAPSE) + own - COLLAPSE * fails
        better, worse = np.zeros(studies, dtype=np.int64), np.zeros(studies, dtype=np.int64)
        for look in BLOCKS:
            lost = collapsed(runs[:, :look], MARGIN) if counted else np.zeros((studies, look), dtype=bool)
            for number in np.unique(lost.sum(1)):
                mine = np.flatnonzero((lost.sum(1) == number) & (better == 0) & (worse == 0))
                if look - number < 2 or number > look / 3 or not len(mine):
                    continue
                kept = runs[mine, :look][~lost[mine]].reshape(len(mine), look - number)
                claim = rule.claims(paired.resplit(kept, 0.0), MARGIN, Design(BLOCKS, verdict.ALPHA), look)
                better[mine[claim.better]] = look
                worse[mine[claim.not_worth_it & ~claim.better]] = look
        return better, worse

    return _errors(claims)


def study(studies: int, seed: int) -> None:
    """Any false step or refusal, in per cent (upper bound), of whole studies: 8 moves at each of 4 incumbents."""
    worlds = {
        "no move pays, all exactly at m": np.full(8, MARGIN),
        "one pays (m + 2 sd), seven exactly at m": np.array([MARGIN + 2, *[MARGIN] * 7]),
        "one pays (m + 1 sd), seven exactly at m": np.array([MARGIN + 1, *[MARGIN] * 7]),
        "one pays (m + 2 sd), seven are worth 0": np.array([MARGIN + 2, *[0.0] * 7]),
    }
    head = ["true effects at each incumbent", "false step", "any false `better`", "any false refusal", "steps", "pairs"]
    rows = []
    for name, effects in worlds.items():
        taken, claimed, refused, steps, spent = _climbs(effects, studies, seed)
        averages = [f"{steps.mean():.1f}", f"{spent.mean():.0f}"]
        rows.append([name, rate(taken), rate(claimed), rate(refused), *averages])
    print(table(head, rows))


def _climbs(effects: Floats, studies: int, seed: int) -> tuple[NDArray[np.bool_], ...]:
    """The move with the largest lower bound (here: effect) among the better ones is taken, at most four times."""
    random = np.random.default_rng(seed)
    false_step, false_better, false_refusal = (np.zeros(studies, dtype=bool) for _ in range(3))
    steps, spent, climbing = np.zeros(studies), np.zeros(studies), np.arange(studies)
    for incumbent in range(4):
        design = verdict.design(incumbent, "upward", len(effects))
        runs = random.standard_normal((len(climbing), 1, BLOCKS[-1]))
        seeds = (random.standard_normal((len(climbing), len(effects), BLOCKS[-1])) + runs) / 2**0.5
        flat = (effects[:, None] + seeds).reshape(-1, BLOCKS[-1])
        better, worse, value = _stage(crossed_studies(random, flat, 1000), design, (len(climbing), len(effects)))
        spent[climbing] += np.where(better | worse, 0, 1).any(1) * BLOCKS[-1]
        false_better[climbing] |= (better & (effects <= MARGIN)).any(1)
        false_refusal[climbing] |= (worse & (effects >= MARGIN)).any(1)
        best = np.where(better, value, -np.inf).argmax(1)
        moved = better.any(1)
        false_step[climbing] |= moved & (effects[best] <= MARGIN)
        steps[climbing] += moved
        climbing = climbing[moved]
        if not len(climbing):
            break
    return false_step, false_better, false_refusal, steps, spent


def _stage(
    evidence: Iterator[tuple[int, Evidence]], design: Design, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]:
    """(studies, moves) what is claimed when the stage ends: at the first look with a better move, or at the last."""
    better, worse, value = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool), np.zeros(shape)
    for n, found in evidence:
        if n not in design.looks:
            continue
        claims = rule.claims(found, MARGIN, design)
        going = ~better.any(1)[:, None] & ~worse
        value = np.where(going, found.effect.reshape(shape), value)
        better, worse = (
            better | (going & claims.better.reshape(shape)),
            worse | (going & claims.not_worth_it.reshape(shape)),
        )
    return better, worse, value


def pairs(studies: int, seed: int) -> None:
    """Pairs to a right decision, for effects away from the margin: median, 80th percentile, share decided by 24."""
    head = ["effect - m", "examples", "alpha", "median", "80th", "decided by 24", "fixed t-test", "e-value, median"]
    rows = []
    for alpha in (0.05, verdict.design(0, "upward", 4).alpha):
        for examples in (None, 1000):
            for effect in (0.5, 1.0, 2.0, 4.0):
                random = np.random.default_rng(seed)
                draws = effect + random.standard_normal((studies, BLOCKS[-1]))
                evidence = crossed_studies(random, draws, examples) if examples else seeds_alone(draws)
                found, _ = decided(evidence, Design(BLOCKS, alpha), 0.0, studies)
                sizes = np.where(found > 0, found, 10**6)
                fixed = fixed_pairs(effect, alpha) if examples is None else _fixed(effect, alpha, examples, seed)
                shown = [_size(np.quantile(sizes, q, method="higher")) for q in (0.5, 0.8)]
                other = _size(np.median(_mixture(draws, alpha))) if examples is None else "-"
                share = f"{100 * (found > 0).mean():.0f} %"
                line = [f"{effect:g} sd", str(examples or "none"), f"{alpha:.4g}", *shown, share, _size(fixed), other]
                rows.append(line)
    print(table(head, rows))


def _size(number: float) -> str:
    return f"{number:.0f}" if number < 400 else "over 24" if number > 10**5 else "over 400"


def fixed_pairs(effect: float, alpha: float, power: float = 0.8) -> int:
    """Pairs of a one-sided paired t-test of fixed size, for an effect in standard deviations of a difference."""
    for n in range(2, 10_000):
        if nct.sf(t.isf(alpha, n - 1), n - 1, effect * n**0.5) >= power:
            return n
    raise ValueError(f"an effect of {effect} needs more than 10,000 pairs")


def _fixed(effect: float, alpha: float, examples: int, seed: int, studies: int = 4000) -> float:
    """Pairs of one look, planned, at the same distance (seeds and examples) with 80 % power; 500 for none below 400."""
    shared, own = EXAMPLE_NOISE**2 / examples, 1 + BOTH_NOISE**2 / examples
    for n in (*range(2, 40), *range(40, 400, 10)):
        random = np.random.default_rng(seed)
        centre = effect + random.standard_normal(studies) * (shared + own / n) ** 0.5
        spread = own * random.chisquare(n - 1, studies) / (n - 1)
        square = np.where(np.arange(n) % 2, 1.0, -1.0)
        square = (square - square.mean()) / square.std(ddof=1)
        effects = centre[:, None] + spread[:, None] ** 0.5 * square
        found = Evidence(effects, np.full(studies, shared), np.zeros(studies))
        if (tails.exceedance(found.effect, found) <= alpha).mean() >= 0.8:
            return float(n)
    return 500.0


def _mixture(draws: Floats, alpha: float, prior: float = 1.0) -> Floats:
    """Pairs at which the t-mixture e-value of Wang and Ramdas (2023) passes 1/(2 alpha) with a mean above 0."""
    done = np.full(len(draws), 1e6)
    for n in range(2, draws.shape[1] + 1):
        mean, square = draws[:, :n].mean(1), ((draws[:, :n] - draws[:, :n].mean(1, keepdims=True)) ** 2).sum(1)
        v = 1 / n
        value = 0.5 * np.log(v / (v + prior)) + n / 2 * np.log(
            (square + mean**2 / v) / (square + mean**2 / (v + prior))
        )
        done[(done == 1e6) & (mean > 0) & (value >= -np.log(2 * alpha))] = n
    return done


CONFIGURATION = ["Setting", "Embeddings", "Decoder", "Dropout", "DropoutType", "VariationalDropoutType", "Optimizer"]
TASKS = {"conll2000_chunking.pkl": "chunking", "tempeval3.pkl": "events"}
REPLAY_MARGIN = 0.1
AA_STUDIES = 4000


def replay(runs: Path, seed: int) -> None:
    """Published runs: a pair is two layers minus one in one configuration; A/A: two runs of the same arm."""
    frame = pl.read_csv(runs, separator="\t").with_columns((100 * pl.col("Test_F1")).alias("score"))
    random = np.random.default_rng(seed)
    head = ["task", "looks", "two layers better", "not better by 0.1", "worse (below 0)", "undecided", "median runs"]
    rows = [
        [task, f"to {looks[-1]}", *_depth(frame.filter(pl.col("Dataset") == dataset), looks, random)]
        for dataset, task in TASKS.items()
        for looks in (BLOCKS, EVERY_PAIR)
    ]
    print(table(head, rows))
    print()
    head = ["task", "looks", "studies", "false claims, either way, % (upper bound)"]
    rows = [
        [task, f"to {looks[-1]}", str(AA_STUDIES), rate(_same_arm(frame.filter(pl.col("Dataset") == d), looks, random))]
        for d, task in TASKS.items()
        for looks in (BLOCKS, EVERY_PAIR)
    ]
    print(table(head, rows))


def _depth(part: pl.DataFrame, looks: tuple[int, ...], random: np.random.Generator, studies: int = 1000) -> list[str]:
    """Each study draws configurations without repeating one, and of each a run with one and a run with two layers."""
    arms = [_by_configuration(part, layers) for layers in (1, 2)]
    shared = sorted(set(arms[0]) & set(arms[1]))
    scores = np.empty((2, studies, looks[-1]))
    for i in range(studies):
        chosen = random.choice(len(shared), looks[-1], replace=False)
        for arm in (0, 1):
            scores[arm, i] = [random.choice(arms[arm][shared[c]]) for c in chosen]
    up, down = _on_runs(scores, looks, REPLAY_MARGIN, verdict.ALPHA)
    _, wrong = _on_runs(scores, looks, 0.0, verdict.ALPHA)
    open_ = (up == 0) & (down == 0)
    counts = np.where(open_, looks[-1], up + down)
    return [_share(up > 0), _share(down > 0), _share(wrong > 0), _share(open_), f"{2 * np.median(counts):.0f}"]


def _same_arm(part: pl.DataFrame, looks: tuple[int, ...], random: np.random.Generator) -> NDArray[np.bool_]:
    """Both arms are runs of one configuration with the same number of layers; alpha is 2.5 % to each side."""
    pools = [v for layers in (1, 2, 3) for v in _by_configuration(part, layers).values() if len(v) > 1]
    scores = np.empty((2, AA_STUDIES, looks[-1]))
    for i in range(AA_STUDIES):
        for p, pool in enumerate(random.choice(len(pools), looks[-1], replace=False)):
            scores[:, i, p] = random.choice(pools[pool], 2, replace=False)
    up, down = _on_runs(scores, looks, 0.0, verdict.ALPHA / 2)
    return np.asarray((up > 0) | (down > 0))


def _by_configuration(part: pl.DataFrame, layers: int) -> dict[tuple[str, ...], list[float]]:
    rows = part.filter(pl.col("LSTM-Layers") == layers).group_by(CONFIGURATION, maintain_order=True).agg("score")
    return {tuple(map(str, row[:-1])): row[-1] for row in rows.iter_rows()}


def _on_runs(
    scores: Floats, looks: tuple[int, ...], margin: float, alpha: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rule on (arm, study, pair) scores, collapsed runs apart."""
    studies = scores.shape[1]
    better, worse = np.zeros(studies, dtype=np.int64), np.zeros(studies, dtype=np.int64)
    effects = scores[1] - scores[0]
    for look in looks:
        lost = collapsed(scores[:, :, :look], max(margin, REPLAY_MARGIN)).any(0)
        for number in np.unique(lost.sum(1)):
            mine = np.flatnonzero((lost.sum(1) == number) & (better == 0) & (worse == 0))
            if look - number < 2 or not len(mine):
                continue
            kept = effects[mine, :look][~lost[mine]].reshape(len(mine), look - number)
            claim = rule.claims(paired.resplit(kept, 0.0), margin, Design(looks, alpha), look)
            better[mine[claim.better]] = look
            worse[mine[claim.not_worth_it & ~claim.better]] = look
    return better, worse


def _share(flags: NDArray[np.bool_]) -> str:
    return f"{100 * flags.mean():.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("cells", "study", "pairs", "replay"))
    parser.add_argument("runs", nargs="?", type=Path, help="runs_chunking_events.tsv.gz, for replay")
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="for cells: the kind of seed differences, for instance tied")
    asked = parser.parse_args()
    if asked.part == "replay":
        if asked.runs is None:
            parser.error("replay needs the file of runs")
        replay(asked.runs, asked.seed)
    elif asked.part == "cells":
        cells(asked.studies, asked.seed, asked.only)
    else:
        {"study": study, "pairs": pairs}[asked.part](asked.studies, asked.seed)


if __name__ == "__main__":
    main()
