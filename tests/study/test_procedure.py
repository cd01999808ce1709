"""The procedure on worlds whose truth is known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from simulated import World, book_for, cut, play

from leadline.data.arrays import from_arrays
from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic.chains import markov_chain
from leadline.data.datasets.synthetic.counters import parity
from leadline.errors import OptionError
from leadline.records.trial import BaselineSpec
from leadline.records.verdict import Budget, Verdict
from leadline.seeds import child
from leadline.stats import power
from leadline.study import diagnosis, moves, pairing, stage, verdict
from leadline.study.assemble import assemble
from leadline.study.draws import DECAY, DROPOUT, RATES
from leadline.study.moves import Limits
from leadline.study.procedure import MOST_INCUMBENTS, conclude, procedure
from leadline.study.sizes import costly
from leadline.study.tuning import RUNGS, longest_rung, shortened
from leadline.study.verdict import Dev


@pytest.fixture(scope="module")
def words():
    return letters(6000)


def sees(spec):
    return 3 if spec.bidirectional else min(spec.look_ahead, 3)


def test_sight_first_then_depth(words):
    world = World(lambda s: 60 + 8 * sees(s) + (3 if s.num_layers > 1 and sees(s) == 3 else 0))
    book = play(book_for(words), world)
    assert book.path[0] in ("look_ahead", "both_directions")
    assert "deeper" in book.path
    assert "wider" not in book.path
    assert book.incumbent.num_layers == 2
    assert book.stop_reason == "nothing_more_pays"
    assert book.square.depth_one_way.interval[1] < 1 < book.square.depth_both_ways.interval[0]


def test_a_readout_that_does_what_depth_does_is_told_apart(words):
    """Once both ways are read a second layer pays, and so does an MLP readout: not both."""
    layers = lambda s: s.num_layers > 1 or s.readout == "mlp"  # noqa: E731
    book = play(book_for(words), World(lambda s: 60 + 8 * sees(s) + 3 * (sees(s) == 3 and layers(s))))
    assert "mlp" in book.square.readout
    assert book.square.depth_both_ways.effect == pytest.approx(0, abs=0.3)
    assert book.square.linear.readout == "linear"
    assert book.square.linear.depth_both_ways.effect == pytest.approx(3, abs=0.3)
    assert book.square.linear.depth_one_way.effect == pytest.approx(0, abs=0.3)
    plain = play(book_for(words), World(lambda s: 70.0 - (s.readout == "mlp")))
    assert plain.square.readout == "linear"
    assert plain.square.linear is None


def test_look_ahead_goes_before_both_directions_where_they_tie(words):
    book = play(book_for(words), World(lambda s: 60 + 8 * sees(s)))
    assert book.path[0] == "look_ahead"
    assert set(book.path[1:]) <= {"narrower"}
    assert book.incumbent.look_ahead in (3, 4)
    row = next(m for m in book.moves if m.move == "both_directions" and m.source == book.incumbents[1].describe())
    assert row.decision in ("not_worth_it", "not_pursued")


def test_nothing_pays_and_a_smaller_network_does(words):
    book = play(book_for(words), World(lambda s: 70.0))
    assert set(book.path) <= {"narrower"}
    assert book.incumbent.hidden_size < 64
    assert book.stop_reason == "nothing_more_pays"
    assert all(m.decision != "better" for m in book.moves if m.move not in ("narrower", "recurrence"))


def test_width_pays(words):
    book = play(book_for(words), World(lambda s: 40 + 4 * math.log(s.num_parameters / 1000)))
    assert "wider" in book.path
    assert "narrower" not in book.path
    assert book.incumbent.num_layers == 1


def test_a_baseline_is_enough(words):
    book = play(book_for(words), World(lambda s: 70.0, baseline=71.0))
    assert book.stop_reason == "baseline_is_enough"
    assert book.baseline_enough in ("ngram", "linear", "mlp", "convolution")


def test_moves_that_pay_only_together_are_found(words):
    """Neither sight nor a better readout or depth helps alone: single moves are blind, pairs are not."""

    def truth(spec):
        return 90.0 if sees(spec) and (spec.num_layers > 1 or spec.readout == "mlp") else 60.0

    book = play(book_for(words), World(truth))
    assert any("+" in move for move in book.path)
    assert truth(book.incumbent) == 90.0


def test_causal_stays_causal_and_still_shows_what_sight_would_buy(words):
    book = play(book_for(words, Limits("tagging", causal=True)), World(lambda s: 60 + 8 * sees(s)))
    assert not any(m.move in ("look_ahead", "both_directions") for m in book.moves)
    assert all(not spec.bidirectional and not spec.look_ahead for spec in book.incumbents)
    ends = {point.steps: point.score for point in book.curve}
    assert ends["all"] > ends[0] + 20


def test_a_limited_look_ahead_is_kept(words):
    book = play(book_for(words, Limits("tagging", max_look_ahead=2)), World(lambda s: 60 + 8 * sees(s)))
    assert book.incumbent.look_ahead == 2
    assert not any(spec.bidirectional for spec in book.incumbents)


def test_a_large_start_comes_down_at_once(words):
    book = play(book_for(words, start="lstm:3x256:both"), World(lambda s: 80.0 if sees(s) == 3 else 60.0))
    assert book.incumbents[0].hidden_size == 256
    assert book.incumbent.num_layers == 1
    assert book.incumbent.hidden_size <= 64
    assert book.incumbent.bidirectional or book.incumbent.look_ahead
    assert book.path[0] == "shallower+narrower"


def test_arms_that_do_not_train_are_told_apart(words):
    def train(spec):
        return 40.0 if spec.num_layers > 1 else 75.0

    world = World(lambda s: 50.0 if s.num_layers > 1 else 70.0, train=train)
    book = play(book_for(words), world)
    deep = [m for m in book.moves if m.move == "deeper"]
    assert deep
    assert {m.decision for m in deep} == {"failed_to_train"}


def test_diverged_arms_are_no_refusal(words):
    world = World(lambda s: 70.0, diverges=lambda s: s.num_layers > 1)
    book = play(book_for(words), world)
    assert {m.decision for m in book.moves if m.move == "deeper"} == {"failed_to_train"}


def test_noise_is_not_called_an_effect(words):
    book = play(book_for(words), World(lambda s: 70.0, seed_noise=0.8, example_noise=20))
    assert not [m for m in book.moves if m.decision == "better" and m.move not in ("narrower", "recurrence")]


def test_the_margin_is_one_per_cent_of_the_way_to_perfect_unless_given(words):
    assert play(book_for(words), World(lambda s: 70.0)).margin == pytest.approx(0.9, abs=0.05)
    assert play(book_for(words, margin=5.0), World(lambda s: 70.0)).margin == 5.0


def test_new_incumbents_get_fresh_seeds(words):
    world = World(lambda s: 60 + 8 * sees(s) + (3 if s.num_layers > 1 and sees(s) == 3 else 0))
    book = play(book_for(words), world)
    taken = book.incumbents[1]
    full = [t.seed for t in world.asked if t.spec == taken and t.recipe.max_updates == book.plan.recipe.max_updates]
    assert len(set(full)) >= 6


def test_next_step_never_looks_ahead():
    book = play(book_for(markov_chain(1500, length=20)), World(lambda s: -1.0, baseline=-2.0))
    assert all(not t.look_ahead and not t.bidirectional for t in book.draws)
    assert book.square is None
    assert not book.curve


def test_classification_has_a_square_and_no_window():
    data = parity(1500, length=10)
    book = play(book_for(data), World(lambda s: 90.0, baseline=60.0))
    kinds = {m.move for m in book.moves}
    assert ("look_ahead" in kinds) == (data.kind == "tagging")
    assert book.square is not None


@pytest.mark.parametrize(
    ("start", "limits"),
    [
        ("gru:1x64:both", Limits("next_step")),
        ("gru:1x64:ahead1", Limits("next_step")),
        ("lstm:3x256:both", Limits("tagging", causal=True)),
        ("gru:1x8:ahead3", Limits("tagging", max_look_ahead=2)),
        ("gru:1x8:mean", Limits("tagging")),
    ],
)
def test_a_start_that_sees_what_is_hidden_is_refused(start, limits):
    data = letters(300) if limits.kind == "tagging" else markov_chain(200, length=10)
    with pytest.raises(OptionError, match="next step is the target"):
        book_for(data, limits, start=start)


def test_both_arms_of_a_pair_reach_the_same_rung_of_tuning(words):
    book = play(book_for(words), World(lambda s: 60 + 8 * sees(s)))
    paired = [m for m in book.moves if m.pairs]
    specs = {spec.describe(): spec for spec in book.draws}
    assert paired
    for row in paired:
        assert longest_rung(book, specs[row.to]) == longest_rung(book, specs[row.source]) == 2


def test_every_trained_baseline_gets_the_grid(words):
    world = World(lambda s: 70.0)
    book = play(book_for(words), world)
    for name in ("linear", "mlp", "convolution"):
        rates = {t.recipe.learning_rate for t in world.asked if getattr(t.spec, "name", "") == name}
        assert rates >= set(RATES)
        assert book.baseline_draws[name].learning_rate in RATES
        assert longest_rung(book, name) == 2


def test_no_seed_that_tuned_a_baseline_is_a_pairs(words):
    world = World(lambda s: 70.0)
    book = play(book_for(words), world)
    for name in ("linear", "mlp", "convolution"):
        mine = [t for t in world.asked if t.spec == BaselineSpec(name=name)]
        short = {t.seed for t in mine if t.recipe.max_updates < book.plan.recipe.max_updates}
        whole = {t.seed for t in mine if t.recipe.max_updates == book.plan.recipe.max_updates}
        assert short
        assert whole
        assert not short & whole


def test_a_cut_leaves_a_row_for_every_comparison_that_was_opened(words):
    """Cut after each number of trials: what was opened is in the rows, and what is decided stays decided."""
    whole = play(book_for(words), World(lambda s: 70.0, seed_noise=0.4))
    final = {(m.source, m.move, m.to): m for m in stage.rows(whole)}
    seen, set_aside = set(), 0
    for most in range(90, 400, 13):
        book = cut(book_for(words), World(lambda s: 70.0, seed_noise=0.4), most)
        rows = stage.rows(book)
        for row, later in zip(rows[: len(book.moves)], stage.rows(whole), strict=False):
            measured_again = later if row.fresh else later.model_copy(update={"fresh": None})
            if row != measured_again:
                assert (row.source, row.move, row.to, row.decision) == (later.source, later.move, later.to, "undecided")
                assert row.pairs == stage.EARLY or "ended before" in row.reason
                set_aside += 1
        if any(row.pairs for row in stage.open_rows(book)):
            assert stage.screening(book) == []
        for row in rows[len(book.moves) :]:
            seen.add((row.decision, row.pairs > 0))
            assert row.level is not None
            if row.decision != "undecided":
                assert row == final[row.source, row.move, row.to]
            else:
                assert "ended before" in row.reason
    assert ("undecided", True) in seen
    assert ("undecided", False) in seen
    assert set_aside > 0
    assert stage.open_rows(whole) == []


@pytest.mark.parametrize("pays", [True, False])
def test_the_first_step_comes_before_the_pictures(words, pays):
    """Square and curve are trained behind the first step; where none pays, behind every stage's first pairs and
    before the last ones."""
    world = World(lambda s: 60 + 8 * sees(s) * pays, seed_noise=0.4)
    book, drawn_at, late = book_for(words), None, []
    for planned in procedure(book):
        fresh = [t for t in dict.fromkeys(planned) if t not in book.results]
        book.results |= {t: world.result(book.material, t) for t in fresh}
        late.append(max((row.pairs for row in stage.rows(book)), default=0))
        if drawn_at is None and any(t.seed == child(book.plan.seed, "square", 0) for t in fresh):
            drawn_at = len(late)
            assert [move in ("look_ahead", "both_directions") for move in book.path] == [True] * pays
            assert not book.curve
    assert drawn_at is not None
    assert max(late[:drawn_at]) == (3 if pays else stage.EARLY)
    assert book.square is not None
    assert len(book.curve) == 6
    if not pays:
        assert max(late) > stage.EARLY


def test_a_cut_before_the_first_pairs_shows_the_screening(words):
    """After each number of trials: the moves whose draws are all trained, by their best tune score, and no other;
    none once there are pairs."""
    truth = {"both_directions": 90.0, "wider": 71.0}
    start = book_for(words).plan.start
    up = {c.spec: c.move for c in moves.upward(start, book_for(words).plan.limits)}
    world = World(lambda s: truth.get(up.get(s, ""), 70.0), drawn=lambda recipe: 100 * recipe.learning_rate)
    counts, paired, seen = [], 0, 0
    for most in range(20, 160, 5):
        book = cut(book_for(words), world, most)
        shown = stage.screening(book)
        counts.append(len(shown))
        if any(row.pairs for row in stage.open_rows(book)) or book.moves:
            assert not shown
            paired += 1
            continue
        lengths = [shortened(book.plan.recipe, divisor).max_updates for divisor in RUNGS[:2]]
        draws = {}
        for trial, result in book.results.items():
            if trial.spec in up and trial.recipe.max_updates == lengths[0]:
                draws.setdefault(trial.spec.describe(), []).append(result.tune)
        for row in shown:
            assert row.source == start.describe()
            assert row.updates in lengths
            if row.updates == lengths[0]:
                assert row.score == max(draws[row.to])
        assert {row.to for row in shown} == {to for to, found in draws.items() if len(found) == len(RATES)}
        order = [(row.updates, row.score - row.against_score) for row in shown]
        assert order == sorted(order, reverse=True)
        # Best of those screened on runs of its length: a cut within a rung leaves some on the one before.
        for updates in {row.updates for row in shown if row.move == "both_directions"}:
            (row, *_) = (row for row in shown if row.updates == updates)
            assert row.move == "both_directions"
            assert row.score - row.against_score == pytest.approx(20, abs=1)
            seen += 1
    assert 0 in counts
    assert max(counts) == len(up)
    assert seen > 0
    assert paired > 0
    whole = play(book_for(words), world)
    assert stage.screening(whole) == []


def test_a_window_between_those_tried_is_screened_too(words):
    """Three steps ahead are enough, which lie between two and four; cut before the first look."""
    world, book = World(lambda s: 60 + 8 * sees(s)), book_for(words)
    for planned in procedure(book):
        if book.opened:
            break
        book.results |= {t: world.result(book.material, t) for t in planned}
    shown = {row.to: row for row in stage.screening(book)}
    assert shown["GRU 1 x 49, 3 ahead"].move == "look_ahead"


class Fading(World):
    """In the shortest runs every move seems worth about 5, the smallest window a little less than the others; in
    longer ones that is worth nothing and the other windows 3."""

    def __init__(self, plan):
        super().__init__(lambda s: 70.0 + 3 * (s.look_ahead > 1))
        self.plan = plan

    def result(self, material, trial):
        result, spec = super().result(material, trial), trial.spec
        short = trial.recipe.max_updates == shortened(self.plan.recipe, RUNGS[0]).max_updates
        if not short or spec == self.plan.start or isinstance(spec, BaselineSpec):
            return result
        return result.model_copy(update={"tune": 75 - 0.1 * (spec.look_ahead == 1) + 0.1 * (spec.look_ahead > 1)})


def test_windows_are_compared_on_runs_of_one_length(words):
    """One step ahead falls behind on the shortest runs, with a gain above that of the longer ones; it does not stand
    for the windows that are still in the running, or none would be compared."""
    book = book_for(words, Limits("tagging"))
    play(book, Fading(book.plan))
    rows = {m.to: m.decision for m in book.moves if m.move == "look_ahead" and m.source == book.plan.start.describe()}
    assert {to: decision for to, decision in rows.items() if decision != "not_pursued"} == {
        "GRU 1 x 53, 2 ahead": "better"
    }


@pytest.mark.parametrize("most", [100, 150, 300, 505, 600])
def test_screening_has_equal_draws_where_rungs_share_their_trials(words, most):
    """Few updates: a run of the first rung is one of the next, and the incumbent has been drawn decay and dropout."""
    world = World(lambda s: 70.0, drawn=lambda recipe: 5.0 * (recipe.dropout > 0 or recipe.weight_decay > 0))
    seen = 0
    for trials in range(20, 140, 10):
        for row in stage.screening(cut(book_for(words, max_updates=most), world, trials)):
            assert row.against_score - row.score == pytest.approx(0, abs=1)
            seen += 1
    assert seen > 0


def test_a_study_that_comes_down_all_the_way_has_its_pictures(words):
    """As many networks as a study may have, all of them smaller ones: nothing is left for a step upwards."""
    start = replace(book_for(words).plan.start, hidden_size=4000, num_layers=4)
    book = book_for(words)
    book.plan = replace(book.plan, start=start)
    play(book, World(lambda s: 70.0 - 20 * (s.num_parameters < 6e4)))
    assert len(book.incumbents) == MOST_INCUMBENTS
    assert book.square is not None
    assert len(book.curve) == 6


def test_a_start_that_does_not_train_is_left(words):
    """Its runs count as they came out; what trains is ranked by its own score, and no figure is infinite."""
    start = book_for(words).plan.start
    world = World(lambda s: 20.0 if s == start else 80.0 + 3 * sees(s), diverges=lambda s: s == start)
    book = play(book_for(words), world)
    first = [m for m in stage.rows(book) if m.source == start.describe()]
    row = next(m for m in first if m.fresh is not None)
    assert row.move == book.path[0]
    assert book.path[0] in ("look_ahead", "both_directions")
    assert row.effect == pytest.approx(69, abs=3)  # and what a poor learning rate costs
    assert row.fresh.effect == pytest.approx(69, abs=3)
    assert row.collapsed == (0, row.pairs)
    assert f"{row.pairs} of the other arm's" in row.reason
    assert max(m.pairs for m in first) <= 6
    assert all(m.screening is None for m in first)
    budget = Budget(minutes=None, max_trials=None, trials=0, seconds=0.0, jobs=1)
    text = assemble(book, budget, ()).model_dump_json()
    assert Verdict.model_validate_json(text).model_dump_json() == text


def test_why_a_move_was_not_pursued(words):
    world = World(lambda s: 60.0 + 8 * min(sees(s), 2) - 20 * (s.readout == "mlp"), diverges=lambda s: s.cell == "lstm")
    rows = stage.rows(play(book_for(words), world))
    reasons = {m.move: (m.reason, m.screening) for m in rows if m.decision == "not_pursued"}
    assert reasons["other_cell"] == ("it did not train in the shortened screening runs", None)
    assert reasons["look_ahead"][0] == "a smaller window looked as good in the shortened screening runs"
    assert reasons["readout"][0] == "others looked better in the shortened screening runs"


def test_what_diverged_is_not_screened(words):
    book = cut(book_for(words), World(lambda s: 70.0, diverges=lambda s: s.num_layers > 1), 90)
    shown = {row.move for row in stage.screening(book)}
    assert "wider" in shown
    assert "deeper" not in shown


@pytest.mark.parametrize("together", [0.0, 6.0])
def test_the_last_pairs_are_spent_last(words, together):
    """A move at the margin is set aside after twelve pairs; pairs of moves come first, and its other twelve after
    them, where none of them pays."""

    def truth(spec):
        both = spec.num_layers > 1 and spec.num_parameters > 4 * start
        return 70.0 + 0.9 * (spec.readout == "mlp") + together * both

    book = book_for(words, Limits("tagging", causal=True), seed=4)
    start = book.plan.start.num_parameters
    play(book, World(truth, seed_noise=0.8))
    readout = next(m for m in book.moves if m.move == "readout")
    assert [m.move for m in book.moves if m.source == book.plan.start.describe()].count("readout") == 1
    if together:
        assert book.path[0] == "deeper+wider"
        assert readout.pairs == stage.EARLY
        assert readout.reason.endswith("set aside after 12 pairs for steps not yet measured")
    else:
        assert book.path[:1] != ["deeper+wider"]
        assert readout.pairs > stage.EARLY
        asked = [i for i, row in enumerate(book.moves) if row.move == "deeper+wider"]
        assert asked, "pairs of moves were measured before"


def test_looks_that_are_taken_up_again_are_the_same(words):
    """Stopping after twelve pairs and going on changes no look: as if the comparison had never been set aside."""
    world = World(lambda s: 70.0 + 0.9 * (s.readout == "mlp"), seed_noise=0.8)
    rows = []
    for early in (stage.EARLY, verdict.MOST_PAIRS):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stage, "EARLY", early)
            rows.append(stage.rows(play(book_for(words, Limits("tagging", causal=True), seed=4), world)))
    assert next(row for row in rows[0] if row.move == "readout").pairs > stage.EARLY
    assert {r.model_dump_json() for r in rows[0]} == {r.model_dump_json() for r in rows[1]}


def test_pairs_are_spent_where_the_decision_is_open(words):
    """Far from the margin the first look decides; at the margin pairs go on to the last look, or are given up."""
    far = play(book_for(words), World(lambda s: 60 + 8 * sees(s)))
    first = next(m for m in far.moves if m.move == far.path[0] and m.decision == "better")
    assert first.pairs == verdict.BLOCK
    near = play(book_for(words), World(lambda s: 70.9 if s.readout == "mlp" else 70.0, seed_noise=0.5))
    row = next(m for m in near.moves if m.move == "readout" and m.pairs)
    assert row.decision == "undecided"
    assert row.pairs > verdict.BLOCK
    assert row.pairs_to_close is None or row.minutes_to_close is not None
    assert row.reason


def test_a_step_is_measured_again_on_fresh_seeds(words):
    book = play(book_for(words), World(lambda s: 60 + 8 * sees(s)))
    row = next(m for m in stage.rows(book) if m.fresh)
    assert row.decision == "better"
    assert row.fresh.effect == pytest.approx(row.effect, abs=1)
    assert row.fresh.effect != row.effect
    assert sum(m.fresh is not None for m in stage.rows(book)) == len(book.path)


@pytest.mark.parametrize("depth", [True, False])
def test_a_step_deeper_is_held_against_its_size(words, depth):
    """Where only depth pays the control keeps the gain; where size alone pays it takes it away."""

    def truth(spec):
        large = spec.num_parameters > 3 * 19_000
        return 70.0 + 5 * ((spec.num_layers > 1 and large) if depth else large)

    book = play(book_for(words, Limits("tagging", causal=True)), World(truth))
    rows = {row.move: row for row in stage.rows(book) if row.fresh}
    assert all((row.size_control is not None) == ("deeper" in row.move.split("+")) for row in rows.values())
    row = rows["deeper+wider"]
    assert row.fresh.effect == pytest.approx(5, abs=0.5)
    assert row.size_control.effect.effect == pytest.approx(5 if depth else 0, abs=0.5)
    arm = next(spec for spec in book.draws if spec.describe() == row.size_control.arm)
    deep = next(spec for spec in book.incumbents if spec.describe() == row.to)
    assert arm.num_layers == deep.num_layers - 1
    assert arm.num_parameters == pytest.approx(deep.num_parameters, rel=0.05)


def test_an_arm_that_did_not_train_is_tried_with_help_for_both(words):
    """Depth pays, but a plain deep network does not train; residual and normalised it does."""

    def truth(spec):
        deep = spec.num_layers > 1
        return 50.0 if deep and not spec.residual else 76.0 if deep else 70.0

    world = World(truth, train=lambda s: truth(s) + 1)
    book = play(book_for(words), world)
    rows = [m for m in stage.rows(book) if m.move == "deeper"]
    assert rows[0].decision == "failed_to_train"
    assert book.incumbent.residual
    assert book.incumbent.layer_norm
    assert book.incumbent.num_layers > 1
    helped = {t.spec for t in world.asked if getattr(t.spec, "residual", False)}
    assert {spec.num_layers for spec in helped} >= {1, 2}


def test_collapsed_runs_are_counted_and_left_out(words):
    """The second training of each deep network is worth nothing; the others are as good as the shallow one's."""
    broken = child(0, "pair-0", 1)
    world = World(lambda s: 70.0, collapses=lambda t: t.seed == broken and getattr(t.spec, "num_layers", 1) > 1)
    book = play(book_for(words), world)
    row = next(m for m in book.moves if m.move == "deeper" and m.source == book.incumbents[0].describe())
    assert row.collapsed == (1, 0)
    assert row.decision == "not_worth_it"
    assert abs(row.effect) < 1
    assert "1 of" in row.reason


