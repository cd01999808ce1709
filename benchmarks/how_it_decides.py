"""The picture of docs/how-it-decides.md: three simulated comparisons, look by look. Writes docs/how-it-decides.svg.

python benchmarks/how_it_decides.py
"""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import polars as pl

from leadline.stats import paired, rule
from leadline.study import verdict

MARGIN = 0.8
SEEDS, EXAMPLES, BOTH, COUNT = 0.25, 4.0, 5.0, 2500
EFFECTS = {"better": 2.0, "not worth it": 0.1, "undecided": 0.75}
SEED = 4
TARGET = Path(__file__).parents[1] / "docs" / "how-it-decides.svg"


def looks(name: str, effect: float) -> list[dict[str, object]]:
    """Bounds after each block until one of them passes the margin."""
    random = np.random.default_rng(SEED)
    design = verdict.design(0, "upward", 4)
    sums = effect + SEEDS * random.normal(size=(design.looks[-1], 1)) + EXAMPLES * random.normal(size=(1, COUNT))
    sums += BOTH * random.normal(size=(design.looks[-1], COUNT))
    rows: list[dict[str, object]] = []
    for look in design.looks:
        found = rule.bounds(paired.crossed(sums[:look], np.ones(COUNT)), design)
        row = {"comparison": name, "pairs": look, "effect": found.effect}
        rows.append({**row, "low": max(found.low, -1.5), "high": min(found.high, 4.0)})
        if found.low > MARGIN or found.high < MARGIN:
            break
    return rows


def main() -> None:
    frame = pl.DataFrame([row for name, effect in EFFECTS.items() for row in looks(name, effect)])
    x = alt.X("pairs:Q", title="pairs", scale=alt.Scale(domain=[0, 25]), axis=alt.Axis(values=list(range(0, 25, 3))))
    y = alt.Y("low:Q", title="effect, points of score", scale=alt.Scale(domain=[-1.5, 4]))
    bars = alt.Chart().mark_rule(strokeWidth=3, color="#3b6ea5").encode(x=x, y=y, y2="high:Q")
    dots = alt.Chart().mark_point(filled=True, size=50, color="#1d3d5c", opacity=1).encode(x=x, y="effect:Q")
    margin = alt.Chart().mark_rule(strokeDash=[5, 4], color="#b3541e").encode(y=alt.datum(MARGIN))
    chart = alt.layer(bars, dots, margin, data=frame).properties(width=230, height=220)
    head = alt.Facet("comparison:N", title=None, sort=list(EFFECTS), header=alt.Header(labelFontSize=14))
    chart.facet(head, columns=3).configure(background="white").save(TARGET)


if __name__ == "__main__":
    main()
