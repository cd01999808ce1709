"""The square, {one layer, deep} x {one way, both ways} at equal parameters, and the look-ahead curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from leadline.records.evidence import Corner, CurvePoint, Effect, Scores, Square
from leadline.spec import StackSpec, with_parameters
from leadline.study import verdict
from leadline.study.book import Book
from leadline.study.moves import grown, seeing
from leadline.study.sizes import small
from leadline.study.tuning import SCREENING, Steps, screened, tune

SEEDS = 3
CURVE_SEEDS = 3


def square(book: Book) -> Steps[None]:
    """Train the four corners with `SEEDS` seeds each and write the square into the book.

    The budget is that of `wider` from a small start. Each corner takes the readout that does better for it, so that
    depth is held against the better readout and not against a poor one; beside it, all four with a linear one.
    All corners have the same draws, on two rungs; a start that happens to be a corner keeps its own elsewhere.
    """
    base = small(book.plan.start)
    variants = list(zip(_corners(replace(base, readout="linear")), _corners(replace(base, readout="mlp")), strict=True))
    both = [spec for corner in variants for spec in corner]
    own = replace(book, draws={})
    yield from tune(own, both, always=both, last=SCREENING)
    for spec in both:
        book.draws.setdefault(spec, own.draws[spec])
    corners = [mlp if screened(own, mlp, linear, SCREENING) > 0 else linear for linear, mlp in variants]
    plain = [linear for linear, _ in variants]
    yield [own.pair_trial(spec, "square", i) for spec in corners for i in range(SEEDS)]
    book.square = _record(own, corners)
    yield [own.pair_trial(spec, "square", i) for spec in plain for i in range(SEEDS)]
    if plain != corners:
        book.square = book.square.model_copy(update={"linear": _record(own, plain)})


def curve(book: Book) -> Steps[None]:
    """Score against look-ahead at the parameters of a small start, both directions as its far end."""
    base = replace(small(book.plan.start), bidirectional=False, look_ahead=0)
    steps: list[int | Literal["all"]] = [0, 1, 2, 4, 8, "all"]
    specs = {k: base if k == 0 else seeing(base, k) for k in steps}
    yield from tune(book, list(specs.values()), always=list(specs.values()))
    yield [book.pair_trial(spec, "pair-0", i) for spec in specs.values() for i in range(CURVE_SEEDS)]
    book.curve = [_point(book, k, spec) for k, spec in specs.items()]


def _corners(base: StackSpec) -> list[StackSpec]:
    """One layer one way, one layer both ways, two layers one way, two layers both ways."""
    budget = grown(replace(base, readout="linear")).num_parameters
    return [
        with_parameters(replace(base, num_layers=layers, bidirectional=both), budget)
        for layers in (1, 2)
        for both in (False, True)
    ]


def _record(book: Book, corners: list[StackSpec]) -> Square:
    shallow, shallow_both, deep, deep_both = corners
    return Square(
        readout=" / ".join(dict.fromkeys(corner.readout for corner in corners)),
        num_parameters=shallow.num_parameters,
        corners=tuple(_corner(book, spec) for spec in corners),
        depth_one_way=_effect(book, deep, shallow),
        depth_both_ways=_effect(book, deep_both, shallow_both),
        direction_shallow=_effect(book, shallow_both, shallow),
        direction_deep=_effect(book, deep_both, deep),
    )


def _corner(book: Book, spec: StackSpec) -> Corner:
    return Corner(
        num_layers=spec.num_layers,
        bidirectional=spec.bidirectional,
        arm=spec.describe(),
        num_parameters=spec.num_parameters,
        dev=scores(book, spec, "square", SEEDS),
    )


def scores(book: Book, spec: StackSpec, stage: str, seeds: int) -> Scores:
    """Mean dev score of an arm over its pair trials."""
    return verdict.mean(book.devs([book.pair_trial(spec, stage, i) for i in range(seeds)]))


def _effect(book: Book, candidate: StackSpec, against: StackSpec) -> Effect:
    trials = [[book.pair_trial(spec, "square", i) for i in range(SEEDS)] for spec in (candidate, against)]
    return verdict.difference(book.devs(trials[0]), book.devs(trials[1]))


def _point(book: Book, steps: int | Literal["all"], spec: StackSpec) -> CurvePoint:
    found = scores(book, spec, "pair-0", CURVE_SEEDS)
    return CurvePoint(
        steps=steps,
        score=found.score,
        interval=found.interval,
        seeds=found.seeds,
        arm=spec.describe(),
        num_parameters=spec.num_parameters,
    )