def test_a_collapsed_run_of_the_incumbent_spoils_no_number(words):
    """The start's second training is worth nothing: in the diagnosis, against the baseline and on fresh seeds."""
    unlucky = {child(0, f"pair-{i}", 1) for i in range(9)}
    first = book_for(words).plan.start
    world = World(lambda s: 60 + 8 * sees(s), collapses=lambda t: t.spec == first and t.seed in unlucky)
    book = play(book_for(words), world)
    assert book.diagnosis[0].dev == pytest.approx(60, abs=0.5)
    assert book.diagnosis[0].train == pytest.approx(61, abs=0.5)
    fresh = next(m.fresh for m in stage.rows(book) if m.fresh and m.source == first.describe())
    assert fresh.effect == pytest.approx(24, abs=1)
    assert fresh.pairs == verdict.BLOCK - 1
    alone = play(book_for(words), World(lambda s: 70.0, collapses=lambda t: t.seed in unlucky))
    assert alone.recurrence.effect == pytest.approx(40, abs=1)
    assert all(point.score == pytest.approx(70, abs=0.5) for point in alone.diagnosis[-1].learning_curve[2:])


def test_a_trained_baseline_has_a_seed_for_each_pair(words):
    """Its seeds are noise of the comparison: one that is good by luck must not count as good for certain."""

    class Trained(World):
        def _mean(self, trial):
            return super()._mean(trial) + 5.0 * (getattr(trial.spec, "name", "") == "mlp")

    world = Trained(lambda s: 70.0, baseline=64.5, seed_noise=0.5)
    book = play(book_for(words), world)
    best = book.best_baseline().name
    assert best == "mlp"
    full = [t for t in world.asked if getattr(t.spec, "name", "") == best and t.recipe.max_updates > 500]
    assert book.recurrence.pairs >= verdict.BLOCK
    assert len({t.seed for t in full if not t.final}) >= book.recurrence.pairs
    counted = book.baseline_pair("majority", 0), book.baseline_pair("majority", 5)
    assert counted[0] == counted[1]


