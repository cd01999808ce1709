"""`prepare` and `study`: data in, verdict out, run folder on disk."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from leadline import aside, checkpoint
from leadline.data.checks import check
from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.errors import OptionError
from leadline.kernels import choose
from leadline.plan import setup
from leadline.plan.networks import Limits
from leadline.records.trial import Trial, TrialResult
from leadline.records.verdict import Budget, Verdict
from leadline.search import driver as driving
from leadline.search import finals
from leadline.search.state import State
from leadline.study.assemble import assemble, latest
from leadline.trials import tested as test_reads
from leadline.trials.executors import executor, run_alone
from leadline.trials.ledger import Ledger, key, read_trials
from leadline.trials.material import Material

READING = "reading.json"
Progress = Callable[[State, Trial, TrialResult, float], None]


@dataclass(frozen=True)
class Options:
    """How to study.

    Args:
        seed: the same seed gives the same verdict on the same machine.
        split_seed: of the parts. It is apart from `seed`, so that another seed does not read another test part.
        minutes: budget of wall time; None for no limit.
        max_trials: cut after so many trials of the search (baselines and finals come on top).
        jobs: worker processes of one thread each.
        causal: the advised network may not see the future.
        max_look_ahead: it may see at most so many next steps.
        margin: smallest effect that is worth its cost, in the metric's unit; None for 1 % of the way from the
            trivial baseline to perfect.
        network: the user's own, which races, for instance "lstm:3x256:both".
        max_updates: cap of updates for every arm; None for one from the size of the data.
        kept_back: share of the budget that the study leaves over for what comes after it.
        command: the command line, for the page; it decides nothing.
        out: run folder; None for `leadline-runs/` and a name from the data's fingerprint and the options.
        began: moment of `time.monotonic` from which the budget counts: when the command was given, before the data
            were read. By default now.
    """

    seed: int = 0
    split_seed: int = 0
    minutes: float | None = 15.0
    max_trials: int | None = None
    jobs: int = os.cpu_count() or 1
    causal: bool = False
    max_look_ahead: int | None = None
    margin: float | None = None
    network: str | None = None
    max_updates: int | None = None
    kept_back: float = 0.0
    command: str = ""
    out: Path | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        _positive("minutes", self.minutes)
        _positive("max_trials", self.max_trials)
        _positive("jobs", self.jobs)
        _positive("margin", self.margin)
        _positive("max_updates", self.max_updates)
        if self.causal and self.max_look_ahead:
            raise OptionError(
                f"causal with max_look_ahead={self.max_look_ahead}",
                expected="one of the two",
                next_move="Drop one.",
            )


@dataclass(frozen=True, eq=False)
class Prepared:
    """A study that has not begun: for a dry run, and for `advise`."""

    state: State
    options: Options
    identity: dict[str, str]
    warnings: tuple[str, ...]
    folder: Path


def prepare(sequences: Sequences, options: Options) -> Prepared:
    """Split, check and plan; nothing is trained or written."""
    if options.max_look_ahead and sequences.kind == "next_step":
        raise OptionError(
            f"max_look_ahead={options.max_look_ahead} for a next-step task",
            expected="no look-ahead: the next step is the target itself",
            next_move="Drop --max-look-ahead.",
        )
    parts = split(sequences, options.split_seed)
    material = Material(sequences, parts, _hides_the_future(sequences, options))
    limits = Limits(sequences.kind, options.causal, options.max_look_ahead)
    plan = setup.plan(sequences, parts, options.seed, limits, options.network, options.margin, options.max_updates)
    identity = _identity(sequences, options)
    folder = options.out or Path("leadline-runs") / _folder_name(sequences, identity)
    return Prepared(State(plan, material), options, identity, check(sequences, parts), folder)


def study(
    prepared: Prepared, progress: Progress, reading: dict[str, object] | None = None, *, held: bool = False
) -> Verdict:
    """Run the experiment and leave a run folder: ledger, `verdict.json`, `model/`.

    Args:
        prepared: from `prepare`.
        progress: told of every finished trial.
        reading: how the data were read, kept beside the model so that new data are read the same way.
        held: whether the caller holds the lock of the run folder, to write more into it afterwards.

    Raises:
        RunFolderError: another process works in the run folder, it belongs to another study, or it is damaged.
        OutputError: it cannot be written to.
    """
    state, options = prepared.state, prepared.options
    with Ledger(prepared.folder, prepared.identity, held=held) as ledger:
        workers = executor(state.material, options.jobs)
        seconds = None if options.minutes is None else options.minutes * 60 * (1 - options.kept_back)

        def tell(trial: Trial, result: TrialResult, elapsed: float) -> None:
            progress(state, trial, result, elapsed)

        driver = driving.Driver(
            state, ledger, workers, options.jobs, seconds, options.max_trials, tell, began=options.began
        )
        try:
            stop = driving.search(driver)
            advised = finals.advise(state, latest(state))
            tested = driving.finish(driver, advised) if advised is not None and stop != "interrupted" else []
        finally:
            workers.close()
        if tested is None:
            stop, tested = "interrupted", []
        if tested:
            finals.say_advised(state, tested[0].spec)
        before = _tested_before(prepared) if tested else None
        warnings = (*prepared.warnings, *(before.warnings() if before else ()))

        def pace(trials: list[Trial]) -> float:
            return driving.minutes(driver, trials)

        budget = Budget(
            minutes=options.minutes,
            max_trials=options.max_trials,
            trials=len(state.results),
            trainings=sum(trial.role == "race" for trial in state.results),
            seconds=driver.elapsed,
            jobs=options.jobs,
        )
        found = assemble(state, stop, advised, budget, warnings, pace, options.split_seed, options.command)
        if tested:
            handed = finals.handed_over(state, tested[0])
            _deliver_model(_kept(handed, ledger, state.material), prepared.folder, reading)
        aside.write_text(prepared.folder / "verdict.json", found.to_json())
        late = test_reads.note(prepared.folder, before) if before else ()
        return found.model_copy(update={"warnings": (*found.warnings, *late)})


def _kept(trial: Trial, ledger: Ledger, material: Material) -> Path:
    """Where the model of a final trial lies; one that is gone or damaged is trained once more, to the same bits."""
    folder = ledger.model_folder(trial)
    if not checkpoint.is_whole(folder):
        model = run_alone(material, trial).model
        assert model is not None
        model.save(folder)
    return folder


def _deliver_model(source: Path, folder: Path, reading: dict[str, object] | None) -> None:
    with aside.new_folder(folder / "model") as made:
        aside.copy_files(source, made)
        aside.write_text(made / READING, json.dumps(reading or {}, indent=1))


def _hides_the_future(sequences: Sequences, options: Options) -> bool:
    """Whether baselines are causal: theirs is a fixed window, which a limited look-ahead may not allow."""
    return options.causal or options.max_look_ahead is not None or sequences.kind == "next_step"


def _identity(sequences: Sequences, options: Options) -> dict[str, str]:
    """What makes two studies different ones; the budget and the workers do not."""
    return {
        "data": sequences.fingerprint(),
        "versions": " ".join(f"{name} {metadata.version(name)}" for name in ("leadline", "torch", "numpy")),
        "kernels": choose.build(),
        "seed": str(options.seed),
        "split_seed": str(options.split_seed),
        "causal": str(options.causal),
        "max_look_ahead": str(options.max_look_ahead),
        "margin": str(options.margin),
        "network": str(options.network),
        "max_updates": str(options.max_updates),
    }


def _folder_name(sequences: Sequences, identity: dict[str, str]) -> str:
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=4).hexdigest()
    plain = "".join(c if c.isalnum() else "-" for c in sequences.name.lower()).strip("-")[:40]
    return f"{plain or 'data'}-{digest}"


def _tested_before(prepared: Prepared) -> test_reads.Before:
    """What is known of earlier reads of the test part, in this run folder and in those beside it."""
    material = prepared.state.material
    finals = [key(trial) for trial, _ in read_trials(prepared.folder) if trial.final]
    return test_reads.look(prepared.folder, test_reads.marks(material.sequences.take(material.split.test)), finals)


def _positive(name: str, value: float | None) -> None:
    if value is not None and value <= 0:
        raise OptionError(f"{name}={value}", expected="a number above 0")
