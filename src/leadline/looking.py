"""`explain`: from a model or a module and data to findings, on disk where asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from leadline import aside, checkpoint
from leadline.analysis import given, modules
from leadline.analysis.annotations import Annotation
from leadline.analysis.explain import Progress, Question
from leadline.analysis.explain import explain as look
from leadline.analysis.findings import Findings
from leadline.analysis.sample import MOST_STEPS
from leadline.analysis.subject import from_network
from leadline.checkpoint import Model
from leadline.data.datasets.letters import letters
from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.errors import ModelError, OptionError
from leadline.loading import load_settled, reading_of
from leadline.records.verdict import Verdict
from leadline.report import layer_page
from leadline.report.layer_page import FINDINGS, findings_of
from leadline.trials.ledger import read_verdict
from leadline.trials.lock import writing

PAGE = "layers.html"

SHARE_OF_BUDGET = 0.10
FIXED_SECONDS = 6.0
SECONDS_PER_STEP = 0.004
FEWEST_STEPS = 1000


@dataclass(frozen=True, eq=False)
class Source:
    """Data of a model, and the sequences of them that may be looked at."""

    sequences: Sequences
    among: NDArray[np.int64] | None = None


def explain(
    model: str | Path | Model | nn.Module,
    data: Any = None,
    *,
    annotations: str | Path | Mapping[str, Any] | None = None,
    layers: str | None = None,
    lengths: Any = None,
    seed: int = 0,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Look into the layers of a trained network: what each holds, for how long, and what breaks without it.

    Args:
        model: a run folder or model folder, a `leadline.Model`, or any torch module that holds a `torch.nn.RNN`, `GRU`
            or `LSTM`; its weights are taken over.
        data: a path, data frame, arrays or `Sequences`; for a module what it is called with, one tensor or a tuple.
            None for the data of a run folder, of which the dev part is looked at.
        annotations: what a layer may hold, beside what is derived from the data: a file with a column each, or a
            mapping from names to values, one per step or one per sequence of `data`.
        layers: name of the module's recurrent layer, where it has several.
        lengths: steps of each sequence of a module's inputs; all by default.
        seed: of the sample, the untrained twins and the controls: the same findings for the same seed.
        out: folder for `findings.json` and `layers.html`; None to write nothing.
        progress: called with what is measured next and the share that is done.

    Returns:
        The findings.

    Raises:
        ModelError: no recurrent layer, weights that are not finite, data of another kind.
        DataError: data or annotations that do not fit.
        RunFolderError: a damaged verdict, or another process works in the run folder that is written into.
        OutputError: `out` cannot be written to.

    >>> import torch
    >>> from leadline import explain
    >>> found = explain(torch.nn.GRU(2, 4, batch_first=True), torch.randn(30, 6, 2))
    >>> found.looked.network, len(found.memory)
    ('GRU 1 x 4', 2)
    """
    with held(out):
        question = _of_module(model, data, layers, lengths) if isinstance(model, nn.Module) else _of_model(model, data)
        given_ = _annotations(annotations, question.sequences)
        found = look(replace(question, annotations=given_, seed=seed), progress)
        if out is not None:
            write(found, Path(out))
    return found


@contextmanager
def held(out: str | Path | None) -> Iterator[None]:
    """The folder that is written into, refused before anything is measured where it cannot be."""
    if out is None:
        yield
        return
    aside.require_folder(Path(out))
    with writing(Path(out)):
        yield


def write(found: Findings, folder: Path) -> None:
    """`findings.json` and the page."""
    aside.make_folder(folder)
    aside.write_text(folder / FINDINGS, found.to_json())
    layer_page.write(found, folder / PAGE)


