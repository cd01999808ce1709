"""What is minimised, and what is scored, for each kind of target.

| kind | minimised | score (higher is better) |
|---|---|---|
| classification, tagging | cross-entropy | 100 x share of right labels |
| next_step | cross-entropy | - nats per step |
| regression, step_regression | smooth L1 of the standardised target | - mean absolute error, in the target's unit |

Cross-entropy is averaged over the targets of a batch. The smooth L1 bends at a tenth of the target's standard
deviation: nearly the absolute error that is scored, and yet smooth where the optimiser settles (Huber 1964).
Every score is a mean over targets, so it splits into sums per sequence, which the paired tests need.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from leadline.data.encode import Encoder
from leadline.data.sequences import LABELLED, PER_STEP, Sequences
from leadline.records.trial import Kind, Metric

BEND = 0.1
IMPOSSIBLE = 1e-12
"""The probability of what a baseline holds impossible: 28 nats, where the logarithm would be infinite."""


def metric_for(kind: Kind, target: str, unit_name: str = "label") -> Metric:
    """The metric of a kind of target; `unit_name` is what one target is called ("letter", "label")."""
    if kind == "next_step":
        return Metric(name="negative_nats", unit="- nats per step", loss_unit="nats per step", perfect=0.0)
    if kind in LABELLED:
        return Metric(
            name="accuracy",
            unit=f"% of {unit_name}s right",
            loss_unit=f"% of {unit_name}s wrong",
            perfect=100.0,
        )
    return Metric(
        name="negative_mean_absolute_error",
        unit=f"- mean absolute error of {target}",
        loss_unit=f"mean absolute error of {target}",
        perfect=0.0,
    )


def metric_of(sequences: Sequences) -> Metric:
    """The metric of some data, in words that fit them."""
    unit = unit_name(sequences.target_name) if sequences.per_step else "sequence"
    return metric_for(sequences.kind, sequences.target_name, unit)


def unit_name(target: str) -> str:
    """What one target is called: the column's name where that is a word that takes an s, else "label".

    >>> unit_name("sound"), unit_name("column_2"), unit_name("class"), unit_name("POS")
    ('sound', 'label', 'label', 'label')
    """
    return target if target.isalpha() and target.islower() and not target.endswith(("s", "x", "ch", "y")) else "label"


def loss(outputs: Tensor, targets: Tensor, kind: str) -> Tensor:
    """Mean loss of a batch.

    Args:
        outputs: (targets, output_size).
        targets: (targets,).
        kind: kind of target.
    """
    if kind in LABELLED:
        return functional.cross_entropy(outputs, targets)
    return functional.smooth_l1_loss(outputs.squeeze(-1), targets, beta=BEND)


def scores(outputs: Tensor, targets: Tensor, encoder: Encoder) -> Tensor:
    """(targets,) score of each target."""
    if encoder.kind == "next_step":
        return -functional.cross_entropy(outputs, targets, reduction="none")
    if encoder.kind in LABELLED:
        return 100.0 * (outputs.argmax(-1) == targets).to(outputs.dtype)
    return -(outputs.squeeze(-1) - targets).abs() * encoder.target_scale


def answer_scores(answers: NDArray[np.float64], targets: NDArray[Any], kind: Kind) -> NDArray[np.float64]:
    """(targets,) score of each target, from probabilities or numbers in the target's own unit, as `scores` has them.

    Args:
        answers: (targets, classes) or (targets,).
        targets: (targets,) class indices or numbers.
        kind: kind of target.
    """
    if kind == "next_step":
        found = np.log(np.maximum(answers[np.arange(len(targets)), targets], IMPOSSIBLE))
    elif kind in LABELLED:
        found = 100.0 * (answers.argmax(axis=1) == targets)
    else:
        found = -np.abs(answers - targets)
    return np.asarray(found, dtype=np.float64)


def flat_targets(targets: Tensor, mask: Tensor, kind: str) -> Tensor:
    """The targets of a batch in the order of a network's output rows."""
    return targets[mask] if kind in PER_STEP else targets


def sequence_sums(values: Tensor, lengths: Tensor, kind: str) -> Tensor:
    """(batch,) sums of `scores` by sequence."""
    if kind not in PER_STEP:
        return values
    owners = torch.repeat_interleave(torch.arange(len(lengths)), lengths).to(values.device)
    return values.new_zeros(len(lengths)).index_add(0, owners, values)
