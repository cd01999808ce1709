"""The calls behind the command line's verbs: one function each, with Python's own types."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PrivateAttr

from leadline import checkpoint
from leadline.checkpoint import Model
from leadline.data.arrays import from_arrays
from leadline.data.datasets.letters import letters
from leadline.data.frames import read_frame
from leadline.data.options import ReadOptions
from leadline.data.read import read, read_settled
from leadline.data.sequences import LABELLED, Sequences
from leadline.data.split import split
from leadline.errors import ModelError, OptionError
from leadline.records import Trial, TrialResult, Verdict
from leadline.report import page
from leadline.seeds import child
from leadline.study import setup
from leadline.study.advise import READING, Options, Prepared, Progress, prepare, study
from leadline.study.book import Book
from leadline.study.material import Material
from leadline.study.moves import Limits, parse_start, require_allowed
from leadline.study.trial import run

UNITS = {"s": 1 / 60, "m": 1.0, "h": 60.0}
LETTERS = ReadOptions(layout="words", tokens="char", kind="tagging")


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
        """Write the page to `path`."""
        page.write(self, Path(path))


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


def load_data(
    data: Any = None,
    targets: Any = None,
    *,
    read_options: ReadOptions | None = None,
    test: str | Path | None = None,
    subset: int | None = None,
    **arrays: Any,
) -> Sequences:
    """Whatever holds sequences, as `Sequences`.

    Args:
        data: None for the embedded letters to sounds; a path; a data frame; a list of arrays (seq, feature), of
            strings or of token lists; an array (batch, seq, feature); or `Sequences`.
        targets: one per sequence, or a list of one array per sequence; with arrays and lists only.
        read_options: what to take from a file or frame.
        test: a second file, for the test part.
        subset: so many words of the embedded data set.
        arrays: further arguments of `leadline.from_arrays`: lengths, groups, parts, ids, kind, name.

    Raises:
        OptionError: arguments that do not go together.
    """
    return load_settled(data, targets, read_options=read_options, test=test, subset=subset, **arrays)[0]


def load_settled(
    data: Any,
    targets: Any = None,
    *,
    read_options: ReadOptions | None = None,
    test: str | Path | None = None,
    subset: int | None = None,
    **arrays: Any,
) -> tuple[Sequences, ReadOptions]:
    """`load_data`, and the options that read more files of the same form without inferring anything again."""
    options = read_options or ReadOptions()
    in_memory = isinstance(data, np.ndarray | list | tuple)
    if not in_memory and (arrays or targets is not None):
        raise OptionError(
            f"{', '.join(arrays) or 'targets'} with data that are no arrays",
            expected="an option of this call",
            next_move="Correct its name or leave it out; what to take from a file or a frame goes into read_options.",
        )
    if subset is not None and data is not None:
        raise OptionError("subset with data of your own", expected="subset with the embedded data set only")
    if test is not None and not isinstance(data, str | Path):
        raise OptionError("a test file without a data file", expected="both as paths")
    if isinstance(data, str | Path):
        return read_settled(data, options, test)
    if data is None:
        return letters(subset), LETTERS
    if isinstance(data, Sequences):
        return data, options
    if in_memory:
        return from_arrays(data, targets, **arrays), options
    return read_frame(data, options), options


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
    start: str | None = None,
    max_updates: int | None = None,
    out: str | Path | None = None,
    read_options: ReadOptions | None = None,
    test: str | Path | None = None,
    subset: int | None = None,
    progress: Progress | None = None,
    **arrays: Any,
) -> StudyVerdict:
    """Measure what network these data want, and train it.

    Args:
        data, targets, read_options, test, subset, arrays: see `load_data`.
        seed: the same seed gives the same verdict on the same machine and thread count.
        budget: wall time, for instance "15m"; None for no limit. It only cuts: decisions made in a shorter budget
            are the first ones of a longer.
        max_trials: cut after so many trials of the search; baselines and finals come on top.
        jobs: worker processes with one thread each; by default one per core. They do not change the verdict.
        causal: the advised network may not see the future.
        max_look_ahead: it may see at most so many next steps.
        margin: smallest effect worth its cost, in the metric's unit; by default 1 % of the way from the trivial
            baseline to perfect.
        start: the network to start from, for instance "lstm:3x256:both"; by default one small GRU layer.
        max_updates: cap of updates for every arm.
        out: run folder; by default `leadline-runs/` and a name from data and options. The same call again on the
            same folder goes on where it was.
        progress: called after every finished trial.

    Returns:
        The verdict, with `.folder`, `.model` and `.report(path)`.

    Raises:
        LeadlineError: data, options or run folder that cannot be used.
    """
    sequences, reading = load_settled(data, targets, read_options=read_options, test=test, subset=subset, **arrays)
    options = study_options(
        seed=seed,
        minutes=minutes(budget),
        max_trials=max_trials,
        jobs=jobs,
        causal=causal,
        max_look_ahead=max_look_ahead,
        margin=margin,
        start=start,
        max_updates=max_updates,
        out=None if out is None else Path(out),
    )
    prepared = prepare(sequences, options)
    return answer(prepared, progress or _silent, reading)


def answer(prepared: Prepared, progress: Progress, reading: ReadOptions) -> StudyVerdict:
    """Run a prepared study and write its page."""
    found = study(prepared, progress, asdict(reading))
    verdict = StudyVerdict.model_validate(found.model_dump(by_alias=True))
    verdict._folder = prepared.folder
    verdict.report(prepared.folder / "report.html")
    return verdict


def study_options(*, jobs: int | None, **others: Any) -> Options:
    """`Options`, one worker per core where `jobs` is None."""
    return Options(**others) if jobs is None else Options(jobs=jobs, **others)


def train(
    data: Any = None,
    targets: Any = None,
    *,
    network: str = "gru:1x64",
    learning_rate: float = 0.006,
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
        learning_rate: of AdamW.
        seed: of split, weights and order.
        out: model folder.

    Returns:
        The model and its scores.
    """
    sequences, reading = load_settled(data, targets, read_options=read_options, test=test, subset=subset, **arrays)
    parts = split(sequences, seed)
    spec = require_allowed(parse_start(network, setup.blank_spec(sequences, parts)), Limits(sequences.kind))
    recipe = replace(setup.recipe_for(sequences, parts), learning_rate=learning_rate)
    trial = Trial(spec=spec, recipe=recipe, seed=child(seed, "train"), final=True)
    outcome = run(Material(sequences, parts, causal=False), trial)
    assert outcome.model is not None
    folder = Path(out)
    outcome.model.save(folder)
    (folder / READING).write_text(json.dumps(asdict(reading)), encoding="utf-8")
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


def reading_of(path: Path) -> ReadOptions:
    """The options that a model's own data were read with.

    Raises:
        ModelError: they are not beside it.
    """
    for folder in (path, path / "model"):
        if (folder / READING).exists():
            known = json.loads((folder / READING).read_text(encoding="utf-8"))
            return ReadOptions.from_dict(known)
    raise ModelError(f"no {READING}", where=str(path), expected="a run folder or a model folder that Leadline wrote")


def _silent(book: Book, trial: Trial | None, result: TrialResult | None, elapsed: float) -> None:
    return None
