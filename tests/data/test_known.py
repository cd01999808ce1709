"""Right words follow from bounds of the effect; sets of networks hold what they say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leadline.data.datasets.synthetic.catalogue import task
from leadline.data.datasets.synthetic.known import (
    ALL_AHEAD,
    ANYTHING,
    GATED,
    SMALL,
    YES,
    ZERO,
    KnownTask,
    Networks,
    Right,
    rights,
    solved,
)
from leadline.spec import StackSpec

GRU = StackSpec(input_size=4, output_size=2, hidden_size=32)
BOTH = replace(GRU, bidirectional=True)

# What each word claims of an effect in margins, as the sheet defines them.
CLAIMS = {
    "yes": lambda effect: effect > 1,
    "a_little": lambda effect: 0 < effect < 1,
    "at_least_a_little": lambda effect: effect > 0,
    "no": lambda effect: effect < 1,
    "worse": lambda effect: effect < 0,
}


@pytest.mark.parametrize(
    ("words", "effects"),
    [(YES, (1.1, 2.0, 30.0)), (SMALL, (-3.0, -0.5, 0.0, 0.5, 0.9)), (ZERO, (0.0,)), (ANYTHING, (-1.0, 0.0, 0.5, 2.0))],
)
def test_the_right_words_are_those_that_are_true_of_some_effect_within_the_bound(words, effects):
    assert words == {word for word, claim in CLAIMS.items() if any(claim(effect) for effect in effects)}


@pytest.mark.parametrize(
    ("networks", "inside", "outside"),
    [
        (Networks(layers=(2, 3)), replace(GRU, num_layers=2), GRU),
        (Networks(units=(16, 64)), GRU, replace(GRU, hidden_size=65)),
        (Networks(ahead=(2, ALL_AHEAD)), replace(GRU, look_ahead=2), replace(GRU, look_ahead=1)),
        (Networks(ahead=(2, ALL_AHEAD)), BOTH, GRU),
        (Networks(ahead=(2, ALL_AHEAD - 1)), replace(GRU, look_ahead=8), BOTH),
        (Networks(ahead=(0, 0)), GRU, BOTH),
        (Networks(cells=GATED), replace(GRU, cell="lstm"), replace(GRU, cell="tanh")),
        (Networks(readouts=frozenset({"mlp"})), replace(GRU, readout="mlp"), GRU),
        (Networks(), GRU, None),
    ],
)
def test_networks_hold_what_they_say(networks, inside, outside):
    assert inside in networks
    assert outside not in networks


def known(*right: Right, **others) -> KnownTask:
    plain = {"advised": (), "baseline": False, "best": 1.0, "tolerance": 0.0, "sequences": 1}
    return KnownTask(name="x", title="x", draw=lambda n, seed=0: None, right=right, **{**plain, **others})


def test_the_first_answer_that_suits_the_start_holds():
    some = known(*rights(YES, "cell", start=Networks(cells=frozenset({"tanh"}))), *solved(16))
    assert some.words("cell", replace(GRU, cell="tanh")) == YES
    assert some.words("cell", GRU) == SMALL
    assert some.words("cell", replace(GRU, hidden_size=8)) == ANYTHING
    assert some.words("future", GRU) == ANYTHING


def test_without_a_start_only_what_holds_for_every_network_can_be_wrong():
    some = known(*rights(YES, "recurrence"), *rights(YES, "depth", start=Networks(layers=(1, 1))))
    assert some.words("recurrence", None) == YES
    assert some.words("depth", None) == ANYTHING


def test_what_may_be_advised():
    some = known(advised=(Networks(layers=(1, 1)), Networks(cells=frozenset({"lstm"}))), baseline=True)
    assert some.may_advise(GRU)
    assert some.may_advise(replace(GRU, num_layers=2, cell="lstm"))
    assert not some.may_advise(replace(GRU, num_layers=2))
    assert some.may_advise(None)
    assert not known(advised=(Networks(),)).may_advise(None)


@pytest.mark.parametrize("name", ["xor_both", "match"])
def test_both_sides_need_a_second_layer_or_an_mlp_or_a_window(name):
    """The row of the evidence: neither both ways nor depth alone."""
    some = task(name)
    deep, mlp = replace(BOTH, num_layers=2), replace(BOTH, readout="mlp")
    for right in (deep, mlp, replace(GRU, look_ahead=2)):
        assert some.may_advise(right)
        assert some.words("depth", right) == SMALL
    for wrong in (GRU, BOTH, replace(GRU, num_layers=2), replace(GRU, look_ahead=1)):
        assert not some.may_advise(wrong)
    assert some.words("depth", BOTH) == some.words("readout", BOTH) == some.words("depth_equal_size", BOTH) == YES
    assert some.words("future", replace(GRU, num_layers=2)) == YES
    assert some.words("depth", GRU) == ANYTHING
