"""Bodies without recurrence, trained by the same loop as a stack: what a recurrent network must beat.

Each is a `leadline.network.Body`: `predict(features, batch)` gives one row per target.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from leadline.blank import blank
from leadline.data.batch import Batch
from leadline.dropout import Dropout

ENDS = 8
WIDTH = 128
TAPS, CONVOLUTIONS = 3, 3


class WindowBody(nn.Module):
    """A linear map or an MLP on a window of steps.

    For one target per step the window is the step, `past` steps before it and `future` after it, zeros beyond
    the ends. For one target per sequence it is the first and the last `ENDS` steps: of a sequence no longer
    than that, all of it.

    Args:
        input_size, output_size: features per step, numbers per target.
        past, future: reach of the window.
        hidden: units of the hidden layer; 0 for a linear map (logistic regression, or linear in a smooth
            absolute error).
        per_step: one target per step.
        dropout: probability of dropping a unit of the hidden layer.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        past: int,
        future: int,
        hidden: int,
        per_step: bool,
        seed: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.past, self.future, self.per_step = past, future, per_step
        self.hidden, self.dropout = hidden, dropout
        steps = past + 1 + future if per_step else 2 * ENDS
        self.layers = _mlp(input_size * steps, hidden, output_size, seed, dropout)

    def predict(self, features: Tensor, batch: Batch) -> Tensor:
        """One row per target."""
        seen = self._steps(features) if self.per_step else _ends(features, batch.lengths)
        result: Tensor = self.layers(seen[batch.mask] if self.per_step else seen)
        return result

    def _steps(self, features: Tensor) -> Tensor:
        padded, seq = nn.functional.pad(features, (0, 0, self.past, self.future)), features.shape[1]
        return torch.cat([padded[:, shift : shift + seq] for shift in range(self.past + 1 + self.future)], -1)


class BagBody(nn.Module):
    """An MLP on the mean and the maximum of the steps: all order is lost.

    Args:
        input_size, output_size: features per step, numbers per target.
    """

    def __init__(self, input_size: int, output_size: int, seed: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden, self.dropout = WIDTH, dropout
        self.layers = _mlp(2 * input_size, WIDTH, output_size, seed, dropout)

    def predict(self, features: Tensor, batch: Batch) -> Tensor:
        """One row per sequence."""
        counts = batch.mask.sum(1, keepdim=True).clamp(min=1)
        highest = features.masked_fill(~batch.mask[..., None], -torch.inf).amax(1)
        highest = torch.where(torch.isinf(highest), torch.zeros_like(highest), highest)
        result: Tensor = self.layers(torch.cat([features.sum(1) / counts, highest], -1))
        return result


class ConvBody(nn.Module):
    """Three causal convolutions with dilations d = 1, 2, 4 (14 steps of past), residual (Bai, Kolter, Koltun 2018).

        y_t = x_t + relu(W [x_{t-2d}, x_{t-d}, x_t] + b)

    with zeros before the first step, and without x_t where that is not as wide as y_t. For one target per
    sequence the states are averaged over the steps.

    Args:
        input_size, output_size: features per step, numbers per target.
        per_step: one target per step.
    """

    def __init__(self, input_size: int, output_size: int, per_step: bool, seed: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.per_step, self.channels = per_step, WIDTH // 2
        sizes = [input_size] + [self.channels] * CONVOLUTIONS
        self.convolutions = nn.ModuleList(
            blank(nn.Linear, TAPS * before, after) for before, after in itertools.pairwise(sizes)
        )
        self.readout = blank(nn.Linear, sizes[-1], output_size)
        self.dropout = Dropout(dropout)
        _start(self, seed)

    def predict(self, features: Tensor, batch: Batch) -> Tensor:
        """One row per target."""
        values = features
        for place, convolution in enumerate(self.convolutions):
            after = self.dropout(torch.relu(convolution(_with_earlier(values, 1 << place))))
            values = after + values if after.shape == values.shape else after
        if self.per_step:
            result: Tensor = self.readout(values[batch.mask])
            return result
        counts = batch.mask.sum(1, keepdim=True).clamp(min=1)
        pooled: Tensor = self.readout((values * batch.mask[..., None]).sum(1) / counts)
        return pooled


def _with_earlier(values: Tensor, gap: int) -> Tensor:
    """Each step behind those 2 * gap and gap steps before it, zeros before the first."""
    padded, seq = nn.functional.pad(values, (0, 0, (TAPS - 1) * gap, 0)), values.shape[1]
    return torch.cat([padded[:, tap * gap : tap * gap + seq] for tap in range(TAPS)], -1)


def _ends(features: Tensor, lengths: Tensor) -> Tensor:
    """(batch, 2 * ENDS * feature): the first `ENDS` steps and the last `ENDS`, zeros where there are fewer."""
    padded = nn.functional.pad(features, (0, 0, 0, ENDS))
    first = padded[:, :ENDS].flatten(1)
    positions = lengths[:, None] - ENDS + torch.arange(ENDS)[None]
    inside = (positions >= 0).to(features.device)
    index = positions.clamp(min=0).to(features.device)[..., None].expand(-1, -1, features.shape[-1])
    last = padded.gather(1, index) * inside[..., None]
    return torch.cat([first, last.flatten(1)], -1)


def _mlp(inputs: int, hidden: int, outputs: int, seed: int, dropout: float) -> nn.Sequential:
    sizes = [inputs, hidden, outputs] if hidden else [inputs, outputs]
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Sequential(nn.ReLU(), Dropout(dropout))] if layers else []
        layers.append(blank(nn.Linear, before, after))
    network = nn.Sequential(*layers)
    _start(network, seed)
    return network


def _start(module: nn.Module, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
            else:
                nn.init.xavier_uniform_(weight, generator=random)
