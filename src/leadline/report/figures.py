"""Numbers as people read them: scores as losses, differences as "fewer errors", counts, times.

Records hold scores (higher is better). A reader is shown

    loss = perfect - score

in `loss_unit`, and a difference of scores as so much fewer or more of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from leadline.records.base import Interval
from leadline.records.verdict import Verdict


@dataclass(frozen=True)
class Scale:
    """How one verdict's scores are written.

    Args:
        metric: name of the metric.
        loss_unit: unit of `perfect - score`.
        perfect: the best possible score.
        decimals: places behind the point, fine enough to see half a margin.
    """

    metric: str
    loss_unit: str
    perfect: float
    decimals: int


@dataclass(frozen=True)
class _Wording:
    unit: str
    less: str
    more: str
    noun: str


def scale(verdict: Verdict) -> Scale:
    """The scale that fits a verdict's metric and margin."""
    return Scale(verdict.metric, verdict.loss_unit, verdict.perfect, _decimals(verdict))


def loss(scale: Scale, score: float) -> float:
    """`perfect - score`, never below zero by rounding alone."""
    return max(scale.perfect - score, 0.0) if scale.metric != "negative_nats" else scale.perfect - score


def loss_interval(scale: Scale, interval: Interval) -> Interval:
    """The interval of the loss: the ends change places."""
    return loss(scale, interval[1]), loss(scale, interval[0])


def is_finite(interval: Interval | None) -> bool:
    """Whether there is an interval with two ends: one run alone gives none."""
    return interval is not None and all(math.isfinite(end) for end in interval)


def number(scale: Scale, value: float) -> str:
    """A figure in the scale's places, with thousands separated.

    >>> number(Scale("accuracy", "% of labels wrong", 100.0, 1), 9.24)
    '9.2'
    """
    text = f"{value:,.{scale.decimals}f}"
    return text.removeprefix("-") if not any(digit in text for digit in "123456789") else text


def loss_number(scale: Scale, score: float) -> str:
    """The loss of a score, without its unit."""
    return number(scale, loss(scale, score))


def loss_range(scale: Scale, interval: Interval) -> str:
    """The interval of the loss, "8.7 to 9.7"."""
    if not is_finite(interval):
        return "no interval"
    low, high = loss_interval(scale, interval)
    return f"{number(scale, low)} to {number(scale, high)}"


def with_unit(scale: Scale, figure: str) -> str:
    """A figure with the unit of the loss: "9.2 % of labels wrong", "mean absolute error: 3.1"."""
    if scale.metric == "negative_mean_absolute_error":
        return f"{scale.loss_unit}: {figure}"
    return f"{figure} {scale.loss_unit}"


def loss_text(scale: Scale, score: float, interval: Interval | None = None) -> str:
    """The loss with its unit and, where there is one, its interval.

    >>> loss_text(Scale("accuracy", "% of labels wrong", 100.0, 1), 90.8, (90.3, 91.3))
    '9.2 % of labels wrong (8.7 to 9.7)'
    """
    text = with_unit(scale, loss_number(scale, score))
    return f"{text} ({loss_range(scale, interval)})" if interval else text


def effect_text(scale: Scale, effect: float, interval: Interval | None = None) -> str:
    """A difference of scores as a change of the loss.

    >>> letters = Scale("accuracy", "% of labels wrong", 100.0, 1)
    >>> effect_text(letters, 2.1, (1.4, 2.8))
    '2.1 points fewer errors (1.4 to 2.8)'
    >>> effect_text(letters, -0.3, (-0.9, 0.3))
    '0.3 points more errors (0.9 more to 0.3 fewer)'
    """
    words = _wording(scale)
    size = number(scale, abs(effect))
    direction = words.less if effect > 0 else words.more
    if not any(digit in size for digit in "123456789"):
        text = "no difference"
    elif scale.metric == "negative_mean_absolute_error":
        text = f"{scale.loss_unit} {direction} by {size}"
    else:
        text = f"{size}{words.unit} {direction}{words.noun}"
    if interval is None or not is_finite(interval):
        return text
    return f"{text} ({_effect_range(scale, effect, interval)})"