def test_a_run_cut_by_the_cap_is_never_a_refusal(words):
    """Every wide arm scores less, and says that it was still improving."""

    def wide(spec):
        return spec.num_layers == 1 and spec.hidden_size > 64

    world = World(lambda s: 66.0 if wide(s) else 70.0, train=lambda s: 75.0, still_improving=wide)
    book = play(book_for(words), world)
    cut = [m for m in book.moves if m.move == "wider" and m.pairs]
    assert cut
    for row in cut:
        assert row.decision == "undecided"
        assert row.reason.endswith(f"still improving at the cap of {book.plan.recipe.max_updates} updates")
        assert row.pairs <= 2 * verdict.BLOCK
    assert {m.decision for m in book.moves if m.move == "deeper"} == {"not_worth_it"}
    assert book.stop_reason == "undecided"
    assert book.stop_sentence == "Still open at the last network: wider."
    book.moves += [cut[-1].model_copy(update={"move": "both_directions+deeper"})] * 2
    conclude(book)
    assert book.stop_sentence == "Still open at the last network: wider; both directions and deeper."


def test_what_is_open_at_the_last_look_says_so(words):
    book = play(book_for(words, seed=8), World(lambda s: 70.9 if s.readout == "mlp" else 70.0, seed_noise=1.2))
    open_rows = [m for m in book.moves if m.decision == "undecided" and m.pairs == verdict.MOST_PAIRS]
    assert open_rows
    assert all(row.reason.endswith("still open after 24 pairs, the most spent") for row in open_rows)
    assert not any("most spent" in m.reason for m in book.moves if m.pairs < verdict.MOST_PAIRS)


