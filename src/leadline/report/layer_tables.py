"""The tables of the page on layers: each is one function Findings -> `Table`, or None where there is nothing."""

from __future__ import annotations

from leadline.analysis.findings import Findings, Probe
from leadline.report.layer_charts import PARTS
from leadline.report.layer_look import figure_text, layer_name
from leadline.report.layout import Column, Row, Table


def probes(found: Findings) -> Table | None:
    rows = tuple(_probe_row(p) for p in found.probes if p.origin != "lag")
    if not rows:
        return None
    titles = ("Annotation", "Layer", "Unit", "Score", "Random labels", "Untrained", "Gain", "Bits", "Bits, untrained")
    columns = tuple(Column(title, numeric=i >= 3) for i, title in enumerate(titles))
    return Table("Probes", columns, rows)


def _probe_row(probe: Probe) -> Row:
    place = layer_name(probe.layer) if probe.direction == "all" else f"{layer_name(probe.layer)}, {probe.direction}"
    return Row(
        (
            probe.annotation,
            place,
            probe.unit,
            figure_text(probe.score),
            "" if probe.control is None else figure_text(probe.control),
            "" if probe.untrained is None else f"{probe.untrained:.1f}",
            "" if probe.gain is None else figure_text(probe.gain),
            "" if probe.bits is None else f"{probe.bits:.2f}",
            "" if probe.untrained_bits is None else f"{probe.untrained_bits:.2f}",
        )
    )


def memory(found: Findings) -> Table | None:
    rows = []
    for one in found.memory:
        life = f"more than {one.beyond}" if one.half_life is None else f"{one.half_life:.2f}"
        ends = (
            "" if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}".replace("inf", "longer")
        )
        twin = f"more than {one.untrained_beyond}" if one.untrained is None else f"{one.untrained:.2f}"
        gate = "" if one.gates is None else f"{one.gates:.2f}"
        spread = ", ".join(f"{count} at {name}" for name, count in one.units if count)
        kind = "input replaced" if one.kind == "driven" else "own state moved"
        rows.append(Row((layer_name(one.layer), one.direction, one.side, kind, life, ends, twin, gate, spread)))
    if not rows:
        return None
    titles = ("Layer", "Units", "Side", "What", "Half-life", "95 %", "Untrained", "Gates promise", "Units by half-life")
    columns = tuple(Column(title, numeric=4 <= i <= 7, wide=i == 8) for i, title in enumerate(titles))
    return Table("Half-lives in steps", columns, tuple(rows))


def shares(found: Findings) -> Table | None:
    rows = tuple(
        Row(
            (
                f"layer {s.layer}{', untrained' if s.untrained else ''}",
                *(figure_text(getattr(s, field)) for field, _, _ in PARTS),
            )
        )
        for s in found.shares
    )
    columns = (Column("Layer"), *(Column(name, numeric=True) for _, name, _ in PARTS))
    return Table("Per cent of the state's variance", columns, rows) if rows else None


def gradient(found: Findings) -> Table | None:
    lags = sorted({lag for reach in found.gradients for lag, _ in reach.norms})
    shown = [lag for lag in lags if lag in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)]
    rows = []
    for one in found.gradients:
        for which, norms in (("trained", dict(one.norms)), ("untrained", dict(one.untrained))):
            figures = (f"{norms[lag]:.2g}" if lag in norms else "" for lag in shown)
            if norms:
                rows.append(
                    Row((layer_name(one.layer), one.side, which, *figures, one.reading if which == "trained" else ""))
                )
    columns = (
        Column("Layer"),
        Column("Side"),
        Column("Network"),
        *(Column(f"{lag}", numeric=True) for lag in shown),
        Column(""),
    )
    return Table("Share of the gradient left, by steps from the loss", columns, tuple(rows)) if rows else None


def spectra(found: Findings) -> Table | None:
    lags = [lag for lag in (1, 2, 4, 8, 16, 32, 64) if any(lag == v[0] for s in found.spectra for v in s.values)]
    rows = []
    for one in found.spectra:
        for which, values in (("trained", one.values), ("untrained", one.untrained)):
            known = {lag: f"{high:.2g}, {low:.2g}" for lag, high, low in values}
            if known:
                name = layer_name(one.layer) if one.direction == "all" else f"{layer_name(one.layer)}, {one.direction}"
                rows.append(Row((name, which, *(known.get(lag, "") for lag in lags))))
    columns = (
        Column("Layer"),
        Column("Network"),
        *(Column("1 step" if lag == 1 else f"{lag} steps", numeric=True) for lag in lags),
    )
    caption = "Largest and smallest singular value of the product of a layer's Jacobians, by lag"
    return Table(caption, columns, tuple(rows)) if rows and lags else None


def shapes(found: Findings) -> Table | None:
    rows = tuple(
        Row(
            (
                layer_name(s.layer) if s.direction == "all" else f"{layer_name(s.layer)}, {s.direction}",
                f"{s.dimension:.1f} of {s.units}",
                f"{s.untrained_dimension:.1f}",
                f"{s.dead}",
                ", ".join(f"{name} {share:.0f} %" for name, share in s.saturated.items()),
                ", ".join(f"{name} {share:.0f} %" for name, share in s.untrained_saturated.items()),
            )
        )
        for s in found.shapes
    )
    titles = ("Layer", "Effective dimension", "Untrained", "Dead units", "Gates near 0 or 1", "Untrained")
    columns = tuple(Column(title, numeric=1 <= i <= 3) for i, title in enumerate(titles))
    caption = "How the units are used; a gate is near 0 or 1 below .1 or above .9"
    return Table(caption, columns, rows) if rows else None
