"""The sentences say the record's numbers, and no more than the evidence carries."""

from __future__ import annotations

from typing import Any

import pytest
import verdicts

from leadline.records.evidence import Effect, Screened, SizeControl
from leadline.records.verdict import Recommendation, Verdict
from leadline.report import (
    explain,
    figures,
    page,
    path_words,
    screening_words,
    streaming_words,
    terminal,
    turning_words,
    words,
)

LETTERS = verdicts.letters_to_sounds()


@pytest.mark.parametrize("name", verdicts.CASES)
def test_verdict_goes_through_json(name: str) -> None:
    verdict = verdicts.CASES[name]()
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "letters_to_sounds",
            "Use a GRU of 2 layers, each with 42 units per direction, reading both ways, dropout 0.3.",
        ),
        (
            "baseline_is_enough",
            "You need no recurrent network. Use the baseline: logistic model on a bag of steps.",
        ),
        ("interrupted", "No recommendation: the run was interrupted before any network could be advised."),
        (
            "air_quality",
            "Best so far: a GRU of one layer with 105 units, reading forward only. "
            "The budget ended before every question was settled.",
        ),
        ("pen_digits", "Use an LSTM of one layer with 52 units per direction, reading both ways."),
        ("nothing_pays", "Use a GRU of one layer with 128 units, reading forward only."),
        (
            "undecided",
            "Undecided: for now use a GRU of one layer with 64 units, reading forward only. "
            "At least one further move could not be settled.",
        ),
        (
            "noise_floor",
            "Use a GRU of one layer with 128 units, reading forward only. "
            "The error that remains is noise: no network can remove it.",
        ),
        (
            "failed_to_train",
            "Use a GRU of one layer with 128 units, reading forward only. "
            "Larger networks could not be trained, which does not say that they would not help.",
        ),
        (
            "more_data",
            "Use a GRU of one layer with 128 units, reading forward only, and collect more data: "
            "that promises more than a larger network.",
        ),
    ],
)
def test_headline(name: str, sentence: str) -> None:
    assert words.headline(verdicts.CASES[name]()) == sentence


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            "noise_floor",
            "Use the baseline: n-gram back-off. The error that remains is noise: no network can remove it.",
        ),
        ("failed_to_train", "Use the baseline: n-gram back-off; no recurrent network could be trained to beat it."),
        ("more_data", "For now use the baseline: n-gram back-off. Collect more data before asking again."),
        (
            "interrupted",
            "Best so far, a baseline without recurrence: n-gram back-off. "
            "The run was interrupted, so this verdict is partial.",
        ),
    ],
)
def test_headline_of_a_baseline(reason: str, sentence: str) -> None:
    advice = Recommendation(baseline="ngram", description="n-gram back-off")
    verdict = LETTERS.model_copy(update={"recommendation": advice, "stop_reason": reason})
    assert words.headline(verdict) == sentence


@pytest.mark.parametrize("reason", ["budget", "interrupted", "undecided"])
def test_a_run_without_comparisons_has_no_verdict(reason: str) -> None:
    verdict = LETTERS.model_copy(update={"moves": (), "path": (), "stop_reason": reason})
    assert words.headline(verdict).startswith("No verdict yet. The study starts from a GRU of 2 layers")


def test_test_sentence_holds_the_advice_against_the_rest() -> None:
    assert words.test_sentence(LETTERS) == (
        "On test data that no decision has seen: 9.1 % of labels wrong (8.5 to 9.7), 3 seeds. For comparison: "
        "the network at the start (GRU 1 x 64) 28.8 (27.9 to 29.7); best network that sees no future (GRU 2 x 69) "
        "28.2 (27.3 to 29.1); best baseline without recurrence (MLP on a window of 7 steps) 16.4 (15.7 to 17.1)."
    )


def test_without_a_test_row_nothing_is_said_about_the_test_part() -> None:
    assert words.test_sentence(verdicts.undecided()) == ""


