"""The page: complete, safe, offline; its charts are data that a test can read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import verdicts

from leadline.records.verdict import Verdict
from leadline.report import charts, effect_charts, facts, page, terminal, turning_words

NASTY = '</script><script>alert("1")</script><img src=x onerror=alert(2)> & {{ 7 * 7 }} \u2028'


class Reader(HTMLParser):
    """What a browser would make of the page: elements with their attributes, text, and the charts' JSON."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.specs: dict[str, Any] = {}
        self.words: list[str] = []
        self.open: list[str] = []
        self.chart: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)
        self.chart = dict(attrs).get("data-chart")

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, text: str) -> None:
        if self.chart is not None and self.open[-1] == "script":
            self.specs[self.chart.removeprefix("chart-")] = json.loads(text, parse_constant=pytest.fail)
            self.chart = None
        elif not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(" ".join(text.split()))

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word)


def rows_of(spec: dict[str, Any], *fields: str) -> list[tuple[Any, ...]]:
    """The values of the one data set of a chart that has all of `fields`."""
    sets = [rows for rows in spec["datasets"].values() if rows and set(fields) <= set(rows[0])]
    assert len(sets) == 1
    return [tuple(row[field] for field in fields) for row in sets[0]]


@pytest.fixture(scope="module")
def letters() -> Reader:
    return Reader(page.html(verdicts.letters_to_sounds().model_copy(update={"command": "leadline advise --seed 0"})))


@pytest.mark.parametrize("name", verdicts.CASES)
def test_every_verdict_makes_a_page(name: str, tmp_path: Path) -> None:
    verdict = verdicts.CASES[name]()
    written = page.write(verdict, tmp_path / "report.html")
    read = Reader(written.read_text(encoding="utf-8"))
    built = facts.build(verdict)
    assert built.headline in read.text
    assert set(read.specs) == {chart.key for section in built.sections for chart in section.charts}
    for section in built.sections:
        assert all(len(chart.title) > 10 for chart in section.charts)
        for sentence in section.sentences:
            assert " ".join(sentence.split()) in read.text
        for table in section.tables:
            assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_order_of_the_page(letters: Reader) -> None:
    sections = [attributes["id"] for tag, attributes in letters.elements if tag == "section"]
    assert sections == [
        "test",
        "path",
        "settled",
        "square",
        "streaming",
        "width-depth",
        "bias",
        "moves",
        "arms",
        "baselines",
        "decided",
        "notes",
        "code",
        "provenance",
    ]
    assert list(letters.specs) == [
        "test",
        "path",
        "square-depth",
        "square",
        "look-ahead",
        "width-depth",
        "bias",
        "moves",
    ]


def test_what_is_not_there_is_not_shown() -> None:
    built = facts.build(verdicts.interrupted())
    assert [section.key for section in built.sections] == ["decided", "notes", "provenance"]
    text = page.html(verdicts.interrupted())
    assert "None" not in Reader(text).text
    assert "vegaEmbed" not in text
    assert len(text) < 20_000


def test_tables_and_sentences_do_without_scripts(letters: Reader) -> None:
    for said in (
        "GRU 1 x 112",
        "could not be trained",
        "+17.5",
        "+16.6 to +18.4",
        "Split by word family",
        "41 words stand in more than one part",
        "torch 2.13.0",
        "leadline advise --seed 0",
        "train 16,712, tune 2,387, dev 2,388, test 2,387",
    ):
        assert said in letters.text
    captions = letters.text.count("Look-ahead, dev part") + letters.text.count("The corners, dev part")
    assert captions == 2


def test_nothing_is_fetched(letters: Reader) -> None:
    sources = [
        value
        for _, attributes in letters.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "data", "action") and value and not value.startswith("#")
    ]
    assert sources == []
    policy = next(a["content"] for tag, a in letters.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    text = page.html(verdicts.letters_to_sounds())
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"@import|url\(", style)
    ours = text[text.rindex("<script>") :]
    assert "http" not in ours


def test_library_stands_in_the_page_once() -> None:
    text = page.html(verdicts.letters_to_sounds())
    assert text.count("window.vegaEmbed") == 1
    assert text.count("<script>") == text.count("</script>") - text.count("data-chart=") == 2


def nasty() -> Verdict:
    """Every name that comes from data or files is an attack."""
    verdict = verdicts.letters_to_sounds()
    wild = verdict.data.model_copy(
        update={
            "name": NASTY,
            "source": NASTY,
            "features": (NASTY,),
            "target": NASTY,
            "classes": (NASTY, "b"),
            "notes": (NASTY,),
            "split_by": NASTY,
        }
    )
    arms = tuple(arm.model_copy(update={"description": NASTY + arm.name}) for arm in verdict.arms)
    moves = tuple(move.model_copy(update={"reason": NASTY, "to": NASTY}) for move in verdict.moves)
    tests = tuple(row.model_copy(update={"description": NASTY}) for row in verdict.test)
    update = {
        "data": wild,
        "arms": arms,
        "moves": moves,
        "test": tests,
        "warnings": (NASTY,),
        "stop_sentence": NASTY,
        "loss_unit": "% of " + NASTY,
        "versions": {NASTY: NASTY},
    }
    return verdict.model_copy(update=update)


