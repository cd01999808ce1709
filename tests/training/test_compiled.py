"""Compiled training against autograd in double precision, and a member's independence of all others."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import leadline
from leadline.baselines import networks
from leadline.data import encode
from leadline.data.batch import Batcher
from leadline.data.datasets.letters import letters
from leadline.data.datasets.synthetic.chains import markov_chain
from leadline.data.datasets.synthetic.memory import adding, recall
from leadline.data.encode import Encoder
from leadline.data.sequences import Sequences
from leadline.kernels import choose, library, team
from leadline.network import Network, embed_spec, stack_network
from leadline.spec import Recipe, StackSpec
from leadline.training import compiled, loop, objective
from leadline.training.by_torch import ByTorch
from leadline.training.compiled import Compiled
from leadline.training.trainee import trainee

SEED = 3


def words() -> Sequences:
    """Some texts, one of a single word."""
    texts = ["not good at all", "good", "at all", "all in all a good evening", "a bad evening", "bad not good"] * 3
    return leadline.from_arrays([text.split() for text in texts], np.array(["no", "yes", "no", "yes", "no", "no"] * 3))


DATA = {
    "tagging": lambda: letters(60),
    "classification": lambda: recall(30, count=2, delay=4),
    "words": words,
    "regression": lambda: adding(30, length=7),
    "columns": lambda: leadline.from_arrays(
        np.random.default_rng(0).normal(size=(30, 5, 3)), np.arange(30) % 3, kind="classification"
    ),
    "next_step": lambda: markov_chain(30, length=9),
}
SPECS = (
    {"cell": "tanh", "hidden_size": 5, "readout": "mlp"},
    {"cell": "gru", "hidden_size": 33, "bidirectional": True},
    {"cell": "gru", "hidden_size": 1, "num_layers": 3},
    {"cell": "lstm", "hidden_size": 16, "num_layers": 2, "bidirectional": True, "readout": "mlp"},
    {"cell": "gru", "hidden_size": 17, "num_layers": 3, "residual": True},
    {"cell": "tanh", "hidden_size": 6, "num_layers": 2, "bidirectional": True, "residual": True, "layer_norm": True},
    {"cell": "lstm", "hidden_size": 9, "layer_norm": True, "readout": "mlp"},
)
POOLED = ("last", "mean", "max")


@pytest.fixture(autouse=True)
def _nothing_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled training, whatever the shell forces."""
    monkeypatch.delenv(choose.VARIABLE, raising=False)


