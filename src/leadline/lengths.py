"""How many steps each sequence of a padded batch has: what is accepted, and what is refused by name."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from leadline.errors import SpecError
from leadline.kernels import capture


def checked(lengths: Any, batch: int, seq: int) -> Tensor:
    """(batch,) int64 on the CPU.

    Args:
        lengths: whole numbers from 0 to `seq`, one for each row: a tensor on any device, an array or a list; None for
            rows that all have `seq` steps. In a captured graph their range cannot be looked at, and is not.
        batch, seq: sizes of the padded batch.

    Raises:
        SpecError: fractions, booleans, another count, a number out of range, a tensor without numbers.
    """
    if lengths is None:
        return torch.full((batch,), seq, dtype=torch.int64)
    expected = f"{batch} whole numbers from 0 to {seq}, one for each sequence"
    found = _tensor(lengths, expected)
    if found.shape != (batch,):
        raise SpecError(f"lengths of shape {tuple(found.shape)}", expected=f"({batch},): {expected}")
    if found.is_meta:
        raise SpecError(
            'lengths on the device "meta", where there are no numbers',
            expected=expected,
            next_move="Give lengths on the CPU, beside inputs on any device.",
        )
    found = found.to("cpu", torch.int64)
    if batch and not capture.blind(found) and not 0 <= int(found.min()) <= int(found.max()) <= seq:
        row = int(((found < 0) | (found > seq)).nonzero()[0])
        raise SpecError(f"lengths with {int(found[row])} at place {row}", expected=expected)
    return found


def _tensor(lengths: Any, expected: str) -> Tensor:
    try:
        found = torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError) as error:  # what torch raises for what is no array of numbers
        raise SpecError(f"lengths {lengths!r:.60}", expected=expected) from error
    if found.shape == (0,) and not isinstance(lengths, Tensor):
        return found.to(torch.int64)  # an empty list, which torch takes for one of fractions
    if found.is_floating_point() or found.is_complex() or found.dtype is torch.bool:
        mask = found.dtype is torch.bool
        move = "Give lengths=mask.sum(1) for a mask." if mask else "Give lengths=lengths.long() where they are whole."
        raise SpecError(f"lengths of type {found.dtype}", expected=expected, next_move=move)
    return found