def test_both_gates_of_a_retry_are_settled(words):
    """Help serves the shallow network too, so that the move's gain over it shows later than over the plain one."""

    def truth(spec):
        if spec.num_layers > 1:
            return 76.0 if spec.residual else 50.0
        return 74.0 if spec.residual else 70.0

    book = play(book_for(words), World(truth, train=lambda s: truth(s) + 1, seed_noise=0.6))
    helped = [m for m in stage.rows(book) if m.move == "deeper" and "residual" in m.to]
    assert [m.decision for m in helped if m.source == book.incumbents[0].describe()] == ["better"]
    assert book.incumbent.residual
    assert book.incumbent.num_layers > 1


def test_what_fails_to_train_after_it_was_set_aside_is_retried_too(words):
    """Deep networks without help collapse from the thirteenth pair on; with it they are far better."""
    late = {child(2, "pair-0", i) for i in range(stage.EARLY, verdict.MOST_PAIRS)}
    world = World(
        lambda s: 70.0 + (s.num_layers > 1) * (10.0 if s.residual else 0.6),
        seed_noise=1.2,
        train=lambda s: 85.0,
        collapses=lambda t: t.seed in late and getattr(t.spec, "num_layers", 1) > 1 and not t.spec.residual,
    )
    book = play(book_for(words, seed=2), world)
    first = book.incumbents[0].describe()
    found = [m for m in stage.rows(book) if m.source == first and m.move == "deeper"]
    assert [m.decision for m in found] == ["failed_to_train", "better"]
    assert found[0].pairs > stage.EARLY
    assert book.incumbents[1].residual


