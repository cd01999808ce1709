"""Findings in words: a sentence is made only where the controls allow it, and holds its figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from leadline.analysis import estimates
from leadline.analysis.distance_words import by_distance
from leadline.analysis.findings import Ablation, ErrorKind, Findings, Probe, Sentence, Share
from leadline.analysis.lasting import Memory
from leadline.analysis.measured import Measured

MOST_READINGS = 8
A_TENTH = 0.1
LABELLED = ("classification", "tagging", "next_step")


def sentences(found: Findings) -> tuple[Sentence, ...]:
    """Every sentence, in the order of the page."""
    parts = (readable(found), remembered(found), combined(found), broken(found), removed(found), reached(found))
    every = [sentence for part in parts for sentence in part]
    if not any(sentence.about in ("readable", "memory", "combined", "breaks") for sentence in every):
        every.append(Sentence(about="readable", text="Nothing that was measured sets the layers apart."))
    return tuple(every)


def readable(found: Findings) -> Iterator[Sentence]:
    """What a layer holds more of than an untrained network, and what training let go."""
    groups = list(_by_annotation(found.probes))
    held = [probes for probes in groups if any(probe.supported for probe in probes)]
    held.sort(key=lambda probes: -max(p.gain.value for p in probes if p.gain is not None))
    for probes in held[:MOST_READINGS]:
        yield Sentence(about="readable", text=_held(probes))
    lost = [
        probes
        for probes in groups
        if probes not in held and any(p.layer and p.against_untrained == "less" for p in probes)
    ]
    if lost:
        worst = max(lost, key=lambda probes: max(-p.gain.value for p in probes if p.gain is not None))
        yield Sentence(about="readable", text=_let_go(worst, [p[0].annotation for p in lost]))
    yield from by_distance(probe for probes in groups for probe in probes)
    if not held and not lost:
        yield Sentence(
            about="readable",
            text="No annotation is read from a trained layer better than from an untrained one with certainty.",
        )


def _by_annotation(probes: Iterable[Probe]) -> Iterator[list[Probe]]:
    """Probes of whole layers, by annotation, lowest layer first; lags are shown in a chart instead."""
    groups: dict[str, list[Probe]] = {}
    for probe in probes:
        if probe.direction == "all" and probe.origin != "lag":
            groups.setdefault(probe.annotation, []).append(probe)
    yield from groups.values()


def _held(probes: list[Probe]) -> str:
    layers = [probe for probe in probes if probe.layer]
    name, unit = _name(probes[0].annotation), probes[0].unit.split()[0]
    scores = _listed([f"layer {p.layer} with {p.score.value:.0f} {unit}" for p in reversed(layers)])
    twins = _listed([f"{p.untrained:.0f}" for p in reversed(layers) if p.untrained is not None])
    below = next((p.score.value for p in probes if p.layer == 0), None)
    rest = [f"untrained: {twins}"]
    if below is not None:
        rest.append(f"what layer 1 reads: {below:.0f}")
    text = f"{name} is read from {scores} ({'; '.join(rest)}){_of_variance(probes[0])}."
    return f"{text} {_between(layers)}".strip()


def _of_variance(probe: Probe) -> str:
    return "" if probe.unit == "% right" else " of its variance"


def _between(layers: list[Probe]) -> str:
    upper = [p for p in layers if p.layer > 1]
    more = [p.layer for p in upper if p.against_below == "more"]
    less = [p.layer for p in upper if p.against_below == "less"]
    if not upper:
        return ""
    if more:
        return f"Layer {more[-1]} holds more of it than the layer below."
    if less:
        return f"Layer {less[-1]} holds less of it than the layer below."
    return "The layers do not differ in it with certainty."


def _let_go(probes: list[Probe], names: list[str]) -> str:
    top = min((p for p in probes if p.layer and p.gain is not None), key=lambda p: p.gain.value if p.gain else 0.0)
    unit = top.unit.split()[0]
    others = [name for name in names if name != top.annotation][:4]
    also = f" The same holds for {_listed(others)}." if others else ""
    return (
        f"Training let go of what it did not need: {top.annotation} is read from layer {top.layer} with "
        f"{top.score.value:.0f} {unit}, from an untrained one with {top.untrained:.0f} {unit}.{also}"
    )


def remembered(found: Findings) -> Iterator[Sentence]:
    """Driven half-lives of the layers, where network and twins differ or layers do."""
    driven = [one for one in found.memory if one.kind == "driven"]
    for side in ("back", "ahead"):
        here = [one for one in driven if one.side == side]
        if not here or not any(one.differs for one in here):
            continue
        which = "an earlier" if side == "back" else "a later"
        first, *rest = here
        text = f"Layer {first.layer} forgets half of {which} input after {_life(first)} steps"
        text += "".join(f", layer {one.layer} after {_life(one)}" for one in rest)
        twins = ", ".join(_untrained_life(one) for one in here)
        yield Sentence(about="memory", text=f"{text} (untrained: {twins}).{_longer(here)}")


def _life(one: Memory) -> str:
    return f"more than {one.beyond}" if one.half_life is None else f"{one.half_life:.1f}"


def _untrained_life(one: Memory) -> str:
    return f"more than {one.untrained_beyond}" if one.untrained is None else f"{one.untrained:.1f}"


def _longer(here: list[Memory]) -> str:
    """Whether the upper layer's half-life is set apart from the one below."""
    if len(here) < 2:
        return ""
    top, below = here[-1], here[-2]
    if top.interval is None or below.interval is None:
        return ""
    if top.interval[0] > below.interval[1]:
        return f" Layer {top.layer} remembers longer than layer {below.layer}."
    if top.interval[1] < below.interval[0]:
        return f" Layer {top.layer} remembers less long than layer {below.layer}."
    return " The layers do not differ in this."