def test_path_with_effects_and_intervals() -> None:
    assert path_words.path(LETTERS) == (
        "Start: GRU 1 x 64.",
        "Both directions, to GRU 1 x 41, both ways: 17.5 points fewer errors (16.6 to 18.4), 99.4 % interval, 4 pairs.",
        "Regularise, to GRU 1 x 41, both ways, dropout 0.3: 1.5 points fewer errors (0.9 to 2.1), "
        "99.4 % interval, 6 pairs.",
        "Deeper, to GRU 2 x 42, both ways, dropout 0.3: 1.7 points fewer errors (0.9 to 2.5), "
        "99.4 % interval, 6 pairs.",
    )


def test_a_step_deeper_says_what_its_size_alone_does() -> None:
    control = SizeControl(
        arm="GRU 1 x 66, both ways", num_parameters=47_000, effect=Effect(effect=0.9, interval=(0.2, 1.6), pairs=3)
    )
    moves = tuple(
        move.model_copy(update={"size_control": control}) if move.move == "deeper" else move for move in LETTERS.moves
    )
    told = path_words.path(LETTERS.model_copy(update={"moves": moves}))
    assert told[:3] == path_words.path(LETTERS)[:3]
    assert told[3] == (
        "Deeper, to GRU 2 x 42, both ways, dropout 0.3: 1.7 points fewer errors (0.9 to 2.5), 99.4 % interval, "
        "6 pairs. Held against a network of its size with a layer less (GRU 1 x 66, both ways): 0.9 points fewer "
        "errors (0.2 to 1.6), 95 % interval."
    )


def test_an_interval_beyond_what_can_be_gained_says_that_nothing_is_known() -> None:
    """Only where the comparison is open: what is decided is bounded well enough. Its interval holds the impossible."""
    move = next(m for m in LETTERS.moves if m.move == "deeper" and m.effect is not None)
    wide = move.model_copy(update={"interval": (-40.0, 40.0), "source": LETTERS.incumbents[-1]})
    for decision, said in (("undecided", True), ("not_worth_it", False)):
        moves = (wide.model_copy(update={"decision": decision}),)
        verdict = LETTERS.model_copy(update={"moves": moves})
        text = " ".join((*path_words.still_open(verdict), *path_words.ruled_out(verdict)))
        assert ("too few to bound it" in text) == said, text
        assert ("interval" in text) != said, text


def test_a_smaller_network_is_taken_within_the_margin() -> None:
    assert path_words.path(verdicts.pen_digits())[2] == (
        "Narrower, to LSTM 1 x 52, both ways: 0.1 points more errors (0.4 more to 0.2 fewer), 99.4 % interval, 6 pairs"
        "; smaller, and it gives up no more than the margin of 0.9 points."
    )


def test_no_move_taken_is_said() -> None:
    assert path_words.path(verdicts.nothing_pays()) == ("Start: GRU 1 x 128. No move was taken.",)
    assert path_words.path(verdicts.interrupted()) == ()


def test_ruled_out_holds_refusals_only() -> None:
    assert path_words.ruled_out(LETTERS) == (
        "Wider (GRU 2 x 70, both ways, dropout 0.3): 0.3 points fewer errors (0.1 more to 0.7 fewer), "
        "99.4 % interval, 10 pairs.",
        "Another readout (GRU 2 x 42, both ways, MLP readout, dropout 0.3): 0.1 points fewer errors "
        "(0.4 more to 0.6 fewer), 99.4 % interval, 8 pairs.",
    )
    assert explain.ruled_out_title(LETTERS) == "Ruled out: no gain above the margin of 0.81 points"


def test_a_smaller_network_that_loses_too_much() -> None:
    assert path_words.ruled_out(verdicts.pen_digits())[0] == (
        "One direction (small-one): 0.9 points more errors (0.5 to 1.4), 99.4 % interval, 6 pairs"
        "; it gives up more than the margin."
    )


def test_failing_to_train_stands_apart_from_failing_to_help() -> None:
    assert path_words.could_not_train(LETTERS) == (
        "Another cell (LSTM 2 x 36, both ways, dropout 0.3). Training ended below the best baseline, "
        "also with residual connections and normalisation.",
    )
    assert not any("Another cell" in line for line in path_words.ruled_out(LETTERS))


