"""Two networks side by side: the page of its own, the section of the verdict's page, and what is stored."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pytest
import studies

from leadline.analysis import contrast_words
from leadline.analysis.contrast import Contrast, Example, Held, Kind, Lasting, Steps
from leadline.analysis.measured import Measured
from leadline.report import compare_page, page
from leadline.report.contrast_sections import QUOTE

NASTY = '</script><script>alert("1")</script><img src=x onerror=alert(2)>'


def at(value: float, half: float = 1.0) -> Measured:
    return Measured(value=value, interval=(value - half, value + half))


def kind(group: str, first: float, second: float, sure: str = "open", grouping: str = "class") -> Kind:
    removed = at(first - second)
    return Kind(grouping=grouping, group=group, targets=90, first=first, second=second, removed=removed, sure=sure)


def held(annotation: str, first: Measured, second: tuple[Measured, ...], sure: str) -> Held:
    gain = at(second[-1].value - first.value)
    return Held(annotation=annotation, unit="% right", rows=9, first=(first,), second=second, gain=gain, sure=sure)


def example(**changes: Any) -> Contrast:
    found = Contrast(
        first="GRU 1 x 9",
        second="GRU 2 x 6",
        move="deeper",
        seeds=(1, 2, 3),
        targets=20_000,
        score_unit="% right",
        gain=at(2.0, 0.5),
        removed=at(3.0, 0.3),
        added=at(1.0, 0.2),
        exchanged=1.2,
        kinds=(kind("SH", 60, 20, "more"), kind("last third", 9, 12, "less", "position"), kind("AE", 30, 29)),
        fixed=(Example(before="fa", here="t", after="her", target="TH", first="T", second="TH"),),
        held=(held("stress", at(70), (at(80), at(90)), "more"), held("vowel", at(95), (at(95), at(95)), "open")),
        lasting=(Lasting(side="back", first=(at(1.5, 0.1),), second=(at(2.5, 0.1), None), gain=None),),
    ).model_copy(update=changes)
    return found.model_copy(update={"sentences": contrast_words.sentences(found)})


def test_the_sentences_say_what_the_figures_say() -> None:
    assert example().sentences == (
        "Of 20,000 dev targets, 600 (3.0 %, 2.7 to 3.3) that GRU 1 x 9 had wrong become right, and 200 (1.0 %, 0.8 to "
        "1.2) that it had right become wrong: 2.0 (1.5 to 2.5) points fewer errors in all, mean of 3 pairs.",
        "Two trainings of GRU 1 x 9 alone exchange 1.2 % each way.",
        "It removes errors most on SH (from 60 to 20 % wrong, 39.0 to 41.0 points).",
        "It adds errors most on the last third of the sequence (from 9 to 12 % wrong, 2.0 to 4.0 points).",
        "The top layer holds more than before of stress (90 %, before 70; by +20.0, +19.0 to +21.0).",
        "Half of an earlier input is forgotten by layer 1 after 2.5 steps, by layer 2 after more steps than could be "
        "seen; before, by layer 1 after 1.5 steps.",
    )


def test_nothing_is_claimed_where_intervals_do_not_allow_it() -> None:
    open_kinds = tuple(k.model_copy(update={"sure": "open"}) for k in example().kinds)
    open_held = tuple(h.model_copy(update={"sure": "open"}) for h in example().held)
    said = example(kinds=open_kinds, held=open_held, gain=at(0.2), exchanged=2.0).sentences
    assert "in all no difference that is certain (+0.2, -0.8 to +1.2 points)" in said[0]
    assert said[1].startswith("Most of that exchange comes with any new training")
    assert said[2:4] == (
        "No single kind of error changed with certainty.",
        "What is read from the top layers does not differ with certainty.",
    )


def test_a_number_has_no_kinds_of_error() -> None:
    said = example(removed=None, added=None, exchanged=None, kinds=(), held=(), lasting=()).sentences
    assert said == ("On 20,000 dev targets the second scores +2.0, +1.5 to +2.5 (% right), mean of 3 pairs.",)


def test_the_page_shows_it_all(tmp_path: Path) -> None:
    text = html.unescape(compare_page.write(example(), tmp_path / "compare.html").read_text(encoding="utf-8"))
    for sentence in example().sentences:
        assert sentence in text
    assert "What the added layer brought" in text
    assert "fa[t]her: TH; answered T before, TH after" in text
    facts = compare_page.facts(example())
    charts = {chart.key: chart for section in facts.sections for chart in section.charts}
    rows = next(v for v in charts["kinds"].spec["datasets"].values() if "before" in v[0])
    assert [(r["group"], r["before"], r["after"], r["change"]) for r in rows] == [
        ("SH", 60.0, 20.0, "-40.0 (-39.0 to -41.0)"),
        ("last third", 9.0, 12.0, "+3.0 (+2.0 to +4.0)"),
    ]
    for table in [c.numbers for c in charts.values()] + [t for s in facts.sections for t in s.tables]:
        assert table.rows
        assert all(len(row.cells) == len(table.columns) for row in table.rows)
    again = example(trained_again=2, reproduced=False)
    assert "2 networks trained again" in page.render(compare_page.facts(again))
    assert "do not give the ledger" in page.render(compare_page.facts(again))


def test_names_from_data_cannot_break_out() -> None:
    wild = example(
        kinds=(kind(NASTY, 3, 2, "more"),),
        fixed=(Example(before=NASTY, here="t", after="", target=NASTY, first="T", second=NASTY),),
    )
    text = page.render(compare_page.facts(wild))
    assert NASTY not in text
    assert text.count("<script") == page.render(compare_page.facts(example())).count("<script")


def test_the_verdicts_page_shows_what_a_second_layer_brings() -> None:
    verdict = studies.letters_to_sounds()
    text = html.unescape(page.html(verdict, steps=(example(),)))
    assert "What the added layer brought" in text
    assert text.count(QUOTE) == 1
    assert 'id="brought' not in page.html(verdict)


@pytest.mark.parametrize(("change", "shown"), [({}, True), ({"deep": "GRU 3 x 4"}, False), ({"twin": ""}, False)])
def test_only_this_studys_deep_arm_and_twin_are_shown(change: dict[str, Any], shown: bool, tmp_path: Path) -> None:
    (tmp_path / "steps.json").write_text(Steps(fingerprint="x", steps=(example(),)).to_json(), encoding="utf-8")
    verdict = studies.letters_to_sounds()
    mine = {"twin": "GRU 1 x 9", "deep": "GRU 2 x 6", **change}
    data = verdict.data.model_copy(update={"fingerprint": "x"})
    assert bool(compare_page.steps_of(verdict.model_copy(update={**mine, "data": data}), tmp_path)) == shown
    assert compare_page.steps_of(verdict.model_copy(update=mine), tmp_path) == ()


def test_a_folder_without_steps_has_none(tmp_path: Path) -> None:
    assert compare_page.steps_of(studies.letters_to_sounds(), tmp_path) == ()
