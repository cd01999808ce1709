"""`--dry-run`: what a study would do and about what it would cost, before anything is trained."""

from __future__ import annotations

from dataclasses import replace

from leadline.plan import arms, questions
from leadline.records.trial import Trial
from leadline.search.map import places
from leadline.study.advise import Prepared
from leadline.trials.executors import InProcess
from leadline.trials.pace import Pace

PROBE_UPDATES = 40
"""Updates that tell the pace: a fraction of a second for a small network."""


def describe(prepared: Prepared) -> str:
    """The plan in words. It trains the default network for a few updates to tell the pace of this machine."""
    state = prepared.state
    plan, data, policy = state.plan, state.material.sequences, state.plan.policy
    fold, split = state.material.fold(0), state.material.split
    pace = _seconds_per_trial(prepared)
    around = arms.around(plan.blank, plan.limits)
    racing = {*arms.main(around, plan.limits, plan.blank, yours=plan.yours), *arms.aside(around, plan.limits)}
    every = (*questions.main(around, ("",), plan.yours), *questions.aside(around))
    asked = ", ".join(dict.fromkeys(question.name.replace("_", " ") for question in every))
    lines = [
        f"data: {data.name}: {len(data)} sequences, {int(data.offsets[-1])} steps, {data.kind} of {data.target_name}",
        *(f"  {note}" for note in (*data.notes, *split.notes, *prepared.warnings)),
        f"parts: test {len(split.test)}; in the first of {state.num_folds} fold(s) train {len(fold.train)}, "
        f"tune {len(fold.tune)}, dev {len(fold.dev)}, by {split.by}",
        f"score: {plan.metric.unit}",
        f"baselines: {', '.join(plan.baselines)}",
        f"map: {len(places(plan))} networks, trained short; then about {len(racing)} arms race",
        f"questions: {asked}",
        f"training: batches of {plan.recipe.batch_size}, at most {plan.recipe.max_updates} updates, "
        f"learning rates {', '.join(map(str, policy.tune_rates))}",
        f"looks after blocks {', '.join(map(str, policy.looks))}",
        f"cost: about {pace:.0f} s for one full training of {plan.blank.describe()} on one core; "
        f"budget {prepared.options.minutes or 'unlimited'} minutes on {prepared.options.jobs} worker(s)",
        f"run folder: {prepared.folder}",
    ]
    return "\n".join(lines)


def _seconds_per_trial(prepared: Prepared) -> float:
    """What the default network takes in full, by the processor time of a second short training."""
    state = prepared.state
    whole = Trial(spec=state.plan.blank, recipe=state.plan.recipe, seed=0)
    short = whole.model_copy(
        update={"recipe": replace(whole.recipe, max_updates=PROBE_UPDATES, eval_every=PROBE_UPDATES)}
    )
    workers, pace = InProcess(state.material), Pace(state.material, jobs=1)
    for warm in (False, True):
        for trial, outcome in workers.outcomes([short], lambda _: True):
            if warm:
                pace.learn(trial, outcome.result)
    workers.close()
    return pace.seconds(whole)
