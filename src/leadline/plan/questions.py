"""Questions: contrasts between arms, registered before the first block of the arms that answer them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from leadline.plan.arms import SHARES, Arm, Neighbours
from leadline.records.answers import QuestionName
from leadline.records.trial import BaselineSpec
from leadline.spec import StackSpec

Terms = tuple[tuple[str, float], ...]
"""Arms with their coefficients, which sum to 0."""


@dataclass(frozen=True)
class Question:
    """One contrast and what it is for.

    Args:
        name: the row of the sheet; several questions may serve one row.
        of, against: ids of the arms that people read: the effect is `of` minus `against`.
        terms: the contrast.
        upper: contrast of the upper bound where it is another one; () where it is the same.
        layers: for depth, from so many layers to so many.
        factor: for width, how many times the parameters.
        look_ahead: for a window, its steps.
    """

    name: QuestionName
    of: str
    against: str
    terms: Terms
    upper: Terms = ()
    layers: tuple[int, int] | None = None
    factor: float | None = None
    look_ahead: int | None = None

    @property
    def arms(self) -> frozenset[str]:
        """Ids of all arms that it needs."""
        return frozenset(name for name, _ in (*self.terms, *self.upper))

    @property
    def contrasts(self) -> tuple[Terms, ...]:
        """Its one or two contrasts."""
        return (self.terms, self.upper) if self.upper else (self.terms,)


def main(found: Neighbours, baselines: Iterable[str] = (), yours: StackSpec | None = None) -> tuple[Question, ...]:
    """The questions of the first race: recurrence, sight, depth, size, cell, readout."""
    centre = found.centre
    return _asked(
        *(_against("recurrence", centre, BaselineSpec(name=name)) for name in baselines),
        _pair("future", found.both_ways, found.one_way),
        _wider(found.wider, centre),
        *depth(found),
        _pair("cell", found.cell, centre),
        *(_pair("readout", spec, centre) for spec in found.readouts),
        _pair("yours", yours, centre),
    )


def aside(found: Neighbours, baselines: Iterable[str] = ()) -> tuple[Question, ...]:
    """The side questions, about the network that has won; recurrence once more, where it is another than the centre."""
    return _asked(
        *(_against("recurrence", found.centre, BaselineSpec(name=name)) for name in baselines),
        _pair("future", found.both_ways, found.one_way),
        *(_window(found, k) for k in sorted(found.windows)),
        _pair("dropout", found.dropout, found.centre),
        _more_data(found.centre),
        _pair("deep_or_both_ways", found.deep_one, found.shallow_both),
    )


def _asked(*listed: Question | None) -> tuple[Question, ...]:
    return tuple(dict.fromkeys(question for question in listed if question is not None))


def depth(found: Neighbours) -> list[Question | None]:
    """A layer more as people add it, at the same width; and depth at equal parameters."""
    centre = found.centre
    return [
        _deeper("depth", centre, found.layer_fewer) if found.layer_fewer else None,
        _deeper("depth_equal_size", found.deep, found.shallow),
        _deeper("depth", found.layer_more, centre),
    ]


def growth(best: StackSpec, arms: Iterable[Arm]) -> tuple[Question, ...]:
    """Questions about arms that joined around a best arm: each against it, and depth against its twin of equal size."""
    return _asked(*(_step(best, arm.spec) for arm in arms if isinstance(arm.spec, StackSpec)))


def _step(best: StackSpec, spec: StackSpec) -> Question | None:
    """The question that an arm answers beside the best one, by the first thing in which they differ."""
    if spec.num_layers < best.num_layers:
        return _deeper("depth_equal_size", best, spec)
    if (spec.bidirectional, spec.look_ahead) != (best.bidirectional, best.look_ahead):
        return _pair("future", spec, best)
    if spec.num_layers > best.num_layers:
        return _deeper("depth", spec, best)
    if spec.cell != best.cell:
        return _pair("cell", spec, best)
    if (spec.readout, spec.pooling) != (best.readout, best.pooling):
        return _pair("readout", spec, best)
    if spec.dropout != best.dropout:
        return _pair("dropout", spec, best)
    return _wider(spec, best) if spec.num_parameters > best.num_parameters else None


def _id(spec: StackSpec) -> str:
    return Arm(spec).id


def _difference(one: str, other: str) -> Terms:
    return ((one, 1.0), (other, -1.0))


def _pair(name: QuestionName, of: StackSpec | None, against: StackSpec | None) -> Question | None:
    if of is None or against is None or of == against:
        return None
    return Question(name, _id(of), _id(against), _difference(_id(of), _id(against)))


def _against(name: QuestionName, centre: StackSpec, baseline: BaselineSpec) -> Question:
    one, other = _id(centre), Arm(baseline).id
    return Question(name, one, other, _difference(one, other))


def _wider(wider: StackSpec | None, centre: StackSpec) -> Question | None:
    found = _pair("width", wider, centre)
    if found is None or wider is None:
        return None
    return Question(**{**vars(found), "factor": round(wider.num_parameters / centre.num_parameters, 1)})


def _deeper(name: QuestionName, deep: StackSpec | None, shallow: StackSpec | None) -> Question | None:
    found = _pair(name, deep, shallow)
    if found is None or deep is None or shallow is None:
        return None
    return Question(**{**vars(found), "layers": (shallow.num_layers, deep.num_layers)})


def _window(found: Neighbours, steps: int) -> Question | None:
    """Both ways minus a window: below the margin, the window is enough."""
    pair = _pair("look_ahead", found.both_ways, found.windows[steps])
    return None if pair is None else Question(**{**vars(pair), "look_ahead": steps})


def _more_data(centre: StackSpec) -> Question:
    """What doubling the data would bring, between two bounds that are both contrasts.

    Scores that follow a - b n^-c gain from doubling to doubling in a constant ratio, so with the gains of the last two
    doublings, g_1 (a quarter to a half) and g_2 (a half to all), the next one brings

        2 g_2 - g_1  <=  g_2^2 / g_1  <=  g_2

    the first since (g_2 - g_1)^2 >= 0, the second where gains shrink. The lower bound is asked for "yes", the upper
    for "no".
    """
    full = _id(centre)
    half, quarter = (Arm(centre, share).id for share in SHARES)
    lower = ((full, 2.0), (half, -3.0), (quarter, 1.0))
    return Question("more_data", full, half, lower, _difference(full, half))
