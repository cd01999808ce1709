"""What Leadline says of public data sets whose right answer is known beforehand to be small.

    python benchmarks/real_data.py DATA [--budget 5m] [--only pendigits] [--out FOLDER]

DATA holds the folders pendigits, japanese_vowels, sms_spam and surnames with the files as their sources publish them
(UCI machine learning repository; PyTorch tutorial). Expected is no deep and no both-ways network where a baseline
or one layer is as good, and from `lstm:3x256:both` on pendigits a much smaller network.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


def pendigits(data: Path, work: Path) -> list[str]:
    """Training writers, and other writers as the test part."""
    folder = data / "pendigits"
    test = folder / "pendigits_test_14writers.csv"
    return [str(folder / "pendigits_train_30writers.csv"), "--test", str(test), "--channels", "2"]


def pendigits_from_large(data: Path, work: Path) -> list[str]:
    """The same, for a user who has a network that is far too large."""
    return [*pendigits(data, work), "--start", "lstm:3x256:both"]


def japanese_vowels(data: Path, work: Path) -> list[str]:
    """The archive's .ts files as one long table."""
    header = "id,t,label,split," + ",".join(f"lpc{i}" for i in range(12))
    rows = [header]
    for part in ("train", "test"):
        rows += _vowels(data / "japanese_vowels" / f"JapaneseVowels_{part.upper()}.ts", part)
    path = work / "vowels.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return [str(path)]


def _vowels(path: Path, part: str) -> Iterator[str]:
    lines = path.read_text(encoding="utf-8").split("@data")[1].strip().splitlines()
    for number, line in enumerate(lines):
        *channels, label = line.split(":")
        columns = [channel.split(",") for channel in channels]
        for step, values in enumerate(zip(*columns, strict=True)):
            yield f"{part}{number},{step},{label},{part},{','.join(values)}"


def sms_spam(data: Path, work: Path) -> list[str]:
    """Messages by characters."""
    return [str(data / "sms_spam" / "SMSSpamCollection.tsv"), "--tokens", "word"]


def surnames(data: Path, work: Path) -> list[str]:
    """One file per language as one file with a language and a name per line."""
    files = [path for path in sorted((data / "surnames").glob("*.txt")) if path.stem != "SOURCE"]
    names = [(p.stem, name.strip()) for p in files for name in p.read_text(encoding="utf-8").splitlines()]
    path = work / "surnames.tsv"
    path.write_text("\n".join(f"{label}\t{name}" for label, name in dict.fromkeys(names) if name), encoding="utf-8")
    return [str(path)]


CASES: dict[str, Callable[[Path, Path], list[str]]] = {
    "pendigits": pendigits,
    "pendigits_from_large": pendigits_from_large,
    "japanese_vowels": japanese_vowels,
    "sms_spam": sms_spam,
    "surnames": surnames,
}


def main() -> None:
    """Run the cases and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--budget", default="5m")
    parser.add_argument("--only", choices=list(CASES))
    parser.add_argument("--out", type=Path, default=Path("real-data-runs"))
    given = parser.parse_args()
    for name, prepare in CASES.items():
        if given.only in (None, name):
            print(line(name, prepare, given), flush=True)


def line(name: str, prepare: Callable[[Path, Path], list[str]], given: argparse.Namespace) -> str:
    """One case: what is advised, why the study stopped, scores on the test part."""
    work = given.out / name
    work.mkdir(parents=True, exist_ok=True)
    words = [*prepare(given.data, work), "--budget", given.budget, "--out", str(work / "run"), "--json"]
    done = subprocess.run([sys.executable, "-m", "leadline.cli", "advise", *words], capture_output=True, text=True)
    if done.returncode == 1:
        return f"{name}: {done.stderr.strip()}"
    verdict = json.loads(done.stdout)
    tested = ", ".join(f"{row['role']} ({row['description']}) {row['score']:.2f}" for row in verdict["test"])
    return (
        f"{name}: {verdict['advice']['description']}; within the margin: {verdict['advice']['within_margin']}; "
        f"{verdict['stop_reason']}; {verdict['budget']['seconds']:.0f} s; test {verdict['unit']}: {tested}"
    )


if __name__ == "__main__":
    main()
