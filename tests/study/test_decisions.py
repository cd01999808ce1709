"""Intervals, the rule and the moves: pure functions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import OptionError
from leadline.spec import StackSpec
from leadline.stats.paired import Estimate
from leadline.study import moves, verdict
from leadline.study.moves import Limits

BASE = StackSpec(input_size=8, output_size=5, hidden_size=32)


@pytest.mark.parametrize(
    ("low", "high", "up", "down"),
    [
        (1.1, 2.0, "better", "better"),
        (0.5, 2.0, "undecided", "better"),
        (-0.5, 0.9, "not_worth_it", "better"),
        (-1.5, 0.5, "not_worth_it", "undecided"),
        (-1.5, 1.5, "undecided", "undecided"),
        (-3.0, -1.2, "not_worth_it", "not_worth_it"),
    ],
)
def test_the_rule(low, high, up, down):
    estimate = Estimate((low + high) / 2, low, high)
    assert verdict.decide(estimate, 1.0) == up
    assert verdict.decide(estimate, 1.0, down=True) == down


@pytest.mark.parametrize("opened", [1, 4, 9])
def test_all_comparisons_of_a_study_spend_at_most_alpha(opened):
    spent = sum(
        verdict.design(incumbent, stage, opened).alpha * opened for incumbent in range(60) for stage in verdict.SHARES
    )
    assert spent == pytest.approx(verdict.ALPHA)


@pytest.mark.parametrize(("folds", "expected"), [(2, (2,)), (5, (5,)), (10, (3, 6, 10)), (1, tuple(range(3, 25, 3)))])
def test_looks_end_with_the_splits(folds, expected):
    assert verdict.design(0, "upward", 3, folds).looks == expected


def test_choice_by_lower_bound_per_cost_and_ties():
    def option(move, effect, operations):
        return verdict.Option(move, effect - 0.1, effect, operations)

    cheap, dear = option("readout", 2.0, 100), option("deeper", 3.5, 300)
    assert verdict.choose([cheap, dear], 100, 0.5) is cheap
    both, ahead = option("both_directions", 5.0, 100), option("look_ahead", 4.8, 120)
    assert verdict.choose([both, ahead], 100, 0.5) is ahead
    assert verdict.choose([both, ahead], 100, 0.1) is both
    wide, deep = option("wider", 3.0, 250), option("deeper", 3.2, 250)
    assert verdict.choose([deep, wide], 100, 0.5) is wide


class TestMoves:
    def test_wider_and_deeper_spend_the_same(self):
        wide, deep = moves.grown(BASE), moves.deeper(BASE)
        assert deep.num_layers == 2
        assert wide.num_parameters == pytest.approx(2.5 * BASE.num_parameters, rel=0.05)
        assert deep.num_parameters == pytest.approx(wide.num_parameters, rel=0.05)

    @pytest.mark.parametrize("kind", ["tagging", "classification", "next_step", "step_regression", "regression"])
    @pytest.mark.parametrize("causal", [True, False])
    def test_every_other_move_keeps_the_parameters(self, kind, causal):
        start = replace(BASE, pooling="step" if kind in ("tagging", "next_step", "step_regression") else "last")
        found = moves.upward(start, Limits(kind, causal))
        for candidate in found:
            if candidate.move not in ("wider", "deeper"):
                assert candidate.spec.num_parameters == pytest.approx(start.num_parameters, rel=0.06)
        sees = any(c.spec.bidirectional or c.spec.look_ahead for c in found)
        assert sees == (not causal and kind != "next_step")

    def test_downward_from_a_large_network_is_bold_first(self):
        large = replace(BASE, num_layers=3, hidden_size=256, bidirectional=True)
        first = moves.bold(large)
        assert first[0].move == "one_direction+shallower+narrower"
        assert first[0].spec == replace(BASE, hidden_size=64)
        assert moves.bold(replace(BASE, hidden_size=64)) == ()
        found = moves.downward(large)
        assert {c.move for c in found} >= {"one_direction", "shallower", "narrower"}
        assert all(c.spec.num_parameters < large.num_parameters for c in found)

    def test_a_small_layer_cannot_shrink_for_ever(self):
        assert moves.downward(replace(BASE, hidden_size=4)) == ()

    @settings(max_examples=50, deadline=None)
    @given(layers=st.integers(1, 3), width=st.integers(8, 200), both=st.booleans(), dropout=st.sampled_from([0.0, 0.5]))
    def test_a_move_never_leads_back_to_the_incumbent(self, layers, width, both, dropout):
        spec = replace(BASE, num_layers=layers, hidden_size=width, bidirectional=both, dropout=dropout)
        limits = Limits("tagging")
        found = [
            *moves.upward(spec, limits),
            *moves.downward(spec),
            *moves.regularise(spec),
            *moves.pairs(spec, limits),
        ]
        specs = [c.spec for c in found]
        assert spec not in specs
        assert all(moved.split("+")[0] in moves.MOVES for moved in (c.move for c in found))

    @pytest.mark.parametrize(
        ("text", "fields"),
        [
            ("lstm:3x256:both", {"cell": "lstm", "num_layers": 3, "hidden_size": 256, "bidirectional": True}),
            ("gru:1x64:ahead2:mlp", {"look_ahead": 2, "readout": "mlp", "hidden_size": 64}),
            (
                "rnn:2x8:dropout0.25:residual:norm",
                {"cell": "tanh", "dropout": 0.25, "residual": True, "layer_norm": True},
            ),
        ],
    )
    def test_start(self, text, fields):
        found = moves.parse_start(text, BASE)
        assert {name: getattr(found, name) for name in fields} == fields

    @pytest.mark.parametrize(
        "text", ["", "lstm:3by256", "transformer:2x64", "gru:1x64:sideways", "gru:1x0", "gru:2x8:both:ahead1"]
    )
    def test_a_start_that_is_not_understood_says_what_would_be(self, text):
        with pytest.raises(OptionError, match="lstm:3x256:both"):
            moves.parse_start(text, BASE)