def test_a_move_is_retried_once_at_a_network(words, monkeypatch):
    """Depth fails at once, width from the thirteenth pair on; a second stage of retries would spend alpha twice."""
    planned = []
    design = verdict.design
    monkeypatch.setattr(verdict, "design", lambda *given: planned.append(given) or design(*given))
    late = {child(8, "pair-0", i) for i in range(stage.EARLY, verdict.MOST_PAIRS)}

    def wide(spec):
        return getattr(spec, "num_layers", 0) == 1 and spec.hidden_size > 80 and not spec.residual

    book = play(
        book_for(words, seed=8),
        World(
            lambda s: 50.0 if s.num_layers > 1 and not s.residual else 70.0 + 0.6 * wide(s),
            seed_noise=1.2,
            train=lambda s: 50.0 if s.num_layers > 1 and not s.residual else 85.0,
            collapses=lambda t: t.seed in late and wide(t.spec),
        ),
    )
    first = [m for m in stage.rows(book) if m.source == book.incumbents[0].describe()]
    failed = {m.move: m.pairs for m in first if m.decision == "failed_to_train"}
    assert failed["deeper"] <= stage.EARLY < failed["wider"]
    assert [(index, kind) for index, kind, *_ in planned].count((0, "retry")) == 1


def test_both_arms_of_a_pair_have_equal_draws(words):
    """On the longest rung: two rates, and the better one with decay and with dropout; baselines likewise."""
    world = World(lambda s: 60 + 8 * sees(s))
    book = play(book_for(words), world)
    last = max(t.recipe.max_updates for t in world.asked) // RUNGS[2]
    drawn = {}
    for trial in world.asked:
        if trial.recipe.max_updates == last and trial.recipe.eval_every == last:
            recipe = trial.recipe
            drawn.setdefault(trial.spec, set()).add((recipe.learning_rate, recipe.weight_decay, recipe.dropout))
    specs = {spec.describe(): spec for spec in book.draws}
    arms = {specs[name] for m in book.moves if m.pairs for name in (m.to, m.against)}
    assert len(arms) > 3
    for arm in (*arms, BaselineSpec(name="mlp"), BaselineSpec(name="convolution")):
        regularised = sorted((decay, dropout) for _, decay, dropout in drawn[arm])
        assert regularised == [(0.0, 0.0), (0.0, 0.0), (0.0, DROPOUT), (DECAY, 0.0)]
        best = {rate for rate, decay, dropout in drawn[arm] if decay or dropout}
        assert best == ({0.001} if isinstance(arm, BaselineSpec) else {0.006})
    assert sorted(draw[1:] for draw in drawn[BaselineSpec(name="linear")]) == [(0.0, 0.0), (0.0, 0.0), (DECAY, 0.0)]