def combined(found: Findings) -> Iterator[Sentence]:
    """The share of state variance that only combinations explain."""
    own = {share.layer: share for share in found.shares if not share.untrained}
    twin = {share.layer: share for share in found.shares if share.untrained}
    apart = [layer for layer in own if layer in twin and _parted(own[layer], twin[layer])]
    if not apart:
        return
    shown = _listed([f"{_together(own[layer]):.0f} % of layer {layer}'s state" for layer in own])
    twins = _listed([f"{_together(twin[layer]):.0f}" for layer in own if layer in twin])
    yield Sentence(
        about="combined",
        text=f"Combinations of inputs, which no sum over single inputs explains, make up {shown} (untrained: {twins}).",
    )


def _together(share: Share) -> float:
    return share.pairs.value + share.triples.value + share.more.value


def _parted(own: Share, twin: Share) -> bool:
    """Whether the parts that need two or more inputs do not meet."""
    low = sum(m.interval[0] for m in (own.pairs, own.triples, own.more) if m.interval)
    high = sum(m.interval[1] for m in (twin.pairs, twin.triples, twin.more) if m.interval)
    return low > high


def broken(found: Findings) -> Iterator[Sentence]:
    """Is a layer used, and does it add anything that a linear map does not?"""
    for one in found.ablation:
        if not _known(one.used) or not _known(one.adds):
            continue
        assert one.used is not None
        assert one.adds is not None
        if not estimates.is_above(one.used):
            yield Sentence(about="breaks", text=f"No use of layer {one.layer} was shown: {_no_loss(one.used)}.")
        elif estimates.is_above(one.adds):
            yield Sentence(about="breaks", text=_needed(one, found.looked.score_unit))
        else:
            yield Sentence(about="breaks", text=_mapped(one))


def _mapped(one: Ablation) -> str:
    """A map does as well where its cost is known to be at most a tenth of what the layer carries."""
    assert one.used is not None
    assert one.adds is not None
    assert one.adds.interval is not None
    figure = _figure(one.adds)
    if one.adds.interval[1] <= A_TENTH * one.used.value:
        return (
            f"Layer {one.layer} is used, but a linear map of what it reads does as well: it adds nothing that was "
            f"measured ({figure} lost)."
        )
    return f"Layer {one.layer} is used; that it does more than a linear map was not shown ({figure} lost with the map)."


