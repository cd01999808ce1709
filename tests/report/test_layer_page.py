"""The page on layers: complete, safe, offline; its reader answers to touch and keys in a real browser."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import studies

from leadline.analysis.findings import (
    Ablation,
    Bin,
    ErrorKind,
    Findings,
    History,
    Looked,
    Memory,
    Probe,
    Reach,
    Sentence,
    Shape,
    Share,
    Similarity,
    Spectrum,
    Unit,
)
from leadline.analysis.leafing import Reader, Stored
from leadline.analysis.measured import Measured
from leadline.analysis.sentences import sentences
from leadline.report import layer_page, layer_sections, page

NASTY = '</script><script>alert("1")</script><img src=x onerror=alert(2)> {{ 7 * 7 }}'


def at(value: float, half: float = 1.0) -> Measured:
    return Measured(value=value, interval=(value - half, value + half))


def probe(layer: int, score: float, untrained: float, **more: Any) -> Probe:
    return Probe(
        annotation="stress",
        origin="data set",
        layer=layer,
        direction="all",
        unit="% right",
        rows=900,
        score=at(score),
        constant=50.0,
        control=at(55.0),
        selectivity=at(score - 55.0),
        untrained=untrained,
        gain=at(score - untrained),
        **more,
    )


def memory(layer: int, half_life: float, untrained: float) -> Memory:
    curve = tuple((lag, 0.5 ** (lag / half_life)) for lag in range(6))
    return Memory(
        layer=layer,
        direction="all",
        side="back",
        kind="driven",
        half_life=half_life,
        interval=(half_life - 0.2, half_life + 0.2),
        untrained=untrained,
        curve=curve,
        untrained_curve=curve,
        differs=True,
    )


def share(layer: int, untrained: bool, pairs: float) -> Share:
    rest = {"current": at(80 - pairs), "others": at(20.0), "beyond": at(0.0, 0.1)}
    return Share(
        layer=layer,
        untrained=untrained,
        pairs=at(pairs, 0.5),
        triples=at(0, 0.1),
        more=at(0, 0.1),
        window=(2, 2),
        **rest,
    )


def packed(values: list[int]) -> str:
    return base64.b64encode(bytes(value % 256 for value in values)).decode()


def words(*names: str) -> Reader:
    """One layer of two units: unit 0 counts the steps, unit 1 counts down; a step depends on those before it."""
    stored = []
    for name in names:
        count = len(name)
        states = [value for t in range(count) for value in (10 * t, -10 * t)]
        depends = [254 if i == j else 127 if j == i - 1 else 0 for i in range(count) for j in range(count)]
        stored.append(
            Stored(
                name=name,
                steps=tuple(name),
                targets=tuple(name.upper()),
                states=(packed(states),),
                depends=(packed(depends),),
            )
        )
    return Reader(layers=1, units=2, directions=1, sequences=tuple(stored))


def example(**changes: Any) -> Findings:
    found = Findings(
        looked=Looked(
            network="GRU 2 x 2",
            data="words",
            kind="tagging",
            cell="gru",
            num_layers=2,
            hidden_size=2,
            bidirectional=False,
            sequences=100,
            steps=900,
            components=2,
            twins=5,
            seed=0,
            score_unit="% of labels right",
            score=at(91.0),
        ),
        probes=(
            probe(0, 60.0, 60.0),
            probe(1, 84.0, 75.0, supported=True, against_untrained="more", against_below="more"),
            probe(2, 91.0, 78.0, supported=True, against_untrained="more", against_below="more"),
        ),
        memory=(memory(1, 1.6, 0.9), memory(2, 4.1, 1.0)),
        shares=(share(1, False, 10), share(1, True, 1), share(2, False, 30), share(2, True, 1)),
        gradients=(
            Reach(layer=1, side="back", norms=((0, 1.0), (1, 0.5)), untrained=((0, 1.0), (1, 0.1)), reading="healthy"),
        ),
        spectra=(Spectrum(layer=1, direction="all", values=((1, 0.9, 0.1), (2, 0.81, 0.01))),),
        history=tuple(
            History(
                steps=n, truncated=at(70 + 5 * n), shuffled=at(75 + 4 * n), full=at(91), lost=at(20 - 5 * n), margin=2.0
            )
            for n in range(5)
        ),
        ablation=(
            Ablation(layer=1, used=at(40), adds=at(20), exit_score=at(80), exit_gain=at(10)),
            Ablation(layer=2, used=at(40), adds=at(0.2), exit_score=at(85), exit_gain=at(5)),
        ),
        errors=(ErrorKind(layer=2, grouping="class", group="SH", rows=90, below=60, here=20, removed=at(40)),),
        similarity=(
            Similarity(first="input", second="layer 1", cka=0.6),
            Similarity(first="layer 1", second="layer 2", cka=0.8),
        ),
        shapes=(Shape(layer=1, direction="all", dimension=1.5, untrained_dimension=1.2, units=2, dead=0),),
        units=(
            Unit(
                layer=2,
                direction="all",
                unit=1,
                annotation="stress",
                share=40,
                chance=2,
                untrained=9,
                examples=(("ab", "c", "de", 0.9),),
            ),
        ),
        reader=words("walking", "reading", "sound"),
        notes=("A random sample.",),
        versions={"leadline": "0"},
    ).model_copy(update=changes)
    return found.model_copy(update={"sentences": sentences(found)})


def test_the_sentences_say_what_the_figures_say():
    said = " ".join(sentence.text for sentence in example().sentences)
    assert "Stress is read from layer 2 with 91 % and layer 1 with 84 % (untrained: 78 and 75; " in said
    assert "Layer 2 holds more of it than the layer below." in said
    assert "Layer 1 forgets half of an earlier input after 1.6 steps, layer 2 after 4.1 (untrained: 0.9, 1.0)." in said
    assert "Layer 2 remembers longer than layer 1." in said
    assert "10 % of layer 1's state and 30 % of layer 2's state (untrained: 1 and 1)" in said
    assert "Layer 1 loses" not in said
    assert "layer 1 the network loses 40.0" in said
    assert "Layer 2 is used, but a linear map of what it reads does as well" in said
    assert "most on SH (from 60 to 20 % wrong)" in said
    assert "4 steps back are enough" in said


def test_nothing_is_claimed_where_the_controls_do_not_allow_it():
    plain = tuple(p.model_copy(update={"supported": False, "against_untrained": "open"}) for p in example().probes)
    still = tuple(m.model_copy(update={"differs": False}) for m in example().memory)
    said = example(probes=plain, memory=still, shares=(), ablation=(), history=(), gradients=(), errors=()).sentences
    assert [sentence.text for sentence in said] == [
        "No annotation is read from a trained layer better than from an untrained one with certainty."
    ]


def test_the_page_has_every_section_and_drawing():
    built = layer_page.facts(example())
    assert [section.key for section in built.sections] == [
        "reader",
        "readable",
        "memory",
        "combined",
        "reach",
        "breaks",
        "alike",
        "units",
        "notes",
    ]
    keys = {chart.key for section in built.sections for chart in section.charts}
    assert keys == {"probes", "half-lives", "back", "shares", "gradient", "history", "ablation", "errors", "similarity"}
    for section in built.sections:
        for table in (*section.tables, *(c.numbers for c in section.charts if c.numbers)):
            assert all(len(row.cells) == len(table.columns) for row in table.rows)


def test_charts_hold_figures_with_controls():
    charts = {c.key: c.spec for s in layer_page.facts(example()).sections for c in s.charts}
    rows = next(v for v in charts["probes"]["datasets"].values() if "untrained" in v[0])
    assert [(r["value"], r["untrained"], r["control"]) for r in rows] == [
        (60.0, 60.0, 55.0),
        (84.0, 75.0, 55.0),
        (91.0, 78.0, 55.0),
    ]
    used = set(re.findall(r"var\((--\w+)", json.dumps(list(charts.values()))))
    css = (Path(page.__file__).parent / "page.css").read_text(encoding="utf-8")
    dark = css[css.index("prefers-color-scheme: dark") :]
    assert all(f"{name}:" in css[: css.index("@media")] and f"{name}:" in dark for name in used)


def test_gains_by_distance_are_drawn_and_tabled():
    bins = tuple(Bin(name=name, score=at(value), rows=100) for name, value in (("1", 1.0), ("8 or more", 10.0)))
    far = probe(2, 91.0, 78.0, gains=bins, distances=bins)
    said = example(probes=(probe(1, 84.0, 75.0, distances=bins), far))
    readable = layer_sections.readable(said)
    chart = next(chart for chart in readable.charts if chart.key == "distances")
    rows = next(v for v in chart.spec["datasets"].values() if "distance" in v[0])
    assert [(r["layer"], r["distance"], r["value"]) for r in rows] == [
        ("layer 2", "1", 1.0),
        ("layer 2", "8 or more", 10.0),
    ]
    scores, gains = readable.tables
    assert [row.cells for row in gains.rows] == [("stress", "layer 2", "1.0 (0.0 to 2.0)", "10.0 (9.0 to 11.0)")]
    assert len(scores.rows) == 2
    grows = "What layer 2 gains over layer 1 in stress grows with distance: +1.0 points (+0.0 to +2.0) at 1 step, +10.0"
    assert any(sentence.startswith(grows) for sentence in readable.sentences)


def test_a_page_of_nothing_is_still_a_page(tmp_path: Path):
    bare = Findings(looked=example().looked)
    text = layer_page.write(bare, tmp_path / "layers.html").read_text(encoding="utf-8")
    assert "How it was measured" in text
    assert "reader-data" not in text


def test_names_from_data_cannot_break_out():
    wild = example(reader=words("walk").model_copy(update={"sequences": (stored_nasty(),)}), notes=(NASTY,))
    text = page.render(layer_page.facts(wild))
    assert NASTY not in text
    assert text.count("<script") == page.render(layer_page.facts(example())).count("<script")
    data = re.search(r'id="reader-data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["sequences"][0]["name"] == NASTY


def stored_nasty() -> Stored:
    return words("ab").sequences[0].model_copy(update={"name": NASTY, "steps": (NASTY, "b")})


def test_nothing_is_fetched():
    text = page.render(layer_page.facts(example()))
    assert "default-src 'none'" in text
    script = (Path(page.__file__).parent / "reader.js").read_text(encoding="utf-8")
    assert not re.search(r"https?:|fetch\(|XMLHttp|import\(|eval\(|innerHTML", script)


def test_the_verdicts_page_has_a_section_on_layers():
    text = html.unescape(page.html(studies.letters_to_sounds(), findings=example()))
    assert "What each layer has learned" in text
    assert example().sentences[0].text in text
    assert layer_sections.MORE in text
    assert "What each layer has learned" not in page.html(studies.letters_to_sounds())


def test_findings_of_a_network_that_all_arms_dropout_was_given_to_are_the_studys(tmp_path: Path):
    """The arm is named without it, the trained network with it."""
    verdict = studies.letters_to_sounds()
    assert verdict.advice.spec is not None
    spec = replace(verdict.advice.spec, dropout=0.1)
    advised = verdict.model_copy(update={"advice": verdict.advice.model_copy(update={"spec": spec})})
    looked = example().looked.model_copy(update={"network": spec.describe(), "fingerprint": verdict.data.fingerprint})
    found = example().model_copy(update={"looked": looked})
    (tmp_path / layer_page.FINDINGS).write_text(found.to_json(), encoding="utf-8")
    assert layer_page.findings_of(advised, tmp_path) == found
    assert layer_page.findings_of(verdict, tmp_path) is None


def test_the_page_needs_no_torch(tmp_path: Path):
    (tmp_path / "findings.json").write_text(example().to_json(), encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from leadline.report import layer_page\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "layer_page.write(layer_page.read_findings(folder), folder / 'layers.html')\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_sentences_name_their_section():
    known = {"readable", "memory", "combined", "breaks", "errors", "reach"}
    assert {sentence.about for sentence in example().sentences} <= known
    assert all(isinstance(sentence, Sentence) for sentence in example().sentences)
