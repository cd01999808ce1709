"""How recurrent weights start: shared by the cells."""

from __future__ import annotations

import torch
from torch import Tensor


def fill(weight_ih: Tensor, weight_hh: Tensor, bias_ih: Tensor, bias_hh: Tensor, random: torch.Generator) -> None:
    """Glorot-uniform input weights, orthogonal recurrent weights gate by gate, zero biases.

    An orthogonal matrix keeps the norm of the state, so that early gradients neither vanish nor explode
    (Saxe, McClelland, Ganguli 2014); Glorot & Bengio 2010 for the input.
    """
    hidden = weight_hh.shape[1]
    with torch.no_grad():
        for gate in torch.split(weight_ih, hidden):
            torch.nn.init.xavier_uniform_(gate, generator=random)
        for gate in torch.split(weight_hh, hidden):
            torch.nn.init.orthogonal_(gate, generator=random)
        bias_ih.zero_()
        bias_hh.zero_()