def test_names_from_data_cannot_break_out() -> None:
    calm = Reader(page.html(verdicts.letters_to_sounds()))
    wild = Reader(page.html(nasty().model_copy(update={"command": NASTY})))
    allowed = {tag for tag, _ in calm.elements}
    assert {tag for tag, _ in wild.elements} <= allowed
    assert [tag for tag, _ in wild.elements].count("script") == [tag for tag, _ in calm.elements].count("script") - (
        len(calm.specs) - len(wild.specs)
    )
    assert not any(name.startswith("on") for _, attributes in wild.elements for name in attributes)
    assert 'alert("1")' in wild.text
    assert "{{ 7 * 7 }}" in wild.text
    assert NASTY in {name for (name,) in rows_of(wild.specs["test"], "network")}


def test_terminal_prints_nasty_names_as_they_are() -> None:
    assert "[bold]" in terminal.text(
        verdicts.letters_to_sounds().model_copy(update={"warnings": ("a [bold] name [/bold]",)})
    )


def test_test_chart_holds_losses_and_intervals(letters: Reader) -> None:
    rows = rows_of(letters.specs["test"], "network", "loss", "low", "high")
    assert rows[0][0] == "GRU 2 x 42, both ways, dropout 0.3"
    assert rows[0][1:] == pytest.approx((9.1, 8.5, 9.7))
    assert [row[1] for row in rows] == pytest.approx([9.1, 28.8, 28.2, 16.4])


def test_path_chart_holds_dev_and_test(letters: Reader) -> None:
    rows = rows_of(letters.specs["path"], "part", "loss")
    assert [part for part, _ in rows] == ["dev", "test", "dev", "dev", "dev", "test"]
    assert [loss for _, loss in rows] == pytest.approx([28.7, 28.8, 11.2, 10.6, 8.9, 9.1])


def test_square_charts(letters: Reader) -> None:
    corners = rows_of(letters.specs["square"], "layers", "direction", "loss")
    assert [row[:2] for row in corners] == [
        ("1 layer", "one way"),
        ("2 layers", "one way"),
        ("1 layer", "both ways"),
        ("2 layers", "both ways"),
    ]
    assert [row[2] for row in corners] == pytest.approx([28.2, 28.0, 9.8, 8.7])
    assert rows_of(letters.specs["square-depth"], "direction", "effect", "low", "high") == [
        ("one way", 0.2, -0.4, 0.8),
        ("both ways", 1.1, 0.5, 1.7),
    ]


def test_depth_beside_a_linear_readout_is_told(letters: Reader) -> None:
    assert "Depth, once both ways are read: 1.1 points fewer errors" in letters.text
    assert "Depth, with a linear readout in every corner, once both ways are read: 1.6 points fewer" in letters.text


def test_look_ahead_chart_has_its_asymptote(letters: Reader) -> None:
    rows = rows_of(letters.specs["look-ahead"], "steps", "loss", "low", "high")
    assert [row[0] for row in rows] == [0, 1, 2, 4, 8]
    assert rows[2][1:] == pytest.approx((12.1, 11.6, 12.6))
    ((name, loss),) = [
        (row["name"], row["loss"])
        for rows in letters.specs["look-ahead"]["datasets"].values()
        for row in rows
        if "name" in row
    ]
    assert (name, loss) == ("both directions 11.2", pytest.approx(11.2))


def test_width_and_depth_chart_pairs_moves_of_one_incumbent(letters: Reader) -> None:
    rows = rows_of(letters.specs["width-depth"], "move", "effect", "parameters")
    assert [(move, effect) for move, effect, _ in rows] == [
        ("wider", 0.3),
        ("deeper", 0.3),
        ("wider", 0.4),
        ("deeper", 1.7),
        ("wider", 0.3),
        ("deeper", 0.2),
    ]
    assert abs(rows[0][2] - rows[1][2]) < 0.01 * rows[0][2]


def test_bias_chart_has_all_parts(letters: Reader) -> None:
    rows = rows_of(letters.specs["bias"], "part", "loss")
    assert [part for part, _ in rows[:4]] == ["train", "tune", "dev", "best baseline, dev"]
    assert [loss for _, loss in rows[-4:]] == pytest.approx([1.4, 8.7, 8.9, 16.1])


def test_moves_chart_holds_every_paired_move_and_the_margin(letters: Reader) -> None:
    rows = rows_of(letters.specs["moves"], "decision", "effect", "low", "high", "y")
    assert len(rows) == sum(move.effect is not None for move in verdicts.letters_to_sounds().moves) == 10
    assert rows[0][:4] == ("better", 17.5, 16.6, 18.4)
    places = [row[4] for row in rows]
    assert places == sorted(set(places))
    lines = [
        row for rows in letters.specs["moves"]["datasets"].values() for row in rows if set(row) == {"effect", "name"}
    ]
    assert [(row["name"], row["effect"]) for row in lines] == [("no effect", 0.0), ("margin, 0.81 points", 0.814)]


