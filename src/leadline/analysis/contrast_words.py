"""A contrast in words: one sentence a part, with its figures, only where the intervals allow it. No torch here."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.analysis import estimates
from leadline.analysis.contrast import Contrast, Held, Kind, Lasting
from leadline.analysis.measured import Measured

MOST_KINDS = 3
MOST_READINGS = 3


def sentences(found: Contrast) -> tuple[str, ...]:
    """What the change brought."""
    parts = (_errors, _kinds, _readings, _lives)
    return tuple(text for part in parts for text in part(found))


def kind_name(kind: Kind) -> str:
    """The kind as a noun.

    >>> from leadline.analysis.findings import Measured
    >>> made = Kind(grouping="position", group="last third", targets=9, first=2, second=1, removed=Measured(value=1))
    >>> kind_name(made)
    'the last third of the sequence'
    """
    if kind.grouping == "position":
        return f"the {kind.group} of the sequence"
    if kind.grouping == "rarity":
        return f"the {kind.group.removesuffix(' of the targets')} of the targets"
    return kind.group if kind.grouping == "class" else f"{kind.grouping}: {kind.group}"


def _errors(found: Contrast) -> Iterator[str]:
    targets = f"{found.targets:,} dev targets"
    if found.removed is None or found.added is None:
        yield f"On {targets} the second scores {_signed(found.gain)} ({found.score_unit}){_pairs(found)}."
        return
    yield (
        f"Of {targets}, {_counted(found.removed, found.targets)} that {found.first} had wrong become right, and "
        f"{_counted(found.added, found.targets)} that it had right become wrong: {_net(found.gain)}{_pairs(found)}."
    )
    if found.exchanged is not None:
        yield (
            f"Most of that exchange comes with any new training: two trainings of {found.first} alone exchange "
            f"{found.exchanged:.1f} % each way."
            if 2 * found.exchanged > found.removed.value
            else f"Two trainings of {found.first} alone exchange {found.exchanged:.1f} % each way."
        )


def _net(gain: Measured) -> str:
    if estimates.is_above(gain):
        return f"{_figure(gain)} points fewer errors in all"
    if estimates.is_below(gain):
        return f"{_figure(Measured(value=-gain.value, interval=_mirrored(gain)))} points more errors in all"
    return f"in all no difference that is certain ({_signed(gain)} points)"


def _pairs(found: Contrast) -> str:
    if len(found.seeds) == 1:
        return ", one pair of networks: the intervals speak of these two"
    return f", mean of {len(found.seeds)} pairs"


def _counted(share: Measured, targets: int) -> str:
    return f"{targets * share.value / 100:,.0f} ({_percent(share)})"


def _kinds(found: Contrast) -> Iterator[str]:
    if not found.kinds:
        return
    if all(kind.sure == "open" for kind in found.kinds):
        yield "No single kind of error changed with certainty."
        return
    for verb, sure in (("removes", "more"), ("adds", "less")):
        some = sorted((k for k in found.kinds if k.sure == sure), key=lambda kind: -abs(kind.removed.value))
        if some:
            yield f"It {verb} errors most on {_listed([_kind(kind) for kind in some[:MOST_KINDS]])}{_rest(some)}."
        else:
            yield f"It {verb} no kind of error with certainty."


def _kind(kind: Kind) -> str:
    ends = "" if kind.removed.interval is None else f", {_apart(kind.removed)}"
    return f"{kind_name(kind)} (from {kind.first:.0f} to {kind.second:.0f} % wrong{ends})"


def _apart(removed: Measured) -> str:
    assert removed.interval is not None
    low, high = sorted(abs(end) for end in removed.interval)
    return f"{low:.1f} to {high:.1f} points"


def _rest(some: list[Kind]) -> str:
    more = len(some) - MOST_KINDS
    return f", and on {more} more of the kinds below" if more > 0 else ""


def _readings(found: Contrast) -> Iterator[str]:
    for sure, words in (("more", "more"), ("less", "less")):
        some = sorted((h for h in found.held if h.sure == sure), key=lambda held: -abs(held.gain.value))
        if some:
            shown = _listed([_held(held) for held in some[:MOST_READINGS]])
            yield f"The top layer holds {words} than before of {shown}."
    if found.held and all(held.sure == "open" for held in found.held):
        yield "What is read from the top layers does not differ with certainty."


def _held(held: Held) -> str:
    unit = held.unit.split()[0]
    return (
        f"{held.annotation} ({held.second[-1].value:.0f} {unit}, before {held.first[-1].value:.0f}; by "
        f"{_signed(held.gain)})"
    )


def _lives(found: Contrast) -> Iterator[str]:
    for lasting in found.lasting:
        which = "an earlier" if lasting.side == "back" else "a later"
        now, before = (_layers(lives) for lives in (lasting.second, lasting.first))
        yield f"Half of {which} input is forgotten by {now}; before, by {before}. {_longer(lasting)}".strip()


def _layers(lives: tuple[Measured | None, ...]) -> str:
    return ", by ".join(
        [
            f"layer {number} after {_life(life)}{' steps' if number == 1 and life else ''}"
            for number, life in enumerate(lives, start=1)
        ]
    )


def _life(life: Measured | None) -> str:
    return "more steps than could be seen" if life is None else f"{life.value:.1f}"


def _longer(lasting: Lasting) -> str:
    if estimates.is_above(lasting.gain):
        return "The top layer remembers longer."
    return "The top layer remembers less long." if estimates.is_below(lasting.gain) else ""


def _percent(measured: Measured) -> str:
    if measured.interval is None:
        return f"{measured.value:.1f} %"
    low, high = measured.interval
    return f"{measured.value:.1f} %, {max(low, 0.0):.1f} to {high:.1f}"


def _figure(measured: Measured) -> str:
    if measured.interval is None:
        return f"{measured.value:.1f}"
    low, high = measured.interval
    return f"{measured.value:.1f} ({low:.1f} to {high:.1f})"


def _signed(measured: Measured) -> str:
    if measured.interval is None:
        return f"{measured.value:+.1f}"
    low, high = measured.interval
    return f"{measured.value:+.1f}, {low:+.1f} to {high:+.1f}"


def _mirrored(measured: Measured) -> tuple[float, float] | None:
    return None if measured.interval is None else (-measured.interval[1], -measured.interval[0])


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
