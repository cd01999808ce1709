"""The benchmark of known answers: it reads a verdict, judges it, and goes on where it was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import known_answers
import pytest
from known_answers import Answer, Said, judge, read_verdict

from leadline.data.datasets.synthetic.catalogue import task
from leadline.data.datasets.synthetic.known import KnownTask
from leadline.errors import RunFolderError
from leadline.spec import StackSpec

SPEC = {"input_size": 4, "output_size": 2, "cell": "gru", "hidden_size": 32, "num_layers": 1, "bidirectional": True}
GRU = StackSpec(input_size=4, output_size=2, hidden_size=32)

VERDICT = {
    "schema": "leadline.verdict/2",
    "answers": [
        {
            "question": "recurrence",
            "word": "yes",
            "effect": 25.1,
            "interval": [24.0, 26.0],
            "of": "a",
            "against": "mlp",
        },
        {"question": "depth", "word": "leaning_no", "effect": 0.1, "interval": [-0.2, 0.4], "of": "b", "against": "a"},
        {"question": "width", "word": "yes", "effect": None, "interval": None, "of": "c", "against": "a"},
        {"question": "yours", "word": "worse", "effect": -0.3, "interval": [-0.5, -0.1]},
    ],
    "advice": {"arm": "a", "spec": SPEC, "baseline": None},
    "arms": [{"id": "a", "spec": SPEC}, {"id": "mlp", "spec": None, "baseline": "mlp"}],
    "test": [{"role": "best_baseline", "score": 75.0}, {"role": "advised", "score": 99.9}],
    "budget": {"seconds": 90.0},
}


def test_a_verdict_is_read() -> None:
    said = read_verdict(VERDICT)
    both = StackSpec(**SPEC)
    assert said.answers[:2] == (Answer("recurrence", "yes", None), Answer("depth", "leaning_no", both))
    assert len(said.answers) == 4
    assert (said.advised, said.score) == (both, 99.9)


def test_a_verdict_with_the_fewest_fields_is_read() -> None:
    said = read_verdict({"answers": [{"question": "future", "word": "no"}], "advice": {"baseline": "ngram"}})
    assert said == Said((Answer("future", "no", None),), None, None)


def test_a_verdict_of_the_first_schema_is_refused() -> None:
    with pytest.raises(RunFolderError, match=r"schema leadline\.verdict/1.*expected leadline\.verdict/2"):
        read_verdict({"schema": "leadline.verdict/1", "recommendation": {}})


def outcomes(known: KnownTask, said: Said) -> dict[str, str]:
    return {judged.about: judged.outcome for judged in judge(known, said)}


def test_answers_the_advice_and_its_score_are_judged() -> None:
    found = outcomes(task("parity"), read_verdict(VERDICT))
    assert found == {"recurrence": "right", "depth": "open", "width": "wrong", "advice": "right", "score": "right"}


def test_questions_without_a_wrong_answer_are_not_counted() -> None:
    said = Said((Answer("depth", "yes", GRU), Answer("more_data", "no", GRU)), None, 60.0)
    found = outcomes(task("gru_teacher"), said)
    assert found == {"more_data": "wrong", "advice": "wrong", "score": "wrong"}


def test_a_word_that_is_none_is_an_error() -> None:
    with pytest.raises(RunFolderError, match="the word 'maybe'"):
        judge(task("parity"), Said((Answer("recurrence", "maybe", None),), GRU, None))


class Command:
    """Stands in for the process of a study: writes a verdict, or fails."""

    def __init__(self, status: int = 0) -> None:
        self.status, self.calls = status, []

    def __call__(self, words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.calls.append(words)
        out = Path(words[words.index("--out") + 1])
        if self.status in (0, 2):
            out.mkdir(parents=True)
            (out / "verdict.json").write_text(json.dumps(VERDICT), encoding="utf-8")
        return subprocess.CompletedProcess(words, self.status, "", "leadline: no luck today.\n")


def test_a_finished_folder_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command()
    monkeypatch.setattr(known_answers.subprocess, "run", command)
    chosen = [task("parity"), task("markov_chain")]
    first = known_answers.run(chosen, 2, tmp_path, ["--budget", "10m"])
    assert len(command.calls) == 4
    assert [one["minutes"] for one in first] == [1.5] * 4
    written = command.calls[1]
    assert written[3:5] == ["advise", str(tmp_path / "markov_chain" / "0" / "markov_chain.csv")]
    assert written[5:7] == ["--kind", "next_step"]
    assert written[-2:] == ["--budget", "10m"]
    (tmp_path / "parity" / "1" / "judged.json").unlink()
    (tmp_path / "parity" / "1" / "run" / "verdict.json").unlink()
    (tmp_path / "parity" / "1" / "run").rmdir()
    again = known_answers.run(chosen, 2, tmp_path, ["--budget", "10m"])
    assert len(command.calls) == 5
    assert again == first
    totals = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["totals"]
    assert totals == known_answers.summary(first)


def test_a_study_that_fails_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command(status=1)
    monkeypatch.setattr(known_answers.subprocess, "run", command)
    results = known_answers.run([task("parity")], 1, tmp_path, [])
    assert "seed 0 failed: leadline: no luck today." in "\n".join(known_answers.table(results))
    assert known_answers.summary(results)["studies"] == 0
    known_answers.run([task("parity")], 1, tmp_path, [])
    assert len(command.calls) == 2


def test_the_table_counts_what_was_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_answers.subprocess, "run", Command())
    *_, parity, total = known_answers.table(known_answers.run([task("parity")], 2, tmp_path, []))
    assert parity == "| parity | 2 | 2 | 2 | 2 | 0 | 0 | 1.5 | width: yes (seed 0), width: yes (seed 1) |"
    assert total == "| all | 2 | 2 | 2 | 2 | 0 | 0 | 1.5 |  |"
