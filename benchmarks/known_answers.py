"""How often a study's answers are right on tasks whose right answer is known.

    python benchmarks/known_answers.py [--out FOLDER] [--seeds 3] [--only parity --only hmm] [--budget 10m] [--jobs 2]

Each task of `leadline tasks` is drawn with several seeds, written to a file, and studied by the whole command in a
process of its own. FOLDER/NAME/SEED/judged.json says what came of it; a folder that has one is not run again, so an
interrupted run goes on where it was. At the end FOLDER/results.json and a table: right, open and wrong answers, the
advice, minutes.

An answer is right where its word is among the right ones of the task, open where it is not known yet or leaning, else
wrong. Questions without a wrong answer are not counted.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from leadline.data.datasets.synthetic import files
from leadline.data.datasets.synthetic.catalogue import TASKS, task
from leadline.data.datasets.synthetic.known import ANYTHING, KnownTask, Question
from leadline.errors import RunFolderError
from leadline.spec import StackSpec

Outcome = Literal["right", "open", "wrong"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
OPEN = ("not_known", "leaning")
"""What the words that settle nothing begin with."""
STATUS_OF_A_VERDICT = (0, 2)


@dataclass(frozen=True)
class Answer:
    """A row of a study's sheet; `start` is the network that the question starts from, None where none is named."""

    question: str
    word: str
    start: StackSpec | None


@dataclass(frozen=True)
class Said:
    """What a verdict says: its sheet, the network that it advises (None for a baseline), its score on test."""

    answers: tuple[Answer, ...]
    advised: StackSpec | None
    score: float | None


@dataclass(frozen=True)
class Judged:
    """What came of one answer, of the advice ("advice") or of its score ("score")."""

    about: str
    said: str
    outcome: Outcome


def read_verdict(verdict: dict[str, Any]) -> Said:
    """What `verdict.json`, schema 2, says.

    Raises:
        RunFolderError: it has no answers.
    """
    if "answers" not in verdict or "advice" not in verdict:
        raise RunFolderError(
            f"a verdict of schema {verdict.get('schema')}",
            where="verdict.json",
            expected="leadline.verdict/2, with answers and advice",
            next_move="Run the study again with this version.",
        )
    specs = {arm["id"]: _spec(arm.get("spec")) for arm in verdict.get("arms", ())}
    answers = (Answer(row["question"], row["word"], specs.get(row.get("against"))) for row in verdict["answers"])
    scores = [row["score"] for row in verdict.get("test", ()) if row["role"] == "advised"]
    return Said(tuple(answers), _spec(verdict["advice"].get("spec")), scores[0] if scores else None)


def _spec(fields: dict[str, Any] | None) -> StackSpec | None:
    return None if fields is None else StackSpec(**fields)


def judge(known: KnownTask, said: Said) -> list[Judged]:
    """Every answer that can be wrong, the advice, and the advised predictor's score."""
    found = [judged for answer in said.answers if (judged := _judge_answer(known, answer))]
    right = known.may_advise(said.advised)
    advised = "a baseline" if said.advised is None else said.advised.describe()
    found.append(Judged("advice", advised, "right" if right else "wrong"))
    if said.score is not None:
        reached = said.score >= known.best - known.tolerance
        found.append(Judged("score", f"{said.score:.4g}", "right" if reached else "wrong"))
    return found


def _judge_answer(known: KnownTask, answer: Answer) -> Judged | None:
    if answer.question not in get_args(Question):
        return None
    right = known.words(answer.question, answer.start)  # type: ignore[arg-type]
    if right == ANYTHING:
        return None
    if answer.word.startswith(OPEN):
        return Judged(answer.question, answer.word, "open")
    if answer.word not in ANYTHING:
        raise RunFolderError(f"the word '{answer.word}'", where=answer.question, expected=", ".join(sorted(ANYTHING)))
    return Judged(answer.question, answer.word, "right" if answer.word in right else "wrong")


