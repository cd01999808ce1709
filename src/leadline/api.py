"""The calls behind the command line's verbs: one function each, with Python's own types."""

from __future__ import annotations

import json
import re
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from leadline import aside, checkpoint, comparing, looking
from leadline.checkpoint import Model
from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.data.sequences import LABELLED, Sequences
from leadline.data.split import split
from leadline.errors import OptionError
from leadline.loading import load_settled, reading_of
from leadline.plan import setup
from leadline.plan.networks import Limits, parse_network, require_allowed
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import Verdict
from leadline.report import page
from leadline.report.compare_page import steps_of
from leadline.report.layer_page import findings_of
from leadline.search.state import State
from leadline.seeds import child
from leadline.study.advise import READING, Options, Prepared, Progress, prepare, study
from leadline.trials.lock import locked
from leadline.trials.material import Material
from leadline.trials.trial import run

UNITS = {"s": 1 / 60, "m": 1.0, "h": 60.0}
KEPT_BACK = 0.08
"""Share of the budget that a study leaves over for `looking` and `comparing`, whose own limits count in slow cores."""


class StudyVerdict(Verdict):
    """A verdict that knows its run folder."""

    _folder: Path = PrivateAttr()

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._folder

    @property
    def model(self) -> Model:
        """The trained model: the first final seed of what is advised."""
        return checkpoint.load(self._folder / "model")

    def report(self, path: str | Path) -> None:
        """Write the page to `path`, with its layers and the steps of its path where they were looked into."""
        folder = self._folder
        page.write(self, Path(path), findings=findings_of(self, folder), steps=steps_of(self, folder))


def minutes(text: str | float | None) -> float | None:
    """A budget in minutes from "90s", "15m", "2h" or a number of minutes.

    Raises:
        OptionError: anything else.

    >>> minutes("90s"), minutes("2h"), minutes(5)
    (1.5, 120.0, 5.0)
    """
    if text is None or isinstance(text, int | float):
        return None if text is None else float(text)
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([smh]?)\s*", text)
    if not found:
        raise OptionError(f"budget {text!r}", expected="a time such as 90s, 15m or 2h")
    return float(found[1]) * UNITS[found[2] or "m"]


def advise(
    data: Any = None,
    targets: Any = None,
    *,
    seed: int = 0,
    budget: str | float | None = "15m",
    max_trials: int | None = None,
    jobs: int | None = None,
    causal: bool = False,
    max_look_ahead: int | None = None,
    margin: float | None = None,
    network: str | None = None,
    split_seed: int = 0,
    max_updates: int | None = None,
    out: str | Path | None = None,
    read_options: ReadOptions | None = None,
    test: str | Path | None = None,
    subset: int | None = None,
    progress: Progress | None = None,
    explain: bool = True,
    **arrays: Any,
) -> StudyVerdict:
    """Measure what network these data want, and train it.

    Args:
        data, targets, read_options, test, subset, arrays: see `load_data`.
        seed: the same seed gives the same verdict on the same machine and thread count.
        budget: wall time, for instance "15m", from the call to the finished page, reading and checking the data
            included; None for no limit. It only cuts: decisions made in a shorter budget
            are the first ones of a longer.
        max_trials: cut after so many trials of the search; baselines and finals come on top.
        jobs: worker processes with one thread each; by default one per core. They do not change the verdict.
        causal: the advised network may not see the future.
        max_look_ahead: it may see at most so many next steps.
        margin: smallest effect worth its cost, in the metric's unit; by default 1 % of the way from the trivial
            baseline to perfect.
        network: your own network, for instance "lstm:3x256:both": it races with the others ("yours").
        split_seed: another one gives other parts, and so another test part.
        max_updates: cap of updates for every arm.
        out: run folder; by default `leadline-runs/` and a name from data and options. The same call again on the
            same folder goes on where it was.
        progress: called after every finished trial.
        explain: look into the layers of the advised network at the end, for at most 15 % of the budget, which the study
            leaves over.

    Returns:
        The verdict, with `.folder`, `.model` and `.report(path)`.

    Raises:
        LeadlineError: data, options or run folder that cannot be used.
    """
    began = time.monotonic()
    sequences, reading = load_settled(data, targets, read_options=read_options, test=test, subset=subset, **arrays)
    options = study_options(
        seed=seed,
        minutes=minutes(budget),
        max_trials=max_trials,
        jobs=jobs,
        causal=causal,
        max_look_ahead=max_look_ahead,
        margin=margin,
        network=network,
        split_seed=split_seed,
        max_updates=max_updates,
        out=None if out is None else Path(out),
        explain=explain,
        began=began,
    )
    prepared = prepare(sequences, options)
    return answer(prepared, progress or _silent, reading, explain)


