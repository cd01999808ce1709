"""Random modules and uses of leadline.nn against torch.nn: the short run of benchmarks/nn_fuzz.py."""

from __future__ import annotations

from dataclasses import replace

import nn_fuzz
import pytest
import torch

from leadline import nn
from leadline.kernels import choose

CASES, GROUPS = 240, 8


@pytest.fixture(autouse=True)
def _nothing_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(choose.VARIABLE, raising=False)


@pytest.mark.parametrize("group", range(GROUPS))
def test_nothing_is_different(group: int) -> None:
    words = []
    for seed in range(group, CASES, GROUPS):
        case = nn_fuzz.draw(seed)
        word, why = nn_fuzz.outcome(case)
        assert word != "different", f"{why}: {case}"
        words.append(word)
    assert words.count("equal") >= len(words) // 3


def test_the_comparison_sees_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    dull = {"change": ("outputs", ""), "handed": "as it is", "use": "backward", "autocast": None, "routine": ""}
    case = replace(
        nn_fuzz.draw(0), **dull, form="dense", seq=5, batch=3, dtype=torch.float32, wanted=(True, True, True)
    )
    assert nn_fuzz.outcome(case)[0] == "equal"
    found = nn_fuzz.answers(case, torch.nn, nn_fuzz.given(case))
    assert nn_fuzz.judged(case, found, found)[0] == "equal"
    assert nn_fuzz.judged(case, found[:-1], found)[0] == "different"
    assert nn_fuzz.judged(case, [found[0] + 0.1, *found[1:]], found)[0] == "different"
    assert nn_fuzz.judged(case, [found[0].double().half(), *found[1:]], found)[0] == "different"
    assert nn_fuzz.judged(case, [found[0].detach(), *found[1:]], found)[0] == "different"
    assert nn_fuzz.judged(case, RuntimeError("no"), found)[0] == "different"
    monkeypatch.setattr(nn, "_own", lambda outputs: outputs)
    spoiled = [replace(case, seed=seed, kind="GRU", change=("outputs", "mul_")) for seed in range(4)]
    if choose.choose("gru", torch.empty(0)).name == "native":
        assert {nn_fuzz.outcome(one)[0] for one in spoiled} == {"different"}