def study(known: KnownTask, seed: int, folder: Path, options: list[str]) -> dict[str, Any]:
    """Draw, write and study a task, unless that was done; what came of it."""
    done = folder / "judged.json"
    if done.exists():
        found: dict[str, Any] = json.loads(done.read_text(encoding="utf-8"))
        return found
    folder.mkdir(parents=True, exist_ok=True)
    data = known.draw(known.sequences, seed=seed)
    path = folder / f"{known.name}.csv"
    files.write(data, path)
    words = [*shlex.split(files.command(data, path))[1:], "--seed", str(seed), "--out", str(folder / "run"), *options]
    start = time.monotonic()
    ended = subprocess.run([sys.executable, "-m", "leadline.cli", *words], capture_output=True, text=True, check=False)
    minutes = (time.monotonic() - start) / 60.0
    if ended.returncode not in STATUS_OF_A_VERDICT:
        return {"task": known.name, "seed": seed, "failed": ended.stderr.strip()[-500:], "minutes": minutes}
    verdict = json.loads((folder / "run" / "verdict.json").read_text(encoding="utf-8"))
    minutes = max(minutes, verdict.get("budget", {}).get("seconds", 0.0) / 60.0)  # an earlier run on the folder counts
    said = read_verdict(verdict)
    found = {"task": known.name, "seed": seed, "minutes": minutes, "judged": [asdict(j) for j in judge(known, said)]}
    half = done.with_suffix(".part")
    half.write_text(json.dumps(found, indent=1), encoding="utf-8")
    half.replace(done)
    return found


def summary(studies: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Counts of outcomes over some studies, answers apart from the advice and its score; the median of minutes."""
    whole = [one for one in studies if "failed" not in one]
    judged = [row for one in whole for row in one["judged"]]
    answers = [row["outcome"] for row in judged if row["about"] not in ("advice", "score")]
    counts = {outcome: answers.count(outcome) for outcome in OUTCOMES}
    others = {
        about: [row["outcome"] for row in judged if row["about"] == about].count("wrong")
        for about in ("advice", "score")
    }
    minutes = statistics.median(one["minutes"] for one in whole) if whole else None
    return {"studies": len(whole), **counts, **{f"{about}_wrong": n for about, n in others.items()}, "minutes": minutes}


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """A row per task, then all of them."""
    yield "| task | studies | right | open | wrong | advice wrong | score wrong | minutes | what was wrong |"
    yield "|---|---|---|---|---|---|---|---|---|"
    names = dict.fromkeys(one["task"] for one in results)
    for name in names:
        own = [one for one in results if one["task"] == name]
        yield _row(name, summary(own), ", ".join(_wrongs(own)))
    yield _row("all", summary(results), "")


def _row(name: str, counts: dict[str, Any], wrong: str) -> str:
    minutes = "" if counts["minutes"] is None else f"{counts['minutes']:.1f}"
    cells = [counts[key] for key in ("studies", *OUTCOMES, "advice_wrong", "score_wrong")]
    return "| " + " | ".join([name, *map(str, cells), minutes, wrong]) + " |"


def _wrongs(studies: list[dict[str, Any]]) -> Iterator[str]:
    for one in studies:
        if "failed" in one:
            yield f"seed {one['seed']} failed: {one['failed'].splitlines()[-1] if one['failed'] else 'no message'}"
            continue
        yield from (
            f"{row['about']}: {row['said']} (seed {one['seed']})" for row in one["judged"] if row["outcome"] == "wrong"
        )


def run(known: Iterable[KnownTask], seeds: int, out: Path, options: list[str]) -> list[dict[str, Any]]:
    """Every task with every seed; results.json is written anew after each."""
    results: list[dict[str, Any]] = []
    for seed in range(seeds):
        for one in known:
            results.append(study(one, seed, out / one.name / str(seed), options))
            last = summary(results[-1:])
            print(f"{one.name} {seed}: {last}", file=sys.stderr, flush=True)
            whole = {"totals": summary(results), "studies": results}
            (out / "results.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return results


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("known-answers-runs"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", action="append", default=[], help="a task; once per task")
    parser.add_argument("--budget", default="10m")
    parser.add_argument("--jobs")
    given = parser.parse_args()
    chosen = [task(name) for name in given.only] or list(TASKS)
    options = ["--budget", given.budget, *(["--jobs", given.jobs] if given.jobs else [])]
    results = run(chosen, given.seeds, given.out, options)
    print("\n".join(table(results)))


if __name__ == "__main__":
    main()