def test_dropout_is_drawn_only_where_it_changes_the_arm(words):
    world = World(lambda s: 70.0 + 3 * (s.dropout > 0), starved=lambda share: 0.0, train=lambda s: 95.0)
    play(book_for(words), world)
    regularised = [t for t in world.asked if getattr(t.spec, "dropout", 0.0) >= DROPOUT]
    assert any(t.recipe.weight_decay == DECAY for t in regularised)
    assert {t.recipe.dropout for t in regularised} == {0.0}


def test_every_corner_of_the_square_has_the_same_draws(words):
    """A start that happens to be a corner was tuned on a rung that the other corners do not reach."""
    small = book_for(words).plan.start
    corner = moves.grown(replace(small, readout="linear"))
    world = World(lambda s: 70.0, drawn=lambda recipe: 5.0 * (recipe.dropout > 0))
    book = play(book_for(words, start=f"gru:1x{corner.hidden_size}"), world)
    assert book.plan.start == corner
    assert book.draws[corner].dropout == DROPOUT
    seeds = {child(0, "square", i) for i in range(3)}
    shown = [t for t in world.asked if t.seed in seeds]
    assert {t.spec.num_layers for t in shown} == {1, 2}
    assert corner in {t.spec for t in shown}
    assert {t.recipe.dropout for t in shown} == {0.0}
    pairs = {child(0, "pair-0", i) for i in range(3)}
    assert {t.recipe.dropout for t in world.asked if t.seed in pairs and t.spec == corner} == {DROPOUT}


