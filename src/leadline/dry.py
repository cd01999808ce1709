"""`--dry-run`: what a study would do and about what it would cost, before anything is trained."""

from __future__ import annotations

from dataclasses import replace

from leadline.records.trial import Trial
from leadline.spec import StackSpec
from leadline.study.advise import Prepared
from leadline.study.draws import DECAY, DROPOUT, RATES
from leadline.study.executors import InProcess
from leadline.study.moves import bold, downward, upward
from leadline.study.pace import Pace
from leadline.study.verdict import BLOCK, MOST_PAIRS

PROBE_UPDATES = 40
"""Updates that tell the pace: a fraction of a second for a small network."""


def describe(prepared: Prepared) -> str:
    """The plan in words. It trains the start network for a few updates to tell the pace of this machine."""
    book = prepared.book
    plan, data = book.plan, book.material.sequences
    fold = book.material.fold(0)
    pace = _seconds_per_trial(prepared)
    moves = ", ".join(dict.fromkeys(c.move for c in upward(plan.start, plan.limits)))
    smaller = ", ".join(dict.fromkeys(c.move for c in (*bold(plan.start), *downward(plan.start))))
    lines = [
        f"data: {data.name}: {len(data)} sequences, {int(data.offsets[-1])} steps, {data.kind} of {data.target_name}",
        *(f"  {note}" for note in (*data.notes, *book.material.split.notes, *prepared.warnings)),
        f"parts: train {len(fold.train)}, tune {len(fold.tune)}, dev {len(fold.dev)}, "
        f"test {len(book.material.split.test)}, by {book.material.split.by}, {book.num_folds} fold(s)",
        f"score: {plan.metric.unit}",
        f"baselines: {', '.join(plan.baselines)}",
        f"start: {plan.start.describe()}, {plan.start.num_parameters} parameters",
        f"training: batches of {plan.recipe.batch_size}, at most {plan.recipe.max_updates} updates, "
        f"learning rates {', '.join(map(str, RATES))}; the best with decay {DECAY} and with dropout {DROPOUT}, too",
        f"moves: {moves}; down: {smaller or 'none'}",
        f"pairs per move: blocks of {BLOCK} until decided, at most {MOST_PAIRS}",
        f"cost: about {pace:.0f} s for one full training of the start network on one core; "
        f"budget {prepared.options.minutes or 'unlimited'} minutes on {prepared.options.jobs} worker(s)",
        f"run folder: {prepared.folder}",
    ]
    return "\n".join(lines)


def _seconds_per_trial(prepared: Prepared) -> float:
    """What the start network takes in full, by the processor time of a short training, the second after a first one."""
    book = prepared.book
    assert isinstance(book.plan.start, StackSpec)
    whole = Trial(spec=book.plan.start, recipe=book.plan.recipe, seed=0)
    short = whole.model_copy(
        update={"recipe": replace(whole.recipe, max_updates=PROBE_UPDATES, eval_every=PROBE_UPDATES)}
    )
    workers, pace = InProcess(book.material), Pace(book.material, jobs=1)
    for warm in (False, True):
        for trial, outcome in workers.outcomes([short], lambda _: True):
            if warm:
                pace.learn(trial, outcome.result)
    workers.close()
    return pace.seconds(whole)