def after_study(verdict: Verdict, sequences: Sequences, folder: Path) -> Findings | None:
    """Look into what a study advises, on its dev part, and leave `findings.json` and `layers.html` in its folder.

    The sample is cut so that this takes at most 10 % of the budget, by what a step and a layer cost on a slow core.
    None where a baseline is advised, where nothing was trained to the end, or where the budget is too small.
    """
    known = findings_of(verdict, folder)
    if known is not None:
        if not os.path.exists(folder / PAGE):  # a run that ended between the two left findings without their page
            write(known, folder)
        return None
    spec_layers = None if verdict.advice.spec is None else verdict.advice.spec.num_layers
    steps = _affordable(verdict.budget.minutes, spec_layers or 1)
    if spec_layers is None or steps is None or not os.path.exists(folder / "model" / "model.json"):
        return None
    loaded = checkpoint.load(folder)
    if loaded.spec is None:
        return None
    subject = from_network(loaded.network)
    question = Question(
        subject, loaded.encoder, sequences, _dev(sequences, verdict), seed=verdict.seed, most_steps=steps
    )
    found = look(question)
    write(found, folder)
    return found


def _affordable(minutes: float | None, layers: int) -> int | None:
    """Steps to look at within the share of the budget; None where it does not pay for the fewest."""
    if minutes is None:
        return MOST_STEPS
    steps = int((SHARE_OF_BUDGET * minutes * 60 - FIXED_SECONDS) / (SECONDS_PER_STEP * layers))
    return None if steps < FEWEST_STEPS else min(steps, MOST_STEPS)


def _annotations(given_: str | Path | Mapping[str, Any] | None, sequences: Sequences) -> list[Annotation]:
    if given_ is None:
        return []
    if isinstance(given_, Mapping):
        return given.from_mapping(given_, sequences)
    return given.read_file(Path(given_), sequences)


def _of_module(module: nn.Module, data: Any, layers: str | None, lengths: Any) -> Question:
    if data is None:
        raise OptionError("no inputs for the module", expected="what it is called with", next_move="Give them as data.")
    taken = modules.take_over(module, data, layers, lengths)
    return Question(taken.subject, taken.encoder, modules.as_sequences(taken))


def _of_model(model: str | Path | Model, data: Any) -> Question:
    loaded = model if isinstance(model, Model) else checkpoint.load(model)
    if loaded.spec is None:
        raise ModelError(
            f"the model is the baseline {loaded.baseline!r}",
            expected="a recurrent network: there are no layers here to look into",
            next_move="Train one with `leadline train`.",
        )
    source = _source(model, loaded, data)
    if source.sequences.kind != loaded.encoder.kind:
        raise ModelError(
            f"data of kind {source.sequences.kind!r}",
            where=source.sequences.source,
            expected=f"kind {loaded.encoder.kind!r}",
        )
    return Question(from_network(loaded.network), loaded.encoder, source.sequences, source.among)


def _source(model: str | Path | Model, loaded: Model, data: Any) -> Source:
    folder = None if isinstance(model, Model) else Path(model)
    verdict = None if folder is None else _verdict(folder)
    if isinstance(data, str | Path) and folder is not None:
        sequences = read(data, replace(reading_of(folder), kind=loaded.encoder.kind))  # type: ignore[arg-type]
    elif data is not None:
        sequences = load_settled(data, read_options=ReadOptions())[0]
    else:
        sequences = own_data(folder, loaded, verdict)
    return Source(sequences, _dev(sequences, verdict))


def _verdict(folder: Path) -> Verdict | None:
    return read_verdict(folder) if os.path.exists(folder / "verdict.json") else None


def own_data(folder: Path | None, loaded: Model | None, verdict: Verdict | None) -> Sequences:
    """The data that a model was trained on, where they are embedded or still at their place."""
    source = "" if verdict is None else verdict.data.source
    if source.startswith("embedded") or (loaded is not None and loaded.facts.get("data") == "letters to sounds"):
        count = None if verdict is None else verdict.data.num_sequences
        everything = letters()
        return everything if count in (None, len(everything)) else letters(count)
    if folder is not None and source and os.path.exists(source):
        return read(source, reading_of(folder))
    raise ModelError(
        "the model's data are not at hand",
        where="" if folder is None else str(folder),
        expected=f"the file {source!r}" if source else "data of the same form",
        next_move="Give the data: `leadline explain RUN DATA`.",
    )


def _dev(sequences: Sequences, verdict: Verdict | None) -> NDArray[np.int64] | None:
    """The dev part where these are the data of the study: the network was not trained on it."""
    if verdict is None or sequences.fingerprint() != verdict.data.fingerprint:
        return None
    return split(sequences, verdict.split_seed).folds[0].dev