@pytest.fixture(params=library.INSTRUCTION_SETS.get(platform.machine().lower(), ()))
def isa(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The compiled code of each instruction set that this machine has."""
    if not isinstance(library._open(request.param), library.Library):
        pytest.skip(f"no {request.param} kernels here")
    monkeypatch.setenv(library.VARIABLE, request.param)
    return str(request.param)


def prepared(data: Sequences, **fields: object) -> tuple[Network, Encoder, Batcher]:
    everything = np.arange(len(data))
    encoder = encode.fit(data, everything[: len(data) * 2 // 3])
    batcher = Batcher(encode.apply(encoder, data))
    if not data.per_step:
        fields = {"pooling": "last", **fields}
    spec = StackSpec(embed_spec(encoder).output_size, encoder.output_size, **fields)  # type: ignore[arg-type]
    return stack_network(encoder, spec, SEED), encoder, batcher


def windowed(
    data: Sequences, name: str, causal: bool = False, dropout: float = 0.0
) -> tuple[Network, Encoder, Batcher]:
    """A baseline that reads a window of steps."""
    _, encoder, batcher = prepared(data)
    return networks.build(name, encoder, causal, SEED, dropout), encoder, batcher


def longest_first(batcher: Batcher, count: int) -> np.ndarray:
    return np.arange(count)[np.argsort(-batcher.lengths(np.arange(count)), kind="stable")]


def exact_gradient(
    network: Network, encoder: Encoder, batcher: Batcher, chosen: np.ndarray
) -> tuple[float, np.ndarray]:
    network = network.eval().double()
    batch = batcher.batch(chosen)
    targets = objective.flat_targets(batch.targets, batch.mask, encoder.kind)
    targets = targets.double() if targets.is_floating_point() else targets
    loss = objective.loss(network(replace(batch, numeric=batch.numeric.double())), targets, encoder.kind)
    weights = list(network.parameters())
    gradients = torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True)
    return loss.item(), torch.cat([gradient.reshape(-1) for gradient in gradients]).numpy()


def agrees(data: Sequences, count: int, **fields: object) -> None:
    agree(*prepared(data, **fields), count)


def agree(network: Network, encoder: Encoder, batcher: Batcher, count: int) -> None:
    chosen = longest_first(batcher, count)
    machine = Compiled(network, encoder, batcher, Recipe(), SEED).machine
    loss = machine.loss(0, chosen)
    right_loss, right = exact_gradient(network, encoder, batcher, chosen)
    assert loss == pytest.approx(right_loss, rel=2e-6, abs=2e-6)
    np.testing.assert_allclose(machine.gradient, right, rtol=0, atol=1e-5 * np.abs(right).max())


@pytest.mark.parametrize("fields", SPECS, ids=lambda fields: "-".join(map(str, fields.values())))
@pytest.mark.parametrize("kind", DATA)
def test_gradients_are_those_of_the_network(kind: str, fields: dict[str, object]) -> None:
    data = DATA[kind]()
    if data.kind == "next_step":
        fields = {**fields, "bidirectional": False}
    agrees(data, min(len(data), 29), **fields)


@pytest.mark.parametrize("pooling", POOLED)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", ["words", "regression"])
def test_gradients_through_pooling(kind: str, bidirectional: bool, pooling: str) -> None:
    agrees(DATA[kind](), 17, pooling=pooling, bidirectional=bidirectional, hidden_size=7)


STEPWISE = {
    "tagging": DATA["tagging"],
    "next_step": DATA["next_step"],
    "step_regression": lambda: leadline.from_arrays(
        np.random.default_rng(0).normal(size=(30, 6, 3)),
        np.random.default_rng(1).normal(size=(30, 6)),
        kind="step_regression",
    ),
    "words": lambda: leadline.from_arrays(
        [text.split() for text in ("not good at all", "good", "at all", "all in all a good evening") * 3],
        [list("abab"), ["a"], list("ba"), list("aababa")] * 3,
        kind="tagging",
    ),
}


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", ["linear", "mlp"])
@pytest.mark.parametrize("kind", STEPWISE)
def test_gradients_of_a_window_without_layers(kind: str, name: str, causal: bool) -> None:
    network, encoder, batcher = windowed(STEPWISE[kind](), name, causal)
    assert compiled.refusal(network, batcher) == ""
    agree(network, encoder, batcher, 11)


PER_SEQUENCE = {
    **{kind: DATA[kind] for kind in ("classification", "words", "regression", "columns")},
    "around both ends": lambda: leadline.from_arrays(
        [np.random.default_rng(length).normal(size=(length, 3)) for length in (1, 7, 8, 9, 15, 16, 17, 30) * 3],
        np.arange(24) % 3,
        kind="classification",
    ),
}


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("count", [1, 11, 29])
@pytest.mark.parametrize("name", ["linear", "mlp", "bag"])
@pytest.mark.parametrize("kind", PER_SEQUENCE)
def test_gradients_of_baselines_with_one_target_per_sequence(kind: str, name: str, count: int) -> None:
    data = PER_SEQUENCE[kind]()
    network, encoder, batcher = windowed(data, name)
    assert compiled.refusal(network, batcher) == ""
    agree(network, encoder, batcher, min(count, len(data)))


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("count", [1, 11, 29])
@pytest.mark.parametrize("kind", {**DATA, **STEPWISE})
def test_gradients_of_convolutions(kind: str, count: int) -> None:
    data = {**DATA, **STEPWISE}[kind]()
    network, encoder, batcher = windowed(data, "convolution")
    assert compiled.refusal(network, batcher) == ""
    agree(network, encoder, batcher, min(count, len(data)))


def test_gradients_of_convolutions_as_wide_as_what_they_read() -> None:
    """64 numbers a step: the first convolution is added to the features; more steps than a chunk holds."""
    data = leadline.from_arrays(
        np.random.default_rng(0).normal(size=(30, 40, 64)), np.arange(30 * 40).reshape(30, 40) % 3, kind="tagging"
    )
    agree(*windowed(data, "convolution"), 17)


@pytest.mark.parametrize("name", ["linear", "mlp", "bag", "convolution"])
def test_baselines_of_a_sequence_without_steps(name: str) -> None:
    data = words()
    network, encoder, _ = windowed(data, name)
    encoded = encode.apply(encoder, data)
    offsets = encoded.offsets.copy()
    offsets[0] = offsets[1]
    agree(network, encoder, Batcher(replace(encoded, offsets=offsets)), 5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, "step_regression") for name in ("linear", "mlp", "convolution")]
    + [(name, "columns") for name in ("linear", "mlp", "bag", "convolution")],
)
def test_baselines_are_trained_and_scored_as_by_torch(name: str, kind: str) -> None:
    """Numbers only, so that nothing is drawn: ten updates with decay, clipped, and the average."""
    network, encoder, batcher = windowed({**DATA, **STEPWISE}[kind](), name)
    recipe = Recipe(learning_rate=0.003, weight_decay=0.1, clip=0.05, batch_size=16)
    order = batcher.shuffled(np.arange(30), 16, np.random.default_rng(0))
    batches = [next(order) for _ in range(10)]
    ours = Compiled(network, encoder, batcher, recipe, SEED)
    theirs = ByTorch(network, encoder, batcher, recipe, SEED)
    np.testing.assert_allclose(ours.train(0, batches), theirs.train(0, batches), rtol=1e-4)
    flat = torch.cat([w.detach().reshape(-1) for w in theirs.weights]).numpy()
    np.testing.assert_allclose(ours.machine.weights, flat, atol=1e-5)
    np.testing.assert_allclose(ours.scores(np.arange(30)), theirs.scores(np.arange(30)), rtol=1e-4, atol=1e-5)
    ours.keep()
    ours.restore()
    again = ByTorch(network, encoder, batcher, recipe, SEED)
    np.testing.assert_allclose(again.scores(np.arange(30)), ours.scores(np.arange(30)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("look_ahead", [0, 1])
def test_what_the_lowest_layer_reads_is_added_where_it_is_as_wide(look_ahead: int) -> None:
    """3 columns, a window of 1 or 2 steps: 3 or 6 units; and a width at which nothing is added."""
    for hidden in (3 * (look_ahead + 1), 5):
        agrees(
            STEPWISE["step_regression"](), 17, residual=True, layer_norm=True, hidden_size=hidden, look_ahead=look_ahead
        )


@pytest.mark.parametrize("look_ahead", [1, 3, 40])
def test_gradients_through_a_window(look_ahead: int) -> None:
    agrees(letters(60), 29, look_ahead=look_ahead, hidden_size=9, readout="mlp")


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("count", [1, 7, 60])
@pytest.mark.parametrize("fields", SPECS, ids=lambda fields: "-".join(map(str, fields.values())))
def test_gradients_on_every_instruction_set(fields: dict[str, object], count: int) -> None:
    agrees(letters(60), count, **fields)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is read from /proc")
def test_memory_for_one_long_sequence_among_many_short_ones() -> None:
    """No batch holds both, so none needs the length of the one and the number of the others."""
    script = Path(__file__).with_name("scores_within.py")
    found = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert found.stdout.split() == ["2001", "2001"], found.stderr


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("classes", [2, 3, 5, 16, 17, 40])
def test_gradients_where_a_class_is_certain(classes: int) -> None:
    """Logits of some hundreds: the exponentials of the other classes are next to nothing, or nothing at all."""
    random = np.random.default_rng(classes)
    texts = [[str(name) for name in random.integers(0, classes, 9)] for _ in range(40)]
    data = leadline.from_arrays(texts, texts, kind="tagging")
    network, encoder, batcher = prepared(data, hidden_size=8)
    with torch.no_grad():
        for weight in list(network.parameters())[-2:]:
            weight.mul_(300)
    agree(network, encoder, batcher, 40)


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [-1, -20, -40])
def test_a_logit_that_is_no_number_makes_the_loss_none(value: float, place: int) -> None:
    network, encoder, batcher = prepared(letters(60), hidden_size=8)
    machine = Compiled(network, encoder, batcher, Recipe(), SEED).machine
    machine.weights[place] = value
    assert not np.isfinite(machine.loss(0, longest_first(batcher, 60)))


def test_gradients_of_a_bias_over_many_rows() -> None:
    """A sum over 25,600 rows is as exact as one over a few."""
    texts = [["a", "b"] * 200] * 64
    data = leadline.from_arrays(texts, [["x"] * 399 + ["y"]] * 64, kind="tagging")
    network, encoder, batcher = windowed(data, "linear")
    chosen = longest_first(batcher, 64)
    machine = Compiled(network, encoder, batcher, Recipe(), SEED).machine
    machine.loss(0, chosen)
    right = exact_gradient(network, encoder, batcher, chosen)[1][-encoder.output_size :]
    bias = machine.gradient[-encoder.output_size :]
    assert np.abs(bias - right).max() < 1e-6 * np.abs(right).max()


def test_more_rows_than_a_chunk_holds() -> None:
    agrees(letters(600), 400, hidden_size=20, bidirectional=True, readout="mlp")


@pytest.mark.parametrize("pooling", POOLED)
def test_sequences_of_no_step_and_of_one(pooling: str) -> None:
    """Sequence 0 is emptied: its steps go to nobody."""
    data = words()
    network, encoder, _ = prepared(data, hidden_size=6, bidirectional=True, pooling=pooling)
    encoded = encode.apply(encoder, data)
    offsets = encoded.offsets.copy()
    offsets[0] = offsets[1]
    batcher = Batcher(replace(encoded, offsets=offsets))
    machine = Compiled(network, encoder, batcher, Recipe(), SEED).machine
    for chosen in ([0], [1], [1, 0], [4, 1, 0]):
        loss = machine.loss(0, np.array(chosen))
        right_loss, right = exact_gradient(network, encoder, batcher, np.array(chosen))
        network.float()
        assert loss == pytest.approx(right_loss, rel=1e-5)
        np.testing.assert_allclose(machine.gradient, right, rtol=0, atol=1e-5 * np.abs(right).max())


@pytest.mark.parametrize("fields", [{}, {"residual": True, "layer_norm": True, "num_layers": 2}])
def test_updates_are_those_of_torch(fields: dict[str, object]) -> None:
    """Numbers only and no dropout, so that nothing is drawn: twenty updates of AdamW, clipped, and the average."""
    data = adding(60, length=7)
    recipe = Recipe(learning_rate=0.01, weight_decay=0.1, clip=0.05, batch_size=16)
    network, encoder, batcher = prepared(data, hidden_size=10, readout="mlp", **fields)
    order = batcher.shuffled(np.arange(60), 16, np.random.default_rng(0))
    batches = [next(order) for _ in range(20)]
    ours = Compiled(network, encoder, batcher, recipe, SEED)
    theirs = ByTorch(network, encoder, batcher, recipe, SEED)
    np.testing.assert_allclose(ours.train(0, batches[:7]), theirs.train(0, batches[:7]), rtol=1e-4)
    np.testing.assert_allclose(ours.train(7, batches[7:]), theirs.train(7, batches[7:]), rtol=1e-4)
    for found, right in ((ours.machine.average, theirs.average), (ours.machine.weights, theirs.weights)):
        flat = torch.cat([w.detach().reshape(-1) for w in right]).numpy()
        np.testing.assert_allclose(found, flat, atol=1e-5)
    np.testing.assert_allclose(ours.scores(np.arange(60)), theirs.scores(np.arange(60)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", DATA)
def test_scores_are_those_of_torch(kind: str) -> None:
    data = DATA[kind]()
    fields = {} if data.kind == "next_step" else {"bidirectional": True}
    network, encoder, batcher = prepared(data, hidden_size=12, **fields)
    everything = np.arange(len(data))
    ours = Compiled(network, encoder, batcher, Recipe(), SEED).scores(everything)
    theirs = ByTorch(network, encoder, batcher, Recipe(), SEED).scores(everything)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "fields", [{"readout": "linear"}, {"readout": "mlp"}, {"residual": True}, {"residual": True, "layer_norm": True}]
)
def test_dropout_has_the_same_mask_both_ways(fields: dict[str, object]) -> None:
    slopes_agree(*prepared(letters(200), hidden_size=8, num_layers=2, dropout=0.5, **fields))


@pytest.mark.parametrize(("name", "kind"), [("mlp", "tagging"), ("convolution", "tagging"), ("bag", "recall")])
def test_dropout_of_a_baselines_hidden_units_has_the_same_mask_both_ways(name: str, kind: str) -> None:
    data = letters(200) if kind == "tagging" else recall(200, count=2, delay=4)
    slopes_agree(*windowed(data, name, dropout=0.5))


def slopes_agree(network: Network, encoder: Encoder, batcher: Batcher) -> None:
    """The slope of the loss along the gradient, masks and all, by central differences."""
    machine = Compiled(network, encoder, batcher, Recipe(), SEED).machine
    chosen = longest_first(batcher, 200)
    assert machine.loss(1, chosen) == machine.loss(1, chosen)
    assert len({machine.loss(update, chosen) for update in range(4)}) == 4
    machine.loss(1, chosen)
    gradient = machine.gradient.copy().astype(np.float64)
    step = gradient / np.linalg.norm(gradient) * 0.01
    start = machine.weights.copy()
    losses = []
    for sign in (1, -1):
        machine.weights[:] = start + sign * step
        losses.append(machine.loss(1, chosen))
    assert (losses[0] - losses[1]) / 2 == pytest.approx(0.01 * np.linalg.norm(gradient), rel=2e-3)


@pytest.mark.parametrize("dropout", [0.2, 0.6])
def test_dropout_keeps_the_mean_and_has_the_variance_of_a_bernoulli(dropout: float) -> None:
    """One step into h = tanh(1) for all units, read as their mean: y = h (mean of masks), so that
    E y = h and Var y = h^2 p / ((1 - p) H)."""
    hidden, draws = 40, 3000
    data = leadline.from_arrays(np.zeros((3, 1, 1)), np.array([0.0, -40.5, 40.25]), kind="regression")
    network, encoder, batcher = prepared(data, cell="tanh", hidden_size=hidden, dropout=dropout)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.body.stack.recurrent.bias_ih_l0.fill_(1.0)
        network.body.stack.readout.output.weight.fill_(1.0 / hidden)
    machine = Compiled(network, encoder, batcher, Recipe(), SEED).machine
    low = np.array([int(np.argmin(machine.data.targets))])
    target = float(machine.data.targets[low[0]])
    outputs = np.array([machine.loss(update, low) for update in range(1, draws + 1)]) + objective.BEND / 2 + target
    height, spread = np.tanh(1.0), np.tanh(1.0) * np.sqrt(dropout / (1 - dropout) / hidden)
    assert outputs.mean() == pytest.approx(height, abs=4 * spread / np.sqrt(draws))
    assert outputs.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * draws))


def test_a_member_does_not_depend_on_the_others() -> None:
    """Alone, and beside eleven others on two threads: bit for bit the same."""
    data = letters(200)
    recipe = Recipe(max_updates=30, eval_every=10, batch_size=16)
    everything = np.arange(len(data))

    def member(seed: int) -> bytes:
        network, encoder, batcher = prepared(data, hidden_size=10 + seed % 3, dropout=0.2)
        pupil = Compiled(network, encoder, batcher, replace(recipe, learning_rate=0.001 * (1 + seed)), seed)
        loop.fit(pupil, batcher, everything[:100], everything[100:], recipe, seed)
        return pupil.machine.average.tobytes()

    alone = member(5)
    with ThreadPoolExecutor(2) as threads:
        beside = list(threads.map(member, range(12)))
    assert beside[5] == alone
    assert len(set(beside)) == 12


TEAM = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)


@pytest.mark.parametrize(
    ("hidden_size", "bidirectional", "shared"), [(64, True, True), (64, False, False), (4, True, False)]
)
def test_directions_are_shared_out_where_there_is_enough_to_do(
    hidden_size: int, bidirectional: bool, shared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the same bits, and the passes of both layers, there and back: eight for two updates."""
    asked: list[int] = []

    def begun(function: int, data: int, threads: int, flags: int) -> None:
        asked.append(threads)
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)(data)

    stand_in = TEAM(begun)
    fields = {"hidden_size": hidden_size, "bidirectional": bidirectional, "num_layers": 2, "dropout": 0.1}
    network, encoder, batcher = prepared(letters(100), **fields)
    order = batcher.shuffled(np.arange(100), 32, np.random.default_rng(0))
    batches = [next(order) for _ in range(2)]
    alone, helped = (Compiled(network, encoder, batcher, Recipe(), SEED) for _ in range(2))
    monkeypatch.setattr(team, "entry", lambda: None)
    alone.train(0, batches)
    monkeypatch.setattr(team, "entry", lambda: ctypes.cast(stand_in, ctypes.c_void_p).value)
    helped.train(0, batches)
    np.testing.assert_array_equal(alone.machine.weights, helped.machine.weights)
    assert asked == ([2] * 8 if shared else [])


