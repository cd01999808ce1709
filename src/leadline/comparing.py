"""`compare`: two networks of a study side by side, from the pairs that its run folder keeps or trained again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from leadline import aside, checkpoint
from leadline.analysis.compare import Arms, Progress, contrast
from leadline.analysis.contrast import Contrast, Steps
from leadline.analysis.subject import from_network
from leadline.checkpoint import Model
from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.errors import ModelError, OptionError, RunFolderError
from leadline.looking import held, own_data
from leadline.records.answers import ArmFacts
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import Verdict
from leadline.report import compare_page
from leadline.report.compare_page import CONTRAST, STEPS
from leadline.spec import StackSpec
from leadline.trials.executors import run_alone
from leadline.trials.ledger import model_folder, read_trials, read_verdict
from leadline.trials.material import Material

PAGE = "compare.html"
SEEDS = 3
MOST_PAIRS = 9
CLOSE = 1e-6

SHARE_OF_BUDGET = 0.05
SECONDS = 5.0
SECONDS_PER_OPERATION = 2e-5

Known = tuple[Trial, TrialResult]


@dataclass(frozen=True, eq=False)
class Pair:
    """Both networks with one seed, as the ledger has them."""

    seed: int
    first: Known
    second: Known

    def kept(self, folder: Path) -> bool:
        """Whether the run folder holds the weights of both; a damaged model counts as none, and is trained again."""
        return all(checkpoint.is_whole(model_folder(folder, trial)) for trial, _ in (self.first, self.second))


def compare(
    run: str | Path,
    first: str | None = None,
    second: str | None = None,
    *,
    seeds: int = SEEDS,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Contrast:
    """What the change from one network of a study to another removed, added and moved.

    The dev part is looked at, the test part is not. The networks are those pairs, with the same seed in both, whose
    weights the run folder holds. Where it holds fewer than `seeds`, more are trained again on the run's data, from the
    recipe and the seed that the ledger holds for both.

    Args:
        run: a run folder whose data are embedded or still at their place.
        first, second: names of two networks, as the verdict's table has them; by default the best deep one and
            its one-layer twin of equal size.
        seeds: pairs at least, as far as the ledger has them: three, since one network says little about the next.
        out: folder for `contrast.json` and `compare.html`; None to write nothing.
        progress: called with what comes next and the share that is done.

    Raises:
        OptionError: no such networks, or two that were never trained with the same seed.
        ModelError: the data are not at hand, or are others than the study's.
        RunFolderError: a damaged verdict or ledger, or another process works in the run folder that is written into.
        OutputError: `out` cannot be written to.
    """
    if seeds < 1:
        raise OptionError(f"seeds={seeds}", expected="1 or more pairs")
    folder, tell = Path(run), progress or _silent
    with held(out):
        found = _compared(folder, first, second, seeds, tell)
        if out is not None:
            aside.write_text(Path(out) / CONTRAST, found.to_json())
            compare_page.write(found, Path(out) / PAGE)
    tell("done", 1.0)
    return found


def _compared(folder: Path, first: str | None, second: str | None, seeds: int, tell: Progress) -> Contrast:
    verdict = read_verdict(folder)
    names = _names(first, second, verdict)
    pairs = _pairs(read_trials(folder), verdict, names)
    sequences = own_data(folder, None, verdict)
    if sequences.fingerprint() != verdict.data.fingerprint:
        raise ModelError(
            "the data have changed since the study", where=verdict.data.source, expected="the data of the run"
        )
    chosen = _chosen(pairs, folder, seeds)
    models, reproduced = _models(chosen, folder, sequences, verdict, names, tell)
    again = sum(2 for pair in chosen if not pair.kept(folder))
    found = _contrast(verdict, sequences, names, chosen, models, lambda what, share: tell(what, 0.5 + 0.5 * share))
    return found.model_copy(update={"trained_again": again, "reproduced": reproduced})


def after_study(verdict: Verdict, sequences: Sequences, folder: Path) -> Steps | None:
    """What a second layer brings beside its one-layer twin of equal size, from the networks that the run trained for
    it; leaves `steps.json` in its folder.

    None where no deep arm raced, or where 5 % of the budget do not pay for it; nothing is trained.
    """
    if not verdict.deep or not verdict.twin:
        return None
    names = verdict.twin, verdict.deep
    chosen = [pair for pair in _shared(read_trials(folder), verdict, names) if pair.kept(folder)][-MOST_PAIRS:]
    allowed = float("inf") if verdict.budget.minutes is None else SHARE_OF_BUDGET * 60 * verdict.budget.minutes
    if not chosen or _seconds(chosen) > allowed:
        return None
    models, _ = _models(chosen, folder, sequences, verdict, names, _silent)
    found = _contrast(verdict, sequences, names, chosen, models, _silent)
    steps = Steps(fingerprint=verdict.data.fingerprint, steps=(found,))
    aside.write_text(folder / STEPS, steps.to_json())
    return steps


def _seconds(pairs: Sequence[Pair]) -> float:
    """What a comparison takes, about: the same for the same networks on every machine."""
    specs = [trial.spec for pair in pairs for trial, _ in (pair.first, pair.second)]
    operations = sum(spec.operations_per_step for spec in specs if isinstance(spec, StackSpec))
    return SECONDS + SECONDS_PER_OPERATION * operations


def _contrast(
    verdict: Verdict,
    sequences: Sequences,
    names: tuple[str, str],
    pairs: Sequence[Pair],
    models: tuple[list[Model], list[Model]],
    tell: Progress,
) -> Contrast:
    first, second = ([from_network(model.network) for model in side] for side in models)
    arms = Arms(names, tuple(pair.seed for pair in pairs), first, second)
    dev = split(sequences, verdict.split_seed).folds[0].dev
    encoder = models[0][0].encoder
    found = contrast(arms, encoder, sequences, dev, verdict.seed, verdict.unit, tell)
    return found.model_copy(update={"move": _move(verdict, names)})


def _move(verdict: Verdict, names: tuple[str, str]) -> str:
    return "deeper" if names == (verdict.twin, verdict.deep) else ""


def _models(
    pairs: Sequence[Pair],
    folder: Path,
    sequences: Sequences,
    verdict: Verdict,
    names: tuple[str, str],
    tell: Progress,
) -> tuple[tuple[list[Model], list[Model]], bool]:
    """Both networks of every pair, loaded or trained again, and whether the latter give the ledger's scores."""
    material: Material | None = None
    reproduced = True
    models: tuple[list[Model], list[Model]] = ([], [])
    for number, pair in enumerate(pairs):
        for side, (trial, result) in enumerate((pair.first, pair.second)):
            if pair.kept(folder):
                models[side].append(checkpoint.load(model_folder(folder, trial)))
                continue
            tell(f"training {names[side]}", 0.5 * (number + side / 2) / len(pairs))
            material = material or Material(sequences, split(sequences, verdict.split_seed), verdict.causal)
            outcome = run_alone(material, trial.model_copy(update={"keep": True, "role": "look"}))
            assert outcome.model is not None
            models[side].append(outcome.model)
            reproduced &= abs(outcome.result.dev - result.dev) <= CLOSE * max(1.0, abs(result.dev))
    return models, reproduced


