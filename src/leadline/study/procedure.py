"""The sequential experiment: a generator that asks for trials and writes decisions into the book.

It is a pure function of the plan and of earlier results: no clock, no order of completion. Cutting it short leaves
decisions that are a prefix of the longer run's.
"""

from __future__ import annotations

from leadline.records.evidence import BaselineFacts, SizeControl
from leadline.study import diagnosis, moves, pairing, stage, verdict
from leadline.study.book import Book
from leadline.study.moves import Candidate
from leadline.study.names import baseline_description, baseline_is_causal, is_trained
from leadline.study.sizes import small
from leadline.study.square import curve, square
from leadline.study.stage import Settled
from leadline.study.tuning import Steps, tune, tune_baselines
from leadline.study.verdict import BLOCK, Stage

MOST_INCUMBENTS = 8
LARGE = 3.0
BASELINE_FOLDS = 2
CLIMBING: tuple[Stage, ...] = ("regularise", "upward", "pairs")


def procedure(book: Book) -> Steps[None]:
    """From the first baseline to a reason to stop."""
    yield from baselines(book)
    book.incumbents.append(book.plan.start)
    yield from tune(book, [book.plan.start], always=[book.plan.start])
    descended = None
    if book.plan.start.num_parameters > LARGE * small(book.plan.start).num_parameters:
        yield from descend(book)
        descended = book.incumbent
    yield from climb(book)
    book.climbed = book.incumbent.describe()
    if _measured(book):
        yield from diagnosis.learning_curve(book, pairing.incumbent_trials(book, BLOCK))
    if book.incumbent != descended:
        yield from descend(book)
    yield from against_baseline(book, close=True)
    conclude(book)


def baselines(book: Book) -> Steps[None]:
    """Train the baselines on the first folds, and freeze the margin."""
    folds = range(min(BASELINE_FOLDS, book.num_folds))
    yield from tune_baselines(book, [name for name in book.plan.baselines if is_trained(name)])
    yield [book.baseline_trial(name, fold) for name in book.plan.baselines for fold in folds]
    for name in book.plan.baselines:
        results = [book.results[book.baseline_trial(name, fold)] for fold in folds]
        book.baselines.append(
            BaselineFacts(
                name=name,
                description=baseline_description(name),
                dev=sum(r.dev for r in results) / len(results),
                tune=sum(r.tune for r in results) / len(results),
                causal=baseline_is_causal(name, book.material.causal),
                seconds=sum(r.seconds for r in results),
            )
        )
    trivial = book.baselines[0].dev
    given = book.plan.margin
    book.margin = given if given is not None else 0.01 * (book.plan.metric.perfect - trivial)


def climb(book: Book) -> Steps[None]:
    """Moves upwards until none pays."""
    while len(book.incumbents) < MOST_INCUMBENTS:
        if not _measured(book):
            yield from measure(book)
        if not (yield from _step(book)):
            break
        yield from pictures(book)
    yield from pictures(book)


def pictures(book: Book) -> Steps[None]:
    """The square and the look-ahead curve, once. They decide nothing, so the first step comes before them; but what
    is still open after every stage's first pairs comes behind them, or a study of which nothing came would lack both.
    """
    if book.square is None and book.plan.limits.kind != "next_step":
        yield from square(book)
    if not book.curve and book.plan.limits.kind in ("tagging", "step_regression"):
        yield from curve(book)


def _step(book: Book) -> Steps[bool]:
    """A step upwards, if any pays: every stage in turn up to `stage.EARLY` pairs, then every one to its end."""
    settled: dict[Stage, list[Settled]] = {}
    retried: list[Settled] = []
    for kind in CLIMBING:
        settled[kind] = yield from stage.run(book, _candidates(book, kind), kind, stage.EARLY)
        if (yield from _take(book, stage.better(book, settled[kind]))):
            return True
        if kind == "upward":
            retried = yield from stage.retry(book, settled[kind])
            if (yield from _take(book, stage.better(book, retried))):
                return True
    yield from pictures(book)
    for kind in CLIMBING:
        resumed = yield from stage.resume(book, settled[kind], kind)
        if (yield from _take(book, stage.better(book, resumed))):
            return True
        if kind == "upward" and not retried:
            retried = yield from stage.retry(book, resumed)
            if (yield from _take(book, stage.better(book, retried))):
                return True
    return False


def _candidates(book: Book, kind: Stage) -> tuple[Candidate, ...]:
    """What a stage of the climb may open at this incumbent."""
    if kind == "regularise":
        return moves.regularise(book.incumbent) if diagnosis.high_variance(book) else ()
    if kind == "upward":
        return moves.upward(book.incumbent, book.plan.limits)
    return moves.pairs(book.incumbent, book.plan.limits) if _gap_remains(book) else ()


def descend(book: Book) -> Steps[None]:
    """Moves to smaller networks while they cost no more than the margin; the bold ones first, and if one of them
    costs no more, none of the networks between is trained."""
    while len(book.incumbents) < MOST_INCUMBENTS:
        settled = yield from stage.run(book, moves.bold(book.incumbent), "bold")
        if (yield from _take(book, stage.better(book, settled, down=True))):
            continue
        settled = yield from stage.run(book, moves.downward(book.incumbent), "downward")
        if not (yield from _take(book, stage.better(book, settled, down=True))):
            return