def test_what_screening_left_out_is_told_apart_where_moves_are_joined() -> None:
    moves = tuple(
        move.model_copy(update={"move": name, "decision": "not_pursued", "pairs": 0, "source": LETTERS.incumbents[-1]})
        for name, move in zip(("deeper+wider", "deeper+readout", "deeper+wider"), LETTERS.moves, strict=False)
    )
    assert path_words.still_open(LETTERS.model_copy(update={"moves": moves}))[-1] == (
        "Not pursued after screening: deeper and wider; deeper and another readout. That is no test of them."
    )


def test_open_questions_name_their_price() -> None:
    assert path_words.still_open(LETTERS) == (
        "Deeper (GRU 3 x 54, both ways, dropout 0.3): 0.2 points fewer errors (0.4 more to 0.9 fewer), "
        "99.4 % interval, 6 pairs. To settle it: about 9 more pairs, 14 min of training.",
        "Not pursued after screening: narrower. That is no test of them.",
    )


def test_a_move_of_which_another_form_was_paired_is_not_left_out() -> None:
    """Of four windows that were screened one was paired: the move was tested."""
    rows = [move for move in LETTERS.moves if move.decision == "not_pursued"]
    other = rows[-1].model_copy(update={"move": "wider", "to": "another width"})
    found = path_words.still_open(LETTERS.model_copy(update={"moves": (*LETTERS.moves, other)}))
    assert found == path_words.still_open(LETTERS)


def test_an_unknown_price_is_not_invented() -> None:
    open_move = next(move for move in LETTERS.moves if move.decision == "undecided")
    verdict = LETTERS.model_copy(update={"moves": (open_move,), "incumbents": ("start",), "path": ()})
    assert path_words.still_open(verdict)[0].endswith("What it would cost to settle is not known.")


def test_more_examples_are_named_where_seeds_do_not_settle_it() -> None:
    open_move = next(move for move in LETTERS.moves if move.pairs_to_close == 9)
    limited = open_move.model_copy(update={"pairs_to_close": None, "minutes_to_close": None, "dev_to_close": 4})
    verdict = LETTERS.model_copy(update={"moves": (limited,)})
    assert path_words.still_open(verdict)[0].endswith(
        "To settle it: a dev part about 4 times as large, and all pairs allowed."
    )


def test_what_was_drawn_is_part_of_the_advice() -> None:
    drawn = Recommendation(cell="gru", num_layers=1, hidden_size=8, dropout=0.1, weight_decay=0.3)
    assert words.network(drawn) == "a GRU of one layer with 8 units, dropout 0.1, weight decay 0.3"
    plain = drawn.model_copy(update={"dropout": 0.0, "weight_decay": 0.0})
    assert words.network(plain) == "a GRU of one layer with 8 units"


def test_the_margins_that_would_change_its_mind() -> None:
    """The bounds of the last step and of two refusals; the open one was still improving when training was cut."""
    assert turning_words.turning(LETTERS) == (
        "Deeper (GRU 2 x 42, both ways, dropout 0.3) would not have been taken with a margin above 0.9 points.",
        "Wider (GRU 2 x 70, both ways, dropout 0.3) would be open with a margin below 0.7 points.",
        "Another readout (GRU 2 x 42, both ways, MLP readout, dropout 0.3) would be open with a margin below "
        "0.6 points.",
    )