def answer(prepared: Prepared, progress: Progress, reading: ReadOptions, explain: bool = True) -> StudyVerdict:
    """Run a prepared study, look into the layers of what it advises and into what its steps brought, write its page."""
    with locked(prepared.folder):
        found = study(prepared, progress, asdict(reading), held=True)
        verdict = StudyVerdict.model_validate(found.model_dump(by_alias=True))
        verdict._folder = prepared.folder
        if explain:
            looking.after_study(verdict, prepared.state.material.sequences, prepared.folder)
            comparing.after_study(verdict, prepared.state.material.sequences, prepared.folder)
        verdict.report(prepared.folder / "report.html")
    return verdict


def study_options(*, jobs: int | None, explain: bool, **others: Any) -> Options:
    """`Options`, one worker per core where `jobs` is None; looking into the layers is paid out of the budget."""
    given = {**others, "kept_back": KEPT_BACK if explain else 0.0}
    return Options(**given) if jobs is None else Options(jobs=jobs, **given)


def train(
    data: Any = None,
    targets: Any = None,
    *,
    network: str = "gru:1x64",
    learning_rate: float = 0.006,
    weight_decay: float = 0.0,
    seed: int = 0,
    out: str | Path = "leadline-model",
    read_options: ReadOptions | None = None,
    test: str | Path | None = None,
    subset: int | None = None,
    **arrays: Any,
) -> tuple[Model, TrialResult]:
    """Fit one network, without a study, and save it.

    Args:
        data, targets, read_options, test, subset, arrays: see `load_data`.
        network: for instance "gru:2x64:both:mlp".
        learning_rate, weight_decay: of AdamW, per update.
        seed: of split, weights and order.
        out: model folder.

    Returns:
        The model and its scores.

    Raises:
        OutputError: `out` cannot be written to; it is tried before anything is trained.
    """
    sequences, reading = load_settled(data, targets, read_options=read_options, test=test, subset=subset, **arrays)
    parts = split(sequences, seed)
    spec = require_allowed(parse_network(network, setup.blank_spec(sequences, parts)), Limits(sequences.kind))
    recipe = replace(setup.recipe_for(sequences, parts), learning_rate=learning_rate, weight_decay=weight_decay)
    trial = Trial(spec=spec, recipe=recipe, seed=child(seed, "train"), role="final")
    aside.require_folder(Path(out))
    outcome = run(Material(sequences, parts, causal=False), trial)
    assert outcome.model is not None
    outcome.model.save(Path(out), {READING: json.dumps(asdict(reading)).encode()})
    return outcome.model, outcome.result


def predict(model: str | Path, data: str | Path) -> list[dict[str, Any]]:
    """Predictions for a file, read as the model's own data were.

    Args:
        model: a run folder or a model folder.
        data: the file; targets may be missing.

    Returns:
        A row per target: `sequence`, `step` (from 0, where there is one per step), `prediction`, and for classes
        `probability` and one `p_<class>` each.

    Raises:
        ModelError: no model there, or data of another kind.
        DataError: a file that cannot be read, or one without the model's features.
    """
    loaded = checkpoint.load(model)
    options = reading_of(Path(model))
    sequences = read(data, replace(options, kind=loaded.encoder.kind), needs_target=False)  # type: ignore[arg-type]
    predicted = loaded.predict(sequences)
    return _rows(loaded, sequences, predicted)


def _rows(model: Model, sequences: Sequences, predicted: NDArray[np.float64]) -> list[dict[str, Any]]:
    places = _places(sequences)
    if model.encoder.kind not in LABELLED:
        return [{**place, "prediction": float(value)} for place, value in zip(places, predicted, strict=True)]
    classes = model.encoder.classes
    best = predicted.argmax(1)
    return [
        {
            **place,
            "prediction": classes[best[row]],
            "probability": float(predicted[row, best[row]]),
            **{f"p_{name}": float(p) for name, p in zip(classes, predicted[row], strict=True)},
        }
        for row, place in enumerate(places)
    ]


def _places(sequences: Sequences) -> list[dict[str, Any]]:
    if not sequences.per_step:
        return [{"sequence": name} for name in sequences.ids]
    return [
        {"sequence": name, "step": step}
        for name, length in zip(sequences.ids, sequences.lengths.tolist(), strict=True)
        for step in range(length)
    ]


def _silent(state: State, trial: Trial, result: TrialResult, elapsed: float) -> None:
    return None
