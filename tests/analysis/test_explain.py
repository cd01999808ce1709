"""From a model or a module to findings on disk, and what is said where something does not fit."""

from __future__ import annotations

import html
import json
from pathlib import Path

import networks
import numpy as np
import polars as pl
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import leadline
from leadline import looking
from leadline.analysis import annotations, modules, sample
from leadline.analysis.findings import Findings
from leadline.data.datasets.letters import letters
from leadline.data.encode import fit
from leadline.errors import DataError, ModelError, OptionError
from leadline.report import layer_page


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A small two-layer network on a subset of the embedded data."""
    place = tmp_path_factory.mktemp("model")
    leadline.train(subset=1500, network="gru:2x16:both", learning_rate=0.02, out=place)
    return place


@pytest.fixture(scope="module")
def found(folder: Path, tmp_path_factory) -> tuple[Findings, Path]:
    out = tmp_path_factory.mktemp("explained")
    steps: list[float] = []
    result = leadline.explain(folder, letters(400), out=out, progress=lambda what, share: steps.append(share))
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0.0, 1.0)
    return result, out


def test_every_analysis_left_something(found):
    result, _ = found
    for name in Findings.model_fields:
        assert getattr(result, name), name
    assert {p.layer for p in result.probes} == {0, 1, 2}
    assert {p.direction for p in result.probes} == {"all", "forward", "backward"}
    assert {"stress", "vowel sound", "target", "previous letter"} <= {p.annotation for p in result.probes}


def test_the_files_hold_the_findings(found):
    result, out = found
    text = (out / looking.FINDINGS).read_text(encoding="utf-8")
    assert json.loads(text)["schema"] == "leadline.findings/2"
    assert Findings.from_json(text) == result
    page = html.unescape((out / looking.PAGE).read_text(encoding="utf-8"))
    assert all(sentence.text in page for sentence in result.sentences)


def test_the_same_seed_gives_the_same_findings(folder: Path, found):
    result, _ = found
    assert leadline.explain(folder, letters(400)) == result


def test_a_trained_network_is_set_apart_from_untrained_ones(found):
    result, _ = found
    target = {p.layer: p for p in result.probes if p.annotation == "target" and p.direction == "all"}
    assert target[2].supported
    assert target[2].gain.value > 2
    assert any(sentence.about == "readable" for sentence in result.sentences)
    for one in result.ablation:
        assert one.used.interval[0] > 5


def test_a_users_own_layers_are_taken_over_with_their_weights():
    class Theirs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(9, 5)
            self.encoder = nn.LSTM(5, 7, num_layers=2, bidirectional=True, dropout=0.5)
            self.out = nn.Linear(7, 3)

        def forward(self, tokens, lengths):
            packed = pack_padded_sequence(self.embed(tokens.T), lengths, enforce_sorted=False)
            return self.out(self.encoder(packed)[1][0][-1])

    torch.manual_seed(0)
    theirs = Theirs()
    tokens, lengths = torch.randint(0, 9, (60, 8)), torch.randint(2, 9, (60,))
    taken = modules.take_over(theirs, (tokens, lengths), "encoder")
    np.testing.assert_array_equal(taken.lengths, lengths.numpy())
    assert theirs.training
    assert taken.subject.spec.describe() == "LSTM 2 x 7, both ways"
    features = torch.from_numpy(taken.features).transpose(0, 1)
    with torch.no_grad():
        packed = pack_padded_sequence(features, lengths, enforce_sorted=False)
        expected, _ = nn.utils.rnn.pad_packed_sequence(theirs.eval().encoder(packed)[0])
        got = taken.subject.layers(features, torch.from_numpy(taken.lengths))[-1]
    torch.testing.assert_close(got, expected)

    classes = ["a" if n % 2 else "b" for n in range(60)]
    result = leadline.explain(theirs, (tokens, lengths), layers="encoder", annotations={"half": classes})
    assert {p.annotation for p in result.probes if p.origin == "file"} == {"half"}
    assert result.ablation == ()
    assert "Only the recurrent layers are known" in " ".join(result.notes)
    assert result.looked.score is None


@pytest.mark.parametrize("layer", [nn.RNN(3, 4), nn.GRU(3, 4, bias=False), nn.LSTM(3, 4, batch_first=True)])
def test_a_bare_layer_is_a_module_too(layer):
    inputs = torch.randn(40, 6, 3) if layer.batch_first else torch.randn(6, 40, 3)
    taken = modules.take_over(layer, inputs)
    assert taken.features.shape == (40, 6, 3)
    with torch.no_grad():
        expected = layer(inputs)[0]
        expected = expected.transpose(0, 1) if layer.batch_first else expected
        got = taken.subject.layers(torch.from_numpy(taken.features).transpose(0, 1), torch.full((40,), 6))[-1]
    torch.testing.assert_close(got, expected)


def test_annotations_come_from_a_file(tmp_path: Path):
    inputs = np.random.default_rng(0).normal(size=(50, 6, 2)).astype(np.float32)
    path = tmp_path / "notes.csv"
    away = np.where(np.arange(300) % 2, 1, 3)
    frame = {"step": np.arange(300) % 6, "sign": np.where(inputs[..., 0].ravel() > 0, "+", "-"), "sign distance": away}
    pl.DataFrame(frame).write_csv(path)
    result = leadline.explain(nn.GRU(2, 5, batch_first=True), torch.from_numpy(inputs), annotations=path)
    (layer,) = [p for p in result.probes if p.annotation == "sign" and p.layer == 1]
    assert layer.score.value > 85
    assert {b.name for b in layer.distances} == {"1", "3 to 4"}
    assert not [p for p in result.probes if p.annotation in ("step", "sign distance")]


def test_an_annotation_of_another_length_is_refused(tmp_path: Path):
    path = tmp_path / "notes.csv"
    pl.DataFrame({"x": [1, 2, 3]}).write_csv(path)
    with pytest.raises(DataError, match=r"'x' has 3 values; expected 300, one per step, or 50, one per sequence"):
        leadline.explain(nn.GRU(2, 5, batch_first=True), torch.randn(50, 6, 2), annotations=path)


def test_a_table_that_is_none_is_refused(tmp_path: Path):
    path = tmp_path / "notes.csv"
    path.write_text("step\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column beside sequence and step"):
        leadline.explain(nn.GRU(2, 5, batch_first=True), torch.randn(50, 6, 2), annotations=path)


@pytest.mark.parametrize(
    ("module", "options", "message"),
    [
        (nn.Linear(2, 2), {}, "Linear holds no recurrent layer"),
        (nn.ModuleList([nn.GRU(2, 3), nn.GRU(2, 3)]), {}, "more than one recurrent layer; expected one of '0', '1'"),
        (nn.GRU(2, 3), {"layers": "encoder"}, "no recurrent layer named 'encoder'; expected one of ''"),
        (nn.LSTM(2, 3, proj_size=1), {}, "a LSTM with a projection"),
        (nn.RNN(2, 3, nonlinearity="relu"), {}, "a RNN with ReLU"),
        (nn.GRU(2, 3), {"lengths": [9] * 6}, "lengths of shape"),
    ],
)
def test_what_cannot_be_looked_into_is_named(module, options, message):
    with pytest.raises(ModelError, match=message):
        leadline.explain(module, torch.zeros(6, 4, 2), **options)


def test_weights_that_are_not_finite_are_refused():
    gru = nn.GRU(2, 3)
    with torch.no_grad():
        gru.weight_hh_l0[0, 0] = float("nan")
    with pytest.raises(ModelError, match="'weight_hh_l0' hold values that are not finite"):
        leadline.explain(gru, torch.zeros(6, 4, 2))


def test_a_module_needs_inputs():
    with pytest.raises(OptionError, match="no inputs for the module"):
        leadline.explain(nn.GRU(2, 3))


def test_data_of_another_kind_are_refused(folder: Path):
    waves = leadline.from_arrays(np.zeros((30, 5, 2)), ["a", "b"] * 15)
    with pytest.raises(ModelError, match="data of kind 'classification'; expected kind 'tagging'"):
        leadline.explain(folder, waves)


def test_little_is_said_of_little_data_and_nothing_breaks():
    """One step a sequence, units that never move, few sequences."""
    gru = nn.GRU(2, 4, batch_first=True)
    with torch.no_grad():
        for value in gru.parameters():
            value.zero_()
    for steps in (1, 2, 5):
        result = leadline.explain(gru, torch.randn(12, steps, 2))
        assert Findings.from_json(result.to_json()).looked == result.looked
        assert ("Every sequence has one step" in " ".join(result.notes)) == (steps == 1)
        assert layer_page.facts(result).sections


def test_a_classifier_of_whole_sequences_is_explained(tmp_path: Path):
    draw = np.random.default_rng(0)
    waves = [draw.normal(size=(int(steps), 2)) for steps in draw.integers(6, 12, size=150)]
    labels = ["up" if wave[0, 0] < wave[-1, 0] else "down" for wave in waves]
    for network in ("lstm:1x8:both", "tanh:2x6:mean", "gru:1x6:ahead2"):
        model, _ = leadline.train(waves, labels, network=network, out=tmp_path / network.replace(":", "-"))
        result = leadline.explain(model, leadline.from_arrays(waves, labels))
        assert result.gradients
        assert result.history
        assert {p.rows for p in result.probes if p.annotation == "target"} == {150}


def test_the_reader_holds_the_states(folder: Path, found):
    import base64

    result, _ = found
    reader = result.reader
    assert 40 <= len(reader.sequences) <= 50
    one = reader.sequences[0]
    states = np.frombuffer(base64.b64decode(one.states[1]), np.int8).reshape(len(one.steps), -1)
    assert states.shape[1] == reader.units * reader.directions == 32
    words = letters(400)
    word = words.take(np.array([words.ids.index(one.name)]))
    from leadline.data import encode
    from leadline.data.batch import Batcher

    model = leadline.load(folder)
    batch = Batcher(encode.apply(model.encoder, word)).batch(np.array([0]))
    with torch.no_grad():
        network = model.network
        own = network.body.stack.layer_states(network.embed(batch), batch.lengths)[1][0].numpy()
    scale = np.abs(own).max() / np.abs(states).max()
    np.testing.assert_allclose(states * scale, own, atol=0.02)
    depends = np.frombuffer(base64.b64decode(one.depends[0]), np.uint8).reshape(len(one.steps), -1)
    assert (depends.max(1) == 254).all()
    assert (depends.argmax(1) == np.arange(len(one.steps))).mean() > 0.5


def test_the_weights_that_compute_are_taken_over_not_the_stored_ones():
    torch.manual_seed(0)
    layer = nn.utils.parametrizations.weight_norm(nn.GRU(3, 4, batch_first=True), "weight_hh_l0")
    with torch.no_grad():
        layer.parametrizations.weight_hh_l0.original0.mul_(1.7)
    inputs = torch.randn(40, 6, 3)
    taken = modules.take_over(layer, inputs)
    with torch.no_grad():
        got = taken.subject.layers(torch.from_numpy(taken.features).transpose(0, 1), torch.full((40,), 6))[-1]
        torch.testing.assert_close(got.transpose(0, 1), layer(inputs)[0])


def test_leadlines_own_layers_are_recurrent_layers():
    assert modules.take_over(leadline.nn.LSTM(3, 4), torch.zeros(5, 2, 3)).subject.spec.describe() == "LSTM 1 x 4"


def test_a_frozen_part_stays_frozen():
    module = nn.Sequential(nn.Dropout(), nn.GRU(3, 4)).train()
    module[0].eval()
    modules.take_over(module, torch.zeros(5, 2, 3))
    assert [module.training, module[0].training, module[1].training] == [True, False, True]


class Decoder(nn.Module):
    """Calls its layer once a step, or once from states of its own."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.layer, self.calls = nn.GRU(2, 3), calls

    def forward(self, inputs):
        if self.calls == 1:
            return self.layer(inputs, torch.ones(1, inputs.shape[1], 3))
        return [self.layer(step[None]) for step in inputs]