def effect_size(scale: Scale, effect: float) -> str:
    """The size of a difference with its unit: "0.3 points".

    >>> effect_size(Scale("accuracy", "% of labels wrong", 100.0, 1), -0.31)
    '0.3 points'
    """
    return f"{number(scale, abs(effect))}{_wording(scale).unit}"


def short_loss(scale: Scale, score: float) -> str:
    """The loss with the shortest unit: "9.8 %"."""
    text = loss_number(scale, score)
    return f"{text} %" if scale.loss_unit.startswith("% ") else text


def margin_text(scale: Scale, margin: float) -> str:
    """The margin with the unit of an effect: "0.8 points"."""
    places = max(scale.decimals, 1 - math.floor(math.log10(margin))) if margin > 0 else scale.decimals
    text = f"{margin:,.{places}f}"
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{plain}{_wording(scale).unit}"


def signed(scale: Scale, effect: float) -> str:
    """A difference with its sign, for tables: "+2.1"."""
    text = number(scale, effect)
    return text if text.startswith("-") or not any(digit in text for digit in "123456789") else f"+{text}"


def signed_range(scale: Scale, interval: Interval) -> str:
    """The ends of an interval with their signs."""
    if not is_finite(interval):
        return "no interval"
    return f"{signed(scale, interval[0])} to {signed(scale, interval[1])}"


def loss_title(scale: Scale) -> str:
    """The loss as the title of an axis or column, its first letter large."""
    return scale.loss_unit[:1].upper() + scale.loss_unit[1:]


def count(value: int) -> str:
    """A whole number with thousands separated.

    >>> count(218063)
    '218,063'
    """
    return f"{value:,}"


def plural(value: int, noun: str) -> str:
    """A count and its noun.

    >>> plural(1, "pair"), plural(6, "pair")
    ('1 pair', '6 pairs')
    """
    return f"{count(value)} {noun}" if value == 1 else f"{count(value)} {noun}s"


def duration(seconds: float) -> str:
    """A time that people can hold.

    >>> duration(4.2), duration(200), duration(7320)
    ('4.2 s', '3 min 20 s', '2 h 2 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min" if whole % 3600 // 60 else f"{whole // 3600} h"


def step_time(microseconds: float) -> str:
    """A measured time per step.

    >>> step_time(38.4), step_time(2400.0)
    ('38 microseconds', '2.4 milliseconds')
    """
    if microseconds >= 1000:
        return f"{microseconds / 1000:.1f} milliseconds"
    return f"{microseconds:.1f} microseconds" if microseconds < 10 else f"{microseconds:.0f} microseconds"


def percent(share: float) -> str:
    """A share in per cent with as few places as it needs.

    >>> percent(0.05), percent(0.996875)
    ('5 %', '99.7 %')
    """
    text = f"{100 * share:.1f}"
    return f"{text.removesuffix('.0')} %"


def level(share: float) -> str:
    """The level of an interval, with places enough never to read 100 %.

    >>> level(0.95), level(0.9984), level(0.99995)
    ('95 %', '99.84 %', '99.995 %')
    """
    places = 0 if share >= 1 else max(0, math.ceil(-math.log10(1 - share)) - 1)
    text = f"{100 * share:.{places}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def _decimals(verdict: Verdict) -> int:
    least = 1 if verdict.metric == "accuracy" and verdict.perfect >= 10 else 0
    if verdict.margin <= 0:
        return max(least, 2)
    return min(6, max(least, 1 - math.floor(math.log10(2 * verdict.margin))))


def _wording(scale: Scale) -> _Wording:
    if scale.metric == "accuracy":
        unit = " points" if "%" in scale.loss_unit else ""
        return _Wording(unit, "fewer", "more", " errors")
    if scale.metric == "negative_nats":
        return _Wording(" nats", "less", "more", " loss")
    return _Wording("", "lower", "higher", "")


def _effect_range(scale: Scale, effect: float, interval: Interval) -> str:
    words, (low, high) = _wording(scale), interval
    if low >= 0 and effect > 0:
        return f"{number(scale, low)} to {number(scale, high)}"
    if high <= 0 and effect < 0:
        return f"{number(scale, -high)} to {number(scale, -low)}"
    ends = (f"{number(scale, abs(end))} {words.less if end > 0 else words.more}" for end in interval)
    return " to ".join(ends)
