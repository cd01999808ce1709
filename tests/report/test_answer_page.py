"""The answer page: every marked place is filled from the records, and by nothing else."""

from __future__ import annotations

import re

import answer_page
import pytest
import test_compare_page
import test_layer_page
import verdicts

from leadline.records.evidence import Comparison, Effect, SizeControl

TEXT = answer_page.PAGE.read_text(encoding="utf-8")


@pytest.fixture
def run() -> answer_page.Run:
    verdict = verdicts.letters_to_sounds()
    return answer_page.Run(verdict, test_layer_page.example(), test_compare_page.example())


def test_the_page_marks_what_the_script_makes() -> None:
    marked = re.findall(r"<!-- made: ([\w-]+) -->", TEXT)
    assert sorted(marked) == sorted(answer_page.PLACES)
    assert TEXT.count("<!-- end -->") == len(marked)
    for name in answer_page.pictures_of(TEXT):
        assert (answer_page.DOCS / f"{answer_page.PAGE.stem}-{name}.svg").exists()


def test_filling_replaces_every_figure_and_is_the_same_twice(run: answer_page.Run) -> None:
    once = answer_page.filled(TEXT, run)
    assert answer_page.filled(once, run) == once
    assert "| 2 x 42" not in TEXT
    for word in ("GRU 1 x 9 to GRU 2 x 6", "600 (3.0 %, 2.7 to 3.3)", "| stress |"):
        assert word in once
    outside = re.sub(answer_page.PLACE, "", once)
    assert re.sub(answer_page.PLACE, "", TEXT) == outside
    assert re.findall(r"\d+\.\d", outside) == []


def test_a_place_without_a_maker_is_noticed(run: answer_page.Run) -> None:
    with pytest.raises(KeyError, match="unknown"):
        answer_page.filled("<!-- made: unknown -->\n<!-- end -->", run)


def deeper(run: answer_page.Run) -> Comparison:
    return next(m for m in run.verdict.moves if m.move == "deeper" and m.effect is not None)


def test_depth_is_told_apart_from_size(run: answer_page.Run) -> None:
    deep = deeper(run).model_copy(update={"decision": "better"})
    alone = run.verdict.model_copy(update={"moves": (deep,)})
    said = answer_page.depth(answer_page.Run(alone, run.findings, run.brought))
    assert "not that depth alone did" in said
    arms = {arm.name: arm for arm in run.verdict.arms}
    spec = arms[deep.to].spec
    flat = arms[deep.to].model_copy(update={"name": "flat", "spec": type(spec)(**{**vars(spec), "num_layers": 1})})
    wide = deep.model_copy(update={"to": "flat", "move": "wider", "decision": "not_worth_it"})
    held = run.verdict.model_copy(update={"moves": (deep, wide), "arms": (*run.verdict.arms, flat)})
    assert "Held against size" in answer_page.depth(answer_page.Run(held, run.findings, run.brought))
    effect = Effect(effect=0.4, interval=(-0.1, 0.9), pairs=3)
    measured = deep.model_copy(update={"size_control": SizeControl(arm="flat", num_parameters=9, effect=effect)})
    control = run.verdict.model_copy(update={"moves": (measured,)})
    said = answer_page.depth(answer_page.Run(control, run.findings, run.brought))
    assert "a layer less and as many parameters, flat: " in said
    assert "3 fresh pairs" in said
    assert "**Depth alone, at that size:**" in answer_page.short(answer_page.Run(control, run.findings, run.brought))


def test_a_picture_stands_alone(run: answer_page.Run) -> None:
    for spec in answer_page.pictures(run).values():
        assert spec is not None
        svg = answer_page.drawn(spec)
        assert svg.startswith("<svg")
        assert "var(" not in svg
