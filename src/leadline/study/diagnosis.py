"""Where an incumbent stands: bias, variance, more data, baseline; with the numbers, in words."""

from __future__ import annotations

from leadline.records import Diagnosis, Trial
from leadline.study.book import Book

CLOSE = 0.7
CLEAR = 3.0


def half_data_trial(book: Book, full: Trial) -> Trial:
    """The same trial on half of the train part: equal updates, so only the data differ."""
    return full.model_copy(update={"fraction": 0.5})


def diagnose(book: Book, trials: list[Trial], half: Trial) -> Diagnosis:
    """Read the incumbent's results.

    Losses are `perfect - score`. Variance: the training loss is below `CLOSE` times the dev loss and the gap
    exceeds `CLEAR` margins. Bias: it is not below, and the dev loss exceeds `CLEAR` margins. More data: halving
    the data costs more than the margin. Baseline enough: no margin between the network and the best baseline.
    """
    results = [book.results[trial] for trial in trials]
    train, tune, dev = (sum(getattr(r, part) for r in results) / len(results) for part in ("train", "tune", "dev"))
    halved = book.results[half].dev
    paired_dev = book.results[trials[0]].dev
    best = book.best_baseline()
    findings = _findings(book, train, dev, paired_dev - halved, best.dev)
    return Diagnosis(
        incumbent=book.incumbent.describe(),
        train=train,
        tune=tune,
        dev=dev,
        best_baseline=best.name,
        baseline_dev=best.dev,
        half_data_dev=halved,
        findings=findings,
        words=tuple(_words(book, finding, train, dev, paired_dev - halved, best.dev) for finding in findings),
    )


def high_variance(book: Book) -> bool:
    """Whether the incumbent's diagnosis names variance."""
    return bool(book.diagnosis) and "variance" in book.diagnosis[-1].findings


def _findings(book: Book, train: float, dev: float, data_gain: float, baseline: float) -> tuple[str, ...]:
    metric, margin = book.plan.metric, book.margin
    train_loss, dev_loss = metric.loss(train), metric.loss(dev)
    found = []
    if train_loss < CLOSE * dev_loss and dev_loss - train_loss > CLEAR * margin:
        found.append("variance")
    elif dev_loss > CLEAR * margin:
        found.append("bias")
    if data_gain > margin:
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
