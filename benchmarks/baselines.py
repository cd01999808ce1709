"""What every baseline takes and scores on public data sets: one trial each, on the data's own split.

    python benchmarks/baselines.py DATA [--only NAME ...] [--baselines NAME ...] [--seed 0]

DATA holds the folders that `CASES` names, with the files as their sources publish them. Each trial runs in a process of
its own, on one thread. Seconds are of the processor, for fitting and scoring; memory is the peak of the whole process,
data and torch included. Baselines that are trained by gradient run with a study's recipe and its usual learning rate; a
study tunes it, and may get slightly more out of them.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import real_data
import torch

from leadline.baselines.names import baseline_names
from leadline.data.arrays import from_arrays
from leadline.data.options import ReadOptions
from leadline.data.read import read
from leadline.data.sequences import Sequences
from leadline.data.split import split
from leadline.plan import setup
from leadline.plan.networks import Limits
from leadline.records.trial import BaselineSpec, Trial
from leadline.trials import trial
from leadline.trials.material import Material


def treebank(data: Path, work: Path) -> Sequences:
    """Universal parts of speech."""
    folder = data / "ud_english_ewt"
    return read(folder / "train.tsv.gz", test=folder / "test.tsv")


def masc(data: Path, work: Path) -> Sequences:
    """Penn tags."""
    folder = data / "masc_pos"
    return read(folder / "train.tsv.gz", test=folder / "test.tsv.gz")


def python_source(data: Path, work: Path) -> Sequences:
    """The role of every character."""
    text, tags = (gzip.decompress((data / "python_source" / f"{part}.txt.gz").read_bytes()).decode() for part in PARTS)
    ends = [place for place, character in enumerate(text) if character == "\f"]
    bounds = list(zip([0, *(end + 1 for end in ends)], [*ends, len(text)], strict=True))
    modules, labels = ([list(part[a:b]) for a, b in bounds if b > a] for part in (text, tags))
    return from_arrays(modules, labels, kind="tagging", max_steps=512, name="python_source")


def protein(data: Path, work: Path) -> Sequences:
    """Eight states of secondary structure, different chains only."""
    rows = (data / "protein_ss8" / "cb6133filtered_q8.csv").read_text(encoding="utf-8").splitlines()[1:]
    chains = dict(row.split(",")[2:4] for row in rows)
    steps, states = [list(chain) for chain in chains], [list(state) for state in chains.values()]
    return from_arrays(steps, states, kind="tagging", name="protein_ss8")


def shakespeare(data: Path, work: Path) -> Sequences:
    """The next character."""
    return read(data / "tiny_shakespeare" / "input.txt")


def long_text(data: Path, work: Path) -> Sequences:
    """The next character of 3.4 MB: Python and Shakespeare."""
    code = gzip.decompress((data / "python_source" / "code.txt.gz").read_bytes())
    path = work / "long.txt"
    path.write_bytes(code + (data / "tiny_shakespeare" / "input.txt").read_bytes())
    return read(path)


def events(data: Path, work: Path) -> Sequences:
    """The next activity of a help desk's cases."""
    options = ReadOptions(sequence="CaseID", target="ActivityID", kind="next_step")
    return read(data / "event_logs" / "helpdesk.csv", options)


def digits(data: Path, work: Path) -> Sequences:
    """Spoken digits; the speakers are the groups."""
    arrays = np.load(data / "fsdd_logmel" / "fsdd_logmel20_u8.npz")
    frames = np.split(arrays["frames"].astype(np.float32) / 255.0, np.cumsum(arrays["lengths"])[:-1])
    labels = [str(digit) for digit in arrays["digit"]]
    return from_arrays(frames, labels, groups=arrays["speaker"], kind="classification", name="fsdd_logmel")


def engines(data: Path, work: Path) -> Sequences:
    """Remaining cycles of an engine, at most 125, at every cycle."""
    rows = np.loadtxt(data / "cmapss_fd001" / "train_FD001.txt.gz")
    lengths = np.bincount(rows[:, 0].astype(int))[1:]
    runs = np.split(rows[:, 2:].astype(np.float32), np.cumsum(lengths)[:-1])
    left = [np.minimum(np.arange(length)[::-1], 125).astype(np.float32) for length in lengths]
    return from_arrays(runs, left, kind="step_regression", name="cmapss_fd001")


def _as_advise_reads(
    prepare: Callable[[Path, Path], list[str]], **options: object
) -> Callable[[Path, Path], Sequences]:
    def load(data: Path, work: Path) -> Sequences:
        path, *words = prepare(data, work)
        test = words[words.index("--test") + 1] if "--test" in words else None
        return read(Path(path), ReadOptions(**options), test=test and Path(test))  # type: ignore[arg-type]

    return load


PARTS = ("code", "tags")
CASES: dict[str, Callable[[Path, Path], Sequences]] = {
    "ud_english_ewt": treebank,
    "masc_pos": masc,
    "python_source": python_source,
    "protein_ss8": protein,
    "tiny_shakespeare": shakespeare,
    "long_text": long_text,
    "event_logs": events,
    "sms_spam": _as_advise_reads(real_data.sms_spam, tokens="word"),
    "surnames": _as_advise_reads(real_data.surnames),
    "japanese_vowels": _as_advise_reads(real_data.japanese_vowels),
    "pendigits": _as_advise_reads(real_data.pendigits, channels=2),
    "fsdd_logmel": digits,
    "cmapss_fd001": engines,
}


def main() -> None:
    """Print a table row for each trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--baselines", nargs="*")
    parser.add_argument("--causal", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| data | baseline | dev | test | seconds | peak MB |\n|---|---|---|---|---|---|", flush=True)
    for case in given.only:
        for name in _names(case, given):
            found = _apart(case, name, given)
            print(
                f"| {case} | {name} | {found[0]:.2f} | {found[1]:.2f} | {found[2]:.1f} | {found[3]:.0f} |", flush=True
            )


def _names(case: str, given: argparse.Namespace) -> list[str]:
    with tempfile.TemporaryDirectory() as work:
        known = baseline_names(CASES[case](given.data, Path(work)), given.causal)
    return [name for name in known if not given.baselines or name in given.baselines]


def _apart(case: str, name: str, given: argparse.Namespace) -> tuple[float, float, float, float]:
    """The trial in a process of its own, so that its peak of memory is its own."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_trial, args=(theirs, case, name, given))
    process.start()
    theirs.close()
    found: tuple[float, float, float, float] = ours.recv()
    process.join()
    return found


def _trial(answer: Connection, case: str, name: str, given: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as work:
        sequences = CASES[case](given.data, Path(work))
    material = Material(sequences, split(sequences, 0), given.causal or sequences.kind == "next_step")
    limits = Limits(sequences.kind, causal=given.causal)
    recipe = setup.plan(sequences, material.split, 0, limits).recipe
    material.encoded(0)
    start = time.process_time()
    result = trial.run(
        material, Trial(spec=BaselineSpec(name=name), recipe=recipe, seed=given.seed, role="final")
    ).result
    seconds = time.process_time() - start
    assert result.test is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    answer.send((result.dev, result.test, seconds, peak))


if __name__ == "__main__":
    main()
