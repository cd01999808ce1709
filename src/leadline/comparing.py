"""`compare`: two arms of a study, trained again from the ledger's own recipe and seed, and looked into."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from leadline.analysis import ablation, contrast, estimates
from leadline.analysis import sample as sampling
from leadline.analysis.annotations import owners, steps_from_start
from leadline.analysis.capture import Captured, capture
from leadline.analysis.contrast import Contrast, Example
from leadline.analysis.explain import Progress, Question
from leadline.analysis.explain import explain as look
from leadline.analysis.findings import ErrorKind, Findings
from leadline.analysis.letters_notes import annotate, is_letters
from leadline.analysis.sample import Sample
from leadline.analysis.subject import Subject, from_network
from leadline.analysis.units import context
from leadline.data.sequences import LABELLED, Sequences
from leadline.data.split import split
from leadline.errors import ModelError, OptionError, RunFolderError
from leadline.looking import own_data
from leadline.network import stack_network
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import ArmFacts, Verdict
from leadline.seeds import child
from leadline.spec import StackSpec
from leadline.study.ledger import read_trials, read_verdict
from leadline.study.material import Material
from leadline.training import loop
from leadline.training.trainee import trainee

Floats = NDArray[np.float64]

CONTRAST = "contrast.json"
MOST_SEQUENCES = 6000
MOST_STEPS = 40_000
LOOKED_STEPS = 5000
EXAMPLES = 12
CLOSE = 1e-6


@dataclass(frozen=True, eq=False)
class Arm:
    """One arm, trained again."""

    name: str
    subject: Subject
    reproduced: bool


def compare(
    run: str | Path,
    first: str | None = None,
    second: str | None = None,
    *,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Contrast:
    """What the change from one network of a study to another removed, added and moved.

    Both arms are trained again on the run's data, from the recipe and a seed that the ledger holds for both,
    which takes as long as two trials; the dev part is looked at, the test part is not.

    Args:
        run: a run folder whose data are embedded or still at their place.
        first, second: names of two networks, as the verdict's table has them; by default the network before and after
            the last step of the path, `deeper` where there is one, or else the advised one and its deeper candidate.
        out: folder for `contrast.json`; None to write nothing.
        progress: called with what comes next and the share that is done.

    Raises:
        OptionError: no such networks, or two that were never trained with the same seed.
        ModelError: the data are not at hand, or are others than the study's.
    """
    folder, tell = Path(run), progress or _silent
    verdict = read_verdict(folder)
    names = _names(first, second, verdict)
    pair = _pair(read_trials(folder), verdict, names)
    sequences = own_data(folder, None, verdict)
    if sequences.fingerprint() != verdict.data.fingerprint:
        raise ModelError(
            "the data have changed since the study", where=verdict.data.source, expected="the data of the run"
        )
    material = Material(sequences, split(sequences, verdict.seed), verdict.causal)
    arms = []
    for number, (name, (trial, result)) in enumerate(zip(names, pair, strict=True)):
        tell(f"training {name}", 0.3 * number)
        arms.append(_train(material, trial, result, name))
    found = _contrast(material, verdict, arms, pair[0][0].seed, tell)
    if out is not None:
        Path(out).mkdir(parents=True, exist_ok=True)
        (Path(out) / CONTRAST).write_text(found.to_json(), encoding="utf-8")
    tell("done", 1.0)
    return found


def _names(first: str | None, second: str | None, verdict: Verdict) -> tuple[str, str]:
    if first is None and second is None:
        return _default(verdict)
    if first is None or second is None:
        raise OptionError(
            f"one network to compare, {first or second!r}", expected="two names, or none for the last step"
        )
    return first, second


def _default(verdict: Verdict) -> tuple[str, str]:
    """The last `deeper` of the path, or its last step, or the deeper candidate of the advised network."""
    steps = list(zip(verdict.path, verdict.incumbents, verdict.incumbents[1:], strict=False))
    deeper = [(a, b) for move, a, b in steps if move.startswith("deeper")]
    if deeper:
        return deeper[-1]
    tried = [m for m in verdict.moves if m.move == "deeper" and m.pairs and m.source == verdict.incumbents[-1]]
    if tried:
        return tried[-1].source, tried[-1].to
    if steps:
        return steps[-1][1], steps[-1][2]
    raise OptionError(
        "this study has no step to compare",
        expected="two names of networks",
        next_move="Name two of " + ", ".join(arm.name for arm in verdict.arms) + ".",
    )


def _pair(
    trials: list[tuple[Trial, TrialResult]], verdict: Verdict, names: tuple[str, str]
) -> list[tuple[Trial, TrialResult]]:
    """A trial of each arm with the same seed, fold and recipe but for the learning rate."""
    known = {arm.name: arm for arm in verdict.arms}
    for name in names:
        if name not in known:
            raise OptionError(f"no network named {name!r} in this run", expected="one of " + ", ".join(known))
    full = max(trial.recipe.max_updates for trial, _ in trials)
    one, two = (_evidence(trials, known[name], full) for name in names)
    shared = [seed for seed in one if seed in two]
    if not shared:
        raise RunFolderError(
            f"{names[0]!r} and {names[1]!r} were never trained to the end with the same seed",
            expected="two networks that the study compared in pairs",
        )
    return [one[shared[0]], two[shared[0]]]


def _evidence(
    trials: list[tuple[Trial, TrialResult]], arm: ArmFacts, full: int
) -> dict[int, tuple[Trial, TrialResult]]:
    """The arm's whole trainings by seed; not those of a seed by which its learning rate was chosen."""
    whole = [
        (trial, result)
        for trial, result in trials
        if trial.spec == arm.spec and trial.fraction == 1.0 and trial.recipe.max_updates == full
    ]
    here = [(trial, result) for trial, result in whole if trial.fold == 0 and not trial.final]
    rates = {seed: {t.recipe.learning_rate for t, _ in here if t.seed == seed} for seed in {t.seed for t, _ in here}}
    return {t.seed: (t, r) for t, r in here if rates[t.seed] == {arm.learning_rate}}