@pytest.mark.skipif(not team.there(), reason="this torch has no OpenMP")
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_two_threads_train_to_the_bits_of_one(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, encoder, batcher = prepared(letters(100), cell=cell, hidden_size=70, bidirectional=True, num_layers=2)
    order = batcher.shuffled(np.arange(100), 48, np.random.default_rng(0))
    batches = [next(order) for _ in range(6)]
    one, two = (Compiled(network, encoder, batcher, Recipe(), SEED) for _ in range(2))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert team.entry() is None
    losses, scores = one.train(0, batches), one.scores(np.arange(100))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert team.entry()
    np.testing.assert_array_equal(two.train(0, batches), losses)
    np.testing.assert_array_equal(two.machine.weights, one.machine.weights)
    np.testing.assert_array_equal(two.scores(np.arange(100)), scores)


def test_two_calls_are_one() -> None:
    network, encoder, batcher = prepared(letters(100), hidden_size=9, dropout=0.3)
    order = batcher.shuffled(np.arange(100), 16, np.random.default_rng(0))
    batches = [next(order) for _ in range(8)]
    once, twice = (Compiled(network, encoder, batcher, Recipe(), SEED) for _ in range(2))
    losses = once.train(0, batches)
    np.testing.assert_array_equal(losses, np.concatenate([twice.train(0, batches[:3]), twice.train(3, batches[3:])]))
    np.testing.assert_array_equal(once.machine.weights, twice.machine.weights)


def test_what_it_cannot_train_goes_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    network, encoder, batcher = prepared(letters(60), hidden_size=4, residual=True, layer_norm=True)
    assert compiled.refusal(network, batcher) == ""
    assert isinstance(trainee(network, encoder, batcher, Recipe(), SEED), Compiled)
    assert "float32" in compiled.refusal(network.double(), batcher)
    network.float().body = torch.nn.Identity()
    assert "no stack" in compiled.refusal(network, batcher)
    network, encoder, batcher = prepared(letters(60), hidden_size=4)
    monkeypatch.setenv("LEADLINE_KERNELS", "reference")
    assert "LEADLINE_KERNELS" in compiled.refusal(network, batcher)
    assert isinstance(trainee(network, encoder, batcher, Recipe(), SEED), ByTorch)


def test_weights_of_another_network_are_refused() -> None:
    network, encoder, batcher = prepared(letters(60), hidden_size=4)
    machine = Compiled(network, encoder, batcher, Recipe(), SEED).machine
    with pytest.raises(leadline.LeadlineError, match="weights for this network"):
        type(machine)(machine.layout, machine.data, machine.weights[:-1].copy())


def test_a_large_network_is_trained_in_short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the updates are cut into calls, the result is the same; Ctrl-C is heard between calls."""
    network, encoder, batcher = prepared(letters(100), hidden_size=9, dropout=0.3)
    order = batcher.shuffled(np.arange(100), 16, np.random.default_rng(0))
    batches = [next(order) for _ in range(8)]
    whole, cut = (Compiled(network, encoder, batcher, Recipe(), SEED) for _ in range(2))
    right = whole.train(0, batches)
    calls = []
    train = cut.machine.train
    monkeypatch.setattr(cut.machine, "train", lambda done, part: (calls.append(len(part)), train(done, part))[1])
    monkeypatch.setattr(compiled, "CALL_OPERATIONS", 3.5 * 6 * 16 * 7 * len(whole.kept))
    np.testing.assert_array_equal(cut.train(0, batches), right)
    assert len(calls) > 1
    assert sum(calls) == 8
    np.testing.assert_array_equal(cut.scores(np.arange(100)), whole.scores(np.arange(100)))
