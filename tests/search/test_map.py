"""The map: which networks it holds, what its regression finds, and which centre it gives."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import World, state_for

from leadline.data.datasets.letters import letters
from leadline.plan.networks import Limits, sees_future
from leadline.records.answers import MapPoint
from leadline.search import map as survey
from leadline.search.baselines import baselines


@pytest.fixture(scope="module")
def state():
    return state_for(letters(3000))


def test_it_crosses_depth_sight_and_size(state) -> None:
    places = survey.places(state.plan)
    assert 20 <= len(places) <= 50
    specs = [place.spec for place in places]
    assert {spec.num_layers for spec in specs} == {1, 2, 3}
    assert {spec.bidirectional for spec in specs} == {True, False}
    assert len(set(specs)) == len(specs)
    sizes = np.log2([spec.num_parameters for spec in specs])
    deep = np.array([spec.num_layers for spec in specs])
    assert abs(np.corrcoef(sizes, deep)[0, 1]) < 0.1
    assert places == survey.places(state.plan)


def test_it_keeps_to_what_is_allowed() -> None:
    causal = state_for(letters(1500), Limits("tagging", causal=True))
    assert not any(sees_future(place.spec) for place in survey.places(causal.plan))
    short = state_for(letters(1500), Limits("tagging", max_look_ahead=1))
    assert {place.spec.look_ahead for place in survey.places(short.plan)} == {0, 1}


def test_the_regression_finds_planted_effects(state) -> None:
    random = np.random.default_rng(0)
    points = []
    for place in survey.places(state.plan):
        spec = place.spec
        score = 50 + 10 * spec.bidirectional + 2 * (spec.num_layers > 1) + 1.5 * np.log2(spec.num_parameters / 19_000)
        points.append(point(place, score + random.normal(0, 0.2)))
    found = {factor.factor: factor for factor in survey.regression(points)}
    assert found["future"].effect == pytest.approx(10, abs=4 * found["future"].error)
    assert found["width"].effect == pytest.approx(1.5, abs=4 * found["width"].error)
    assert found["depth"].effect == pytest.approx(2, abs=4 * found["depth"].error)
    assert abs(found["cell"].effect) < 4 * found["cell"].error
    assert found["future"].error < 1


def test_few_networks_are_explained_by_what_the_sheet_asks_about(state) -> None:
    """One sight alone leaves nine networks: too few for every factor, enough for depth and width."""
    places = [place for place in survey.places(state.plan) if not sees_future(place.spec)]
    assert len(places) == 9
    points = [point(place, 50 + 3 * np.log2(place.spec.num_parameters / 19_000)) for place in places]
    found = {factor.factor: factor for factor in survey.regression(points)}
    assert set(found) == {"depth", "width", "cell", "rest"}
    assert found["width"].effect == pytest.approx(3.0, abs=1e-6)
    assert survey.regression(points[:3]) == []


def point(place: survey.Place, score: float) -> MapPoint:
    return MapPoint(
        spec=place.spec,
        description=place.spec.describe(),
        learning_rate=place.draw.learning_rate,
        weight_decay=0.0,
        dropout=place.draw.dropout,
        num_parameters=place.spec.num_parameters + 1_000_000,  # with a large embedding
        short_score=score,
        score=score,
        updates=100,
        rung=0,
    )


def test_the_centre_is_the_smallest_within_the_margin_of_the_best(state) -> None:
    world = World(lambda spec: 70 + 10 * spec.bidirectional, training=0.01, example=0.0, liking=0.0)
    for steps in (baselines(state), survey.survey(state)):
        for planned in steps:
            state.results |= {trial: world.result(state.material, trial) for trial in planned}
    centre = survey.choose(state)
    ended = [p for p in state.map if p.rung == max(q.rung for q in state.map)]
    assert centre.bidirectional
    top = max(p.score for p in ended if p.score is not None)
    near = [p for p in ended if p.score is not None and p.score >= top - state.margin]
    assert centre.num_parameters < survey.SIZES[1] ** 0.5 * min(p.spec.num_parameters for p in near)
    assert centre.num_layers == 1
    assert [event.kind for event in state.log] == ["mapped", "centred"]