@pytest.mark.parametrize(("calls", "message"), [(1, "initial states"), (2, "calls its recurrent layer 6 times")])
def test_what_one_run_from_zero_does_not_show_is_refused(calls, message):
    with pytest.raises(ModelError, match=message):
        leadline.explain(Decoder(calls), torch.zeros(6, 4, 2))


def test_findings_of_other_data_are_not_the_studys(folder: Path, found, tmp_path: Path):
    findings, out = found
    options = {"max_trials": 1, "max_updates": 10, "jobs": 1, "budget": None, "explain": False}
    verdict = leadline.advise(subset=300, out=tmp_path, **options)
    advice = verdict.advice.model_copy(update={"spec": leadline.load(folder).spec})
    data = verdict.data.model_copy(update={"fingerprint": findings.looked.fingerprint})
    theirs = verdict.model_copy(update={"advice": advice, "data": data})
    assert layer_page.findings_of(theirs, out) == findings
    assert layer_page.findings_of(theirs.model_copy(update={"data": verdict.data}), out) is None
    assert layer_page.findings_of(theirs.model_copy(update={"advice": verdict.advice}), out) is None


def test_an_empty_distance_refers_to_no_other_step(tmp_path: Path):
    path = tmp_path / "notes.csv"
    path.write_text("sign,sign distance\n" + "+,1\n-,\n" * 100)
    inputs = torch.randn(20, 10, 2)
    result = leadline.explain(nn.GRU(2, 5, batch_first=True), inputs, annotations=path)
    assert [p for p in result.probes if p.annotation == "sign" and p.layer == 1 and p.direction == "all"]