def test_what_was_drawn_is_advised(words):
    budget = Budget(minutes=None, max_trials=None, trials=0, seconds=0.0, jobs=1)
    for worth, expected in (
        (lambda r: 5.0 * (r.dropout > 0), (0.006, 0.0, DROPOUT)),
        (lambda r: 5.0 * (r.weight_decay > 0), (0.006, DECAY, 0.0)),
    ):
        found = assemble(play(book_for(words), World(lambda s: 70.0, drawn=worth)), budget, ())
        advice = found.recommendation
        assert (advice.learning_rate, advice.weight_decay, advice.dropout) == expected
        arm = next(arm for arm in found.arms if arm.name == advice.description)
        assert (arm.learning_rate, arm.weight_decay, arm.dropout) == expected
        assert arm.spec.dropout == 0.0


def test_before_tuning_no_recipe_is_advised(words):
    book = book_for(words)
    world = World(lambda s: 70.0)
    for planned in procedure(book):
        if book.incumbents:
            break
        book.results.update({trial: world.result(book.material, trial) for trial in planned})
    book.stop_reason = "interrupted"
    advice = assemble(book, Budget(minutes=None, max_trials=None, trials=0, seconds=0.0, jobs=1), ()).recommendation
    assert advice.cell == "gru"
    assert (advice.learning_rate, advice.weight_decay, advice.dropout) == (None, None, 0.0)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_row_says_what_more_dev_examples_would_do(words, lost, monkeypatch):
    """Differences that the examples carry: alike in every pair, so that more pairs do not help."""
    random = np.random.default_rng(3)
    clusters = random.normal(2.0, 12.0, 400)
    weights = np.ones(400)
    ours = [Dev(0, clusters + random.normal(0, 0.5, 400), weights, 0.3) for _ in range(6 - lost)]
    theirs = [Dev(0, np.zeros(400), weights, 0.3) for _ in range(6 - lost)]
    book = book_for(words)
    book.margin = 1.0
    planned = verdict.design(0, "upward", 4)
    asked, examples = [], power.further_examples
    monkeypatch.setattr(power, "further_examples", lambda *given: asked.append(given) or examples(*given))
    arms = {"source": "a", "move": "wider", "to": "b", "against": "a"}
    row = pairing.row_of(book, arms, (ours, theirs), planned, 6, down=False).row
    assert row.decision == "undecided"
    assert row.pairs_to_close is None
    found = verdict.evidence(ours, theirs)
    assert row.dev_to_close == examples(found, abs(row.effect - 1.0), planned, 6)
    assert [given[2:] for given in asked] == [(planned, 6)]
    assert row.dev_to_close > 1


def test_a_large_start_that_stays_is_compared_once(words):
    """Nothing smaller does: the way down, taken at the start, is not gone again at the end."""

    def truth(spec):
        return 80.0 if spec.num_layers > 2 and spec.hidden_size > 200 and spec.bidirectional else 60.0

    book = play(book_for(words, start="lstm:3x256:both"), World(truth))
    assert book.incumbents == [book.plan.start]
    rows = [(m.source, m.move, m.to, m.against) for m in stage.rows(book)]
    assert len(rows) == len(set(rows))


