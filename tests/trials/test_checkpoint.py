"""A saved model is the model; what is damaged or foreign is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadline import checkpoint
from leadline.baselines.names import baseline_names
from leadline.data.arrays import from_arrays
from leadline.data.datasets.letters import letters
from leadline.data.split import split
from leadline.errors import ModelError
from leadline.plan import setup
from leadline.records.trial import BaselineSpec, Trial
from leadline.spec import Recipe
from leadline.trials.material import Material
from leadline.trials.trial import run

RECIPE = Recipe(max_updates=12, eval_every=6, batch_size=16)


def words():
    return letters(500)


def numbers():
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(int(n), 2)).astype(np.float32) for n in random.integers(3, 9, 120)]
    return from_arrays(inputs, [float(x[-1, 0] * 3 + 10) for x in inputs], kind="regression")


def steps():
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(6, 2)).astype(np.float32) for _ in range(80)]
    return from_arrays(inputs, [x[:, 0] * 2 for x in inputs], kind="step_regression")


def outcome(data, spec=None):
    parts = split(data, 0)
    spec = spec or setup.blank_spec(data, parts)
    material = Material(data, parts, causal=False)
    return material, run(material, Trial(spec=spec, recipe=RECIPE, seed=3, role="final"))


@pytest.mark.parametrize("make", [words, numbers, steps])
def test_a_network_comes_back_and_scores_the_same(make, tmp_path: Path):
    data = make()
    material, found = outcome(data)
    found.model.save(tmp_path)
    loaded = checkpoint.load(tmp_path)
    test = material.split.test
    predicted = loaded.predict(data.take(test))
    np.testing.assert_array_equal(predicted, found.model.predict(data.take(test)))
    part = data.take(test)
    if data.classes:
        score = 100 * (predicted.argmax(-1) == part.targets).mean()
        np.testing.assert_allclose(predicted.sum(-1), 1, atol=1e-6)
    else:
        score = -np.abs(predicted - part.targets).mean()
    assert score == pytest.approx(found.result.test, rel=1e-4)
    assert not list(tmp_path.glob("*.pkl")) + list(tmp_path.glob("*.pt"))


@pytest.mark.parametrize("make", [words, numbers, steps])
def test_every_baseline_comes_back(make, tmp_path: Path):
    data = make()
    for name in baseline_names(data, causal=False):
        material, found = outcome(data, BaselineSpec(name=name))
        found.model.save(tmp_path / name)
        part = data.take(material.split.test)
        np.testing.assert_allclose(
            checkpoint.load(tmp_path / name).predict(part), found.model.predict(part), err_msg=name
        )


def test_a_trial_is_a_function_of_its_record():
    _, first = outcome(words())
    _, second = outcome(words())
    timed = {"seconds", "cpu_seconds", "microseconds_per_step"}
    assert first.result.model_dump(exclude=timed) == second.result.model_dump(exclude=timed)


def test_weights_of_another_network_are_no_model(tmp_path: Path):
    """A convolution's weights as three taps of a matrix, as they were saved once."""
    _, found = outcome(words(), BaselineSpec(name="convolution"))
    name = "body.convolutions.0.weight"
    weight = found.model.arrays[name]
    taps = weight.reshape(len(weight), 3, -1).transpose(0, 2, 1)
    replace(found.model, arrays={**found.model.arrays, name: taps}).save(tmp_path)
    with pytest.raises(ModelError, match=rf"another network: {name} of shape .*3\); expected .*Train it again"):
        _ = checkpoint.load(tmp_path).network


def test_what_is_no_model_says_so(tmp_path: Path):
    with pytest.raises(ModelError, match="expected a model folder"):
        checkpoint.load(tmp_path)
    _, found = outcome(words())
    found.model.save(tmp_path)
    with pytest.raises(ModelError, match="expected kind 'tagging'"):
        found.model.predict(numbers())
    text = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**text, "format": "other/9"}))
    with pytest.raises(ModelError, match=r"other/9.*leadline\.model/2"):
        checkpoint.load(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(ModelError, match="damaged"):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("spec", [None, BaselineSpec(name="linear"), BaselineSpec(name="median")])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_predict_nothing(spec, bad, tmp_path: Path):
    material, found = outcome(numbers(), spec)
    name = next(name for name, value in found.model.arrays.items() if value.dtype.kind == "f" and value.size)
    spoiled = found.model.arrays[name].copy()
    spoiled.flat[-1] = bad
    replace(found.model, arrays={**found.model.arrays, name: spoiled}).save(tmp_path)
    part = material.sequences.take(material.split.test)
    with pytest.raises(ModelError, match=rf"{name}.*not finite.*Train it again"):
        checkpoint.load(tmp_path).predict(part)