def test_a_chart_of_small_effects_is_not_stretched() -> None:
    plain, wide = (effect_charts.moves(case()) for case in (verdicts.nothing_pays, verdicts.letters_to_sounds))
    assert "symlog" not in json.dumps(plain)
    assert "symlog" in json.dumps(wide)


def test_smaller_networks_are_held_against_minus_the_margin() -> None:
    spec = json.dumps(effect_charts.moves(verdicts.pen_digits()))
    assert "minus the margin, 0.9 points" in spec
    assert "minus the margin" not in json.dumps(effect_charts.moves(verdicts.letters_to_sounds()))


def test_rows_stand_clear_of_each_other(letters: Reader) -> None:
    for key in ("test", "path", "square-depth", "width-depth", "bias", "moves"):
        spec = letters.specs[key]
        rows = [row for rows in spec["datasets"].values() for row in rows if "y" in row]
        names = sorted({(row["y"], row["name"]) for row in rows if "name" in row})
        marks = sorted({row["y"] for row in rows if "name" not in row})
        assert all(after - before >= 15 for before, after in pairwise(marks))
        for (top, _), after in zip(names, [*(y for y, _ in names[1:]), spec["height"]], strict=True):
            assert after - top >= 20
            assert all(top + 20 <= mark <= after - 12 for mark in marks if top <= mark < after)


def test_an_advice_that_is_not_final_is_the_best_so_far() -> None:
    assert "Best so far: GRU 1 x 105" in json.dumps(charts.test(verdicts.air_quality()))
    assert "Advised: LSTM 1 x 52" in json.dumps(charts.test(verdicts.pen_digits()))


def test_points_far_above_zero_need_no_zero(letters: Reader) -> None:
    assert '"zero": true' not in json.dumps(charts.path(verdicts.air_quality()))
    assert '"zero": true' in json.dumps(letters.specs["path"])


def test_reading_chart() -> None:
    spec = charts.reading(verdicts.pen_digits())
    assert spec is not None
    assert rows_of(spec, "share", "loss")[-2:] == [(87.5, pytest.approx(2.4)), (100.0, pytest.approx(2.1))]


def test_charts_follow_container_and_theme(letters: Reader) -> None:
    for spec in letters.specs.values():
        assert spec["width"] == "container"
        assert spec["background"] == "transparent"
        assert spec["config"]["axis"]["labelColor"] == "currentColor"
        assert spec["description"]
        assert "tooltip" in json.dumps(spec)
    css = (Path(page.__file__).parent / "page.css").read_text(encoding="utf-8")
    used = set(re.findall(r"var\((--\w+)", json.dumps(list(letters.specs.values()))))
    dark = css[css.index("prefers-color-scheme: dark") :]
    assert used
    assert all(f"{name}:" in css[: css.index("@media")] and f"{name}:" in dark for name in used)


def test_figures_that_are_not_finite_stay_out_of_the_charts() -> None:
    verdict = verdicts.letters_to_sounds()
    wild = tuple(
        move.model_copy(update={"interval": (float("-inf"), float("inf"))}) if move.interval else move
        for move in verdict.moves
    )
    rows = tuple(row.model_copy(update={"interval": (float("-inf"), float("inf"))}) for row in verdict.test)
    read = Reader(page.html(verdict.model_copy(update={"moves": wild, "test": rows})))
    assert rows_of(read.specs["moves"], "effect", "low", "high")[0] == (17.5, None, None)
    assert "no interval" in read.text
    assert "inf" not in read.text.split()


def test_report_half_never_imports_torch(tmp_path: Path) -> None:
    source = tmp_path / "verdict.json"
    source.write_text(verdicts.letters_to_sounds().to_json(), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path\n"
        "from leadline.records.verdict import Verdict\n"
        "from leadline.report import page, terminal\n"
        f"verdict = Verdict.from_json(Path({str(source)!r}).read_text(encoding='utf-8'))\n"
        f"page.write(verdict, {str(tmp_path / 'report.html')!r}); terminal.text(verdict)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_was_drawn_stands_beside_an_arm() -> None:
    verdict = verdicts.letters_to_sounds()
    drawn = {"dropout": 0.45, "weight_decay": 0.3}
    arms = tuple(arm.model_copy(update=drawn) if arm.name == "both-drop-deep" else arm for arm in verdict.arms)
    text = Reader(page.html(verdict.model_copy(update={"arms": arms}))).text
    assert "weight decay 0.3, dropout 0.45 in training" in text
    assert "0.45 in training" not in Reader(page.html(verdict)).text


def test_the_page_says_what_would_change_its_mind(letters: Reader) -> None:
    assert turning_words.TITLE in letters.text
    for line in turning_words.turning(verdicts.letters_to_sounds()):
        assert line in letters.text
