"""`Stack`: recurrent layers plus readout, built from a `StackSpec`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from leadline.errors import SpecError
from leadline.kernels.reference import State
from leadline.lengths import checked
from leadline.readout import Readout, pool
from leadline.recurrent import Recurrent, valid_steps
from leadline.spec import StackSpec


class Stack(nn.Module):
    """A stacked recurrent network.

    Args:
        spec: what to build.
        seed: of the initial weights; the global generator is not touched.

    Example:
        >>> import torch
        >>> from leadline import Stack, StackSpec
        >>> stack = Stack(StackSpec(input_size=3, output_size=2, hidden_size=8, num_layers=2), seed=0)
        >>> stack(torch.zeros(4, 7, 3), lengths=torch.tensor([7, 5, 1, 0])).shape
        torch.Size([4, 7, 2])
        >>> [states.shape[-1] for states in stack.layer_states(torch.zeros(4, 7, 3))]
        [8, 8]
    """

    def __init__(self, spec: StackSpec, seed: int = 0) -> None:
        super().__init__()
        self.spec = spec
        random = torch.Generator().manual_seed(seed)
        self.recurrent = Recurrent(spec, random)
        self.readout = Readout(spec, random)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Predict.

        Args:
            inputs: (batch, seq, feature); what stands at padding is ignored.
            lengths: (batch,) steps of each sequence, 0 allowed; all steps by default.

        Returns:
            (batch, seq, output_size), 0 at padding, for pooling "step"; else (batch, output_size).

        Raises:
            SpecError: inputs of another size than the spec's, or lengths out of range.
        """
        lengths = self._lengths(inputs, lengths)
        outputs, _ = self.unroll(inputs, lengths)
        if self.spec.pooling != "step":
            return self.read_sequences(outputs[-1], lengths)
        predictions: Tensor = self.readout(outputs[-1]) * valid_steps(outputs[-1], lengths)
        return predictions.transpose(0, 1)

    def layer_states(self, inputs: Tensor, lengths: Tensor | None = None) -> list[Tensor]:
        """Every layer's states, lowest first, each (batch, seq, hidden * directions), 0 at padding."""
        outputs, _ = self.unroll(inputs, self._lengths(inputs, lengths))
        # Copies: backward passes read the originals, also after the caller has changed what it got.
        return [(output.clone() if output.requires_grad else output).transpose(0, 1) for output in outputs]

    def unroll(self, inputs: Tensor, lengths: Tensor) -> tuple[list[Tensor], list[State]]:
        """Every layer's outputs, time-major, and final states; see `Recurrent.forward`."""
        steps = inputs.transpose(0, 1)
        steps = torch.where(valid_steps(steps, lengths) > 0, steps, torch.zeros_like(steps))
        result: tuple[list[Tensor], list[State]] = self.recurrent(window(steps, self.spec.look_ahead), lengths)
        return result

    def read_sequences(self, top: Tensor, lengths: Tensor) -> Tensor:
        """(batch, output_size) from the top layer's outputs, (seq, batch, state_width)."""
        if top.shape[0] == 0:
            top = top.new_zeros(1, *top.shape[1:])
        result: Tensor = self.readout(pool(top, lengths, self.spec))
        return result

    def _lengths(self, inputs: Tensor, lengths: Tensor | None) -> Tensor:
        if inputs.dim() != 3 or inputs.shape[-1] != self.spec.input_size:
            raise SpecError(
                f"inputs of shape {tuple(inputs.shape)}",
                expected=f"(batch, seq, {self.spec.input_size})",
                next_move="The axes are batch, seq, feature, in this order.",
            )
        batch, seq = inputs.shape[:2]
        return checked(lengths, batch, seq)


def window(steps: Tensor, look_ahead: int) -> Tensor:
    """Each step beside its next `look_ahead` steps.

    Args:
        steps: (seq, batch, feature), 0 at padding.
        look_ahead: k; 0 gives `steps` back.

    Returns:
        (seq, batch, feature * (k + 1)): x_t, x_{t+1}, ..., x_{t+k}, zeros beyond the end.
    """
    if look_ahead == 0:
        return steps
    seq = steps.shape[0]
    padded = torch.cat([steps, steps.new_zeros(look_ahead, *steps.shape[1:])])
    return torch.cat([padded[shift : shift + seq] for shift in range(look_ahead + 1)], -1)