TRAINED = "GRU 2 x 70, both ways, dropout 0.3"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decision": "undecided", "interval": (-0.4, 0.95)}, ["would be ruled out with a margin above 0.95 points"]),
        (
            {"decision": "undecided", "interval": (0.3, 0.95)},
            ["would be better with a margin below 0.3 points", "would be ruled out with a margin above 0.95 points"],
        ),
        ({"decision": "undecided", "interval": (0.3, 0.6)}, ["would be better with a margin below 0.3 points"]),
        (
            {"decision": "undecided", "interval": (0.3, 0.95), "against": "start"},
            ["would be ruled out with a margin above 0.95 points"],
        ),
        (
            {"decision": "not_worth_it", "interval": (0.2, 0.5)},
            ["would be open with a margin below 0.5 points", "would be better with a margin below 0.2 points"],
        ),
        ({"decision": "not_worth_it", "interval": (-0.5, -0.2)}, []),
        ({"decision": "better", "interval": (1.4, 2.0)}, ["would no longer be better with a margin above 1.4 points"]),
        ({"decision": "failed_to_train", "interval": (-0.4, 0.95)}, []),
        (
            {"move": "narrower", "decision": "undecided", "interval": (-1.2, -0.2)},
            ["would be better with a margin above 1.2 points", "would be ruled out with a margin below 0.2 points"],
        ),
        ({"move": "narrower", "decision": "better", "interval": (0.1, 0.6)}, []),
        (
            {"move": "narrower", "decision": "not_worth_it", "interval": (-2.2, -1.1)},
            ["would be open with a margin above 1.1 points", "would be better with a margin above 2.2 points"],
        ),
    ],
)
def test_a_margin_is_named_only_where_it_turns_the_decision(changes: dict[str, Any], said: list[str]) -> None:
    """The margin is 0.8 points; a retry has to win a second comparison, so no margin is said to make it better."""
    last = LETTERS.incumbents[-1]
    row = next(move for move in LETTERS.moves if move.source == last and move.move == "wider")
    verdict = LETTERS.model_copy(update={"moves": (row.model_copy(update={"against": last, **changes}),), "path": ()})
    name = words.capital(words.move_name(changes.get("move", "wider")))
    assert turning_words.turning(verdict) == ((f"{name} ({TRAINED}) {' and '.join(said)}.",) if said else ())


def test_a_better_move_that_was_not_followed_is_open() -> None:
    verdict = LETTERS.model_copy(update={"incumbents": ("start",), "path": ()})
    assert path_words.still_open(verdict)[1].startswith(
        "Both directions (GRU 1 x 41, both ways): 17.5 points fewer errors"
    )
    assert path_words.still_open(verdict)[1].endswith("better, but not followed any more.")


def test_against_the_best_baseline() -> None:
    row = verdicts.compared("window_mlp", "recurrence", "both-drop-deep", "better", (6.2, 7.2, 8.2))
    verdict = LETTERS.model_copy(update={"moves": (*LETTERS.moves, row)})
    assert path_words.against_baseline(verdict) == (
        "Held against the best baseline on dev data, MLP on a window of 7 steps, the network "
        "GRU 2 x 42, both ways, dropout 0.3 has 7.2 points fewer errors (6.2 to 8.2), 99.4 % interval, 6 pairs."
    )
    assert path_words.against_baseline(LETTERS) == ""


def test_cost_is_counted_and_measured() -> None:
    assert words.cost(LETTERS) == (
        "55,395 parameters, 168 numbers of state and 53,676 multiply-adds per step.",
        "Measured on this machine, one sequence at a time: 68 microseconds per step.",
    )
    assert words.cost(verdicts.baseline_is_enough()) == ()


def test_streaming_of_a_network_that_reads_both_ways() -> None:
    assert streaming_words.streaming(LETTERS) == (
        "The advised network reads the whole sequence before its first answer: it cannot stream.",
        "Without any look ahead: 28.7 % of labels wrong (28.2 to 29.2).",
        "Seeing 2 steps ahead: 12.1 % of labels wrong (11.6 to 12.6), "
        "the fewest whose interval meets that of both directions.",
        "Both directions: 11.2 % of labels wrong (10.7 to 11.7).",
        "Dev scores at 20,000 parameters, 3 seeds each.",
        "Best network that sees no future, on the test part: GRU 2 x 69, 28.2 % of labels wrong (27.3 to 29.1).",
    )


