"""What things are called: cells, readouts, arms, kinds of target, roles."""

from __future__ import annotations

from leadline.records.verdict import Verdict
from leadline.spec import StackSpec

CELLS: dict[str, str] = {"tanh": "tanh RNN", "gru": "GRU", "lstm": "LSTM"}
KINDS: dict[str, str] = {
    "classification": "per sequence",
    "regression": "per sequence",
    "tagging": "per step",
    "step_regression": "per step",
    "next_step": "next step",
}
ROLES: dict[str, str] = {
    "advised": "Advised",
    "start": "The default network",
    "yours": "Yours",
    "best_streaming": "Best network that sees no future",
    "best_baseline": "Best without recurrence",
}


def arm(verdict: Verdict, name: str) -> str:
    """An arm for people."""
    found = verdict.arm(name)
    baseline = next((facts for facts in verdict.baselines if facts.name == name), None)
    return found.description if found else baseline.description if baseline else name


def article(noun: str) -> str:
    """A noun with its article.

    >>> article("MLP on a window"), article("linear model"), article("class frequencies")
    ('an MLP on a window', 'a linear model', 'class frequencies')
    """
    if noun.split(" ")[0].endswith("ies") or (noun.endswith("s") and " on " not in noun):
        return noun
    vowels = ("a", "e", "i", "o", "u", "MLP", "LSTM", "n-gram")
    return f"an {noun}" if noun.startswith(vowels) else f"a {noun}"


def readout(spec: StackSpec) -> str:
    """A network's readout."""
    pooled = f", {spec.pooling} over the steps" if spec.pooling in ("mean", "max") else ""
    return f"{'MLP' if spec.readout == 'mlp' else 'linear'}{pooled}"


def parameters(count: int) -> str:
    """A number of parameters as people say it.

    >>> parameters(940), parameters(19272), parameters(1_250_000)
    ('940', '19 k', '1.2 M')
    """
    if count < 1000:
        return str(count)
    return f"{count / 1000:.0f} k" if count < 1_000_000 else f"{count / 1e6:.1f} M"
