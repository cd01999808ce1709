"""Where attacks take place: the folder, the seed, and the cases that were done, so that a broken series goes on."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attacks.outcome import Case, Outcome

GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, fill the unit interval evenly whatever their number


@dataclass(frozen=True)
class Arena:
    """A series of attacks.

    Args:
        folder: holds `results.jsonl`, `kept/` with what failed, and whole studies to start from.
        seed: the same seed makes the same attacks.
    """

    folder: Path
    seed: int

    def draw(self, kind: str, number: int) -> random.Random:
        """The generator of one attack."""
        return random.Random(f"{self.seed}/{kind}/{number}")

    def moment(self, number: int) -> float:
        """Between 0 and 1, spread evenly whatever the number of attacks."""
        return (self.seed * 0.37 + (number + 1) * GOLDEN) % 1.0

    def work(self, kind: str, number: int) -> Path:
        """An empty folder for one attack."""
        place = self.folder / "work" / f"{kind}-{number}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    def keep(self, case: Case, place: Path) -> None:
        """What a failure was made of, for whoever mends it."""
        kept = self.folder / "kept" / f"{case.kind}-{self.seed}-{case.number}"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        (kept / "case.json").write_text(json.dumps(asdict(case), indent=1), encoding="utf-8")
        if place.exists():
            # Links stay links: a damaged folder may hold a circle of them. What cannot be copied is left out.
            try:
                shutil.copytree(place, kept / "place", symlinks=True)
            except (OSError, shutil.Error) as error:
                (kept / "not-copied.txt").write_text(str(error), encoding="utf-8")

    def record(self, case: Case) -> None:
        """Write a case down; it is not done again."""
        with (self.folder / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seed": self.seed, **asdict(case)}) + "\n")

    def cases(self) -> list[Case]:
        """All cases of this folder, whatever their seed."""
        return [Case(**{**line, "outcome": Outcome(line["outcome"])}) for _, line in self._lines()]

    def done(self) -> set[tuple[str, int]]:
        """Kind and number of the cases with this seed."""
        return {(line["kind"], line["number"]) for seed, line in self._lines() if seed == self.seed}

    def _lines(self) -> Iterable[tuple[int, dict[str, Any]]]:
        path = self.folder / "results.jsonl"
        if not path.exists():
            return
        for text in path.read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            yield line.pop("seed"), line


def table(cases: Iterable[Case]) -> str:
    """Tried and survived per kind, with a column for each failure that occurred, in Markdown."""
    counts: dict[str, Counter[Outcome]] = {}
    for case in cases:
        counts.setdefault(case.kind, Counter())[case.outcome] += case.tries
    shown = [o for o in Outcome if o is not Outcome.SURVIVED and any(c[o] for c in counts.values())]
    head = ["attack", "tried", "survived", *(str(o) for o in shown)]
    rows: list[list[str | int]] = [
        [kind, sum(c.values()) - c[Outcome.MISSED], c[Outcome.SURVIVED], *(c[o] for o in shown)]
        for kind, c in sorted(counts.items())
    ]
    cells = [[f"{value:,}" if isinstance(value, int) else value for value in row] for row in rows]
    lines = [head, ["---"] * len(head), *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
