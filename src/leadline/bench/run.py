"""`leadline bench`: what the compiled code gains on this machine, in a minute."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import torch

from leadline.bench import layers, networks
from leadline.bench.layers import Layers
from leadline.bench.meter import Peak, facts, one_thread, watched
from leadline.bench.networks import Shape
from leadline.errors import KernelError, OptionError
from leadline.kernels import choose

SCHEMA = "leadline.bench/1"
SHAPES = ((30, 64, 64, 64, 0), (100, 32, 32, 32, 1), (100, 32, 64, 128, 1), (100, 32, 128, 256, 1))
TASKS = tuple(Layers(cell, *shape) for shape, cell in itertools.product(SHAPES, layers.GATES))
NETWORKS = (Shape(32), Shape(32, layers=2, bidirectional=True), Shape(128))
UPDATES = 12
SECONDS = 40.0
Progress = Callable[[str, float], None]


@dataclass
class Bench:
    """What was measured.

    Args:
        facts: machine, versions, routine, the reason for it, instruction set.
        seconds: processor time that was asked for.
        peak_gflops: the core's multiply-adds per second on registers, two operations each; 0 before it is known.
        kernels: training steps of one layer.
        networks: whole updates.
        complete: false where Ctrl-C ended it.
    """

    facts: dict[str, str]
    seconds: float
    peak_gflops: float = 0.0
    kernels: list[layers.Row] = field(default_factory=list)
    networks: list[networks.NetworkRow] = field(default_factory=list)
    complete: bool = False

    def to_json(self) -> str:
        """As JSON, schema "leadline.bench/1"."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1)


def bench(seconds: float = SECONDS, progress: Progress = lambda what, share: None) -> Bench:
    """Measure the kernels and whole networks against torch, one thread, the sides taking turns.

    Args:
        seconds: processor time for the repeats; every row is measured a few times even where that takes longer.
            40 by default: with the data read and everything warmed up, about a minute.
        progress: told what comes next, and the share that is done.

    Returns:
        What was measured; after Ctrl-C what there is by then.

    Raises:
        KernelError: the compiled kernels do not run here, and why.
        OptionError: `seconds` is not positive.
    """
    if not seconds > 0:
        raise OptionError(f"seconds = {seconds}", expected="a positive number")
    choice = choose.choose("gru", torch.empty(0))
    if choice.name != "native":
        raise KernelError(
            f"there is nothing to measure: {choice.name} would run ({choice.reason})",
            next_move="Unset LEADLINE_KERNELS, or install Leadline again with a C compiler.",
        )
    found = Bench(facts(), seconds)
    try:
        with one_thread():
            _fill(found, progress)
        found.complete = True
    except KeyboardInterrupt:
        pass
    return found


def _fill(found: Bench, progress: Progress) -> None:
    each = found.seconds / (len(TASKS) + len(NETWORKS))
    total, peak = len(TASKS) + len(NETWORKS), Peak()
    with watched() as inside, torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        for place, task in enumerate(TASKS):
            progress(f"{task.cell}, {task.hidden} units", place / total)
            found.kernels.append(layers.measure(task, each, peak, inside))
            found.peak_gflops = round(peak.gflops(), 1)
        progress("reading the embedded data", len(TASKS) / total)
        data = networks.material()
        for place, shape in enumerate(NETWORKS, start=len(TASKS)):
            progress(f"networks of {shape.hidden} units", place / total)
            found.networks.append(networks.measure(shape, data, UPDATES, each))
    progress("done", 1.0)


def describe(found: Bench) -> str:
    """The tables in words."""
    known = found.facts
    lines = [
        f"{known['routine']}: {known['reason']}; torch {known['torch']}, one thread",
        f"{known['machine']}, {known['system']}; peak {found.peak_gflops:.0f} GFLOP/s",
        "",
        "A training step of one layer against torch's:",
        f"{'cell':5s} {'steps':>5s} {'batch':>5s} {'inputs':>6s} {'units':>5s} {'ms':>9s} {'torch':>7s} "
        f"{'GFLOP/s':>8s} {'of peak':>8s}",
        *(_kernel_line(row, found.peak_gflops) for row in found.kernels),
        "",
        "Whole updates of one network on the embedded data against a plain torch loop:",
        *(_network_line(row) for row in found.networks),
        *([] if found.complete else ["", "Interrupted: the rest was not measured."]),
    ]
    return "\n".join(lines)


def _kernel_line(row: layers.Row, peak: float) -> str:
    return (
        f"{row.cell:5s} {row.seq:5d} {row.batch:5d} {row.feature:6d} {row.hidden:5d} {row.native_ms:9.2f} "
        f"{row.ratio:6.1f}x {row.kernel_gflops:8.0f} {row.kernel_gflops / peak:8.0%}"
        f"{'' if row.layers else '  unequal lengths'}"
    )


def _network_line(row: networks.NetworkRow) -> str:
    name = f"gru:{row.layers}x{row.hidden}{':both' if row.bidirectional else ''}"
    return (
        f"{name:14s} {row.updates_per_second:8.0f} updates/s, torch ({row.torch_form}) "
        f"{row.torch_updates_per_second:6.0f}: {row.ratio:.1f}x"
    )
