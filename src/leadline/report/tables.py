"""The tables of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from leadline.records.evidence import Comparison
from leadline.records.verdict import ArmFacts, Verdict
from leadline.report import figures, words
from leadline.report.layout import Column, Row, Table

T = TypeVar("T")

NONE = "–"
DECISIONS: dict[str, str] = {
    "better": "better",
    "not_worth_it": "not worth it",
    "undecided": "undecided",
    "not_pursued": "not pursued",
    "failed_to_train": "could not be trained",
}
FINDINGS: dict[str, str] = {
    "bias": "bias",
    "variance": "variance",
    "more_data": "more data would help",
    "baseline_enough": "a baseline is enough",
    "noise_floor": "noise floor",
    "no_arm_helps": "no arm helps",
    "healthy": "healthy",
}


def test(verdict: Verdict) -> Table | None:
    """The advice beside what it is held against, on the test part."""
    scale = figures.scale(verdict)
    rows = tuple(
        Row(
            (
                words.role_name(verdict, row.role),
                row.description,
                NONE if row.num_parameters is None else figures.count(row.num_parameters),
                figures.loss_number(scale, row.score),
                figures.loss_range(scale, row.interval),
                figures.count(len(row.seed_scores)),
            ),
            "advised" if row.role == "advised" else "",
        )
        for row in verdict.test
    )
    columns = (
        Column(""),
        Column("Network", wide=True),
        Column("Parameters", True),
        Column(figures.loss_title(scale), True),
        Column("Interval", True),
        Column("Seeds", True),
    )
    return Table("Test part, which no decision has seen", columns, rows) if rows else None


test.__test__ = False  # type: ignore[attr-defined]


def square(verdict: Verdict) -> Table | None:
    """The four corners, then the four differences between them."""
    if verdict.square is None or not verdict.square.corners:
        return None
    scale = figures.scale(verdict)
    rows = tuple(
        Row(
            (
                figures.plural(corner.num_layers, "layer"),
                "both ways" if corner.bidirectional else "one way",
                words.arm_name(verdict, corner.arm),
                figures.count(corner.num_parameters),
                figures.loss_number(scale, corner.dev.score),
                figures.loss_range(scale, corner.dev.interval),
                figures.count(corner.dev.seeds),
            )
        )
        for corner in verdict.square.corners
    )
    titles = ("Depth", "Direction", "Arm")
    numbers = ("Parameters", figures.loss_title(scale), "Interval", "Seeds")
    return Table("The corners, dev part", _columns(titles, numbers), rows)


def look_ahead(verdict: Verdict) -> Table | None:
    """The points of the look-ahead curve."""
    scale = figures.scale(verdict)
    rows = tuple(
        Row(
            (
                "both directions" if point.steps == "all" else str(point.steps),
                figures.count(point.num_parameters),
                figures.loss_number(scale, point.score),
                figures.loss_range(scale, point.interval),
                figures.count(point.seeds),
            )
        )
        for point in verdict.look_ahead_curve
    )
    numbers = ("Parameters", figures.loss_title(scale), "Interval", "Seeds")
    return Table("Look-ahead, dev part", _columns(("Steps seen ahead",), numbers), rows) if rows else None


def reading(verdict: Verdict) -> Table | None:
    """Loss against the share read."""
    scale = figures.scale(verdict)
    rows = tuple(
        Row((figures.percent(share), figures.loss_number(scale, score)))
        for share, score in sorted(verdict.reading_curve)
    )
    return (
        Table("Share of the sequence read", _columns((), ("Share read", figures.loss_title(scale))), rows)
        if rows
        else None
    )


def diagnosis(verdict: Verdict) -> Table | None:
    """Training, tune and dev loss at each incumbent."""
    scale = figures.scale(verdict)

    def figure(score: float | None) -> str:
        return NONE if score is None else figures.loss_number(scale, score)

    rows = tuple(
        Row(
            (
                words.arm_name(verdict, stand.incumbent),
                figure(stand.train),
                figure(stand.tune),
                figure(stand.dev),
                figure(stand.half_data_dev),
                figure(stand.baseline_dev),
                ", ".join(FINDINGS.get(finding, finding.replace("_", " ")) for finding in stand.findings) or NONE,
            )
        )
        for stand in verdict.diagnosis
    )
    numbers = ("Training", "Tune", "Dev", "Dev, half the data", "Dev, best baseline")
    columns = (*_columns(("Network",), numbers), Column("Finding"))
    return Table(f"{figures.loss_title(scale)}, at each network on the path", columns, rows) if rows else None


def moves(verdict: Verdict) -> Table | None:
    """Every move that was considered, and what came of it."""
    scale = figures.scale(verdict)
    against = any(move.against != move.source for move in verdict.moves)
    rows = tuple(Row(_move(verdict, scale, move, against), move.decision) for move in verdict.moves)
    first = ("Move", "From", "To", *(["Against"] if against else []))
    numbers = ("Effect", "Interval", "Level", "Pairs", "Screening", "Time")
    columns = (Column("Decision"), *_columns(first, numbers), Column("Note", wide=True))
    return Table("Positive effects are better", columns, rows) if rows else None


def arms(verdict: Verdict) -> Table | None:
    """Every network that was trained."""
    scale = figures.scale(verdict)
    advised = verdict.incumbents[-1] if verdict.incumbents and verdict.recommendation.cell else None
    rows = tuple(Row(_arm(scale, arm), "advised" if arm.name == advised else "") for arm in verdict.arms)
    numbers = (
        "Parameters",
        "State",
        "Multiply-adds per step",
        "Learning rate",
        "Training",
        "Tune",
        "Dev",
        "Interval",
        "Seeds",
        "Per trial",
        "µs per step",
    )
    columns = (*_columns(("Network",), numbers), Column("Note", wide=True))
    return Table(f"Training, tune and dev are {scale.loss_unit}", columns, rows) if rows else None


def baselines(verdict: Verdict) -> Table | None:
    """What a recurrent network must beat."""
    scale = figures.scale(verdict)
    rows = tuple(
        Row(
            (
                baseline.description,
                "no" if baseline.causal else "yes",
                figures.loss_number(scale, baseline.tune),
                figures.loss_number(scale, baseline.dev),
                NONE if baseline.test is None else figures.loss_number(scale, baseline.test),
                figures.duration(baseline.seconds) if baseline.seconds else NONE,
            ),
            "advised" if baseline.name == verdict.recommendation.baseline else "",
        )
        for baseline in verdict.baselines
    )
    columns = _columns(("Baseline", "Sees the future"), ("Tune", "Dev", "Test", "Time"))
    return Table(f"Tune, dev and test are {scale.loss_unit}", columns, rows) if rows else None


def pairs(caption: str, items: dict[str, str]) -> Table | None:
    """Names and values, empty values left out."""
    rows = tuple(Row((name, value)) for name, value in items.items() if value)
    return Table(caption, (Column(""), Column("")), rows) if rows else None


def _columns(texts: tuple[str, ...], numbers: tuple[str, ...]) -> tuple[Column, ...]:
    wide = ("Network", "From", "To", "Against", "Arm", "Baseline")
    return (*(Column(title, wide=title in wide) for title in texts), *(Column(title, True) for title in numbers))


def _move(verdict: Verdict, scale: figures.Scale, move: Comparison, against: bool) -> tuple[str, ...]:
    return (
        DECISIONS[move.decision],
        words.move_name(move.move),
        words.arm_name(verdict, move.source),
        words.arm_name(verdict, move.to),
        *([words.arm_name(verdict, move.against)] if against else []),
        _known(move.effect, lambda effect: figures.signed(scale, effect)),
        _known(move.interval, lambda interval: figures.signed_range(scale, interval)),
        _known(move.level, figures.level),
        figures.count(move.pairs) if move.pairs else NONE,
        _known(move.screening, lambda effect: figures.signed(scale, effect)),
        figures.duration(move.seconds) if move.seconds else NONE,
        move.reason,
    )


def _arm(scale: figures.Scale, arm: ArmFacts) -> tuple[str, ...]:
    notes = ["still improving at the cap of updates"] if arm.still_improving else []
    notes += [f"weight decay {arm.weight_decay:g}"] if arm.weight_decay else []
    notes += [f"dropout {arm.dropout:g} in training"] if arm.dropout > arm.spec.dropout else []
    notes += [f"{figures.plural(arm.failed, 'run')} failed"] if arm.failed else []
    return (
        arm.description,
        figures.count(arm.num_parameters),
        figures.count(arm.state_size),
        figures.count(arm.operations_per_step),
        f"{arm.learning_rate:g}",
        _known(arm.train, lambda score: figures.loss_number(scale, score)),
        _known(arm.tune, lambda score: figures.loss_number(scale, score)),
        _known(arm.dev, lambda dev: figures.loss_number(scale, dev.score)),
        _known(arm.dev, lambda dev: figures.loss_range(scale, dev.interval)),
        _known(arm.dev, lambda dev: figures.count(dev.seeds)),
        _known(arm.seconds_per_trial, figures.duration),
        _known(arm.microseconds_per_step, lambda time: f"{time:,.0f}" if time >= 10 else f"{time:.1f}"),
        ", ".join(notes),
    )


def _known(value: T | None, text: Callable[[T], str]) -> str:
    return NONE if value is None else text(value)