def _chosen(pairs: Sequence[Pair], folder: Path, seeds: int) -> list[Pair]:
    """The pairs that are kept, at most `MOST_PAIRS`, and others until there are `seeds`."""
    kept = [pair for pair in pairs if pair.kept(folder)][-max(MOST_PAIRS, seeds) :]
    others = [pair for pair in pairs if not pair.kept(folder)]
    return [*kept, *others[: max(0, seeds - len(kept))]]


def _names(first: str | None, second: str | None, verdict: Verdict) -> tuple[str, str]:
    if first is None and second is None:
        return _default(verdict)
    if first is None or second is None:
        raise OptionError(f"one network to compare, {first or second!r}", expected="two names, or none for depth")
    return first, second


def _default(verdict: Verdict) -> tuple[str, str]:
    """The best deep arm and its one-layer twin."""
    if verdict.deep and verdict.twin:
        return verdict.twin, verdict.deep
    raise OptionError(
        "no deep network and its twin raced in this study",
        expected="two names of networks",
        next_move="Name two of " + ", ".join(arm.id for arm in verdict.arms if arm.spec) + ".",
    )


def _pairs(trials: list[Known], verdict: Verdict, names: tuple[str, str]) -> list[Pair]:
    """Trials of both networks with the same seed, each by the recipe that was drawn for it."""
    known = [arm.id for arm in verdict.arms if arm.spec is not None]
    for name in names:
        if name not in known:
            raise OptionError(f"no network named {name!r} in this run", expected=f"one of {', '.join(known)}")
    found = _shared(trials, verdict, names)
    if not found:
        raise RunFolderError(
            f"{names[0]!r} and {names[1]!r} were never trained to the end with the same seed",
            expected="two networks that the study compared in pairs",
        )
    return found


def _shared(trials: list[Known], verdict: Verdict, names: tuple[str, str]) -> list[Pair]:
    arms = {arm.id: arm for arm in verdict.arms}
    one, two = (_evidence(trials, arms[name]) for name in names)
    return [Pair(seed, one[seed], two[seed]) for seed in one if seed in two]


def _evidence(trials: list[Known], arm: ArmFacts) -> dict[int, Known]:
    """The arm's whole trainings on the first fold, by seed."""
    return {
        trial.seed: (trial, result)
        for trial, result in trials
        if trial.spec == arm.spec
        and trial.role != "map"
        and trial.fraction == 1.0
        and trial.fold == 0
        and result.status == "finished"
    }


def _silent(what: str, share: float) -> None:
    return None
