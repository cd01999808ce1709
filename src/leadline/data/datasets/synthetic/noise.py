"""Labels that nobody can know: pure chance, and a function with chance on top."""

from __future__ import annotations

import numpy as np

from leadline.data.datasets.synthetic.draws import digit_names, named, random_stream, symbols
from leadline.data.datasets.synthetic.known import ONE_LAYER, SMALL, ZERO, KnownTask, rights, solved
from leadline.data.sequences import Sequences


def iid_labels(num_sequences: int, length: int = 20, num_classes: int = 4, seed: int = 0) -> Sequences:
    """y_t uniform over K classes, independent of everything.

    Right: irreducible noise. Best accuracy 1/K, best loss ln K nats.

    Proof: whatever a predictor looks at is independent of y_t, so its expected accuracy is 1/K, and every effect is
    exactly 0.
    """
    stream = random_stream("iid_labels", seed, num_sequences, length)
    x = stream.integers(num_classes, size=(num_sequences, length))
    y = stream.integers(num_classes, size=(num_sequences, length))
    return named("iid_labels", "tagging", x, symbols(num_classes), y, digit_names(num_classes))


def noisy_function(
    num_sequences: int, length: int = 20, num_classes: int = 4, noise: float = 0.2, seed: int = 0
) -> Sequences:
    """y_t = (x_t + 1) mod K with probability 1 - p, else one of the other K - 1 classes, x_t uniform over K.

    Right: a noise floor, and no recurrence: the present step says all there is. Best accuracy 1 - p; best
    loss H(p) + p ln(K - 1), 0.720 nats with p = 0.2 and K = 4 (`noise_floor`). Training and validation loss
    meet there, which is no reason to enlarge the network.

    Proof: given x_t, y_t is independent of all other steps, and (x_t + 1) mod K is its most probable value. A linear
    model of x_t is exact, so nothing that is added brings more than its start is short of 1 - p.
    """
    stream = random_stream("noisy_function", seed, num_sequences, length)
    x = stream.integers(num_classes, size=(num_sequences, length))
    wrong = stream.random(x.shape) < noise
    off = stream.integers(1, num_classes, size=x.shape)
    y = (x + 1 + np.where(wrong, off, 0)) % num_classes
    return named("noisy_function", "tagging", x, symbols(num_classes), y, digit_names(num_classes))


def noise_floor(noise: float, num_classes: int) -> float:
    """Best loss of `noisy_function` in nats: H(p) + p ln(K - 1).

    >>> round(noise_floor(0.2, 4), 3)
    0.72
    """
    entropy = -noise * np.log(noise) - (1.0 - noise) * np.log(1.0 - noise)
    return float(entropy + noise * np.log(num_classes - 1))


TASKS = (
    KnownTask(
        name="iid_labels",
        title="labels by chance alone: nothing helps",
        draw=iid_labels,
        sequences=2000,
        right=(
            *rights(ZERO, "recurrence", "future", "width", "depth", "depth_equal_size", "cell", "readout"),
            *rights(ZERO, "dropout", "more_data", "deep_or_both_ways"),
        ),
        advised=(ONE_LAYER,),
        baseline=True,
        best=25.0,
        tolerance=2.5,
    ),
    KnownTask(
        name="noisy_function",
        title="a function of the present step with 20 % noise: a floor, which a linear model reaches",
        draw=noisy_function,
        sequences=2000,
        right=(*solved(4, "future", "deep_or_both_ways"), *rights(SMALL, "recurrence")),
        advised=(ONE_LAYER,),
        baseline=True,
        best=80.0,
        tolerance=2.5,
    ),
)