def test_streaming_where_the_path_was_kept_causal() -> None:
    lines = streaming_words.streaming(verdicts.air_quality())
    assert lines[0] == (
        "The advised network streams as it is: it sees nothing of the future. "
        "The path was kept causal; this is what sight of the future would buy."
    )
    assert (
        lines[2]
        == "Seeing 4 steps ahead: mean absolute error of pm2.5: 20.4 (20.0 to 20.8), the best that was measured."
    )


def test_a_study_that_ended_before_its_curve_promises_none() -> None:
    cut = verdicts.air_quality().model_copy(
        update={"look_ahead_curve": (), "reading_curve": ((0.5, -30.0), (1.0, -20.0))}
    )
    lines = streaming_words.streaming(cut)
    assert lines[0].endswith("what sight of the future would buy was not measured step by step.")


def test_streaming_where_no_look_ahead_is_needed() -> None:
    flat = tuple(
        point.model_copy(update={"score": 90.0, "interval": (89.0, 91.0)}) for point in LETTERS.look_ahead_curve
    )
    lines = streaming_words.streaming(LETTERS.model_copy(update={"look_ahead_curve": flat}))
    assert lines[1] == (
        "Without any look ahead: 10.0 % of labels wrong (9.0 to 11.0), "
        "which meets the interval of both directions already."
    )


def test_reading_curve() -> None:
    assert streaming_words.reading(verdicts.pen_digits()) == (
        "Read to 100 %, a network that sees no future reaches 2.1 % of sequences wrong; "
        "from 87.5 % on it is within the margin of that (2.4).",
    )
    assert streaming_words.reading(LETTERS) == ()


def test_reason_is_the_records_sentence_or_names_what_was_tested() -> None:
    assert path_words.reason(LETTERS) == (LETTERS.stop_sentence,)
    assert path_words.reason(verdicts.nothing_pays()) == (
        "From there nothing more pays by more than the margin of 0.024 nats: tested were wider and deeper.",
    )
    assert path_words.reason(verdicts.air_quality()) == ()


def test_moves_of_several_steps() -> None:
    assert words.move_name("both_directions+deeper") == "both directions and deeper"
    assert words.is_down("one_direction+narrower")
    assert not words.is_down("one_direction+deeper")


def test_low_training_loss_is_explained_with_the_measured_effects() -> None:
    book, yet, other = explain.low_training_loss(LETTERS)
    assert book == (
        "At GRU 1 x 41, both ways, dropout 0.3 the loss is 5.2 % of labels wrong in training against 10.6 on dev data. "
        "By the book that gap is variance, and the cure is regularisation or more data, not a larger network. "
        "Regularisation was measured: 1.5 points fewer errors (0.9 to 2.1)."
    )
    assert yet.startswith("And yet one more layer brought 1.7 points fewer errors (0.9 to 2.5).")
    assert other.endswith(
        "Measured from GRU 2 x 42, both ways, dropout 0.3: 0.1 points fewer errors (0.4 more to 0.6 fewer)."
    )


def test_another_pooling_is_no_layer() -> None:
    start = next(arm for arm in LETTERS.arms if arm.name == "both-drop")
    pooled = verdicts.arm("pooled", start.spec, 99.0, 91.0)
    move = verdicts.compared("both-drop", "readout", "pooled", "better", (0.9, 1.4, 1.9))
    verdict = LETTERS.model_copy(update={"arms": (*LETTERS.arms, pooled), "moves": (move,)})
    assert explain.low_training_loss(verdict) == ()
    mlp = move.model_copy(update={"to": "both-drop-deep-mlp"})
    _, yet, other = explain.low_training_loss(verdict.model_copy(update={"moves": (mlp,)}))
    assert yet.startswith("And yet one feed-forward layer in the readout brought 1.4 points fewer errors (0.9 to 1.9).")
    assert other == "A recurrent layer more can buy part of the same; it was not measured in pairs here."


def test_no_explanation_where_depth_did_not_help() -> None:
    assert explain.low_training_loss(verdicts.air_quality()) == ()


