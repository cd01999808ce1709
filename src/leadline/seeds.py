"""Named random streams: every draw in Leadline comes from a seed and a path of names.

`child(seed, "trial", 3, "weights")` is a fixed 63-bit number: it depends on nothing else, so adding a stream
never shifts another one. Global generators are never drawn from.
"""

from __future__ import annotations

import hashlib

import numpy as np


def child(seed: int, *names: str | int) -> int:
    """The seed of the stream that `names` lead to.

    Args:
        seed: the parent seed.
        names: the path, for instance `"trial", 3, "order"`. `1` and `"1"` are different names.

    Returns:
        An integer in [0, 2**63).

    >>> child(0, "weights") == child(0, "weights"), child(0, "weights") == child(1, "weights")
    (True, False)
    """
    path = "\x1f".join([repr(int(seed)), *(repr(name) for name in names)])
    digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator at the stream that `names` lead to.

    >>> float(generator(0, "a").random()) == float(generator(0, "a").random())
    True
    """
    return np.random.default_rng(child(seed, *names))
