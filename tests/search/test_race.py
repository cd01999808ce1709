"""The whole experiment on simulated scores: words, advice, growth, and that a cut changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated import World, play, state_for
from studies import finish, letters_study, letters_to_sounds, letters_truth, verdict_of

from leadline.data.datasets.letters import letters
from leadline.data.datasets.letters import letters as words
from leadline.plan.networks import Limits
from leadline.records.answers import SETTLED, Answer
from leadline.records.trial import BaselineSpec
from leadline.records.verdict import Verdict
from leadline.search import finals, race
from leadline.search.state import State
from leadline.spec import StackSpec
from leadline.study.assemble import latest


def answer(verdict: Verdict, question: str) -> Answer:
    found = verdict.answer(question)
    assert found is not None, question
    return found


def test_the_sheet_says_what_is_true() -> None:
    verdict = letters_to_sounds()
    assert answer(verdict, "future").word == "yes"
    assert answer(verdict, "recurrence").word == "yes"
    assert answer(verdict, "deep_or_both_ways").word == "worse"
    assert answer(verdict, "depth").word in ("yes", "at_least_a_little")
    assert answer(verdict, "cell").word in ("no", "leaning_no")
    assert answer(verdict, "dropout").word in ("no", "leaning_no")
    assert answer(verdict, "yours").of == "LSTM 3 x 64, both ways"
    assert verdict.advice.spec is not None
    assert verdict.advice.spec.bidirectional
    assert verdict.advice.spec.num_layers > 1
    truths = [letters_truth(arm.spec) for arm in verdict.arms if arm.spec]
    assert letters_truth(verdict.advice.spec) > max(truths) - 2 * verdict.margin


def test_every_range_holds_its_true_effect() -> None:
    verdict = letters_to_sounds()
    specs = {arm.id: arm.spec for arm in verdict.arms}
    checked = 0
    for row in verdict.answers:
        of, against = specs.get(row.of), specs.get(row.against)
        if of is None or against is None or row.effect is None or row.question == "more_data":
            continue
        true = letters_truth(of) - letters_truth(against)
        true -= 0.3 * (_rate(verdict, row.of) - _rate(verdict, row.against))
        assert row.effect.strict is not None
        assert row.effect.strict[0] <= true <= row.effect.strict[1], row
        checked += 1
    assert checked >= 8


def _rate(verdict: Verdict, name: str) -> float:
    import math

    arm = verdict.arm(name)
    assert arm is not None
    assert arm.learning_rate is not None
    return abs(math.log(arm.learning_rate / 0.006))


def test_a_cut_leaves_the_beginning_of_the_longer_log() -> None:
    whole, world = letters_study()
    events = [e for e in whole.log if e.kind != "advised"]
    seen = 0
    for most in (40, 160, 240, 300):
        part = state_for(letters(8000), network="lstm:3x64:both")
        left = most
        for planned in race_steps(part):
            fresh = [trial for trial in dict.fromkeys(planned) if trial not in part.results]
            part.results |= {trial: world.result(part.material, trial) for trial in fresh[:left]}
            left -= len(fresh)
            if left < 0:
                break
        assert part.log == events[: len(part.log)]
        seen = max(seen, len(part.log))
    assert seen > 5


def race_steps(state):
    from leadline.search.procedure import procedure

    return procedure(state)


def test_the_same_results_in_another_order_give_the_same_log() -> None:
    whole, world = letters_study()
    again = state_for(letters(8000), network="lstm:3x64:both")
    for planned in race_steps(again):
        for trial in reversed(planned):
            again.results.setdefault(trial, world.result(again.material, trial))
    assert again.log == [e for e in whole.log if e.kind != "advised"]


def test_another_seed_draws_other_trainings_and_the_same_parts() -> None:
    one, other = state_for(words(2000)), state_for(words(2000), seed=1)
    arm = next(
        iter(race.arms_.main(race.arms_.around(one.plan.blank, one.plan.limits), one.plan.limits, one.plan.blank))
    )
    assert one.trial(arm, 0).seed != other.trial(arm, 0).seed
    assert (one.material.split.test == other.material.split.test).all()


def test_a_baseline_that_is_best_is_advised() -> None:
    state = play(state_for(words(4000)), World(lambda spec: 50.0, baseline=80.0))
    advised = finals.advise(state, latest(state))
    assert isinstance(advised, BaselineSpec)
    verdict = verdict_of(state)
    assert answer(verdict, "recurrence").word == "worse"
    assert verdict.advice.baseline == advised.name
    assert verdict.advice.within_margin


def test_where_nothing_helps_nothing_is_claimed_and_the_cheapest_is_advised() -> None:
    state = play(state_for(words(6000)), World(lambda spec: 80.0, baseline=30.0))
    verdict = verdict_of(state)
    for question in ("future", "width", "depth", "depth_equal_size", "cell", "readout", "dropout"):
        assert answer(verdict, question).word not in ("yes", "worse", "a_little", "at_least_a_little")
    advised = finals.advise(state, latest(state))
    assert isinstance(advised, StackSpec)
    cheapest = min(arm.operations for arm in state.arms.values() if isinstance(arm.spec, StackSpec) and arm.eligible)
    assert advised.operations_per_step <= 2 * cheapest


def test_what_the_user_rules_out_races_and_is_never_advised() -> None:
    limits = Limits("tagging", causal=True)
    state = play(state_for(words(4000), limits), World(letters_truth, baseline=60.0))
    verdict = verdict_of(state)
    future = answer(verdict, "future")
    assert future.word == "yes"
    assert not future.allowed
    assert verdict.advice.spec is not None
    assert not verdict.advice.spec.bidirectional
    assert verdict.advice.spec.look_ahead == 0


def test_a_race_grows_around_an_arm_on_its_edge() -> None:
    """Each layer is worth three points up to the fifth, which the first race cannot reach."""

    def truth(spec: StackSpec) -> float:
        return 60 + 3.0 * min(spec.num_layers, 5)

    state = play(state_for(words(4000)), World(truth, baseline=30.0))
    grew = [event for event in state.log if event.kind == "grew"]
    assert grew
    deepest = max(arm.spec.num_layers for arm in state.arms.values() if isinstance(arm.spec, StackSpec))
    assert deepest >= 5
    verdict = verdict_of(state)
    rows = [row for row in verdict.answers if row.question == "depth"]
    assert [row.layers for row in rows] == sorted(row.layers for row in rows if row.layers)
    assert rows[0].word in ("yes", "leaning_yes")


def test_side_questions_are_about_the_network_that_has_won() -> None:
    state, _ = grown_study()
    (centred,) = [event.arms for event in state.log if event.kind == "centred"]
    won = {question.of for question in state.questions() if question.name == "more_data"}
    assert won.isdisjoint(centred)
    assert {question.against for question in state.questions() if question.name == "dropout"} == won
    assert {answer(verdict_of(state), "recurrence").of} == won


def test_runs_that_collapse_are_counted_apart() -> None:
    def collapses(trial) -> bool:
        return (
            trial.role == "race"
            and isinstance(trial.spec, StackSpec)
            and trial.spec.num_layers == 2
            and trial.seed % 4 == 0
        )

    state = play(state_for(words(4000)), World(lambda spec: 80.0, baseline=30.0, collapses=collapses))
    verdict = verdict_of(state)
    failed = {arm.id: arm.failed for arm in verdict.arms if arm.spec and arm.spec.num_layers == 2}
    assert sum(failed.values()) > 0
    sound = [arm.failed for arm in verdict.arms if arm.spec and arm.spec.num_layers != 2]
    assert not any(sound)


def test_next_step_data_have_no_future() -> None:
    from leadline.data.datasets.synthetic.chains import markov_chain

    state = play(state_for(markov_chain(600)), World(lambda spec: -1.5, baseline=-1.2, trivial=-2.0, example=0.1))
    assert {question.name for question in state.questions()}.isdisjoint({"future", "look_ahead", "deep_or_both_ways"})


def test_the_smallest_window_that_is_enough_is_named() -> None:
    """Two steps ahead are as good as both ways."""

    def truth(spec: StackSpec) -> float:
        sight = 100 if spec.bidirectional else spec.look_ahead
        return 60 + 8.0 * min(sight, 2)

    state = play(state_for(words(6000)), World(truth, baseline=30.0))
    verdict = verdict_of(state)
    assert answer(verdict, "future").word == "yes"
    assert answer(verdict, "future").look_ahead == 2
    assert answer(verdict, "future").look_ahead_effect == pytest.approx(16.0, abs=1.0)
    assert [point.steps for point in verdict.streaming] == [0, 1, 2, 4, 8, "all"]


def grown_study() -> tuple[State, World]:
    """Size pays up to 50,000 parameters, more than the smallest networks of the map have; so does the future."""

    def truth(spec: StackSpec) -> float:
        sight = 20 if spec.bidirectional else min(spec.look_ahead, 8)
        return 60 + 0.5 * sight + 4.0 * min(1.0, spec.num_parameters / 50_000)

    world = World(truth, baseline=30.0)
    return play(state_for(words(4000)), world), world


def test_after_growth_the_curve_is_that_of_the_network_that_has_won() -> None:
    """All its points have the size of the network that saw both ways, none that of the first centre."""
    state, _ = grown_study()
    assert state.happened("grew")
    points = verdict_of(state).streaming
    assert [point.steps for point in points] == [0, 1, 2, 4, 8, "all"]
    sizes = [point.num_parameters for point in points]
    assert max(sizes) < 1.1 * min(sizes)
    assert points[-1].arm == next(question.of for question in state.questions() if question.name == "look_ahead")


def test_a_word_that_was_written_down_needs_no_more_blocks() -> None:
    """Later looks would tell otherwise, by chance, of arms that have left; the log has it, and they stay away."""
    state = play(state_for(words(4000)), World(lambda spec: 80.0, baseline=30.0))
    closed = next(event for event in state.log if event.kind == "closed" and event.word == "no")
    judged = latest(state)
    assert judged is not None
    turned = replace(judged, margin=1e-9)  # nothing is known any more
    asked = {(one.question.of, one.question.against): one for one in race.told(state, turned)}
    assert asked[closed.arms].told.word == "no"
    question, at = asked[closed.arms].question, race.levels_at(state, asked[closed.arms].round)
    assert turned.ask(question, at).word != "no", "asked anew it would be open"


def test_the_deep_arm_and_its_twin_have_the_same_size() -> None:
    verdict = letters_to_sounds()
    deep, twin = verdict.arm(verdict.deep), verdict.arm(verdict.twin)
    assert deep is not None
    assert twin is not None
    assert deep.spec is not None
    assert twin.spec is not None
    assert (deep.spec.num_layers > 1, twin.spec.num_layers) == (True, 1)
    assert abs(deep.spec.num_parameters / twin.spec.num_parameters - 1) < 0.05
    assert replace(deep.spec, num_layers=1, hidden_size=twin.spec.hidden_size) == twin.spec


def test_the_verdict_survives_its_file() -> None:
    verdict = letters_to_sounds()
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_the_log_holds_every_settled_word() -> None:
    verdict = letters_to_sounds()
    closed = {(event.question, event.arms): event.word for event in verdict.log if event.kind == "closed"}
    for row in verdict.answers:
        if (row.question, (row.of, row.against)) in closed:
            assert row.word == closed[row.question, (row.of, row.against)]
            assert row.word in SETTLED


def test_what_is_handed_over_is_the_best_final_on_tune() -> None:
    state, _ = letters_study()
    advised = finals.advise(state, latest(state))
    assert advised is not None
    final = finals.Final("advised", advised, finals.trials(state, advised))
    scores = [state.results[trial].tune for trial in final.trials]
    assert state.results[finals.handed_over(state, final)].tune == max(scores)


def test_finals_test_each_thing_once_and_pair_it_with_the_advised() -> None:
    verdict = letters_to_sounds()
    assert verdict.test[0].role == "advised"
    assert verdict.test[0].against_advised is None
    assert len({row.arm for row in verdict.test}) == len(verdict.test)
    for row in verdict.test[1:]:
        assert row.against_advised is not None
        effect, low, high = row.against_advised
        assert low <= effect <= high
        assert effect == pytest.approx(verdict.test[0].score - row.score, abs=1e-6)


def test_the_map_alone_leans_and_settles_nothing() -> None:
    world = World(letters_truth, baseline=86.0)
    state = state_for(letters(8000))
    for planned in race_steps(state):
        if state.happened("centred"):
            break
        state.results |= {trial: world.result(state.material, trial) for trial in planned}
    verdict = verdict_of(finish(state, world), "budget")
    assert verdict.advice.by_map
    assert not verdict.advice.within_margin
    assert verdict.answers
    assert not {row.word for row in verdict.answers} & SETTLED
    assert answer(verdict, "future").word == "leaning_yes"
    assert Verdict.from_json(verdict.to_json()) == verdict
