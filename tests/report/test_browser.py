"""The pages in a real browser: what one sees after typing, after touching, by keys alone, on a desk and a phone."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import studies
import test_compare_page
import test_layer_page

from leadline.analysis.leafing import Reader, Stored
from leadline.analysis.stored import MOST_CELLS
from leadline.report import compare_page, layer_page, page

Open = Callable[..., Any]
PHONE = {"viewport": {"width": 400, "height": 800}, "has_touch": True, "is_mobile": True}
PAGES = {
    "layers": lambda: page.render(layer_page.facts(test_layer_page.example())),
    "compare": lambda: page.render(compare_page.facts(test_compare_page.example())),
    "report": lambda: page.html(
        studies.letters_to_sounds(), findings=test_layer_page.example(), steps=(test_compare_page.example(),)
    ),
}


@pytest.fixture
def reader(opened: Open) -> Any:
    """The reader with three words; unit 0 counts the steps, unit 1 counts down, a step depends on the one before."""
    return opened(PAGES["layers"]())


def shown(reader: Any) -> str:
    """What the reader says."""
    return " ".join(reader.locator("#reader-says").inner_text().split())


def steps(reader: Any) -> str:
    return "".join(reader.locator("#reader-strip button").all_inner_texts())


def shares(reader: Any, kind: str) -> list[float]:
    """How strongly each step is marked in the row "from" (depends on) or "goes" (its input goes to) of layer 1."""
    cells = reader.locator(f'#reader-strip [data-share^="0-{kind}-"]')
    return [float(opacity) for opacity in cells.evaluate_all("cells => cells.map(c => getComputedStyle(c).opacity)")]


def test_typing_chooses_a_sequence(reader: Any) -> None:
    assert steps(reader) == "walking"
    reader.get_by_label("Sequence", exact=True).press_sequentially("rea")
    assert reader.locator("#reader-list option").all_inner_texts() == ["reading"]
    assert steps(reader) == "reading"
    assert reader.locator("#reader-strip .target").all_inner_texts() == list("READING")
    reader.get_by_label("Sequence", exact=True).fill("zzz")
    assert shown(reader) == "No stored sequence fits."
    assert steps(reader) == ""
    reader.get_by_label("Sequence", exact=True).fill("")
    assert len(reader.locator("#reader-list option").all()) == 3
    reader.locator("#reader-list").select_option(label="sound")
    assert steps(reader) == "sound"


def test_a_touched_step_shows_what_it_depends_on_and_where_its_input_goes(reader: Any) -> None:
    reader.get_by_label("Sequence", exact=True).fill("read")
    assert shares(reader, "from") == [0.0] * 7
    reader.get_by_role("button", name="d", exact=True).click()
    assert "Step 4, d, in rea[d]ing." in shown(reader)
    assert "its own input 100 % of the largest share, beside it a (step 3, 50 %)" in shown(reader)
    assert shares(reader, "from") == pytest.approx([0, 0, 0.5, 1, 0, 0, 0])
    assert shares(reader, "goes") == pytest.approx([0, 0, 0, 1, 0.5, 0, 0])
    assert reader.get_by_role("button", name="d", exact=True).get_attribute("aria-pressed") == "true"
    reader.get_by_role("button", name="r", exact=True).click()
    assert reader.get_by_role("button", name="d", exact=True).get_attribute("aria-pressed") == "false"
    assert shares(reader, "from") == pytest.approx([1, 0, 0, 0, 0, 0, 0])


def touch(reader: Any, unit: int, step: int) -> None:
    """Click into the strip of layer 1 of the example: two units high."""
    canvas = reader.locator("#reader-strip canvas")
    box = canvas.bounding_box()
    columns = int(canvas.get_attribute("width"))
    canvas.click(position={"x": (step + 0.5) * box["width"] / columns, "y": (unit + 0.5) * box["height"] / 2})


def test_a_touched_unit_shows_where_else_it_fires(reader: Any) -> None:
    reader.get_by_label("Sequence", exact=True).fill("read")
    touch(reader, 0, 2)
    assert "Step 3, a, in re[a]ding." in shown(reader)
    assert "Layer 1, unit 0: highest at walkin[g], readin[g]" in shown(reader)
    assert "Lowest at [s]ound, [r]eading, [w]alking" in shown(reader)
    touch(reader, 1, 0)
    assert "Layer 1, unit 1: highest at [w]alking, [r]eading, [s]ound" in shown(reader)


def test_the_strip_draws_the_states(reader: Any) -> None:
    """Unit 0 rises from step to step, unit 1 falls below zero: other colours, and stronger to the right."""
    pixels = reader.locator("#reader-strip canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    image = np.array(pixels).reshape(2, 7, 4)
    assert (np.diff(image[:, :, 3].astype(int), axis=1) > 0).all()
    assert not np.array_equal(image[0, 6, :3], image[1, 6, :3])


def test_everything_is_reached_by_keys(reader: Any) -> None:
    focused = "document.activeElement.id || document.activeElement.tagName"
    for _ in range(40):
        reader.keyboard.press("Tab")
        if reader.evaluate(focused) == "reader-filter":
            break
    reader.keyboard.type("n")
    assert reader.locator("#reader-list option").all_inner_texts() == ["walking", "reading", "sound"]
    reader.keyboard.press("Tab")
    assert reader.evaluate(focused) == "reader-list"
    reader.keyboard.press("ArrowDown")
    assert steps(reader) == "reading"
    reader.keyboard.press("Tab")
    assert reader.evaluate("document.activeElement.textContent") == "r"
    reader.keyboard.press("ArrowRight")
    reader.keyboard.press("ArrowRight")
    assert "Step 2, e, in r[e]ading." in shown(reader)
    assert reader.evaluate("document.activeElement.textContent") == "e"
    for _ in range(8):
        reader.keyboard.press("Tab")
        if reader.evaluate(focused) == "CANVAS":
            break
    reader.keyboard.press("ArrowDown")
    reader.keyboard.press("ArrowDown")
    reader.keyboard.press("ArrowRight")
    assert "Layer 1, unit 1: highest at" in shown(reader)
    assert "Step 3, a, in re[a]ding." in shown(reader)
    assert reader.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


def unfold(page: Any) -> None:
    """Open every folded part."""
    page.locator("details.part:not([open]) > summary").evaluate_all("all => all.forEach(one => one.click())")


@pytest.mark.parametrize("viewport", [{"width": 1400, "height": 900}, {"width": 400, "height": 900}])
def test_the_answers_stand_above_the_fold(viewport: dict[str, int], opened: Open) -> None:
    seen = opened(PAGES["report"](), viewport=viewport)
    bottom = seen.locator("table.sheet tbody tr").evaluate_all(
        "rows => rows.find(r => r.innerText.includes('depth')).getBoundingClientRect().bottom"
    )
    assert bottom <= viewport["height"]
    assert seen.evaluate("document.documentElement.scrollHeight") <= 2400


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_the_page_without_scrolling_sideways(name: str, opened: Open) -> None:
    phone = opened(PAGES[name](), **PHONE)
    unfold(phone)
    charts = phone.locator(".chart")
    for i in range(charts.count()):
        charts.nth(i).locator("svg.marks").wait_for()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 400
    wide = "es => es.filter(e => e.getBoundingClientRect().right > 401 && !e.closest('.scroll, pre, svg')).length"
    assert phone.locator("main *").evaluate_all(wide) == 0
    assert phone.locator("h1").inner_text()


def test_a_finger_is_enough(opened: Open) -> None:
    phone = opened(PAGES["layers"](), **PHONE)
    phone.get_by_role("button", name="k", exact=True).tap()
    assert "Step 4, k, in wal[k]ing." in shown(phone)
    phone.locator("#reader-strip canvas").tap(position={"x": 5, "y": 1})
    assert "Layer 1, unit 0: highest at" in shown(phone)


@pytest.mark.parametrize("name", PAGES)
def test_every_chart_is_drawn_and_every_number_can_be_opened(name: str, opened: Open) -> None:
    seen = opened(PAGES[name]())
    unfold(seen)
    charts = seen.locator(".chart")
    assert charts.count() > 1
    for i in range(charts.count()):
        charts.nth(i).locator("svg.marks").wait_for()
        assert charts.nth(i).locator("svg.marks path, svg.marks line, svg.marks text").count() > 3
    assert seen.get_by_text("could not be drawn").count() == 0
    first = seen.locator("details:not(.part)").first
    assert not first.locator("table").is_visible()
    first.locator("summary").click()
    assert first.locator("table").is_visible()


def test_links_of_the_page_lead_to_its_sections(opened: Open) -> None:
    seen = opened(PAGES["report"](), viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    links = seen.locator("nav a")
    targets = links.evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert len(targets) > 8
    assert all(seen.locator(target).count() == 1 for target in targets)
    seen.get_by_role("link", name="What the added layer brought").click()
    assert abs(seen.locator("#brought-1").bounding_box()["y"]) < 60
    assert seen.get_by_role("heading", name="What the added layer brought").is_visible()


def large() -> Reader:
    """200 steps, 3 layers of 128 units: as many sequences as a page holds of them."""
    random = np.random.default_rng(0)

    def packed(width: int, kind: type) -> tuple[str, ...]:
        cells = random.integers(0, 127, size=(3, 200, width)).astype(kind)
        return tuple(base64.b64encode(layer.tobytes()).decode() for layer in cells)

    steps = tuple(f"{t}" for t in range(200))
    stored = [
        Stored(name=f"{i}", steps=steps, targets=(), states=packed(128, np.int8), depends=packed(200, np.uint8))
        for i in range(MOST_CELLS // (3 * (200 * 128 + 200 * 200)))
    ]
    return Reader(layers=3, units=128, directions=1, sequences=tuple(stored))


def test_long_sequences_of_wide_layers_answer_too(opened: Open) -> None:
    seen = opened(page.render(layer_page.facts(test_layer_page.example(reader=large()))))
    assert seen.locator("#reader-strip canvas").count() == 3
    assert seen.locator("#reader-strip button").count() == 200
    seen.locator('#reader-strip button[data-step="150"]').click()
    assert "Step 151, 150, in" in shown(seen)
    seen.locator("#reader-strip canvas").first.focus()
    for _ in range(3):
        seen.keyboard.press("ArrowDown")
    seen.keyboard.press("ArrowRight")
    assert "Layer 3, unit 2: highest at" in shown(seen)
    assert "Step 152, 151, in" in shown(seen)
