"""The answer sheet on the terminal and on the page: what it says, how long it is, and what it never says."""

from __future__ import annotations

import html
import io
import re

import pytest
import studies
from rich.console import Console, RenderableType

from leadline.records.answers import Answer, Effect
from leadline.records.verdict import Verdict
from leadline.report import facts, page, terminal
from leadline.report.words import advice, names, second_layer, sheet


def changed(**fields: object) -> Verdict:
    return studies.letters_to_sounds().model_copy(update=fields)


def answer(word: str = "yes", **fields: object) -> Answer:
    effect = Effect(effect=1.2, interval=(0.8, 1.6), strict=(0.7, 1.7), blocks=8)
    return Answer.model_validate({"question": "depth", "word": word, "effect": effect, "layers": (1, 2), **fields})


def test_the_terminal_fits_a_screen() -> None:
    text = terminal.text(studies.letters_to_sounds())
    lines = text.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert lines[2].startswith("Use    LSTM")
    for question in ("recurrence?", "the future?", "more width?", "more depth?", "more data?"):
        assert question in text


def test_every_figure_of_the_sheet_is_the_records() -> None:
    verdict = studies.letters_to_sounds()
    future = verdict.answer("future")
    assert future is not None
    assert future.effect is not None
    row = next(row for row in sheet.rows(verdict) if row.answer is future)
    assert row.effect == f"{future.effect.effect:.1f}"
    low, high = future.effect.interval
    assert row.interval == f"{low:.1f} to {high:.1f}"
    assert row.word == "yes"


@pytest.mark.parametrize("code", list(sheet.WORDS))
def test_every_word_has_english_and_a_meaning(code: str) -> None:
    verdict = changed(answers=(answer(code),))
    assert sheet.WORDS[code] in terminal.text(verdict)
    assert sheet.MEANINGS[code] in html.unescape(page.html(verdict))


def test_a_question_that_was_not_reached_says_so_with_its_price() -> None:
    verdict = changed(answers=(answer("not_known", effect=None, more_trainings=12, more_minutes=3.0),))
    text = terminal.text(verdict)
    assert "not known yet" in text
    assert "about 12 more trainings, 3 min" in text


def test_ranges_stay_within_what_is_possible() -> None:
    wild = Effect(effect=3.0, interval=(-828.0, 247.0), strict=(-900.0, 300.0), blocks=2)
    text = terminal.text(changed(answers=(answer("not_known", effect=wild),)))
    assert "-100.0 to 100.0" in text
    assert "828" not in text


def test_what_the_user_ruled_out_is_a_price() -> None:
    text = terminal.text(changed(answers=(answer(question="future", layers=None, allowed=False),)))
    assert "both ways, which you ruled out" in text


def test_the_first_lines_say_how_sure_it_is() -> None:
    verdict = studies.letters_to_sounds()
    inside = verdict.advice.model_copy(update={"within_margin": True, "at_most": 0.31, "by_map": False})
    outside = inside.model_copy(update={"within_margin": False, "at_most": 2.0})
    by_map = inside.model_copy(update={"by_map": True})
    assert "Within 0.3 points of the best" in advice.sure(changed(advice=inside))
    assert "may be up to 2.0 points better" in advice.sure(changed(advice=outside))
    assert "no evidence yet" in advice.sure(changed(advice=by_map))


def test_a_baseline_can_be_the_advice() -> None:
    verdict = studies.letters_to_sounds()
    found = verdict.advice.model_copy(
        update={"baseline": "ngram", "description": "n-gram back-off", "num_parameters": None}
    )
    assert "n-gram back-off (no recurrent network)" in advice.use(changed(advice=found))


def test_noise_is_named_where_the_floor_is_reached() -> None:
    verdict = studies.letters_to_sounds()
    row = verdict.test[0]
    low = verdict.perfect - row.score
    assert "What is left is noise" in advice.noise(changed(floor=low - verdict.margin / 2))
    assert advice.noise(changed(floor=low - 2 * verdict.margin)) == ""
    assert advice.noise(changed(floor=None)) == ""


def test_the_page_is_short_and_has_everything_folded_but_the_sheet() -> None:
    verdict = studies.letters_to_sounds()
    text = html.unescape(re.sub(r"<(script|style).*?</\1>", "", page.html(verdict), flags=re.S))
    words = re.sub(r"<[^>]+>", " ", text).split()
    assert len(words) <= 1500
    assert "more depth?" in text
    built = facts.build(verdict)
    assert built.sheet is not None
    assert all(section.folded for section in built.sections)
    assert {"arms", "map", "streaming", "test", "decided", "code"} <= {section.key for section in built.sections}


def test_names_from_the_data_are_escaped() -> None:
    nasty = "<script>alert(1)</script>"
    verdict = studies.letters_to_sounds()
    data = verdict.data.model_copy(update={"name": nasty, "target": nasty, "notes": (nasty,)})
    text = page.html(changed(data=data, warnings=(nasty,), command=nasty))
    assert nasty not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_every_question_and_kind_has_its_words() -> None:
    from typing import get_args

    from leadline.records.answers import QuestionName
    from leadline.records.trial import Kind

    spoken = {*sheet.QUESTIONS, "deep_or_both_ways", "yours", "look_ahead"}
    assert spoken == set(get_args(QuestionName))
    assert set(names.KINDS) == set(get_args(Kind))


def test_bars_share_one_axis() -> None:
    built = facts.answer_sheet(studies.letters_to_sounds())
    assert built is not None
    assert 0 <= built.zero < built.margin <= 100
    for row in built.rows:
        if row.bar is not None:
            assert row.bar.low <= row.bar.point <= row.bar.high


def test_what_a_second_layer_holds_stands_on_the_sheet_where_it_was_looked_into() -> None:
    from test_compare_page import example

    verdict, step = studies.letters_to_sounds(), example()
    line = second_layer.sentence((step,))
    assert line.startswith("What a second layer holds, beside one layer of the same size: ")
    (sure, *_) = sorted((one for one in step.held if one.sure == "more"), key=lambda one: -one.gain.value)
    assert f"{sure.annotation} ({sure.second[-1].value:.0f} %, one layer: {sure.first[-1].value:.0f})" in line
    console = terminal.render(verdict, steps=(step,))
    assert "What a second layer holds" in printed(console)
    assert "What a second layer holds" in html.unescape(page.html(verdict, steps=(step,)))
    assert second_layer.sentence(()) == ""


def printed(picture: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=terminal.WIDTH)
    with console.capture() as capture:
        console.print(picture)
    return capture.get()
