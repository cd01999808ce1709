"""The baselines that are trained by gradient, by name."""

from __future__ import annotations

from leadline.baselines.bodies import WIDTH, BagBody, ConvBody, WindowBody
from leadline.data.encode import Encoder
from leadline.data.sequences import PER_STEP
from leadline.network import Network, embed_spec
from leadline.seeds import child

REACH = 4
DESCRIPTIONS = {
    "linear": "linear model on a window",
    "mlp": "MLP on a window",
    "bag": "MLP on the mean and maximum of the steps",
    "convolution": "three causal convolutions over 15 steps",
}


def names_for(kind: str) -> tuple[str, ...]:
    """The baselines that make sense for a kind of target: a bag of steps needs one target per sequence."""
    per_step = kind in PER_STEP
    return tuple(name for name in DESCRIPTIONS if not (per_step and name == "bag"))


def is_causal(name: str, causal: bool) -> bool:
    """Whether the baseline sees no future step."""
    return causal or name == "convolution"


def build(name: str, encoder: Encoder, causal: bool, seed: int, dropout: float = 0.0) -> Network:
    """The network of a baseline.

    Args:
        name: one of `names_for(kind)`.
        encoder: of the train part.
        causal: hide the future from windows.
        seed: of the initial weights.
        dropout: probability of dropping a hidden unit in training; a linear model has none.
    """
    embed, per_step = embed_spec(encoder), encoder.kind in PER_STEP
    inputs, outputs, start = embed.output_size, encoder.output_size, child(seed, "body")
    if name == "bag":
        return Network(embed, BagBody(inputs, outputs, start, dropout), seed)
    if name == "convolution":
        return Network(embed, ConvBody(inputs, outputs, per_step, start, dropout), seed)
    hidden = {"linear": 0, "mlp": WIDTH}[name]
    future = 0 if causal else REACH
    body = WindowBody(inputs, outputs, 2 * REACH - future, future, hidden, per_step, start, dropout)
    return Network(embed, body, seed)
