"""A training step of one recurrent layer: Leadline's compiled kernels, JAX's compiled scan and torch.nn in one run.

    pip install jax
    python benchmarks/jax_scan.py --json jax_scan.json

The step is that of `benchmarks/kernels.py`. JAX gets what serves it best: the inputs' product of all steps as one
matrix product before the scan, one program for forward and backward pass, arrays that stay on its side, and the better
of two unrollings of the scan. The process is held on one core; the three sides take turns; figures are medians of
processor time. JAX is no dependency of Leadline.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import jax  # noqa: E402  the affinity has to be set before it starts its threads
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from leadline.bench.layers import GATES, Layers, steps  # noqa: E402
from leadline.bench.meter import Step, facts, in_turns  # noqa: E402

SHAPES = ((9, 64, 64, 64), (100, 32, 32, 32), (100, 32, 64, 128), (100, 32, 128, 256), (100, 64, 256, 512))
UNROLLS = (1, 4)


def forward(cell: str, unroll: int, inputs: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> Any:
    """(seq, batch, hidden) outputs from zero states, torch's equations and order of gates."""
    hidden, batch = w_hh.shape[1], inputs.shape[1]
    before, zeros = inputs @ w_ih.T + b_ih, jnp.zeros((batch, hidden))

    def tanh(state: Any, x: Any) -> tuple[Any, Any]:
        new = jnp.tanh(x + state @ w_hh.T + b_hh)
        return new, new

    def gru(state: Any, x: Any) -> tuple[Any, Any]:
        h = state @ w_hh.T + b_hh
        both = jax.nn.sigmoid(x[:, : 2 * hidden] + h[:, : 2 * hidden])
        reset, update = both[:, :hidden], both[:, hidden:]
        candidate = jnp.tanh(x[:, 2 * hidden :] + reset * h[:, 2 * hidden :])
        new = candidate + update * (state - candidate)
        return new, new

    def lstm(state: Any, x: Any) -> tuple[Any, Any]:
        i, f, g, o = jnp.split(x + state[0] @ w_hh.T + b_hh, 4, axis=1)
        memory = jax.nn.sigmoid(f) * state[1] + jax.nn.sigmoid(i) * jnp.tanh(g)
        new = jax.nn.sigmoid(o) * jnp.tanh(memory)
        return (new, memory), new

    step = {"tanh": tanh, "gru": gru, "lstm": lstm}[cell]
    start = (zeros, zeros) if cell == "lstm" else zeros
    return jax.lax.scan(step, start, before, unroll=unroll)[1]


def by_jax(task: Layers, unroll: int) -> tuple[Step, Step]:
    """A step by JAX, and the same giving the gradients as numpy arrays."""
    random = np.random.default_rng(0)
    rows = GATES[task.cell] * task.hidden
    shapes = ((rows, task.feature), (rows, task.hidden), (rows,), (rows,))
    leaves = [jnp.asarray(random.uniform(-1, 1, shape).astype(np.float32) * task.hidden**-0.5) for shape in shapes]
    inputs = jnp.asarray(random.normal(size=(task.seq, task.batch, task.feature)).astype(np.float32))
    d_outputs = jnp.asarray(random.normal(size=(task.seq, task.batch, task.hidden)).astype(np.float32))

    @jax.jit
    def gradients(inputs: Any, leaves: Any, d_outputs: Any) -> Any:
        _, pull = jax.vjp(lambda x, w: forward(task.cell, unroll, x, *w), inputs, leaves)
        return pull(d_outputs)

    def step() -> object:
        return jax.block_until_ready(gradients(inputs, leaves, d_outputs))

    def checked() -> object:
        values = [torch.from_numpy(np.array(value)).requires_grad_() for value in (inputs, *leaves)]
        module = {"tanh": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[task.cell](
            task.feature, task.hidden
        )
        for parameter, value in zip(module.parameters(), values[1:], strict=True):
            parameter.data = value.detach()
        outputs = module(values[0])[0]
        right = torch.autograd.grad(outputs, [values[0], *module.parameters()], torch.from_numpy(np.array(d_outputs)))
        found = gradients(inputs, leaves, d_outputs)
        for mine, theirs in zip((found[0], *found[1]), right, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-2, atol=2e-4 * float(theirs.abs().max()))
        return None

    return step, checked


def measure(task: Layers, seconds: float) -> dict[str, object]:
    """Medians in milliseconds, JAX by its better unrolling."""
    ours, torchs = steps(task)
    sides: dict[str, Step] = {"native": ours, "torch": torchs}
    for unroll in UNROLLS:
        sides[f"jax {unroll}"], checked = by_jax(task, unroll)
        checked()
    times = in_turns(sides, seconds, 5, 200)
    medians = {name: statistics.median(found) * 1e3 for name, found in times.items()}
    jax_ms = min(medians[f"jax {unroll}"] for unroll in UNROLLS)
    return {
        **vars(task),
        "native_ms": round(medians["native"], 3),
        "jax_ms": round(jax_ms, 3),
        "torch_ms": round(medians["torch"], 3),
        "over_jax": round(jax_ms / medians["native"], 2),
        "over_torch": round(medians["torch"] / medians["native"], 2),
        "jax_gflops": round(task.operations / jax_ms / 1e6, 1),
    }


def main() -> None:
    """Print a line for each shape and cell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each shape and cell")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for shape in SHAPES:
        for cell in GATES:
            rows.append(measure(Layers(cell, *shape), chosen.seconds))
            print(" ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    if chosen.json:
        about = facts() | {"jax": jax.__version__, "command": " ".join(["python", *sys.argv])}
        chosen.json.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
