"""Where an incumbent stands: bias, variance, more data, baseline; with the numbers, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.data.identical import input_keys
from leadline.data.sequences import Sequences
from leadline.records.evidence import DataPoint, Diagnosis
from leadline.records.trial import Trial
from leadline.seeds import generator
from leadline.stats.floor import differing, distances, unavoidable_distance, unavoidable_error
from leadline.stats.learning_curve import doubling
from leadline.stats.paired import Estimate
from leadline.study import pairing, verdict
from leadline.study.book import Book
from leadline.study.material import Material
from leadline.study.tuning import Steps

CLOSE = 0.7
CLEAR = 3.0
SHARES = (0.25, 0.5, 1.0)
FEWEST_REPEATS = 200


def on_share(full: Trial, fraction: float) -> Trial:
    """The same trial on a share of the train part: equal updates, so only the data differ."""
    return full.model_copy(update={"fraction": fraction})


def diagnose(book: Book, trials: list[Trial], half: Trial) -> Diagnosis:
    """Read the incumbent's results.

    Losses are `perfect - score`. Variance: the training loss is below `CLOSE` times the dev loss and the gap
    exceeds `CLEAR` margins. Bias: it is not below, and the dev loss exceeds `CLEAR` margins. More data: halving
    the data costs more than the margin, by the interval's lower end. Baseline enough: no margin between the network
    and the best baseline.
    """
    results = [book.results[trial] for trial in trials]
    train, tune, dev = (sum(getattr(r, part) for r in results) / len(results) for part in ("train", "tune", "dev"))
    lost = verdict.difference(book.devs(trials[:1]), book.devs([half]))
    best = book.best_baseline()
    findings = _findings(book, train, dev, lost.interval[0], best.dev)
    return Diagnosis(
        incumbent=book.incumbent.describe(),
        train=train,
        tune=tune,
        dev=dev,
        best_baseline=best.name,
        baseline_dev=best.dev,
        half_data_dev=book.results[half].dev,
        findings=findings,
        words=tuple(_words(book, finding, train, dev, lost.effect, best.dev) for finding in findings),
    )


def learning_curve(book: Book, trials: list[Trial]) -> Steps[None]:
    """The last incumbent on a quarter and on half of the data, trained as long; the diagnosis then speaks by these.

    `more_data` is found where the lower end of the expected gain of doubling lies above the margin.
    """
    shares = {fraction: [on_share(trial, fraction) for trial in trials] for fraction in SHARES}
    yield [trial for fraction in SHARES if fraction < 1 for trial in shares[fraction]]
    arms = pairing.kept(book, *(shares[fraction] for fraction in SHARES))
    points = tuple(_point(book, fraction, arm) for fraction, arm in zip(SHARES, arms, strict=True))
    gain = _doubling(book, arms)
    before = book.diagnosis[-1]
    kept = [(f, w) for f, w in zip(before.findings, before.words, strict=True) if f not in ("more_data", "healthy")]
    if gain.low > book.margin:
        kept.append(("more_data", _doubling_words(gain)))
    if not kept:
        kept.append(("healthy", _words(book, "healthy", before.train, before.dev, 0.0, 0.0)))
    book.diagnosis[-1] = before.model_copy(
        update={
            "findings": tuple(f for f, _ in kept),
            "words": tuple(w for _, w in kept),
            "learning_curve": points,
            "gain_of_doubling": verdict.effect(gain, len(arms[0])),
        }
    )


def explain_the_rest(book: Book) -> str:
    """Where no move pays and a loss remains: is it noise? Only repeated inputs can say so; else no arm helps.

    Returns:
        The finding: "noise_floor", "no_arm_helps", or "healthy" where the loss is small.
    """
    stand = book.diagnosis[-1]
    floor, loss = noise_floor(book.material), book.plan.metric.loss(stand.dev)
    if loss <= CLEAR * book.margin:
        return "healthy"
    found, words = "no_arm_helps", f"No change of the network brings the loss below {loss:.2f}; why is not known."
    if floor is not None and loss - floor < book.margin:
        found = "noise_floor"
        words = f"Equal inputs have different targets: no predictor gets below {floor:.2f}, the network has {loss:.2f}."
    book.diagnosis[-1] = stand.model_copy(
        update={"findings": (*stand.findings, found), "words": (*stand.words, words), "floor": floor}
    )
    return found


def noise_floor(material: Material) -> float | None:
    """Loss that no predictor avoids, from inputs that occur more than once; None where they are too few.

    Measured on train, tune and dev together, where at least half of the targets belong to repeated inputs: the floor
    of rare repeats would say nothing about the rest. Not for next-step data, whose inputs hold their targets.
    """
    data = material.sequences.take(material.fold(0).everything)
    if data.kind == "next_step" or data.targets is None:
        return None
    width = data.lengths if data.per_step else np.ones(len(data), dtype=np.int64)
    starts = np.concatenate([[0], np.cumsum(width)[:-1]])
    place = np.arange(int(width.sum())) - np.repeat(starts, width)
    keys = np.repeat(input_keys(data), width) + place.astype(np.uint64)
    _, codes, counts = np.unique(keys, return_inverse=True, return_counts=True)
    repeated = counts[codes] > 1
    if repeated.sum() < max(FEWEST_REPEATS, 0.5 * len(keys)):
        return None
    return _floor(data, codes[repeated], np.asarray(data.targets)[repeated])


def _floor(data: Sequences, codes: NDArray[np.int64], targets: NDArray[np.generic]) -> float:
    """Mean over targets of the disagreement with another target of the same input, turned into a loss."""
    order = np.argsort(codes, kind="stable")
    blocks = np.split(targets[order], np.flatnonzero(np.diff(codes[order])) + 1)
    if data.classes:
        apart = [differing(block) / (len(block) - 1) for block in blocks]
        return 100 * unavoidable_error(sum(apart) / len(targets), len(data.classes))
    apart = [distances(block) / (len(block) - 1) for block in blocks]
    return unavoidable_distance(sum(apart) / len(targets))


def high_variance(book: Book) -> bool:
    """Whether the incumbent's diagnosis names variance."""
    return bool(book.diagnosis) and "variance" in book.diagnosis[-1].findings


