"""What the analyses of layers find in networks whose answer is known.

    python benchmarks/layer_answers.py

prints the table of `docs/how-it-explains.md`: networks with weights set by hand, and labels that are planted or random.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from leadline.analysis import gradients, interactions, memory, modules, reading, similarity
from leadline.analysis import sample as sampling
from leadline.analysis.annotations import Annotation, derived, types
from leadline.analysis.capture import Captured, capture
from leadline.analysis.sample import Sample
from leadline.analysis.subject import fresh_layers
from leadline.seeds import generator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def linear(*layers: tuple[Floats, Floats]) -> nn.RNN:
    """A tanh RNN of these (weight_ih, weight_hh); with small states it is linear."""
    rnn = nn.RNN(layers[0][0].shape[1], len(layers[0][1]), num_layers=len(layers), batch_first=True)
    with torch.no_grad():
        for value in rnn.parameters():
            value.zero_()
        for number, (w_ih, w_hh) in enumerate(layers):
            getattr(rnn, f"weight_ih_l{number}").copy_(torch.from_numpy(w_ih))
            getattr(rnn, f"weight_hh_l{number}").copy_(torch.from_numpy(w_hh))
    return rnn


def look(module: nn.Module, inputs: Floats, twins: int = 5) -> tuple[list[Captured], Sample]:
    """The network and its twins on all inputs."""
    taken = modules.take_over(module, inputs.astype(np.float32))
    drawn = sampling.draw(modules.as_sequences(taken), taken.encoder, 0, most=len(inputs), most_steps=10**9)
    subjects = [taken.subject, *(fresh_layers(taken.subject, 0, n) for n in range(twins))]
    return [capture(subject, drawn) for subject in subjects], drawn


def noise(sequences: int, steps: int, features: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(sequences, steps, features))


def half_lives() -> list[str]:
    lines = []
    for rate in (0.5, 0.8, 0.95):
        subjects, sample = look(linear((0.01 * np.eye(2), rate * np.eye(2))), noise(200, 60, 2))
        driven, own = memory.driven(subjects, sample, 0)[0], memory.own(subjects, sample, 0)[0]
        known = math.log(2) / -math.log(rate)
        lines.append(
            f"leaky integrator, decay {rate}: half-life (input replaced, own state moved) | {known:.2f} "
            f"| {driven.half_life:.2f}, {own.half_life:.2f}"
        )
    slow = (np.eye(2), 0.95 * np.eye(2))
    subjects, sample = look(linear((1e-4 * np.eye(2), 0.5 * np.eye(2)), slow), noise(200, 60, 2))
    first, second = memory.own(subjects, sample, 0)
    assert first.half_life is not None
    assert second.half_life is not None
    known = math.log(0.5) / math.log(0.95)
    return [*lines, f"two layers, decays 0.5 and 0.95: ratio | {known:.2f} | {second.half_life / first.half_life:.2f}"]


def spectrum() -> str:
    axes, _ = np.linalg.qr(noise(1, 3, 3)[0])
    weight = axes @ np.diag([0.95, 0.7, 0.4]) @ axes.T
    subjects, sample = look(linear((1e-5 * np.eye(3), weight)), noise(4, 12, 3), twins=0)
    values = gradients.spectra(subjects, sample)[0].values
    worst = max(max(abs(h / 0.95**lag - 1), abs(low / 0.4**lag - 1)) for lag, h, low in values)
    return f"singular values of products over 1 to 11 steps: largest relative error | 0 | {worst:.1e}"


def conjunction() -> str:
    small = 1e-3
    held = (np.array([[small], [0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]]))
    rnn = linear(held, (np.full((2, 2), 20 / small), np.zeros((2, 2))))
    with torch.no_grad():
        rnn.bias_ih_l1.fill_(-20.0)
    subjects, sample = look(rnn, np.sign(noise(400, 8, 1)), twins=0)
    below, above = interactions.shares(subjects, sample, 0)
    return (
        "x and y, in layer 2 only: % of variance that is pairs, in layers 1 and 2 | 0, 33.3 | "
        f"{abs(below.pairs.value):.1f}, {above.pairs.value:.1f}"
    )


def delay_line() -> str:
    first = np.zeros((5, 1))
    first[0, 0] = 1e-3
    subjects, sample = look(linear((first, np.diag(np.ones(4), -1))), noise(200, 14, 1), twins=1)
    seen = reading.views(subjects, sample)
    found = []
    values = sample.sequences.numeric[:, 0].astype(np.float64).reshape(200, 14)
    for lag in range(7):
        moved = np.full_like(values, np.nan)
        moved[:, lag:] = values[:, : 14 - lag]
        asked = reading.ask(Annotation(f"back {lag}", moved.ravel()), sample, 0)
        assert asked is not None
        found.append(reading.probe(asked, seen, 0, 1, ("all",))[-1].score.value)
    shown = ", ".join(f"{value:.0f}" for value in found)
    return f"delay line of 5: % read of the input 0 to 6 steps back | 100 five times, then 0 | {shown}"


STRENGTHS = (2.0, 0.02, 0.01, 0.005)
NETWORKS = 60


def claims() -> list[str]:
    """Planted labels of falling strength, shuffled and random ones over many networks."""
    there: dict[float, list[tuple[bool, float]]] = {strength: [] for strength in STRENGTHS}
    absent, random_labels = 0, 0
    for seed in range(NETWORKS):
        subjects, sample = look(nn.GRU(3, 12, num_layers=2, batch_first=True), noise(200, 6, 3, seed))
        draw = np.random.default_rng(seed)
        labels, layer = draw.integers(0, 2, int(sample.sequences.offsets[-1])), 1 + seed % 2
        for strength in STRENGTHS:
            seen = reading.views([_marked(subjects[0], sample, layer, strength, labels), *subjects[1:]], sample)
            there[strength].append(_claimed(seen, labels, seed)[layer])
        keys = types(sample.sequences)
        by_type = generator(seed, "labels").integers(0, 2, keys.max() + 1)[keys]
        absent += any(claimed for claimed, _ in _claimed(seen, draw.permutation(labels), seed).values())
        random_labels += any(claimed for claimed, _ in _claimed(seen, by_type, seed).values())
    rows = []
    for strength, found in there.items():
        count, read = sum(claimed for claimed, _ in found), np.mean([score for _, score in found])
        known = "at least 95 %" if strength == STRENGTHS[0] else "less, the weaker"
        text = f"label planted in one layer, +-{strength:g} on one unit (read with {read:.0f} %): claimed there"
        rows.append(f"{text} | {known} | {count} of {NETWORKS} networks")
    rows.append(f"labels in a random order: claimed anywhere | at most 5 % | {absent} of {NETWORKS} networks")
    rows.append(
        f"a random label for each input: claimed anywhere | at most 5 % | {random_labels} of {NETWORKS} networks"
    )
    return rows


def untrained() -> str:
    """Networks that were never trained, held against five others: whatever they are said to hold is false."""
    wrong = 0
    for seed in range(NETWORKS):
        torch.manual_seed(seed)
        subjects, sample = look(nn.LSTM(3, 8, 2, batch_first=True), noise(60, 12, 3, seed))
        seen = reading.views(subjects, sample)
        asked = [a for one in derived(sample.sequences) if not one.classes and (a := reading.ask(one, sample, seed))]
        found = [p for one in asked for p in reading.probe(one, seen, seed, 2 * len(asked), ("all",)) if p.layer]
        wrong += any(p.against_untrained != "open" for p in found)
    what = f"LSTM 2 x 8, never trained, {len(found)} probes: anything held or let go of"
    return f"{what} | at most 5 % | {wrong} of {NETWORKS} networks"


def _marked(captured: Captured, sample: Sample, layer: int, strength: float, labels: Ints) -> Captured:
    """The network with a label written into a unit of a layer."""
    changed = [values.clone().transpose(0, 1) for values in captured.layers]
    flat = changed[layer][sample.batch.mask]
    flat[:, 0] += torch.from_numpy(strength * (2.0 * labels - 1.0)).float()
    changed[layer][sample.batch.mask] = flat
    return Captured(captured.subject, captured.features, [values.transpose(0, 1) for values in changed])


def _claimed(seen: reading.Views, values: Ints, seed: int) -> dict[int, tuple[bool, float]]:
    """Whether each layer is said to hold the label, and how well it is read."""
    asked = reading.ask(Annotation("label", values, ("no", "yes")), sample=seen.sample, seed=seed)
    assert asked is not None
    return {p.layer: (p.supported, p.score.value) for p in reading.probe(asked, seen, seed, 6, ("all",))}


def alike() -> str:
    draw = np.random.default_rng(0)
    states = draw.normal(size=(300, 20))
    turned = similarity.cka(states, 3 * states @ np.linalg.qr(draw.normal(size=(20, 20)))[0])
    apart = np.mean([similarity.cka(draw.normal(size=(60, 50)), draw.normal(size=(60, 50))) for _ in range(50)])
    return f"CKA of turned and of unrelated states | 1, 0 | {turned:.3f}, {abs(apart):.3f}"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    print("| network | known | found |\n|---|---|---|")
    for part in (half_lives, spectrum, conjunction, delay_line, alike, claims, untrained):
        found = part()
        for line in [found] if isinstance(found, str) else found:
            print(f"| {line} |", flush=True)


if __name__ == "__main__":
    main()