@pytest.mark.parametrize(
    ("effect", "interval", "text"),
    [
        (2.1, (1.4, 2.8), "2.1 points fewer errors (1.4 to 2.8)"),
        (-2.1, (-2.8, -1.4), "2.1 points more errors (1.4 to 2.8)"),
        (0.2, (-0.5, 0.9), "0.2 points fewer errors (0.5 more to 0.9 fewer)"),
        (0.01, (-0.4, 0.42), "no difference (0.4 more to 0.4 fewer)"),
        (1234.5, None, "1,234.5 points fewer errors"),
        (2.1, (float("-inf"), float("inf")), "2.1 points fewer errors"),
    ],
)
def test_effects_of_accuracy(effect: float, interval: tuple[float, float] | None, text: str) -> None:
    assert figures.effect_text(figures.scale(LETTERS), effect, interval) == text


def test_effects_of_other_metrics() -> None:
    nats, error = figures.scale(verdicts.nothing_pays()), figures.scale(verdicts.air_quality())
    assert figures.effect_text(nats, -0.041, (-0.052, -0.030)) == "0.041 nats more loss (0.030 to 0.052)"
    assert figures.effect_text(error, 2.21, (1.2, 3.22)) == "mean absolute error of pm2.5 lower by 2.2 (1.2 to 3.2)"
    assert figures.loss_text(error, -24.6, (-25.9, -23.3)) == "mean absolute error of pm2.5: 24.6 (23.3 to 25.9)"


def test_a_level_never_reads_as_certainty() -> None:
    assert [figures.level(share) for share in (0.95, 0.9984, 0.99995)] == ["95 %", "99.84 %", "99.995 %"]


def test_a_step_is_quoted_by_its_effect_on_fresh_seeds() -> None:
    verdict = verdicts.letters_to_sounds()
    step = next(move for move in verdict.moves if move.move == "both_directions" and move.decision == "better")
    quoted = step.model_copy(update={"fresh": Effect(effect=16.9, interval=(16.1, 17.7), pairs=3)})
    moves = tuple(quoted if move is step else move for move in verdict.moves)
    assert path_words.path(verdict.model_copy(update={"moves": moves}))[1] == (
        "Both directions, to GRU 1 x 41, both ways: 16.9 points fewer errors (16.1 to 17.7) on 3 fresh pairs, 95 % "
        "interval; in the comparison that took it 17.5 points fewer errors (16.6 to 18.4), 99.4 % interval, 4 pairs."
    )


def screened(*moves: tuple[str, str, float, int]) -> Verdict:
    rows = [
        Screened(source="GRU 1 x 64", move=m, to=to, score=s, against_score=76.1, updates=n) for m, to, s, n in moves
    ]
    return LETTERS.model_copy(update={"screening": tuple(rows), "stop_reason": "budget"})


def test_what_was_only_screened_is_told_as_such() -> None:
    verdict = screened(("both_directions", "GRU 1 x 41, both ways", 91.3, 638), ("wider", "GRU 1 x 109", 76.5, 265))
    told = screening_words.screening(verdict)
    assert told[:2] == (
        "Both directions (GRU 1 x 41, both ways): 8.7 % of labels wrong after 638 updates, where GRU 1 x 64 has 23.9.",
        "Wider (GRU 1 x 109): 23.5 % of labels wrong after 265 updates, where GRU 1 x 64 has 23.9.",
    )
    assert "one seed" in told[2]
    assert "compares the most promising in pairs" in told[2]
    again = verdict.model_copy(update={"data": verdict.data.model_copy(update={"folds": 10})})
    assert "one seed on each of two splits" in screening_words.screening(again)[2]
    assert screening_words.screening(LETTERS) == ()
    text = terminal.text(verdict)
    assert "By screening alone, which is no evidence\n  Both directions (GRU 1 x 41, both ways): 8.7 %" in text
    assert "8.7 % of labels wrong after 638 updates" in page.html(verdict)


def test_of_many_screened_moves_the_first_six_are_told() -> None:
    told = screening_words.screening(screened(*[("wider", f"GRU 1 x {width}", 76.0, 265) for width in range(8)]))
    assert len(told) == 8
    assert told[6] == "And 2 moves that promised less."