def _findings(book: Book, train: float, dev: float, data_low: float, baseline: float) -> tuple[str, ...]:
    metric, margin = book.plan.metric, book.margin
    train_loss, dev_loss = metric.loss(train), metric.loss(dev)
    found = []
    if train_loss < CLOSE * dev_loss and dev_loss - train_loss > CLEAR * margin:
        found.append("variance")
    elif dev_loss > CLEAR * margin:
        found.append("bias")
    if data_low > margin:
        found.append("more_data")
    if dev - baseline < margin:
        found.append("baseline_enough")
    return tuple(found) or ("healthy",)


def _words(book: Book, finding: str, train: float, dev: float, data_gain: float, baseline: float) -> str:
    metric, unit = book.plan.metric, book.plan.metric.loss_unit
    train_loss, dev_loss = metric.loss(train), metric.loss(dev)
    return {
        "variance": (
            f"The training loss is far below the loss on unseen sequences ({train_loss:.2f} against {dev_loss:.2f} "
            f"{unit}): the network has learned what does not carry over. Regularisation comes first."
        ),
        "bias": (
            f"The training loss ({train_loss:.2f}) is close to the loss on unseen sequences ({dev_loss:.2f} {unit}): "
            "what is missing is missing from the network or its inputs, or it cannot be predicted at all."
        ),
        "more_data": f"Half of the training data, trained as long, is worse by {data_gain:.2f}: more data would help.",
        "baseline_enough": (
            f"The best predictor without recurrence reaches {metric.loss(baseline):.2f} {unit}, the network "
            f"{dev_loss:.2f}: recurrence has not paid so far."
        ),
        "healthy": f"Loss on unseen sequences is {dev_loss:.2f} {unit}, {train_loss:.2f} in training.",
    }[finding]


def _point(book: Book, fraction: float, trials: list[Trial]) -> DataPoint:
    count = len(book.material.train(0, fraction))
    return DataPoint(fraction=fraction, sequences=count, **dict(verdict.mean(book.devs(trials))))


def _doubling(book: Book, shares: list[list[Trial]]) -> Estimate:
    """On one split over seeds and examples; over re-splits each is one example, as their dev parts differ."""
    random = generator(book.plan.seed, "learning curve")
    arms = [book.devs(trials) for trials in shares]
    if book.num_folds > 1:
        sums = [np.array([[dev.score for dev in arm]]) for arm in arms]
        return doubling(sums[0], sums[1], sums[2], np.ones(len(arms[0])), random)
    sums = [np.stack([dev.sums for dev in arm]) for arm in arms]
    return doubling(sums[0], sums[1], sums[2], arms[0][0].weights, random)


def _doubling_words(gain: Estimate) -> str:
    return (
        f"By the learning curve twice the training data would gain about {gain.effect:.2f} "
        f"({gain.low:.2f} to {gain.high:.2f}): more data would help."
    )