def test_a_costly_start_is_tuned_on_two_rungs_and_so_is_what_it_is_held_against(words):
    book = play(book_for(words, start="lstm:3x256:both"), World(lambda s: 80.0 if sees(s) == 3 else 60.0))
    first = next(m for m in book.moves if m.pairs)
    specs = {spec.describe(): spec for spec in book.draws}
    assert specs[first.source] == book.plan.start
    assert longest_rung(book, book.plan.start) == 1
    runs = {t.recipe.max_updates for t in book.results if t.spec == book.plan.start}
    assert book.plan.recipe.max_updates // 2 not in runs
    assert longest_rung(book, book.incumbent) == 2


def test_arms_of_a_pair_are_tuned_alike_where_the_incumbent_became_costly(words):
    """A network that is costly by its steps has been on the last rung; so is what it is held against."""
    book = book_for(words, start="gru:1x64")
    paired = []
    right = pairing.settle

    def settle(book, matches, *rest):
        paired.append((book.incumbent, [longest_rung(book, s) for m in matches for s in (m.against, m.candidate.spec)]))
        return (yield from right(book, matches, *rest))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "settle", settle)
        play(book, World(lambda s: 20 + 4 * math.log2(s.operations_per_step / 1000) + 6 * s.num_layers))
    beside = [rungs for incumbent, rungs in paired if costly(incumbent)]
    assert beside
    assert all(len(set(rungs)) == 1 for _, rungs in paired)
    flats = [control.arm for control in book.controls.values()]
    specs = {spec.describe(): spec for spec in book.draws}
    assert flats
    assert {longest_rung(book, specs[arm]) for arm in flats} == {2}


def test_few_sequences_are_split_again_and_again():
    """A look after 3, 6 and 10 re-splits and none after; each pair is another re-split; the page's words fit."""
    data = letters(250)
    book = play(book_for(data), World(lambda s: 60 + 8 * sees(s)))
    assert book.num_folds == 10
    assert book.path[0] in ("look_ahead", "both_directions")
    pairs = [t for t in book.results for i in range(10) if t.seed == child(0, "pair-0", i) and t.fold == i]
    assert {t.fold for t in pairs} >= {0, 1, 2}
    assert len({(t.spec, t.recipe, t.fraction, t.fold) for t in pairs}) == len(pairs)
    open_book = play(book_for(data), World(lambda s: 70.9 if s.readout == "mlp" else 70.0, seed_noise=0.8))
    counted = {m.pairs for m in [*book.moves, *open_book.moves] if m.pairs}
    assert counted <= {3, 6, 10}
    assert {3, 10} <= counted
    row = next(m for m in open_book.moves if m.move == "readout" and m.decision == "undecided")
    assert "dev examples" not in row.reason
    assert row.reason


class TestDiagnosis:
    def test_more_data_is_read_from_the_learning_curve(self, words):
        world = World(lambda s: 70.0, starved=lambda fraction: {0.25: 14.0, 0.5: 6.0}.get(fraction, 0.0))
        book = play(book_for(words), world)
        stand = book.diagnosis[-1]
        assert "more_data" in stand.findings
        assert [p.fraction for p in stand.learning_curve] == [0.25, 0.5, 1.0]
        assert stand.gain_of_doubling.effect == pytest.approx(6 * 6 / 8, abs=0.5)
        assert stand.gain_of_doubling.interval[0] > book.margin
        assert book.stop_reason == "more_data"

    def test_a_flat_curve_promises_nothing(self, words):
        book = play(book_for(words), World(lambda s: 70.0))
        stand = book.diagnosis[-1]
        assert "more_data" not in stand.findings
        assert stand.gain_of_doubling.interval[1] < book.margin
        assert "no_arm_helps" in stand.findings
        assert book.stop_reason == "nothing_more_pays"

    def test_noise_is_named_only_where_repeats_measure_it(self):
        """8 inputs, the label of each right in 80 %: no predictor of two classes errs in less than about 20 %."""
        random = np.random.default_rng(0)
        inputs = random.integers(0, 8, 3000)
        labels = (inputs % 2) ^ (random.random(3000) < 0.2)
        steps = [np.array([[float(i)], [0.0]], dtype=np.float32) for i in inputs]
        data = from_arrays(steps, [int(y) for y in labels], kind="classification")
        book = play(book_for(data), World(lambda s: 80.0, baseline=70.0))
        assert book.diagnosis[-1].floor == pytest.approx(20, abs=1.5)
        assert book.stop_reason == "noise_floor"
        assert diagnosis.noise_floor(book_for(letters(3000)).material) is None


def test_from_a_large_start_the_networks_between_are_not_trained(words):
    world = World(lambda s: 70.0)
    book = play(book_for(words, start="lstm:3x256:both"), world)
    assert book.path[0] == "one_direction+shallower+narrower"
    large = {t.spec for t in world.asked if getattr(t.spec, "hidden_size", 0) >= 100 and t.spec.num_layers > 1}
    assert large == {book.plan.start}


def test_a_baseline_that_sees_more_is_no_floor_for_training(words):
    """The baselines score far above what any network reaches in training: no network failed to train for that."""
    world = World(lambda s: 60.0, baseline=90.0, train=lambda s: 70.0)
    book = play(book_for(words), world)
    assert "failed_to_train" not in {m.decision for m in book.moves}
    rows = {m.move: m for m in book.moves if m.source == book.plan.start.describe()}
    assert rows["wider"].pairs
    assert rows["deeper"].pairs
