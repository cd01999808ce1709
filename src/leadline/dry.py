"""`--dry-run`: what a study would do and about what it would cost, before anything is trained."""

from __future__ import annotations

import time
from dataclasses import replace

from leadline.plan import arms, questions
from leadline.records.trial import Trial
from leadline.search.map import places
from leadline.study.advise import Prepared
from leadline.study.executors import InProcess

PROBE_UPDATES = 20


def describe(prepared: Prepared) -> str:
    """The plan in words. It trains the default network for a few updates to tell the pace of this machine."""
    state = prepared.state
    plan, data, policy = state.plan, state.material.sequences, state.plan.policy
    fold, split = state.material.fold(0), state.material.split
    pace = _seconds_per_trial(prepared)
    around = arms.around(plan.blank, plan.limits)
    racing = arms.arms(around, plan.limits, start=plan.blank, yours=plan.yours)
    asked = ", ".join(dict.fromkeys(q.name.replace("_", " ") for q in questions.questions(around, ("",), plan.yours)))
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
    """From two short runs: their difference is updates alone, without the scoring at the end."""
    state = prepared.state
    recipe = replace(state.plan.recipe, max_updates=PROBE_UPDATES, eval_every=PROBE_UPDATES)
    trial = Trial(spec=state.plan.blank, recipe=recipe, seed=0)
    longer = trial.model_copy(update={"recipe": replace(recipe, max_updates=3 * PROBE_UPDATES)})
    workers = InProcess(state.material)
    times = []
    for one in (trial, trial, longer):
        begun = time.perf_counter()
        list(workers.outcomes([one], lambda _: True))
        times.append(time.perf_counter() - begun)
    workers.close()
    per_update = max(0.0, times[2] - times[1]) / (2 * PROBE_UPDATES)
    return times[1] + per_update * state.plan.recipe.max_updates