def test_a_running_mean_leaves_missing_numbers_out():
    data = leadline.from_arrays([np.array([[np.nan], [4.0], [np.nan], [2.0]])] * 3, [[0.0] * 4] * 3)
    (mean,) = [one for one in annotations.derived(data) if one.name.startswith("running mean")]
    np.testing.assert_allclose(mean.values[:4], [np.nan, 4.0, 4.0, 3.0])


def test_copies_of_a_sequence_are_one_cluster():
    inputs = np.random.default_rng(0).normal(size=(20, 4, 1))
    data = leadline.from_arrays(np.concatenate([inputs, inputs]), np.arange(40) % 2)
    drawn = sample.draw(data, fit(data, np.arange(40)), 0)
    assert len(np.unique(drawn.clusters)) == 20


@pytest.mark.parametrize("kind", [torch.nn.RNN, torch.nn.GRU, torch.nn.LSTM])
def test_twins_of_a_users_layers_start_as_torchs_do(kind):
    """A user's network began as torch's layers do: a twin that begins otherwise would be taken for training."""
    torch.manual_seed(0)
    module = kind(8, 128, 2, batch_first=True)
    subjects, _ = networks.looked_at(module, networks.noise(4, 3, 8), twins=1)
    twin = [value.detach() for value in subjects[1].subject.recurrent.parameters()]
    for fresh, value in zip(twin, module.parameters(), strict=True):
        right = value.detach()
        assert fresh.shape == right.shape
        assert float(fresh.abs().max()) <= 128**-0.5
        assert float(fresh.std()) == pytest.approx(float(right.std()), rel=0.15)
        assert not torch.equal(fresh, right)


def test_what_training_is_told_is_kept_with_the_model(tmp_path: Path):
    model, _ = leadline.train(
        subset=300, network="gru:1x4", learning_rate=0.02, weight_decay=0.3, seed=2, out=tmp_path / "model"
    )
    plain, _ = leadline.train(subset=300, network="gru:1x4", learning_rate=0.02, seed=2, out=tmp_path / "plain")
    assert leadline.load(tmp_path / "model").facts["recipe"]["weight_decay"] == 0.3
    assert any((model.arrays[name] != plain.arrays[name]).any() for name in plain.arrays)