def _needed(one: Ablation, unit: str) -> str:
    assert one.used is not None
    assert one.adds is not None
    what = "the input" if one.layer == 1 else f"layer {one.layer - 1}"
    return (
        f"With another sequence's states in layer {one.layer} the network loses {one.used.value:.1f} ({unit}), with a "
        f"linear map of {what} in its place {_figure(one.adds)}: the layer is used, and does what no linear map does."
    )


def _known(measured: Measured | None) -> bool:
    """Whether there is a figure with an interval: without one nothing is claimed."""
    return measured is not None and measured.interval is not None


def _no_loss(measured: Measured) -> str:
    return f"states of other sequences in its place cost {_figure(measured)}"


def removed(found: Findings) -> Iterator[Sentence]:
    """What a readout of a layer gets right that one of the layer below does not."""
    for one in found.ablation:
        if one.layer < 2 or not _known(one.exit_gain):
            continue
        assert one.exit_gain is not None
        here, below = f"A linear readout of layer {one.layer}", f"one of layer {one.layer - 1}"
        figure = _figure(one.exit_gain)
        if not estimates.is_above(one.exit_gain):
            text = f"That a linear readout of layer {one.layer} is better than {below} was not shown ({figure})."
        elif found.looked.kind in LABELLED:
            text = f"{here} makes {figure} points fewer errors than {below}{_most(found.errors, one.layer)}."
        else:
            text = f"{here} explains {figure} points more of the target's variance than {below}."
        yield Sentence(about="errors", text=text)


def _most(errors: Iterable[ErrorKind], layer: int) -> str:
    kinds = [e for e in errors if e.layer == layer and e.grouping == "class" and estimates.is_above(e.removed)]
    if not kinds:
        return ""
    kinds.sort(key=lambda e: -e.removed.value)
    shown = _listed([f"{e.group} (from {e.below:.0f} to {e.here:.0f} % wrong)" for e in kinds[:3]])
    return f", most on {shown}"


def reached(found: Findings) -> Iterator[Sentence]:
    """How much history the score needs, and whether gradients get that far."""
    if found.history:
        full = found.history[0].full
        enough = next((h for h in found.history if h.lost.interval and h.lost.interval[1] <= h.margin), None)
        if enough is not None:
            side = "on either side" if found.looked.bidirectional else "back"
            cut, whole, none = (_score(found, h) for h in (enough.truncated, full, found.history[0].truncated))
            yield Sentence(
                about="reach",
                text=f"{_steps(enough.steps)} {side} {'is' if enough.steps == 1 else 'are'} enough for the score: "
                f"{cut} with the rest cut off, {whole} with all of it, {none} with none.",
            )
    sick = [reach for reach in found.gradients if reach.reading != "healthy"]
    for reach in sick:
        lag, left = reach.norms[-1]
        where = "before" if reach.side == "back" else "after"
        yield Sentence(
            about="reach",
            text=f"The gradient at layer {reach.layer} is {reach.reading}: {_steps(lag)} {where} the loss {left:.2g} "
            "of it is left.",
        )
    if found.gradients and not sick:
        worst = min(found.gradients, key=lambda reach: reach.norms[-1][1])
        lag, left = worst.norms[-1]
        yield Sentence(
            about="reach",
            text=f"Gradients reach far: at least {100 * left:.0f} % of their size is left {_steps(lag)} away.",
        )


def _figure(measured: Measured) -> str:
    if measured.interval is None:
        return f"{measured.value:.1f}"
    low, high = measured.interval
    return f"{measured.value:.1f} ({low:.1f} to {high:.1f})"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _name(annotation: str) -> str:
    return annotation[:1].upper() + annotation[1:]


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _score(found: Findings, measured: Measured) -> str:
    """A mean score for people: per cent right, else the loss, without its sign."""
    right = found.looked.kind in ("classification", "tagging")
    return f"{measured.value:.1f}" if right else f"{abs(measured.value):.3g}"