def _train(material: Material, trial: Trial, result: TrialResult, name: str) -> Arm:
    assert isinstance(trial.spec, StackSpec)
    encoder, batcher = material.encoded(0)
    network = stack_network(encoder, trial.spec, trial.seed)
    fold = material.fold(0)
    seed = child(trial.seed, "training")
    pupil = trainee(network, encoder, batcher, trial.recipe, seed)
    loop.fit(pupil, batcher, fold.train, fold.tune, trial.recipe, seed)
    dev = loop.mean_score(pupil, batcher, fold.dev)
    return Arm(name, from_network(network), abs(dev - result.dev) <= CLOSE * max(1.0, abs(result.dev)))


def _contrast(material: Material, verdict: Verdict, arms: list[Arm], seed: int, tell: Progress) -> Contrast:
    encoder, _ = material.encoded(0)
    dev = material.fold(0).dev
    drawn = sampling.draw(material.sequences, encoder, verdict.seed, dev, MOST_SEQUENCES, MOST_STEPS)
    seen = [capture(arm.subject, drawn) for arm in arms]
    scores = [ablation.target_scores(one, drawn, encoder) for one in seen]
    clusters = ablation.clusters_of_targets(drawn)
    found: list[Findings] = []
    for number, arm in enumerate(arms):
        question = Question(arm.subject, encoder, material.sequences, dev, (), verdict.seed, most_steps=LOOKED_STEPS)
        tell(f"looking into {arm.name}", 0.6 + 0.2 * number)
        found.append(look(question).model_copy(update={"reader": None}))
    labelled = material.sequences.kind in LABELLED and material.sequences.kind != "next_step"
    gained, lost = (scores[1] > scores[0]), (scores[1] < scores[0])
    made = Contrast(
        first=arms[0].name,
        second=arms[1].name,
        seed=seed,
        reproduced=all(arm.reproduced for arm in arms),
        targets=len(scores[0]),
        score_unit=verdict.unit,
        gain=estimates.mean(scores[1] - scores[0], clusters),
        removed=estimates.mean(100.0 * gained.astype(np.float64), clusters) if labelled else None,
        added=estimates.mean(100.0 * lost.astype(np.float64), clusters) if labelled else None,
        kinds=_kinds(drawn, scores, verdict.seed) if labelled else (),
        fixed=_examples(seen, drawn, gained) if labelled else (),
        broken=_examples(seen, drawn, lost) if labelled else (),
        first_found=found[0],
        second_found=found[1],
    )
    return made.model_copy(update={"sentences": contrast.sentences(made)})


def _kinds(sample: Sample, scores: list[Floats], seed: int) -> tuple[ErrorKind, ...]:
    asked = ablation.target_of(sample, seed)
    if asked is None or len(asked.rows) != len(scores[0]):
        return ()
    notes = annotate(sample.sequences) if is_letters(sample.sequences) else []
    found = []
    for grouping, names, groups in ablation.groupings(asked, sample, notes):
        for number, name in enumerate(names):
            kind = ablation.error_kind(0, grouping, name, groups == number, scores[0], scores[1], asked.clusters)
            found += [kind] if kind is not None else []
    return tuple(sorted(found, key=lambda kind: -abs(kind.removed.value) * kind.rows))


def _examples(seen: list[Captured], sample: Sample, rows: NDArray[np.bool_]) -> tuple[Example, ...]:
    """Targets that changed, spread over the sample."""
    changed = np.flatnonzero(rows)
    chosen = changed[np.linspace(0, len(changed) - 1, min(EXAMPLES, len(changed))).astype(np.int64)]
    answers = [_answers(one, sample) for one in seen]
    return tuple(_example(sample.sequences, int(row), answers) for row in np.unique(chosen))


def _answers(captured: Captured, sample: Sample) -> NDArray[np.int64]:
    assert captured.subject.read is not None
    with torch.no_grad():
        best: NDArray[np.int64] = captured.subject.read(captured.layers[-1], sample.lengths).argmax(-1).numpy()
    return best


def _example(sequences: Sequences, row: int, answers: list[NDArray[np.int64]]) -> Example:
    assert sequences.targets is not None
    if sequences.per_step:
        before, here, after = context(sequences, int(owners(sequences)[row]), int(steps_from_start(sequences)[row]))
    else:
        before, here, after = "", sequences.ids[row], ""
    names = sequences.classes
    return Example(
        before=before,
        here=here,
        after=after,
        target=names[int(sequences.targets[row])],
        first=names[int(answers[0][row])],
        second=names[int(answers[1][row])],
    )


def _silent(what: str, share: float) -> None:
    return None