def _measured(book: Book) -> bool:
    return bool(book.diagnosis) and book.diagnosis[-1].incumbent == book.incumbent.describe()


def measure(book: Book) -> Steps[None]:
    """The incumbent's half of the first pairs, and the same on half of the data; then the diagnosis."""
    yield from tune(book, [book.incumbent], always=[book.incumbent])
    trials = pairing.incumbent_trials(book, BLOCK)
    yield [*trials, diagnosis.on_share(trials[0], 0.5)]
    sound = pairing.kept(book, trials)[0]
    half = diagnosis.on_share(sound[0], 0.5)
    yield [half]
    book.diagnosis.append(diagnosis.diagnose(book, sound, half))
    yield from against_baseline(book)


def against_baseline(book: Book, close: bool = False) -> Steps[None]:
    """Whether the incumbent beats the best baseline by more than the margin; the latest answer counts.

    One look, or with `close` as many as it takes.
    """
    best = book.best_baseline()
    planned = verdict.design(len(book.incumbents) - 1, "recurrence", 1, book.num_folds)
    arms = {"source": best.name, "move": "recurrence", "to": book.incumbent.describe(), "against": best.name}
    for look in planned.looks:
        trials = pairing.incumbent_trials(book, look)
        theirs = [book.baseline_pair(best.name, i) for i in range(look)]
        yield [*trials, *theirs]
        sound = [book.devs(arm) for arm in pairing.kept(book, trials, theirs)]
        standing = pairing.row_of(book, arms, (sound[0], sound[1]), planned, look, down=False)
        seconds = sum(book.results[t].seconds for t in (*trials, *dict.fromkeys(theirs)))
        closing = standing.row.pairs_to_close
        facts = {
            "seconds": seconds,
            "minutes_to_close": None if closing is None else closing * seconds / look / 60,
            "reason": "this network against the best predictor without recurrence",
        }
        book.recurrence = standing.row.model_copy(update=facts)
        if not close or standing.chance is None or standing.chance < pairing.FUTILE:
            break
    assert book.recurrence is not None
    book.baseline_enough = best.name if book.recurrence.decision == "not_worth_it" else None


def conclude(book: Book) -> None:
    """The reason to stop, when the procedure came to its end."""
    last = [m for m in book.moves if m.source == book.climbed and m.move.split("+")[0] not in moves.DOWN]
    if book.baseline_enough:
        _stop(
            book,
            "baseline_is_enough",
            f"No network tried beats {baseline_description(book.baseline_enough)} by more than the margin.",
        )
    elif any(m.decision == "undecided" for m in last):
        names = dict.fromkeys(m.move for m in last if m.decision == "undecided")
        open_moves = "; ".join(name.replace("_", " ").replace("+", " and ") for name in names)
        _stop(book, "undecided", f"Still open at the last network: {open_moves}.")
    elif last and all(m.decision in ("failed_to_train", "not_pursued") for m in last):
        _stop(book, "failed_to_train", "None of the larger networks could be trained.")
    elif not last:
        _stop(book, "undecided", f"Stopped after {MOST_INCUMBENTS} networks; moves from the last were not tried.")
    elif book.diagnosis and "more_data" in book.diagnosis[-1].findings:
        _stop(book, "more_data", "No change of the network pays, but more data would.")
    elif diagnosis.explain_the_rest(book) == "noise_floor":
        _stop(book, "noise_floor", "No change of the network pays, and what error remains is noise.")
    else:
        _stop(book, "nothing_more_pays", "No move from the last network is worth the margin.")


def _stop(book: Book, reason: str, sentence: str) -> None:
    book.stop_reason, book.stop_sentence = reason, sentence


def _take(book: Book, settled: Settled | None) -> Steps[bool]:
    """Make the move, if there is one, and measure what it brings on seeds that did not choose it."""
    if settled is None:
        return False
    before = book.incumbent
    if settled.candidate.move.split("+")[0] not in moves.DOWN:
        book.baseline_enough = None
    book.path.append(settled.candidate.move)
    book.incumbents.append(settled.candidate.spec)
    new, old = pairing.trials(book, book.incumbent, BLOCK), pairing.trials(book, before, BLOCK)
    yield [trial for pair in zip(new, old, strict=True) for trial in pair]
    new, old = pairing.kept(book, new, old)
    place = next(i for i, row in enumerate(book.moves) if row is settled.row)
    book.fresh[place] = verdict.difference(book.devs(new), book.devs(old))
    if "deeper" in settled.candidate.move.split("+"):
        yield from size_control(book, place)
    return True


def size_control(book: Book, place: int) -> Steps[None]:
    """Hold a step deeper against a network of its size and a layer less, on the step's fresh seeds."""
    flat = moves.flatter(book.incumbent)
    yield from tune(book, [flat], always=[flat])
    yield pairing.trials(book, flat, BLOCK)
    deep, other = pairing.kept(book, pairing.incumbent_trials(book, BLOCK), pairing.trials(book, flat, BLOCK))
    effect = verdict.difference(book.devs(deep), book.devs(other))
    book.controls[place] = SizeControl(arm=flat.describe(), num_parameters=flat.num_parameters, effect=effect)


def _gap_remains(book: Book) -> bool:
    """Whether the loss on dev is more than a few margins: else no pair of moves could matter."""
    dev = book.diagnosis[-1].dev
    return book.plan.metric.loss(dev) > diagnosis.CLEAR * book.margin
