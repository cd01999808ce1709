"""The verbs that read or write a run folder, as arguments of the command line, for the tiny study."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from attacks import studies

VERBS = ("advise", "report", "explain", "compare", "predict", "train")
READERS = ("report", "explain", "compare", "predict")  # with an output elsewhere they leave the run folder alone


@dataclass(frozen=True)
class Call:
    """One call of a verb.

    Args:
        verb: one of `VERBS`.
        run: the run folder.
        data: the table that the study was made of.
        out: where the verb writes; for a reader another place than the run folder, or None for its default.
        networks: two names of the verdict's table, for `compare`.
    """

    verb: str
    run: Path
    data: Path
    out: Path | None
    networks: tuple[str, ...]

    def arguments(self) -> list[str]:
        """What stands after `leadline`."""
        out = [] if self.out is None else ["--out", str(self.out)]
        run, data = str(self.run), str(self.data)
        return {
            "advise": ["advise", data, *studies.TINY, "--no-explain", "--out", run],
            "report": ["report", run, *(["--out", str(self.out / "page.html")] if self.out else [])],
            "explain": ["explain", run, data, *out],
            "compare": ["compare", run, *self.networks, "--seeds", "1", *out],
            "predict": ["predict", run, data, *(["--out", str(self.out / "rows.csv")] if self.out else [])],
            "train": ["train", data, "--network", "gru:1x4", "--out", run],
        }[self.verb]

    def message(self, way: str) -> dict[str, Any]:
        """For the process that makes calls: `caller.py`."""
        paths = {name: None if value is None else str(value) for name, value in asdict(self).items()}
        return {
            **paths,
            "networks": self.networks,
            "way": way,
            "arguments": [] if way == "function" else self.arguments(),
        }


def networks_of(whole: studies.Whole) -> tuple[str, ...]:
    """Two networks that the verdict of a study names, for `compare`."""
    names = [arm["name"] for arm in (whole.verdict or {}).get("arms", []) if isinstance(arm, dict) and "name" in arm]
    return tuple(names[:2]) if len(names) > 1 else ()
