"""Every file of a run folder, damaged in every way, through every verb: an error of ours or an answer."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

import leadline
from leadline import api, checkpoint, looking
from leadline.comparing import Pair
from leadline.errors import LeadlineError, ModelError, RunFolderError
from leadline.report import again
from leadline.report.compare_page import steps_of
from leadline.report.layer_page import read_findings
from leadline.trials.database import read_rows
from leadline.trials.ledger import Ledger, model_folder, read_trials, read_verdict

from .conftest import QUICK

Damage = Callable[[Path], object]


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def put(data: bytes) -> Damage:
    return lambda path: path.write_bytes(data)


def instead(make: Callable[[Path], object]) -> Damage:
    def damage(path: Path) -> None:
        remove(path)
        make(path)

    return damage


def fields(change: Callable[[dict], dict]) -> Damage:
    return lambda path: path.write_text(json.dumps(change(json.loads(path.read_text()))))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 0x55
    path.write_bytes(data)


ANY: dict[str, Damage] = {
    "empty": put(b""),
    "null": put(b"null"),
    "list": put(b"[]"),
    "three": put(b"3"),
    "other shape": put(b'{"a": {"b": 1}}'),
    "half": cut,
    "deep": put(b'{"a":' * 100_000),
    "deep lists": put(b"[" * 100_000),
    "random bytes": put(random.Random(0).randbytes(5000)),
    "not UTF-8": put(b'{"a": "\xff"}'),
    "5,000 digits": put(b"9" * 5000),
    "folder": instead(Path.mkdir),
    "link to nothing": instead(lambda path: path.symlink_to("/nonexistent/file")),
    "pipe": instead(os.mkfifo),
}
JSON: dict[str, Damage] = {
    "unknown field": fields(lambda known: {**known, "colour": 1}),
    "wrong types": fields(lambda known: {name: [{"x": 1}] for name in known}),
    "nulls": fields(dict.fromkeys),
    "no field": fields(lambda known: {}),
}


def arrays(change: Callable[[np.ndarray], np.ndarray]) -> Damage:
    return lambda path: path.write_bytes(save({k: change(v) for k, v in load(path.read_bytes()).items()}))


WEIGHTS: dict[str, Damage] = {
    "flipped byte": flip,
    "header lies": lambda path: path.write_bytes(b"\xff" * 8 + path.read_bytes()[8:]),
    "not a number": arrays(lambda value: value * np.float32("nan")),
    "other type": arrays(lambda value: value.astype(np.float16)),
    "other shape": arrays(lambda value: value[:1]),
}


def sql(*statements: str) -> Damage:
    def damage(path: Path) -> None:
        base = sqlite3.connect(path)
        for statement in statements:
            base.execute(statement)
        base.commit()
        base.close()

    return damage


def another_program(path: Path) -> None:
    path.unlink()
    sql("create table users (name)")(path)


LEDGER: dict[str, Damage] = {
    "other columns": sql("drop table trials", "create table trials (x)"),
    "another program's": another_program,
    "empty results": sql("update trials set result = '{}'"),
    "blobs": sql("update trials set result = x'ff00'"),
    "numbers": sql("update trials set result = 5"),
    "foreign row": sql("insert into trials values ('key', 99, 'x', 'y')"),
}
FACTS: dict[str, Damage] = {
    "identity null": sql("update facts set value = 'null' where name = 'identity'"),
    "identity of another": sql("update facts set value = '{\"a\": \"b\"}' where name = 'identity'"),
    "time is a word": sql("update facts set value = 'long' where name = 'elapsed'"),
    "time is not a number": sql("update facts set value = 'nan' where name = 'elapsed'"),
}

VERBS: dict[str, Callable[[Path, Path], object]] = {
    "advise": lambda run, table: api.advise(table, out=run, **QUICK),
    "report": lambda run, table: again.report(run),
    "explain": lambda run, table: leadline.explain(run, table, out=run.parent / "out"),
    "compare": lambda run, table: leadline.compare(run, "one", "other", out=run.parent / "out"),
    "predict": lambda run, table: api.predict(run, table),
}
NEEDED = {
    "verdict.json": ({**ANY, **JSON}, ("report", "explain", "compare")),
    "model/reading.json": (
        {name: damage for name, damage in {**ANY, **JSON}.items() if name != "no field"},
        ("explain", "predict"),
    ),
    "model/model.json": ({**ANY, **JSON}, ("explain", "predict")),
    "model/model.safetensors": ({**ANY, **WEIGHTS}, ("explain", "predict")),
    "ledger.sqlite": ({**ANY, **LEDGER}, ("advise", "compare")),
}
CASES = [
    pytest.param(name, damage, verb, id=f"{verb}, {name}: {kind}")
    for name, (damages, verbs) in NEEDED.items()
    for kind, damage in damages.items()
    for verb in verbs
    if not (verb == "explain" and name == "verdict.json" and kind == "link to nothing")  # counts as no verdict
] + [
    pytest.param("ledger.sqlite", damage, "advise", id=f"advise, ledger.sqlite: {kind}")
    for kind, damage in FACTS.items()
]


@pytest.mark.parametrize(("name", "damage", "verb"), CASES)
def test_what_a_verb_needs_and_cannot_read_is_an_error_of_ours(name, damage, verb, run, table) -> None:
    damage(run / name)
    with pytest.raises(LeadlineError) as raised:
        VERBS[verb](run, table)
    assert str(run) in raised.value.where
    assert raised.value.next_move or raised.value.expected
    assert os.path.lexists(run / name), "nothing that is damaged is removed"


@pytest.mark.parametrize("name", ["findings.json", "steps.json"])
@pytest.mark.parametrize("damage", {**ANY, **JSON}.values(), ids={**ANY, **JSON}.keys())
def test_what_can_be_made_again_counts_as_absent(name, damage, run) -> None:
    verdict = read_verdict(run)
    damage(run / name)
    assert (read_findings(run) is None) == (name == "findings.json")
    assert steps_of(verdict, run) == ()


@pytest.mark.parametrize("name", ["findings.json", "steps.json"])
def test_the_page_is_made_without_half_a_file_and_that_is_said(name, run) -> None:
    cut(run / name)
    made = again.report(run)
    assert made.page.stat().st_size > 10_000
    assert [name in sentence and "makes it again" in sentence for sentence in made.left_out] == [True]


def test_a_finished_study_whose_derived_files_are_damaged_is_delivered_again(run, table) -> None:
    """All at once, the final models too: the ledger is enough."""
    before = leadline.load(run).arrays
    for name in ("findings.json", "steps.json", "verdict.json", "model/model.json", "model/reading.json"):
        cut(run / name)
    for path in (run / "finals").glob("*/model.safetensors"):
        cut(path)
    (run / ".leadline-1-half.aside").write_text("left by a run that was killed")
    verdict = api.advise(table, out=run, **QUICK)
    assert read_verdict(run).to_json() == verdict.to_json()
    after = leadline.load(run).arrays
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert api.predict(run, table)
    assert not list(run.rglob("*.aside"))


def test_figures_that_are_none_are_no_verdict(run) -> None:
    fields(lambda known: {**known, "margin": float("inf")})(run / "verdict.json")
    with pytest.raises(RunFolderError, match=r"contradict each other \(OverflowError"):
        again.report(run)


def test_a_damaged_model_of_a_pair_is_no_kept_one(run) -> None:
    trial = next(known for known in read_trials(run) if known[0].final)
    pair = Pair(0, trial, trial)
    assert pair.kept(run)
    flip(model_folder(run, trial[0]) / "model.safetensors")
    assert not pair.kept(run)


def test_a_folder_where_a_study_writes_is_refused_before_anything_is_trained(run, table) -> None:
    remove(run / "model")
    (run / "model").write_text("a file")
    with pytest.raises(RunFolderError, match="a file stands where a study writes"):
        api.advise(table, out=run, **QUICK)
    assert (run / "model").read_text() == "a file"


def test_a_link_in_the_place_of_the_model_is_replaced_and_what_it_names_stays(run, table, tmp_path) -> None:
    shutil.move(run / "model", tmp_path / "elsewhere")
    (run / "model").symlink_to(tmp_path / "elsewhere")
    kept = (tmp_path / "elsewhere" / "model.json").read_bytes()
    api.advise(table, out=run, **QUICK)
    assert not (run / "model").is_symlink()
    assert (tmp_path / "elsewhere" / "model.json").read_bytes() == kept


def test_records_from_text_are_checked_from_python_too() -> None:
    for kind in (leadline.Verdict, leadline.Findings, leadline.Contrast):
        with pytest.raises(RunFolderError, match="damaged or foreign"):
            kind.from_json("[]")


def test_a_ledger_that_another_program_holds(run, table, monkeypatch) -> None:
    monkeypatch.setattr("leadline.trials.database.PATIENCE_SECONDS", 0.1)
    holder = sqlite3.connect(run / "ledger.sqlite")
    holder.execute("begin exclusive")
    try:
        for verb in ("advise", "compare"):
            with pytest.raises(RunFolderError, match="another program holds this file"):
                VERBS[verb](run, table)
    finally:
        holder.close()


def test_a_study_goes_on_from_a_ledger_that_was_written_with_a_log(run, table) -> None:
    """As killed runs of earlier versions left it; a reader plays back a copy."""
    trials = read_trials(run)
    with sqlite3.connect(run / "ledger.sqlite") as writer:
        writer.execute("pragma journal_mode=wal")
        writer.execute("insert into facts values ('late', 'x')")
        writer.commit()
        copy = Path(shutil.copytree(run, run.parent / "killed"))
    writer.close()
    assert (copy / "ledger.sqlite-wal").stat().st_size > 0
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copy.rglob("*") if path.is_file()}
    assert read_trials(copy) == trials
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in copy.rglob("*") if path.is_file()}
    identity = json.loads(read_rows(run / "ledger.sqlite", "select value from facts where name = 'identity'")[0][0])
    with Ledger(copy, identity) as ledger:
        assert ledger.fact("late") == "x"
    assert not list(copy.glob("ledger.sqlite-*"))


def test_every_byte_of_a_model_counts(run) -> None:
    for name in ("model.json", "model.safetensors"):
        whole = (run / "model" / name).read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 40)):
            changed = bytearray(whole)
            changed[place] ^= 1
            (run / "model" / name).write_bytes(changed)
            try:
                again_read = checkpoint.load(run)
            except ModelError:
                continue
            # Only blanks between fields may change without a trace.
            assert name == "model.json"
            assert again_read.facts == json.loads(whole)["facts"]
        (run / "model" / name).write_bytes(whole)
    assert checkpoint.is_whole(run)


def test_findings_without_their_page_get_it(run, table) -> None:
    """What a full disk or a kill between the two leaves; the page used to be missing for good."""
    found, verdict = read_findings(run), read_verdict(run)
    advice = verdict.advice.model_copy(update={"description": found.looked.network})
    data = verdict.data.model_copy(update={"fingerprint": found.looked.fingerprint})
    theirs = verdict.model_copy(update={"advice": advice, "data": data})
    (run / looking.PAGE).unlink()
    looking.after_study(theirs, leadline.load_data(table), run)
    assert (run / looking.PAGE).stat().st_size > 1000
