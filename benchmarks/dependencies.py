"""Known answer: the upper layers of a network gain more on dependency labels the farther away the head is.

    python benchmarks/dependencies.py FOLDER [--sentences 5000] [--seeds 3] [--units 64]

FOLDER holds train.tsv.gz and dev.tsv of Universal Dependencies English EWT with the columns form, upos, xpos, head and
deprel, a blank line between sentences. Networks of one to three layers, both ways, are trained to label each word with
its dependency relation. A linear reader of each layer, on as many principal components, is scored on the dev part by
the distance to the head. Punctuation is left out, since its relation can be read off the mark itself; a last row says
what comes out with it. Published (Belinkov 2018, a translation encoder of four layers): layer 4 over layer 1 by 1.2
points at distance 1, by 10.6 at 8 to 10.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import leadline
from leadline.analysis import sample as sampling
from leadline.analysis.annotations import Annotation
from leadline.analysis.capture import Place, capture, step_rows
from leadline.analysis.findings import Bin
from leadline.analysis.probes import row_scores, whitened
from leadline.analysis.reading import Asked, ask, by_distance
from leadline.analysis.sample import Sample
from leadline.analysis.subject import from_network
from leadline.data.sequences import Sequences

Floats = NDArray[np.float64]
Sentence = list[list[str]]

DEPTHS = (1, 2, 3)
LONGEST = 60


def sentences(path: Path) -> Iterator[Sentence]:
    """Rows of columns, sentence by sentence."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines()]
        if len(rows) <= LONGEST:
            yield rows


def load(folder: Path, count: int) -> tuple[Sequences, NDArray[np.int64]]:
    """The sentences, words as inputs and relations as targets, and every word's distance to its head (0 for a root)."""
    train, dev = (list(sentences(folder / name)) for name in ("train.tsv.gz", "dev.tsv"))
    chosen = [train[i] for i in np.random.default_rng(0).permutation(len(train))[:count]]
    every = [*chosen, *dev]
    data = leadline.from_arrays(
        [[row[0] for row in rows] for rows in every],
        [[row[4].split(":")[0] for row in rows] for rows in every],
        kind="tagging",
        form="word",
        parts=["train"] * (len(chosen) - len(chosen) // 10) + ["tune"] * (len(chosen) // 10) + ["dev"] * len(dev),
        name="dependency relations",
    )
    heads = [int(row[3]) - 1 - i if int(row[3]) else 0 for rows in every for i, row in enumerate(rows)]
    return data, np.array(heads, dtype=np.int64)


def asked(data: Sequences, away: NDArray[np.int64], sample: Sample, punctuation: bool) -> Asked:
    """The relation of each word of the sample, with the distance to its head."""
    assert sample.sequences.targets is not None
    relations = sample.sequences.targets.astype(np.int64)
    if not punctuation:
        relations = np.where(relations == data.classes.index("punct"), -1, relations)
    relation = Annotation("relation", relations, data.classes, distances=away[sample.rows])
    found = ask(relation, sample, 0)
    assert found is not None
    return found


def layer_scores(model: leadline.Model, sample: Sample, question: Asked, components: int) -> list[Floats]:
    """(rows,) score of a reader of each layer."""
    captured = capture(from_network(model.network), sample)
    states = (
        whitened(step_rows(captured, sample, Place(layer)), components) for layer in range(1, len(captured.layers))
    )
    return [row_scores(values[question.rows], question.answers, question.folds)[0] for values in states]


def figure(bin_: Bin) -> str:
    """A mean with its interval."""
    assert bin_.score.interval is not None
    return f"{bin_.score.value:.1f} ({bin_.score.interval[0]:.1f} to {bin_.score.interval[1]:.1f})"


def main() -> None:
    """Train, read, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sentences", type=int, default=5000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--units", type=int, default=64)
    given = parser.parse_args()
    data, away = load(given.folder, given.sentences)
    print_table(data, away, given.seeds, given.units)


def print_table(data: Sequences, away: NDArray[np.int64], seeds: int, units: int) -> None:
    """A row for each network and layer, and one for what the top layer gains over the first."""
    assert data.parts is not None
    dev = np.flatnonzero(np.array(data.parts) == "dev")
    head = None
    for depth in DEPTHS:
        scores: dict[bool, list[list[Floats]]] = {False: [], True: []}
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as folder:
                model, result = leadline.train(data, network=f"gru:{depth}x{units}:both", seed=seed, out=folder)
            sample = sampling.draw(data, model.encoder, 0, dev, most=len(dev), most_steps=10**9)
            questions = {with_: asked(data, away, sample, with_) for with_ in scores}
            for with_, question in questions.items():
                scores[with_].append(layer_scores(model, sample, question, units))
            print(f"<!-- {depth} layers, seed {seed}: dev {result.dev:.2f}, {result.seconds:.0f} s -->", flush=True)
        layers = {
            with_: [np.stack([one[layer] for one in every]) for layer in range(depth)]
            for with_, every in scores.items()
        }
        rows = {f"layer {number + 1} of {depth}": (values, False) for number, values in enumerate(layers[False])}
        if depth > 1:
            name = f"layer {depth} minus layer 1"
            rows[name] = (layers[False][-1] - layers[False][0], False)
            rows[f"{name}, with punctuation"] = (layers[True][-1] - layers[True][0], True)
        for name, (values, with_) in rows.items():
            bins = by_distance(questions[with_], values)
            if head is None:
                head = [f"{bin_.name} ({bin_.rows:,})" for bin_ in bins]
                print(f"| % right, steps to the head (words) | {' | '.join(head)} |\n|{'---|' * (len(head) + 1)}")
            print(f"| {name} | {' | '.join(figure(bin_) for bin_ in bins)} |", flush=True)


if __name__ == "__main__":
    main()
